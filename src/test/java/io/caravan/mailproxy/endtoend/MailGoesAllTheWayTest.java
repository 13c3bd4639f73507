package io.caravan.mailproxy.endtoend;

import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import io.caravan.mailproxy.http.Json;
import jakarta.mail.Session;
import jakarta.mail.internet.MimeMessage;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The story of a mail: posted, kept, sent, reported, counted. */
class MailGoesAllTheWayTest {
  @TempDir Path home;

  @Test
  void a_message_posted_over_rest_arrives_is_reported_and_counted() throws Exception {
    LinkedBlockingQueue<JsonNode> reports = new LinkedBlockingQueue<>();
    HttpServer application =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    application.createContext(
        "/mail-proxy/sync",
        call -> {
          reports.add(Json.MAPPER.readTree(call.getRequestBody()));
          call.sendResponseHeaders(200, -1);
          call.close();
        });
    application.start();
    try (TestProxy proxy = TestProxy.start(home)) {
      String url = "http://127.0.0.1:" + application.getAddress().getPort();
      assertThat(proxy.post("/tenant", Map.of("id", "acme", "client_base_url", url)).statusCode())
          .isEqualTo(200);
      proxy.sandboxAccount("acme", "primary");
      assertThat(proxy.get("/metrics").body())
          .contains("gmp_sent_total{account_id=\"primary\"} 0.0\n");

      proxy.submit(message("acme", "primary", "m-1", "subject", "Grüße aus Köln"));

      await().untilAsserted(() -> assertThat(proxy.state("acme", "m-1")).isEqualTo("sent"));
      MimeMessage arrived = onlyMail(proxy.sandbox());
      assertThat(arrived.getSubject()).isEqualTo("Grüße aus Köln");
      assertThat(arrived.getHeader("X-Genro-Mail-ID")).containsExactly("m-1");

      JsonNode item = nextItem(reports);
      assertThat(item.path("id").asText()).isEqualTo("m-1");
      assertThat(item.path("sent_ts").asLong()).isPositive();
      await()
          .untilAsserted(
              () -> assertThat(proxy.message("acme", "m-1").has("reported_ts")).isTrue());

      assertThat(proxy.get("/metrics").body())
          .contains("gmp_sent_total{account_id=\"primary\"} 1.0\n")
          .contains("gmp_pending_messages 0.0\n");
    } finally {
      application.stop(0);
    }
  }

  private static JsonNode nextItem(LinkedBlockingQueue<JsonNode> reports) throws Exception {
    while (true) {
      JsonNode report = reports.poll(10, TimeUnit.SECONDS);
      assertThat(report).as("a delivery report").isNotNull();
      if (!report.path("delivery_report").isEmpty()) {
        return report.path("delivery_report").get(0);
      }
    }
  }

  private static MimeMessage onlyMail(Path folder) throws Exception {
    try (Stream<Path> files = Files.list(folder)) {
      List<Path> mails = files.filter(f -> f.toString().endsWith(".eml")).toList();
      assertThat(mails).hasSize(1);
      try (InputStream in = Files.newInputStream(mails.get(0))) {
        return new MimeMessage(Session.getInstance(new Properties()), in);
      }
    }
  }
}
