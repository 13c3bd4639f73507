package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.endtoend.TestProxy.json;
import static org.assertj.core.api.Assertions.assertThat;

import io.caravan.mailproxy.endtoend.Metrics;
import io.caravan.mailproxy.endtoend.RandomRequests;
import io.caravan.mailproxy.endtoend.TestProxy;
import io.caravan.mailproxy.endtoend.TestStore;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Requests drawn from the contract; system property requests says how many. */
class RandomRequestsTest {
  private static final int REQUESTS = Integer.getInteger("requests", 500);

  @TempDir Path home;

  @Test
  void none_fails_and_the_store_stays_in_order() throws SQLException {
    long seed = Long.getLong("seed", System.nanoTime());
    Random random = new Random(seed);
    RandomRequests requests = new RandomRequests(random);
    Map<Integer, Integer> statuses = new TreeMap<>();
    try (TestProxy proxy =
        TestProxy.start(
            home,
            "auth.max-failures-per-minute",
            "1000000",
            "smtp.dns-servers",
            "127.0.0.1:1",
            "smtp.connect-timeout",
            "2")) {
      String tenant = json(proxy.post("/tenant", Map.of("id", "acme"))).path("api_key").asText();
      String[] tokens = {
        TestProxy.TOKEN, TestProxy.TOKEN, TestProxy.TOKEN, TestProxy.TOKEN, tenant, tenant, "wrong"
      };
      for (int i = 0; i < REQUESTS; i++) {
        if (i % 50 == 0) {
          proxy.sandboxAccount("acme", "relay");
        }
        RandomRequests.Request request = requests.next();
        HttpResponse<String> answer =
            proxy.send(
                HttpRequest.newBuilder(proxy.uri("/").resolve(request.path()))
                    .header("X-API-Token", tokens[random.nextInt(tokens.length)])
                    .header("Content-Type", request.type())
                    .method(
                        request.method(),
                        HttpRequest.BodyPublishers.ofString(
                            request.body(), StandardCharsets.ISO_8859_1))
                    .build());
        statuses.merge(answer.statusCode(), 1, Integer::sum);
        assertThat(answer.statusCode())
            .as("seed %d, request %d: %s %s", seed, i, request, request.body())
            .isIn(200, 400, 401, 403, 404, 405, 409, 413, 414, 415, 422, 501, 503);
      }
      assertThat(statuses).as("drawn well").containsKeys(200, 401, 422);
      assertInOrder(Math.round(Metrics.of(proxy).of("gmp_pending_messages")));
    }
    assertInOrder(-1);
  }

  private void assertInOrder(long pending) throws SQLException {
    try (Connection store = TestStore.connect(home);
        Statement statement = store.createStatement()) {
      if (!TestStore.isShared(home)) {
        assertThat(first(statement, "PRAGMA integrity_check")).isEqualTo("ok");
      }
      for (String table : new String[] {"queue", "recipient"}) {
        assertThat(
                first(
                    statement,
                    "SELECT count(*) FROM "
                        + table
                        + " x WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.pk = x.message_pk)"))
            .as("rows of %s without a message", table)
            .isEqualTo("0");
      }
      assertThat(
              first(
                  statement,
                  """
                  SELECT count(*) FROM message m
                  WHERE EXISTS (SELECT 1 FROM queue q WHERE q.message_pk = m.pk)
                     = EXISTS (SELECT 1 FROM event e
                               WHERE e.message_pk = m.pk AND e.type IN ('sent', 'error'))"""))
          .as("messages that wait and are at their end, or neither")
          .isEqualTo("0");
      if (pending >= 0) {
        assertThat(first(statement, "SELECT count(DISTINCT message_pk) FROM queue"))
            .isEqualTo(String.valueOf(pending));
      }
    }
  }

  private static String first(Statement statement, String sql) throws SQLException {
    try (ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getString(1);
    }
  }
}
