package io.caravan.mailproxy.telemetry;

import io.caravan.mailproxy.admin.Registry;
import io.caravan.mailproxy.delivery.Circuits;
import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Health;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** In which state each account is, as {@code GET /accounts} tells it. */
public final class AccountHealth {
  private final Registry accounts;
  private final Circuits circuits;
  private final MultiGauge states;

  public AccountHealth(MeterRegistry registry, Registry accounts, Circuits circuits) {
    this.accounts = accounts;
    this.circuits = circuits;
    this.states =
        MultiGauge.builder("mailproxy.account.health")
            .description("1 for the state in which an account is with its relay, 0 for the others")
            .register(registry);
  }

  /** Looks at all accounts; to be called every few seconds. */
  public void look() {
    Map<Tags, Integer> found = new HashMap<>();
    for (Account account : accounts.accounts()) {
      Health.State now = circuits.health(account).state();
      for (Health.State state : Health.State.values()) {
        Tags tags =
            Tags.of("account_id", account.id(), "state", state.name().toLowerCase(Locale.ROOT));
        found.merge(tags, state == now ? 1 : 0, Math::max); // tenants may use one id
      }
    }
    List<MultiGauge.Row<?>> rows = new ArrayList<>();
    found.forEach((tags, one) -> rows.add(MultiGauge.Row.of(tags, one)));
    states.register(rows, true);
  }
}
