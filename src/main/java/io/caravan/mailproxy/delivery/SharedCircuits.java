package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.admin.Directory;
import io.caravan.mailproxy.db.Row;
import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Health;
import io.caravan.mailproxy.queue.Nodes;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.camel.Exchange;
import org.jspecify.annotations.Nullable;

/**
 * What nodes that share a store know of each other's circuits, by table {@code circuit}: one opens
 * and ends a circuit for all, and one tries for all. A node that dies while it tries is waited for
 * no longer than {@code circuit.probe-seconds}.
 */
public final class SharedCircuits {
  /** A revision that no account has: nothing is written. */
  private static final long NEVER = -1;

  private static final CircuitState NOTHING = new CircuitState(Health.State.OK, "", 0, 0, false);

  private final Circuits circuits;
  private final CircuitTable table;
  private final Directory directory;
  private final Nodes nodes;
  private final InstantSource clock;

  /**
   * @param clock the database's clock
   */
  public SharedCircuits(Circuits circuits, Directory directory, Nodes nodes, InstantSource clock) {
    this.circuits = circuits;
    this.table = circuits.table();
    this.directory = directory;
    this.nodes = nodes;
    this.clock = clock;
    if (nodes.isShared()) {
      synchronized (table) {
        table.share();
      }
      nodes.onLost(this::disown);
    }
  }

  /** What this node found out while its lease ended is not for others. */
  private void disown() {
    synchronized (table) {
      table.endings().clear();
      for (Circuit circuit : table.all()) {
        if (circuit.isUnshared()) {
          circuit.shared(circuit.state());
          circuit.news = null;
        }
      }
    }
  }

  // what this node found out

  /** What others have not heard of, ends first. */
  public List<CircuitWrite> unshared() {
    synchronized (table) {
      List<CircuitWrite> writes = new ArrayList<>(table.endings());
      for (Circuit circuit : table.all()) {
        if (circuit.isUnshared()) {
          writes.add(new CircuitWrite(circuit, circuit.state(), circuit.news));
        }
      }
      return writes;
    }
  }

  /** Parameters for {@code put-circuit.sql} and {@code end-circuit.sql}. */
  public Map<String, Object> values(CircuitWrite write) {
    return values(write.account(), write.state());
  }

  private Map<String, Object> values(Account account, @Nullable CircuitState state) {
    Map<String, Object> values = new HashMap<>();
    values.put("account", account.pk());
    values.put("revision", account.revision());
    values.put("node", nodes.self());
    if (state != null) {
      values.put("state", state.why().name());
      values.put("reason", state.reason());
      values.put("since", state.since());
      values.put("until", state.until());
      values.put("trial", state.trial());
    }
    return values;
  }

  /**
   * It was written.
   *
   * @param rows empty: another node was first, or this one's lease has ended
   * @return what is to be told of it, at once: another node that has seen it may tell what follows
   */
  public List<Health> shared(CircuitWrite write, List<Map<String, Object>> rows) {
    Health news = write.news();
    synchronized (table) {
      CircuitState state = write.state();
      if (state == null) {
        table.endings().remove(write);
      } else {
        write.circuit().shared(state);
        if (news != null && news.equals(write.circuit().news)) {
          write.circuit().news = null;
        }
      }
    }
    return news == null || rows.isEmpty() ? List.of() : List.of(news);
  }

  // one tries for all

  /** Parameters for {@code put-circuit.sql}: this attempt is to try. */
  public Map<String, Object> trying(Exchange exchange) {
    Attempt attempt = attempt(exchange);
    Account account = attempt.chosen();
    synchronized (table) {
      Circuit circuit = table.get(account.pk());
      if (circuit != null && circuit.isTrial(attempt)) {
        return values(account, circuit.trial(clock.millis() + circuits.probeMillis()));
      }
      Map<String, Object> nothing = values(account, NOTHING);
      nothing.put("revision", NEVER);
      return nothing;
    }
  }

  /**
   * Whether it may; the body is the delivery again.
   *
   * @param rows {@code null}: the store does not answer
   * @throws CircuitOpenException another node tries; the attempt is marked to go back
   */
  public void tried(Exchange exchange, @Nullable List<Map<String, Object>> rows)
      throws CircuitOpenException {
    Attempt attempt = attempt(exchange);
    exchange.getMessage().setBody(attempt.getDelivery());
    Account account = attempt.chosen();
    boolean taken = rows != null && !rows.isEmpty();
    synchronized (table) {
      Circuit circuit = table.get(account.pk());
      if (circuit != null && circuit.isTrial(attempt)) {
        long end = clock.millis() + circuits.probeMillis();
        if (!taken) {
          circuit.undecided(attempt, end);
        }
        circuit.shared(taken ? circuit.trial(end) : circuit.state());
      }
      if (!taken) {
        throw circuits.refused(attempt, account);
      }
    }
  }

  private static Attempt attempt(Exchange exchange) {
    return exchange.getProperty(Attempt.PROPERTY, Attempt.class);
  }

  // what other nodes found out

  /**
   * All rows of table {@code circuit} as they are now.
   *
   * @return accounts that other nodes brought into trouble or out of it
   */
  public List<Health> take(List<Map<String, Object>> rows) {
    synchronized (table) {
      List<Health> news = new ArrayList<>();
      Set<Long> standing = new HashSet<>();
      for (Row row : Row.all(rows)) {
        standing.add(row.number("account_pk"));
        account(row).ifPresent(account -> take(account, row, news));
      }
      for (Circuit circuit : List.copyOf(table.all())) {
        if (hasEnded(circuit, standing)) {
          table.forget(circuit);
          news.add(table.health(circuit.account()));
        }
      }
      table.settleLanes();
      return news;
    }
  }

  /**
   * What is said of an account that was changed since is not said of this one. Who hears of the
   * change ends its circuit.
   */
  private Optional<Account> account(Row row) {
    return directory
        .account(row.number("account_pk"))
        .filter(account -> account.revision() == row.number("revision"));
  }

  private void take(Account account, Row row, List<Health> news) {
    if (table.endings().stream().anyMatch(end -> end.account().equals(account))) {
      return;
    }
    Circuit circuit = table.of(account);
    boolean open = circuit.isOpen();
    if (open && (circuit.isLocked() || row.number("node") == nodes.self())) {
      return;
    }
    circuit.take(
        new CircuitState(
            Health.State.valueOf(row.text("state")),
            row.text("reason"),
            row.number("since"),
            row.number("until_at"),
            Boolean.TRUE.equals(row.columns().get("trial"))));
    if (!open) {
      news.add(circuit.cause());
    }
  }

  private static boolean hasEnded(Circuit circuit, Set<Long> standing) {
    return circuit.isOpen()
        && circuit.isShared()
        && !circuit.isLocked()
        && !circuit.isUnshared()
        && !standing.contains(circuit.account().pk());
  }
}
