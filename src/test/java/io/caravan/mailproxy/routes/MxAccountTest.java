package io.caravan.mailproxy.routes;

import static io.caravan.mailproxy.endtoend.TestProxy.json;
import static io.caravan.mailproxy.endtoend.TestProxy.message;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.delivery.ScriptedDns;
import io.caravan.mailproxy.delivery.ScriptedSmtpServer;
import io.caravan.mailproxy.endtoend.TestProxy;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An account of type mx, from REST to the servers of the recipients' domains. */
class MxAccountTest {
  @TempDir Path home;

  @Test
  void each_domain_gets_its_mail_at_its_own_server_from_the_local_address() throws Exception {
    try (ScriptedSmtpServer one =
            new ScriptedSmtpServer(null, false, InetAddress.getByName("127.0.0.2"), 0);
        ScriptedSmtpServer two =
            new ScriptedSmtpServer(null, false, InetAddress.getByName("127.0.0.3"), one.port());
        ScriptedDns dns =
            new ScriptedDns()
                .a("mx.one.test", "127.0.0.2")
                .a("two.test", "127.0.0.3")
                .mx("one.test", 10, "mx.one.test")
                .mx("none.test", 0, ".");
        TestProxy proxy =
            TestProxy.start(
                home, "smtp.dns-servers", dns.address(), "guard.allow", "127.0.0.0/8")) {
      Map<String, Object> account =
          Map.of(
              "id",
              "direct",
              "tenant_id",
              "t",
              "type",
              "mx",
              "port",
              one.port(),
              "local_address",
              "127.0.0.9");
      assertThat(proxy.post("/account", account).statusCode()).isEqualTo(200);
      proxy.submit(
          message("t", "direct", "m", "to", List.of("a@one.test", "b@two.test", "c@one.test")));
      proxy.submit(message("t", "direct", "null", "to", List.of("d@none.test")));

      History.awaitState(proxy, "t", "m", "sent");
      History.awaitState(proxy, "t", "null", "error");
      assertThat(one.mails.get(0).to()).containsExactly("a@one.test", "c@one.test");
      assertThat(two.mails.get(0).to()).containsExactly("b@two.test");
      assertThat(one.peers).containsExactly("127.0.0.9");
      assertThat(proxy.get("/metrics").body())
          .contains("remote_connection_new_total{source_ip=\"127.0.0.9\"} 2");
      assertThat(History.recipients(proxy, "t", "null")).containsExactly("d@none.test failed 0");
      assertThat(proxy.message("t", "null").path("error").asText()).contains("null_mx");

      assertThat(proxy.post("/account", Map.of("id", "bare", "type", "mx")).statusCode())
          .isEqualTo(200);
      JsonNode bare = json(proxy.get("/accounts?tenant_id=default")).path("accounts").get(0);
      assertThat(bare.path("port").asInt()).isEqualTo(25);
      assertThat(bare.at("/health/state").asText()).isEqualTo("ok");
    }
  }
}
