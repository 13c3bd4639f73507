package io.caravan.mailproxy;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import io.caravan.mailproxy.http.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * {@code mail-proxy demo}: a proxy with a sandbox relay and an application that posts one mail over
 * REST and gets its delivery report; prints what a newcomer wants to see.
 */
final class Demo {
  private static final long PATIENCE_SECONDS = 15;
  private final String id = "demo-" + Instant.now().getEpochSecond();

  private final PrintStream out;
  private final String token = token();
  private final HttpClient client = HttpClient.newHttpClient();
  private final BlockingQueue<JsonNode> reports = new LinkedBlockingQueue<>();
  private final HttpServer application;
  private final MailProxy proxy;
  private final Path mails;

  private Demo(Path home, PrintStream out) throws IOException {
    this.out = out;
    this.application =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    application.createContext(
        "/mail-proxy/sync",
        call -> {
          reports.add(Json.MAPPER.readTree(call.getRequestBody()));
          call.sendResponseHeaders(200, -1);
          call.close();
        });
    application.start();
    this.mails = home.resolve("data/demo/sandbox");
    this.proxy =
        MailProxy.start(
            home,
            Map.of(
                "host",
                "127.0.0.1",
                "api.token",
                token,
                "api.token-file",
                "",
                "db.path",
                "data/demo/mail_service.db",
                "sandbox.path",
                mails.toString()));
  }

  /** Shows one mail's way, then serves until it is ended. */
  static int run(Path home, Main.Stop stop) throws Exception {
    Demo demo = new Demo(home, System.out);
    demo.show();
    stop.awaitEndOf(demo.proxy);
    return 0;
  }

  private void show() throws Exception {
    post(
        "/tenant",
        Map.of(
            "id",
            "demo",
            "client_base_url",
            "http://127.0.0.1:" + application.getAddress().getPort()));
    post("/account", Map.of("id", "sandbox", "tenant_id", "demo", "type", "sandbox"));

    title("POST /commands/add-messages");
    out.println(post("/commands/add-messages", Map.of("messages", List.of(mail()))));

    title("the application's sync endpoint got");
    out.println(report());

    title("GET /messages: what happened to " + id);
    JsonNode message = message();
    out.println(message.path("created_at").asText() + "Z  accepted, on disk");
    for (JsonNode event : message.path("history")) {
      Instant at = Instant.ofEpochSecond(event.path("event_ts").asLong());
      for (JsonNode recipient : event.path("metadata").path("recipients")) {
        out.println(
            String.join(
                "  ",
                at.toString(),
                event.path("event_type").asText(),
                recipient.path("address").asText(),
                recipient.path("code").asText(),
                recipient.path("reply").asText()));
      }
    }

    title("the mail, as the relay got it");
    out.println(newestMail());

    title("GET /metrics");
    get("/metrics").lines().filter(line -> line.startsWith("gmp_")).forEach(out::println);

    title("it stays up until Ctrl-C");
    out.println("API      " + proxy.uri() + "   (X-API-Token: " + token + ")");
    out.println("metrics  " + proxy.uri() + "/metrics");
    out.println("health   " + proxy.uri() + "/health/ready");
    out.println("mails    " + mails);
    out.flush();
  }

  private Map<String, Object> mail() throws IOException {
    return Map.of(
        "id", id,
        "account_id", "sandbox",
        "tenant_id", "demo",
        "from", "Caravan <caravan@example.test>",
        "to", List.of("Zoë <zoe@example.test>", "ali@example.test"),
        "subject", "Grüße von der Karawane – 你好",
        "body", "<p>The caravan has arrived. 🐫</p>",
        "content_type", "html",
        "attachments",
            List.of(
                Map.of(
                    "filename", "Ladeliste für Zoë.pdf",
                    "fetch_mode", "base64",
                    "storage_path", pdf())));
  }

  private static String pdf() throws IOException {
    try (InputStream in = Demo.class.getResourceAsStream("/demo/hello.pdf")) {
      if (in == null) {
        throw new IllegalStateException("the sample attachment is not in the jar");
      }
      return Base64.getEncoder().encodeToString(in.readAllBytes());
    }
  }

  private JsonNode report() throws InterruptedException {
    while (true) {
      JsonNode report = reports.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
      if (report == null) {
        throw new IllegalStateException("no delivery report within " + PATIENCE_SECONDS + " s");
      }
      if (!report.path("delivery_report").isEmpty()) {
        return report;
      }
    }
  }

  private JsonNode message() throws Exception {
    JsonNode all = Json.tree(get("/messages?tenant_id=demo&include_history=true")).path("messages");
    for (JsonNode message : all) {
      if (message.path("id").asText().equals(id)) {
        return message;
      }
    }
    throw new IllegalStateException("the message is not listed");
  }

  private Path newestMail() throws IOException {
    try (Stream<Path> all = Files.list(mails)) {
      return all.max(Comparator.naturalOrder()).orElseThrow();
    }
  }

  private String post(String path, Object body) throws Exception {
    return send(
        request(path)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(Json.text(body))));
  }

  private String get(String path) throws Exception {
    return send(request(path));
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(proxy.uri().resolve(path)).header("X-API-Token", token);
  }

  private String send(HttpRequest.Builder request) throws Exception {
    HttpResponse<String> answer =
        client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    if (answer.statusCode() != 200) {
      throw new IllegalStateException(answer.statusCode() + " " + answer.body());
    }
    return answer.body();
  }

  private void title(String text) {
    out.println();
    out.println("== " + text);
  }

  private static String token() {
    byte[] random = new byte[24];
    new SecureRandom().nextBytes(random);
    return Base64.getUrlEncoder().withoutPadding().encodeToString(random);
  }
}
