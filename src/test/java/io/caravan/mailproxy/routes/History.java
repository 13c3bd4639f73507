package io.caravan.mailproxy.routes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.endtoend.TestProxy;
import java.util.List;
import java.util.stream.Stream;

/** What a proxy tells of a message. */
final class History {
  private History() {}

  static void awaitState(TestProxy proxy, String tenant, String id, String state) {
    await()
        .untilAsserted(
            () ->
                assertThat(proxy.state(tenant, id))
                    .as(proxy.message(tenant, id).toString())
                    .isEqualTo(state));
  }

  /** Types of its events, in order. */
  static List<String> types(TestProxy proxy, String tenant, String id) {
    return events(proxy, tenant, id).map(event -> event.path("event_type").asText()).toList();
  }

  /** The numbers of the attempts that its events tell of. */
  static List<Integer> attempts(TestProxy proxy, String tenant, String id) {
    return events(proxy, tenant, id)
        .map(event -> event.path("metadata").path("attempt").intValue())
        .toList();
  }

  /** Address, state and code of each recipient; 0: no reply. */
  static List<String> recipients(TestProxy proxy, String tenant, String id) {
    return proxy
        .message(tenant, id)
        .path("recipients")
        .valueStream()
        .map(
            r ->
                r.path("address").asText()
                    + " "
                    + r.path("status").asText()
                    + " "
                    + r.path("code").asInt())
        .toList();
  }

  static Stream<JsonNode> events(TestProxy proxy, String tenant, String id) {
    return proxy.message(tenant, id).path("history").valueStream();
  }
}
