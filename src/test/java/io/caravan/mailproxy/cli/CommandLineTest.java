package io.caravan.mailproxy.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.endtoend.TestPorts;
import io.caravan.mailproxy.endtoend.TestProxy;
import io.caravan.mailproxy.http.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands against a running proxy. */
class CommandLineTest {
  private static final String EML =
      """
      From: =?utf-8?q?Doe=2C_J=C3=BCrgen?= <jd@example.test>
      To: Ann <ann@example.test>, bob@example.test
      Cc: "Smith, Eve" <eve@example.test>
      Bcc: hidden@example.test
      Subject: =?utf-8?b?R3LDvMOfZQ==?=
      MIME-Version: 1.0
      Content-Type: multipart/mixed; boundary=b

      --b
      Content-Type: multipart/alternative; boundary=a

      --a
      Content-Type: text/plain

      plain words
      --a
      Content-Type: text/html; charset=utf-8

      <p>rich words</p>
      --a--
      --b
      Content-Type: text/csv; name="list.csv"
      Content-Disposition: attachment; filename="list.csv"
      Content-Transfer-Encoding: base64

      YSxiCjEsMgo=
      --b--
      """
          .replace("\n", "\r\n");

  @TempDir static Path home;
  private static TestProxy proxy;

  @BeforeAll
  static void start() {
    proxy = TestProxy.start(home);
  }

  @AfterAll
  static void stop() {
    proxy.close();
  }

  private static CommandRun.Shellful admin() {
    return CommandRun.with(
        Map.of(
            "GMP_HOME", home.toString(),
            "GMP_URL", proxy.proxy().uri().toString(),
            "GMP_API_TOKEN", TestProxy.TOKEN));
  }

  private static CommandRun ok(CommandRun run) {
    assertThat(run.code()).as(run.err() + run.out()).isZero();
    return run;
  }

  @Test
  void a_tenant_from_its_first_day_to_its_last() {
    CommandRun added =
        ok(
            admin()
                .with("GMP_CLIENT_SECRET", "canary-1")
                .run(
                    "tenants",
                    "add",
                    "acme/ü",
                    "--name",
                    "Acme",
                    "--base-url",
                    "http://app.test",
                    "--auth-method",
                    "bearer",
                    "--rate-limit-daily",
                    "7"));
    String first = added.out().replaceAll("(?s).*again: (\\S+).*", "$1");
    assertThat(first).hasSize(43);
    assertThat(added.out() + added.err()).doesNotContain("canary-1");

    CommandRun again = admin().run("tenants", "add", "acme/ü");
    assertThat(again.code()).isEqualTo(1);
    assertThat(again.err()).contains("tenants update");

    ok(admin().run("tenants", "update", "acme/ü", "--name", "Acme 2", "--no-active"));
    assertThat(ok(admin().run("tenants", "show", "acme/ü")).out())
        .contains("Acme 2", "http://app.test", "bearer")
        .doesNotContain("canary-1");
    assertThat(ok(admin().run("tenants", "list")).out()).contains("acme/ü");
    assertThat(ok(admin().run("tenants", "list", "-a")).out()).doesNotContain("acme/ü");

    // the token works, until a new one takes its place
    CommandRun.Shellful tenant = admin().with("GMP_API_TOKEN", first);
    ok(tenant.run("accounts", "list"));
    assertThat(tenant.run("tenants", "list").code()).isEqualTo(1);
    String second = ok(admin().run("tenants", "token", "new", "acme/ü")).out().strip();
    assertThat(tenant.run("accounts", "list").code()).isEqualTo(1);
    ok(admin().with("GMP_API_TOKEN", second).run("accounts", "list"));

    CommandRun unasked = admin().run("tenants", "token", "revoke", "acme/ü");
    assertThat(unasked.code()).isEqualTo(2);
    assertThat(unasked.err()).contains("--yes");
    assertThat(admin().typing("n\n").run("tenants", "token", "revoke", "acme/ü").code())
        .isEqualTo(1);
    ok(admin().with("GMP_API_TOKEN", second).run("accounts", "list"));
    ok(admin().typing("y\n").run("tenants", "token", "revoke", "acme/ü"));
    CommandRun revoked = admin().with("GMP_API_TOKEN", second).run("accounts", "list");
    assertThat(revoked.code()).isEqualTo(1);
    assertThat(revoked.err()).contains("401", "GMP_API_TOKEN");
  }

