package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Answer;
import io.caravan.mailproxy.message.Answer.Kind;
import io.caravan.mailproxy.message.Phase;
import io.caravan.mailproxy.message.Recipient;
import jakarta.mail.MessagingException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the outcome of a send means, for each recipient. Replies in a mail transaction mean what
 * {@link ReplyTable} says; while a session is set up, 4xx is TEMPORARY and 5xx ACCOUNT: the mail is
 * never at fault there.
 */
public final class ReplyClassifier {

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
    if (cause instanceof ConnectionsBusyException) {
      return all(mail, Kind.TEMPORARY, 0, null, String.valueOf(cause.getMessage()), Phase.CONNECT);
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
