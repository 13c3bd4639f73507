package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Answer;
import io.caravan.mailproxy.message.Answer.Kind;
import io.caravan.mailproxy.message.Phase;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What a reply in a mail transaction means: the first digit (RFC 5321 section 4.2.1), but for the
 * rows below. They stand for replies whose first digit says something else than what is to be done;
 * {@code ReplyTableTest} holds the words of real relays against them.
 *
 * <p>What has no row, because the first digit is right: content and sender refused (554 5.7.1, 550
 * 5.7.26, 550 5.1.8) is final, a rate (421 4.7.0, 450 4.2.1, 452 4.5.3, 4.7.x) is for later, an
 * unknown mailbox (550 5.1.1) is final. A full mailbox is what the relay says it is: 452 4.2.2 is
 * tried again, 552 5.2.2 is not, for a relay that says 5 has waited long enough itself.
 */
final class ReplyTable {

  /** RFC 4954 section 6 and RFC 3207 section 4: log in first, TLS first, log-in refused. */
  private static final Pattern LOG_IN =
      pattern(
          "^(530|534|535|538)\\b|^5\\d\\d 5\\.7\\.(8|9|11|57|139)\\b"
              + "|^5\\d\\d .*(authentication (is )?required|unauthenticated sender"
              + "|not authenticated)");

  /** The relay does not take the recipient from us: the account lacks a right, the mail nothing. */
  private static final Pattern RELAY_DENIED =
      pattern(
          "^5\\d\\d .*(relay(ing)? (access )?(is )?(denied|not (permitted|allowed)|prohibited)"
              + "|not permitted to relay|unable to relay)");

  /**
   * Congestion is persistent transient (RFC 3463 section 3.5); also said of a spent daily limit.
   */
  private static final Pattern CONGESTION = pattern("^5\\d\\d 5\\.4\\.5\\b");

  /** RFC 5321 section 4.5.3.1.10, RFC 3463 section 3.6: the rest goes in another transaction. */
  private static final Pattern TOO_MANY_RECIPIENTS =
      pattern("^5\\d\\d (5\\.5\\.3\\b|.*too many recipients)");

  private record Row(Pattern words, Set<Phase> phases, Kind kind) {}

  private static final Set<Phase> ANY = EnumSet.allOf(Phase.class);

  private static final List<Row> ROWS =
      List.of(
          new Row(LOG_IN, EnumSet.of(Phase.MAIL, Phase.RCPT, Phase.DATA), Kind.ACCOUNT),
          new Row(RELAY_DENIED, EnumSet.of(Phase.MAIL, Phase.RCPT), Kind.ACCOUNT),
          new Row(CONGESTION, ANY, Kind.TEMPORARY),
          new Row(TOO_MANY_RECIPIENTS, EnumSet.of(Phase.RCPT), Kind.TEMPORARY));

  private ReplyTable() {}

  private static Pattern pattern(String words) {
    return Pattern.compile(words, Pattern.CASE_INSENSITIVE | Pattern.DOTALL);
  }

  /**
   * The kind of a reply; one that is none is UNCERTAIN after the final dot and UNREACHABLE before.
   */
  static Kind kind(Reply reply, Phase phase) {
    return switch (reply.code() / 100) {
      case 2 -> Kind.ACCEPTED;
      case 4 -> Kind.TEMPORARY;
      case 5 -> refused(reply, phase);
      default -> phase == Phase.DOT || phase == Phase.DONE ? Kind.UNCERTAIN : Kind.UNREACHABLE;
    };
  }

  private static Kind refused(Reply reply, Phase phase) {
    String said = reply.code() + " " + reply.text();
    for (Row row : ROWS) {
      if (row.phases().contains(phase) && row.words().matcher(said).find()) {
        return row.kind();
      }
    }
    return Kind.PERMANENT;
  }

  /**
   * Whether this is a refused log-in, or one that is asked for: more tries may lock the user out.
   */
  static boolean logIn(Answer answer) {
    return answer.kind() == Kind.ACCOUNT
        && (answer.text().startsWith(RelaySession.LOG_IN_REFUSED)
            || LOG_IN.matcher(answer.said()).find());
  }
}
