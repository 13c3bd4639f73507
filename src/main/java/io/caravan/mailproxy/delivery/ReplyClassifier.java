package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Answer;
import io.caravan.mailproxy.message.Answer.Kind;
import io.caravan.mailproxy.message.Phase;
import io.caravan.mailproxy.message.Recipient;
import jakarta.mail.MessagingException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What the outcome of a send means, for each recipient.
 *
 * <table>
 * <caption>Replies in a mail transaction (RFC 5321 section 4.2.1, RFC 3463)</caption>
 * <tr><th>reply</th><th>kind</th></tr>
 * <tr><td>2xx</td><td>ACCEPTED</td></tr>
 * <tr><td>4xx, 421 included</td><td>TEMPORARY</td></tr>
 * <tr><td>530, 534, 535, 538: log in first, TLS first (RFC 4954, RFC 3207)</td><td>ACCOUNT</td></tr>
 * <tr><td>552 to RCPT that speaks of too many recipients (RFC 5321 section 4.5.3.1.10)</td>
 *     <td>TEMPORARY</td></tr>
 * <tr><td>other 5xx</td><td>PERMANENT</td></tr>
 * <tr><td>anything else to the final dot</td><td>UNCERTAIN</td></tr>
 * <tr><td>anything else before</td><td>UNREACHABLE</td></tr>
 * </table>
 *
 * <p>While a session is set up, 4xx is TEMPORARY and 5xx ACCOUNT: the mail is never at fault there.
 */
public final class ReplyClassifier {

  /** The table above. */
  static Kind kind(Reply reply, Phase phase) {
    int code = reply.code();
    if (code >= 500) {
      boolean tooMany =
          code == 552
              && phase == Phase.RCPT
              && reply.text().toLowerCase(Locale.ROOT).contains("too many recipients");
      if (tooMany) {
        return Kind.TEMPORARY;
      }
      return switch (code) {
        case 530, 534, 535, 538 -> Kind.ACCOUNT;
        default -> Kind.PERMANENT;
      };
    }
    if (code >= 400) {
      return Kind.TEMPORARY;
    }
    if (code >= 200 && code < 300) {
      return Kind.ACCEPTED;
    }
    return phase == Phase.DOT || phase == Phase.DONE ? Kind.UNCERTAIN : Kind.UNREACHABLE;
  }

  /**
   * One answer for each recipient, whoever sent the mail: our pool, the stock {@code smtp:}
   * endpoint or a {@code file:} endpoint.
   *
   * @param failure what the send threw; {@code null}: nothing, so it was handed over
   */
  public List<Answer> answers(OutgoingMail mail, @Nullable Throwable failure) {
    if (!mail.answers().isEmpty()) {
      return mail.answers();
    }
    if (failure == null) {
      return all(mail, Kind.ACCEPTED, 0, null, "handed over", Phase.DONE);
    }
    Throwable cause = failure;
    while (!(cause instanceof MessagingException) && cause.getCause() != null) {
      cause = cause.getCause();
    }
    if (cause instanceof RelayException e) {
      return all(mail, e.kind(), e.code(), e.enhanced(), e.text(), e.phase());
    }
    if (cause instanceof StaleConnectionException || cause instanceof LeaseLostException) {
      String text = Reply.clean(String.valueOf(cause.getMessage()));
      return all(mail, Kind.UNREACHABLE, 0, null, text, mail.phase());
    }
    return LibraryFailures.answers(mail, cause);
  }

  static List<Answer> all(
      OutgoingMail mail, Kind kind, int code, @Nullable String enhanced, String text, Phase phase) {
    List<Answer> answers = new ArrayList<>(mail.recipients().size());
    for (Recipient recipient : mail.recipients()) {
      answers.add(new Answer(recipient, kind, code, enhanced, text, phase));
    }
    return answers;
  }
}
