package io.caravan.mailproxy.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Answer;
import io.caravan.mailproxy.message.Answer.Kind;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The relay inside the process keeps what it gets. */
class SandboxRelayTest {
  @TempDir private Path dir;

  @Test
  void keepsEachMailAsAFile() throws Exception {
    try (SandboxRelay sandbox = new SandboxRelay(dir.resolve("sandbox")).start();
        SmtpPool pool = new SmtpPool()) {
      Account account = sandbox.inPlaceOf(Mails.account(1, "user", "secret", true, null, 1));
      String mail = Mails.SMALL + ".dot\r\n..\r\nGr\u00fc\u00dfe\r\n";
      for (int i = 0; i < 20; i++) {
        OutgoingMail out = Mails.mail(account, mail, DataGate.OPEN, "b@y.test", "v\u00f6l@y.test");
        assertThat(Mails.send(pool, out)).extracting(Answer::kind).containsOnly(Kind.ACCEPTED);
        assertThat(out.answers().get(0).text()).matches("kept as \\d{8}-\\d{6}-\\d{3}-\\d+\\.eml");
      }
      assertThat(pool.opened()).isEqualTo(1);
      List<Path> files;
      try (Stream<Path> all = Files.list(dir.resolve("sandbox"))) {
        files = all.toList();
      }
      assertThat(files).hasSize(20).allMatch(f -> f.toString().endsWith(".eml"));
      byte[] kept = Files.readAllBytes(files.get(0));
      assertThat(new String(kept, java.nio.charset.StandardCharsets.ISO_8859_1))
          .startsWith(
              "X-Envelope-From: <a@x.test>\r\nX-Envelope-To: <b@y.test>\r\nX-Envelope-To: <")
          .endsWith(mail);
    }
  }
}
