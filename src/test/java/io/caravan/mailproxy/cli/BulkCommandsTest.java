package io.caravan.mailproxy.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import io.caravan.mailproxy.http.Json;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What commands for many messages ask of a proxy, and in which order they ask whom. */
class BulkCommandsTest {
  private record Call(String request, JsonNode body) {}

  private final List<Call> calls = Collections.synchronizedList(new ArrayList<>());
  private HttpServer server;
  private String answer = "{\"ok\":true,\"count\":7}";

  @BeforeEach
  void listen() throws Exception {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        call -> {
          byte[] body = call.getRequestBody().readAllBytes();
          calls.add(
              new Call(
                  call.getRequestMethod() + " " + call.getRequestURI(),
                  body.length == 0 ? null : Json.tree(new String(body, StandardCharsets.UTF_8))));
          byte[] said = answer.getBytes(StandardCharsets.UTF_8);
          call.sendResponseHeaders(200, said.length);
          call.getResponseBody().write(said);
          call.close();
        });
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  private CommandRun.Shellful shell() {
    return CommandRun.with(
        Map.of("GMP_URL", "http://127.0.0.1:" + server.getAddress().getPort(), "GMP_TENANT", "t"));
  }

  @Test
  void one_message_is_changed_at_once() {
    CommandRun run = shell().run("messages", "hold", "a/b");
    assertThat(run.code()).isZero();
    assertThat(calls)
        .extracting(Call::request)
        .containsExactly("POST /messages/a%2Fb/hold?tenant_id=t");
    assertThat(calls.get(0).body()).isNull();
  }

  @Test
  void many_are_counted_and_then_somebody_is_asked() {
    String[] cancel = {
      "messages",
      "cancel",
      "--status",
      "deferred",
      "--account",
      "a",
      "--batch",
      "b",
      "--recipient",
      "r@x.test",
      "--since",
      "2026-01-31",
      "--until",
      "1767225600"
    };
    CommandRun nobody = shell().run(cancel);
    assertThat(nobody.code()).isEqualTo(2);
    assertThat(nobody.err()).contains("cancel 7 messages", "--yes");
    CommandRun no = shell().typing("n\n").run(cancel);
    assertThat(no.code()).isEqualTo(1);
    assertThat(calls)
        .hasSize(2)
        .allMatch(call -> call.request().equals("POST /commands/cancel-messages?tenant_id=t"))
        .allMatch(call -> call.body().path("dry_run").asBoolean());

    CommandRun yes = shell().typing("y\n").run(cancel);
    assertThat(yes.code()).isZero();
    assertThat(yes.out()).contains("7 messages");
    assertThat(calls.get(3).body())
        .isEqualTo(
            Json.tree(
                """
                {"filter": {"status": "deferred", "account_id": "a", "batch_code": "b",
                            "recipient": "r@x.test", "since_ts": 1769817600, "until_ts": 1767225600},
                 "dry_run": false}"""));
    assertThat(
            shell()
                .run(Stream.concat(Stream.of(cancel), Stream.of("-y")).toArray(String[]::new))
                .code())
        .isZero();
  }

  @Test
  void a_dry_run_only_counts_and_nothing_means_nothing() {
    assertThat(shell().run("messages", "retry", "x", "y", "--dry-run").out())
        .contains("7 messages");
    assertThat(calls).hasSize(1);
    assertThat(calls.get(0).body())
        .isEqualTo(Json.tree("{\"filter\": {\"ids\": [\"x\", \"y\"]}, \"dry_run\": true}"));
    CommandRun none = shell().run("messages", "release");
    assertThat(none.code()).isEqualTo(2);
    assertThat(none.err()).contains("--all");
    assertThat(calls).hasSize(1);
    assertThat(shell().run("messages", "release", "--all", "--yes").code()).isZero();
    assertThat(calls.get(2).body())
        .isEqualTo(Json.tree("{\"filter\": {\"all\": true}, \"dry_run\": false}"));
  }

  @Test
  void many_are_deleted_in_pieces_with_a_bar() {
    answer = "{\"ok\":true,\"removed\":100,\"not_found\":[],\"unauthorized\":[]}";
    String[] delete =
        Stream.concat(
                Stream.of("messages", "delete"), IntStream.range(0, 300).mapToObj(i -> "m" + i))
            .toArray(String[]::new);
    assertThat(shell().run(delete).code()).isEqualTo(2);
    assertThat(calls).isEmpty();
    CommandRun run = shell().typing("yes\n").run(delete);
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out()).contains("300 deleted");
    assertThat(run.err()).contains("delete 300 messages?", "300/300 messages");
    assertThat(calls).hasSize(3).allMatch(call -> call.body().path("ids").size() == 100);

    answer = "{\"ok\":true,\"removed\":0,\"not_found\":[\"gone\"],\"unauthorized\":[]}";
    CommandRun gone = shell().run("messages", "delete", "gone");
    assertThat(gone.code()).isEqualTo(1);
    assertThat(gone.err()).contains("1 not found").doesNotContain("/1");
  }

  @Test
  void a_list_follows_its_pages_as_far_as_asked() {
    answer = "{\"ok\":true,\"messages\":[{\"id\":\"a\"},{\"id\":\"b\"}],\"next_cursor\":\"c+1\"}";
    assertThat(shell().run("messages", "list", "--limit", "3", "--status", "error").code())
        .isZero();
    assertThat(calls)
        .extracting(Call::request)
        .containsExactly(
            "GET /messages?tenant_id=t&status=error&limit=3",
            "GET /messages?tenant_id=t&status=error&limit=1&cursor=c%2B1");
  }

  @Test
  void secrets_that_no_key_opens_make_a_rotation_fail() {
    answer = "{\"ok\":true,\"rotated\":5,\"left\":0}";
    assertThat(shell().run("keys", "rotate").out()).contains("5 sealed anew, 0 left");
    answer = "{\"ok\":true,\"rotated\":5,\"left\":2}";
    CommandRun run = shell().run("keys", "rotate");
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err()).contains("no loaded key opens 2");
  }
}
