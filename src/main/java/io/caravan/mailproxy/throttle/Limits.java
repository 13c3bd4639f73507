package io.caravan.mailproxy.throttle;

import io.caravan.mailproxy.admin.Directory;
import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.LaneKey;
import io.caravan.mailproxy.message.Quota;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Which limits an account and a lane have, and the permits that this node holds under them. An
 * account without limits costs a look at its record.
 */
public final class Limits {
  private final Directory directory;
  private final RuleBook rules;
  private final Map<LaneKey, Permits> permits = new ConcurrentHashMap<>();
  private final Map<Long, Connections> connections = new ConcurrentHashMap<>();

  public Limits(Directory directory, RuleBook rules) {
    this.directory = directory;
    this.rules = rules;
  }

  /**
   * How many attempts of a lane may be under way.
   *
   * @param ofAccount how many of its account
   */
  public int connections(LaneKey lane, int ofAccount) {
    int most = connections(lane.accountPk()).most(ofAccount);
    Integer ofRule = rules.rule(lane.rulePk()).map(ThrottleRule::maxConnections).orElse(null);
    return ofRule == null ? most : Math.min(ofRule, most);
  }

  /**
   * Holds an account to the connections that its relay was found to take.
   *
   * @param most 1 and more; {@link Integer#MAX_VALUE}: as many as the account says
   */
  public void narrow(long accountPk, int most) {
    connections(accountPk).narrow(most);
  }

  /**
   * How many deliveries of a lane are worth holding in memory: what its windows leave, and one that
   * asks. Where a limit rejects there is no need to wait for room.
   *
   * @return 1 and more
   */
  public long worth(LaneKey lane) {
    Account account = directory.account(lane.accountPk()).orElse(null);
    long worth = Long.MAX_VALUE;
    if (account != null && !account.quota().rejects()) {
      for (Permits scope : scopes(account, lane)) {
        worth = Math.min(worth, scope.worth());
      }
    }
    return worth;
  }

  /** The scopes that have a say in a transaction: the account, the lane, both or none. */
  List<Permits> scopes(Account account, LaneKey lane) {
    Integer ofRule =
        lane.rulePk() == LaneKey.DEFAULT_RULE
            ? null
            : rules.rule(lane.rulePk()).map(ThrottleRule::messagesPerHour).orElse(null);
    if (ofRule == null && account.quota().isOpen()) {
      return List.of();
    }
    List<Permits> scopes = new ArrayList<>(2);
    if (!account.quota().isOpen()) {
      scopes.add(of(LaneKey.of(account.pk()), limits(account.quota())));
    }
    if (ofRule != null) {
      scopes.add(of(lane, List.of(new Limit(Window.HOUR, ofRule))));
    }
    return scopes;
  }

  /** A scope of which the ledger knows, if it has limits still. */
  Optional<Permits> scope(LaneKey scope) {
    return directory.account(scope.accountPk()).stream()
        .flatMap(account -> scopes(account, scope).stream())
        .filter(permits -> permits.scope().equals(scope))
        .findFirst();
  }

  Connections connections(long accountPk) {
    Connections known = connections.get(accountPk);
    return known == null ? connections.computeIfAbsent(accountPk, pk -> new Connections()) : known;
  }

  Collection<Permits> all() {
    return permits.values();
  }

  private Permits of(LaneKey scope, List<Limit> limits) {
    Permits known = permits.get(scope);
    if (known == null) {
      known = permits.computeIfAbsent(scope, Permits::new);
    }
    known.limits(limits);
    return known;
  }

  private static List<Limit> limits(Quota quota) {
    List<Limit> limits = new ArrayList<>(3);
    add(limits, Window.MINUTE, quota.minute());
    add(limits, Window.HOUR, quota.hour());
    add(limits, Window.DAY, quota.day());
    return limits;
  }

  private static void add(List<Limit> limits, Window window, @Nullable Integer most) {
    if (most != null) {
      limits.add(new Limit(window, most));
    }
  }
}
