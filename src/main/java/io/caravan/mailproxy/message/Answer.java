package io.caravan.mailproxy.message;

import org.jspecify.annotations.Nullable;

/**
 * What one attempt meant for one recipient, before the retry policy judged it.
 *
 * @param kind the class of the answer, what the policy in {@code routes/} looks at
 * @param code three-digit SMTP reply code; 0 where no reply was read
 * @param enhanced enhanced status code (RFC 3463) such as {@code 5.1.1}; {@code null}: none
 * @param text the server's words or the local reason, control bytes escaped, at most 1,024
 *     characters
 * @param phase how far the attempt came
 */
public record Answer(
    Recipient recipient, Kind kind, int code, @Nullable String enhanced, String text, Phase phase) {

  /** Reason of an error where a limit rejects what is beyond it (genro-api 3). */
  public static final String RATE_LIMITED = "rate_limit_exceeded";

  /** The classes of answers. */
  public enum Kind {
    /** The relay took responsibility for this recipient. */
    ACCEPTED,
    /** The relay refused for now: 4xx. */
    TEMPORARY,
    /** The relay refused for good: 5xx, or the mail cannot be sent as it is. */
    PERMANENT,
    /** No connection, a break or a time-out before the final dot: certainly not sent. */
    UNREACHABLE,
    /** The account is wrong, not the mail: log-in refused, TLS not offered, bad certificate. */
    ACCOUNT,
    /** A break after the final dot and before its reply: perhaps sent. */
    UNCERTAIN
  }

  /** For Simple in routes: {@code ${body.kindName} == 'temporary'}. */
  public String getKindName() {
    return kind.name().toLowerCase(java.util.Locale.ROOT);
  }

  /** {@code code enhanced text} as the server said it, or the local reason alone. */
  public String said() {
    return code == 0 ? text : code + " " + text;
  }
}
