import io.caravan.mailproxy.endtoend.ProxyProcess;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** bench/scrape; see bench/README.md. */
public final class Scrape {
  private static final int WARM_UP = 100;
  private static final int SCRAPES = 300;
  private static final List<String> FORMS =
      List.of("text/plain", "application/openmetrics-text");

  private Scrape() {}

  public static void main(String[] args) throws Exception {
    if (args.length > 1) {
      System.err.println("bench/scrape [ACCOUNTS,ACCOUNTS...]");
      System.exit(2);
    }
    Path folder =
        Files.createTempDirectory(Files.createDirectories(Path.of("target/bench")), "scrape-");
    for (String accounts : (args.length == 0 ? "1,100,1000" : args[0]).split(",", -1)) {
      measure(folder.toAbsolutePath().resolve(accounts), Integer.parseInt(accounts));
    }
  }

  private static void measure(Path home, int accounts) throws Exception {
    Files.createDirectories(home.resolve("routes.d"));
    for (String shipped : List.of("config", "routes")) {
      Files.createSymbolicLink(home.resolve(shipped), Path.of(shipped).toAbsolutePath());
    }
    try (ProxyProcess proxy =
        ProxyProcess.start(
            home,
            Path.of("target/mail-proxy.jar").toAbsolutePath().toString(),
            List.of("-Xmx1g", "-XX:+UseParallelGC"))) {
      proxy.post("/tenant", "{\"id\":\"bench\"}");
      for (int i = 0; i < accounts; i++) {
        proxy.post(
            "/account",
            "{\"id\":\"account-%d\",\"tenant_id\":\"bench\",\"type\":\"sandbox\"}".formatted(i));
      }
      HttpClient client = HttpClient.newHttpClient();
      for (String form : FORMS) {
        HttpRequest request =
            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + proxy.port() + "/metrics"))
                .header("Accept", form)
                .build();
        double[] millis = new double[SCRAPES];
        int bytes = 0;
        long cpu = 0;
        for (int i = -WARM_UP; i < SCRAPES; i++) {
          if (i == 0) {
            cpu = proxy.cpuMicros();
          }
          long begun = System.nanoTime();
          HttpResponse<byte[]> answer =
              client.send(request, HttpResponse.BodyHandlers.ofByteArray());
          if (answer.statusCode() != 200) {
            throw new IllegalStateException("status " + answer.statusCode());
          }
          bytes = answer.body().length;
          if (i >= 0) {
            millis[i] = (System.nanoTime() - begun) / 1e6;
          }
        }
        double cpuMillis = (proxy.cpuMicros() - cpu) / 1e3 / SCRAPES;
        Arrays.sort(millis);
        System.out.printf(
            "%5d accounts, %-28s p50 %6.1f ms, p99 %6.1f ms, CPU %6.1f ms, %5d KB%n",
            accounts,
            form,
            millis[SCRAPES / 2],
            millis[SCRAPES * 99 / 100],
            cpuMillis,
            bytes / 1024);
      }
    }
  }
}
