package io.caravan.mailproxy.message;

/**
 * Names a lane, the unit of scheduling: an account and a throttle rule.
 *
 * @param accountPk key of the account
 * @param rulePk key of the throttle rule for recipient domains; {@link #DEFAULT_RULE}: none of them
 */
public record LaneKey(long accountPk, long rulePk) {
  /** Of recipients whose domain no rule names; {@code __default} in the telemetry. */
  public static final long DEFAULT_RULE = 0;

  /** The lane of an account's mail that no rule is for. */
  public static LaneKey of(long accountPk) {
    return new LaneKey(accountPk, DEFAULT_RULE);
  }
}