  @Test
  void passwords_come_from_anywhere_but_the_arguments() throws Exception {
    Path file = Files.writeString(home.resolve("password"), "canary-2\n");
    try (ScriptedSmtpServer relay = new ScriptedSmtpServer()) {
      String[] add = {
        "accounts",
        "add",
        "relay",
        "-t",
        "secretive",
        "--host",
        "127.0.0.1",
        "--user",
        "me",
        "--port",
        "" + relay.port()
      };
      CommandRun none = admin().run(add);
      assertThat(none.code()).isEqualTo(2);
      assertThat(none.err()).contains("GMP_ACCOUNT_PASSWORD", "--password-file");
      ok(admin().with("GMP_ACCOUNT_PASSWORD", "canary-2").run(add));
      CommandRun typed = ok(admin().typing("canary-2\n").run(add));
      assertThat(typed.out() + typed.err()).doesNotContain("canary-2");
      String[] byFile =
          Stream.concat(Stream.of(add), Stream.of("--password-file", file.toString()))
              .toArray(String[]::new);
      ok(admin().run(byFile));
      assertThat(ok(admin().run("accounts", "show", "relay", "-t", "secretive")).out())
          .contains("127.0.0.1", "me")
          .doesNotContain("canary-2");
      String argument =
          admin()
              .run(
                  Stream.concat(Stream.of(add), Stream.of("--password", "x"))
                      .toArray(String[]::new))
              .err();
      assertThat(argument).contains("--password");
      assertThat(ok(admin().run("accounts", "list", "-t", "secretive", "--json")).out().strip())
          .isEqualTo(proxy.get("/accounts?tenant_id=secretive").body());
      ok(admin().run("accounts", "delete", "relay", "-t", "secretive", "--yes"));
      CommandRun gone = admin().run("accounts", "show", "relay", "-t", "secretive");
      assertThat(gone.code()).isEqualTo(1);
      assertThat(gone.err()).contains("accounts list");
    }
  }

  @Test
  void a_file_is_sent_and_its_way_is_shown() throws Exception {
    Path file = Files.writeString(home.resolve("mail.eml"), EML);
    ok(admin().run("accounts", "add", "box", "--type", "sandbox", "--tenant", "post"));
    CommandRun.Shellful post = admin().with("GMP_TENANT", "post");
    ok(post.run("send", file.toString(), "--account", "box", "--id", "one", "-p", "high"));
    ok(post.reading(EML).run("send", "-", "--account", "box", "--id", "two"));
    await().until(() -> proxy.state("post", "one").equals("sent"));
    await().until(() -> proxy.state("post", "two").equals("sent"));

    JsonNode message = proxy.message("post", "one").path("message");
    assertThat(message.path("from").asText()).isEqualTo("\"Doe, Jürgen\" <jd@example.test>");
    assertThat(message.path("to")).hasSize(2);
    assertThat(message.path("cc").get(0).asText()).isEqualTo("\"Smith, Eve\" <eve@example.test>");
    assertThat(message.path("bcc").get(0).asText()).isEqualTo("hidden@example.test");
    assertThat(message.path("subject").asText()).isEqualTo("Grüße");
    assertThat(message.path("body").asText()).isEqualTo("<p>rich words</p>");
    assertThat(message.path("priority").asInt()).isEqualTo(1);
    try (Stream<Path> mails = Files.list(proxy.sandbox())) {
      assertThat(mails.map(CommandLineTest::text).filter(mail -> mail.contains("<hidden@")))
          .hasSize(2)
          .allMatch(mail -> mail.contains("list.csv") && mail.contains("YSxiCjEsMgo="));
    }

    assertThat(ok(post.run("messages", "list")).out())
        .contains("one", "two", "box", "sent", "Grüße");
    assertThat(ok(post.run("messages", "show", "one")).out())
        .contains("ann@example.test", "hidden@example.test", "sent", "Grüße");
    assertThat(
            Json.tree(post.run("messages", "show", "one", "--json").out()).path("ok").asBoolean())
        .isTrue();
    CommandRun twice = post.run("send", file.toString(), "--account", "box", "--id", "one");
    CommandRun astray = post.run("send", file.toString(), "--account", "nosuch");
    assertThat(astray.code()).isEqualTo(1);
    assertThat(astray.err()).contains("account not found");
    assertThat(twice.err()).contains("already sent");
    assertThat(post.reading("no mail at all").run("send", "-", "--account", "box").code())
        .isEqualTo(1);
    assertThat(post.run("send", "/no/such.eml", "--account", "box").code()).isEqualTo(2);
    assertThat(post.run("messages", "show", "nosuch").code()).isEqualTo(1);
  }

