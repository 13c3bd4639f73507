package io.caravan.mailproxy.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.caravan.mailproxy.admin.Directory;
import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.intake.Batch;
import io.caravan.mailproxy.intake.BatchReader;
import io.caravan.mailproxy.intake.IntakeLimits;
import io.caravan.mailproxy.intake.MessageReader;
import io.caravan.mailproxy.intake.Submission;
import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Message;
import io.caravan.mailproxy.message.Priority;
import io.caravan.mailproxy.message.Quota;
import jakarta.mail.Session;
import jakarta.mail.internet.MimeMessage;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** What intake accepts can be stored, read back and composed, whatever the fields hold. */
class IntakeToWireTest {
  private static final String[] FIELDS = {
    "id", "from", "to", "cc", "reply_to", "return_path", "subject", "body", "message_id"
  };
  private static final int[] POINTS =
      "abc  <>@@..\",;:()=?%\\{}'\r\n\t\0\u0085\u2028\u202eüé株瘍瘊🚀\u200d--=_X-Injected: yes\r\n"
          .codePoints()
          .toArray();
  private static final Set<String> NAMES =
      Set.of(
          "From",
          "To",
          "Cc",
          "Reply-To",
          "Subject",
          "Date",
          "Message-ID",
          "MIME-Version",
          "X-Custom",
          "X-Genro-Mail-ID",
          "Content-Type",
          "Content-Transfer-Encoding");

  private static final Account ACCOUNT =
      new Account(
          1,
          1,
          "acme",
          "main",
          Account.Type.RELAY,
          "h.test",
          25,
          null,
          null,
          null,
          300,
          10,
          0,
          null,
          null,
          null,
          null,
          false,
          Quota.NONE);

  private static final Directory DIRECTORY =
      new Directory() {
        @Override
        public Optional<Account> account(String tenantId, String accountId) {
          return Optional.of(ACCOUNT);
        }

        @Override
        public Optional<Account> account(long pk) {
          return Optional.of(ACCOUNT);
        }

        @Override
        public List<String> tenantsWithAccount(String accountId) {
          return List.of("acme");
        }
      };

  private final Random random = new Random(5);
  private final BatchReader reader =
      new BatchReader(DIRECTORY, IntakeLimits.DEFAULT, Priority.MEDIUM);

  @Test
  void nothingAcceptedIsStuckOrInjected() throws Exception {
    int accepted = 0;
    for (int i = 0; i < 20_000; i++) {
      Batch batch =
          reader.read(
              Json.MAPPER
                  .createObjectNode()
                  .set("messages", Json.MAPPER.createArrayNode().add(item())),
              null);
      for (Submission submission : batch.submissions()) {
        Message message = MessageReader.read(submission.payload());
        assertThat(message).isEqualTo(submission.message());
        check(new Composer().compose(i, 1_795_521_600_000L + i, message, Map.of()));
        accepted++;
      }
    }
    assertThat(accepted).isGreaterThan(2000);
  }

  private static void check(byte[] mail) throws Exception {
    MimeMessage parsed =
        new MimeMessage(Session.getInstance(new Properties()), new ByteArrayInputStream(mail));
    Set<String> names = new TreeSet<>();
    Collections.list(parsed.getAllHeaders()).forEach(header -> names.add(header.getName()));
    assertThat(NAMES).containsAll(names);
    for (String line : new String(mail, StandardCharsets.ISO_8859_1).split("\r\n", -1)) {
      assertThat(line).hasSizeLessThanOrEqualTo(998).doesNotContain("\r", "\n", "\0");
    }
  }

  private ObjectNode item() {
    ObjectNode item =
        Json.MAPPER
            .createObjectNode()
            .put("id", "m1")
            .put("account_id", "main")
            .put("from", "Shop <shop@example.test>")
            .put("to", "v@y.test")
            .put("subject", "Hi");
    item.putObject("headers").put("X-Custom", noise());
    String field = FIELDS[random.nextInt(FIELDS.length)];
    String noise = noise();
    boolean address = random.nextBoolean() && !field.equals("body");
    item.put(field, address ? noise + " <a@y.test>" : noise);
    if (random.nextInt(4) == 0) {
      item.putArray("attachments")
          .addObject()
          .put("filename", noise())
          .put("storage_path", "base64:QUJD");
    }
    return item;
  }

  private String noise() {
    StringBuilder text = new StringBuilder();
    int kinds = random.nextInt(3);
    for (int n = random.nextInt(kinds == 0 ? 3 : kinds == 1 ? 12 : 400); n > 0; n--) {
      int point = POINTS[random.nextInt(POINTS.length)];
      // mostly without control characters, so that much is accepted
      text.appendCodePoint(point < ' ' && random.nextInt(50) > 0 ? 'x' : point);
    }
    return text.toString();
  }
}
