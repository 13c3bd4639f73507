package io.caravan.mailproxy.telemetry;

import io.caravan.mailproxy.admin.Registry;
import io.caravan.mailproxy.delivery.Circuits;
import io.caravan.mailproxy.message.Account;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import java.util.ArrayList;
import java.util.List;

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
            .description("1 for the state in which an account is with its relay")
            .register(registry);
  }

  /** Looks at all accounts; to be called every few seconds. */
  public void look() {
    List<MultiGauge.Row<?>> rows = new ArrayList<>();
    for (Account account : accounts.accounts()) {
      String state = circuits.health(account).getStateName();
      rows.add(MultiGauge.Row.of(Tags.of("account_id", account.id(), "state", state), 1));
    }
    states.register(rows, true);
  }
}