  @Test
  void what_goes_to_a_table_cannot_run_there() {
    ok(admin().run("accounts", "add", "box", "--type", "sandbox", "--tenant", "cells"));
    proxy.submit(TestProxy.message("cells", "box", "=cmd()", "subject", "a\u202e,\"b\""));
    assertThat(ok(admin().run("messages", "list", "-t", "cells")).out())
        .contains("=cmd()")
        .doesNotContain("\u202e");
    assertThat(Table.clean("\u001b[31m\u009b1m")).isEqualTo(" [31m 1m");
    assertThat(ok(admin().run("messages", "list", "-t", "cells", "--csv")).out())
        .contains("\"'=cmd()\"", "\"\"b\"\"");
  }

  @Test
  void what_the_proxy_does() throws Exception {
    assertThat(ok(admin().run("status")).out()).contains("pending_messages", "uptime_seconds");
    assertThat(Json.tree(ok(admin().run("status", "--json")).out()).path("ok").asBoolean())
        .isTrue();
    ok(admin().run("accounts", "add", "counted", "--type", "sandbox", "--tenant", "counts"));
    assertThat(ok(admin().run("stats")).out())
        .contains("gmp_sent_total", "counted", "gmp_pending_messages");
    assertThat(Json.tree(ok(admin().run("stats", "--json")).out()).isArray()).isTrue();
    ok(admin().run("run-now"));
    assertThat(ok(admin().run("keys", "rotate")).out()).contains("sealed anew, 0 left");

    Path token = Files.writeString(home.resolve("token"), TestProxy.TOKEN + "\n");
    CommandRun.Shellful nobody = admin().with("GMP_API_TOKEN", "");
    assertThat(nobody.run("status").code()).isEqualTo(1);
    ok(nobody.run("status", "--token-file", token.toString()));
    ok(nobody.with("GMP_API_TOKEN_FILE", token.toString()).run("status"));
  }

  @Test
  void messages_are_held_released_counted_cancelled_and_deleted() {
    ok(admin().run("accounts", "add", "box", "--type", "sandbox", "--tenant", "queue"));
    long later = 4_000_000_000L;
    for (String id : List.of("q-1", "q-2", "q-3")) {
      proxy.submit(
          TestProxy.message(
              "queue", "box", id, "deferred_ts", later, "batch_code", "b" + id.charAt(2)));
    }
    CommandRun.Shellful queue = admin().with("GMP_TENANT", "queue");
    assertThat(ok(queue.run("messages", "list", "--status", "deferred", "--batch", "b2")).out())
        .contains("q-2")
        .doesNotContain("q-1", "q-3");
    ok(queue.run("messages", "hold", "q-1"));
    assertThat(ok(queue.run("messages", "list", "--status", "held")).out()).contains("q-1");
    assertThat(ok(queue.run("messages", "release", "--status", "held", "--yes")).out())
        .contains("1 messages");
    assertThat(ok(queue.run("messages", "cancel", "--all", "--dry-run")).out())
        .contains("3 messages");
    assertThat(ok(queue.run("messages", "cancel", "q-1", "q-2", "--yes")).out())
        .contains("2 messages");
    ok(queue.run("messages", "retry", "q-3"));
    await().until(() -> proxy.state("queue", "q-3").equals("sent"));
    CommandRun gone = queue.run("messages", "delete", "q-1", "q-3", "nosuch", "-y");
    assertThat(gone.out()).contains("2 deleted");
    assertThat(gone.code()).isEqualTo(1);
    CommandRun paged = ok(queue.run("messages", "list", "--limit", "5"));
    assertThat(paged.out()).contains("q-2", "error").doesNotContain("q-3");
    assertThat(queue.run("messages", "hold", "q-2").err()).contains("refused (409)");
  }

  @Test
  void the_command_log_is_listed_and_written_to_a_file() throws Exception {
    ok(admin().run("tenants", "add", "logged", "--name", "First"));
    ok(admin().run("tenants", "update", "logged", "--name", "Second"));
    assertThat(
            ok(admin().run("command-log", "list", "-t", "logged", "--since", "2026-01-01")).out())
        .contains("First", "Second", "logged");
    Path file = home.resolve("commands.jsonl");
    ok(admin().run("command-log", "export", "-t", "logged", "-o", file.toString()));
    assertThat(Files.readAllLines(file))
        .hasSize(2)
        .allMatch(line -> Json.tree(line).path("tenant_id").asText().equals("logged"));
    CommandRun out = ok(admin().run("command-log", "export", "-t", "logged"));
    assertThat(out.out()).isEqualTo(Files.readString(file));
  }

  @Test
  void nobody_answers_where_nobody_listens() throws Exception {
    int port = TestPorts.next();
    CommandRun run = admin().run("status", "--url", "http://127.0.0.1:" + port);
    assertThat(run.code()).isEqualTo(3);
    assertThat(run.err()).contains("mail-proxy start", "--url", "GMP_URL");
    assertThat(admin().with("GMP_URL", "").with("GMP_PORT", "" + port).run("status").code())
        .isEqualTo(3);
    assertThat(admin().run("status", "--url", "ftp://x").code()).isEqualTo(2);
  }

  @Test
  void the_doctor_is_content_with_what_works_and_says_what_to_do_about_the_rest() throws Exception {
    Path ca = Path.of("src/test/resources/tls/ca.pem");
    try (ScriptedSmtpServer relay = new ScriptedSmtpServer();
        ScriptedSmtpServer secured = new ScriptedSmtpServer("good.p12", false)) {
      secured.offers = List.of("STARTTLS", "SIZE 1000");
      ok(admin().run("tenants", "add", "ward"));
      account("well", relay.port());
      account("safe", secured.port(), "--tls", "--tls-ca", ca.toString());
      CommandRun well = admin().run("doctor");
      assertThat(well.out())
          .contains(
              "synchronous FULL", "ok   token: accepted", "answers 200", "ok   encryption key")
          .contains("ok   ward/well DNS: 127.0.0.1", "ok   ward/well TCP", "ok   ward/well session")
          .contains("ok   ward/well AUTH", "ok   ward/well SIZE", "ok   ward/safe TLS: TLSv1.")
          .doesNotContain("BAD");
      assertThat(well.code()).isZero();
      JsonNode told = Json.tree(admin().run("doctor", "--json").out());
      assertThat(told.path("ok").asBoolean()).isTrue();
      assertThat(told.path("findings")).hasSizeGreaterThan(10);

      account("plain", relay.port(), "--tls");
      account("doubted", secured.port(), "--tls");
      ok(
          admin()
              .run(
                  "accounts",
                  "add",
                  "gone",
                  "-t",
                  "ward",
                  "--host",
                  "nosuch.invalid",
                  "--port",
                  "25"));
      CommandRun ill = admin().run("doctor");
      assertThat(ill.code()).isEqualTo(1);
      assertThat(ill.out())
          .contains(
              "BAD  ward/plain session", "STARTTLS", "BAD  ward/gone DNS", "ok   ward/well SIZE")
          .contains("BAD  ward/doubted TLS: TLS failed", "tls_ca");
    }
    CommandRun shut = admin().run("doctor");
    assertThat(shut.out()).contains("BAD  ward/well TCP", "firewalls");
    assertThat(admin().with("GMP_API_TOKEN", "").run("doctor").out())
        .contains("BAD  token: refused");
    for (String id : List.of("well", "safe", "plain", "doubted", "gone")) {
      ok(admin().run("accounts", "delete", id, "-t", "ward", "--yes"));
    }
  }

  private static void account(String id, int port, String... more) {
    String[] add = {
      "accounts", "add", id, "-t", "ward", "--host", "127.0.0.1", "--port", "" + port
    };
    ok(admin().run(Stream.concat(Stream.of(add), Stream.of(more)).toArray(String[]::new)));
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
