package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Answer;
import io.caravan.mailproxy.message.Phase;
import io.caravan.mailproxy.message.Recipient;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The answers of an attempt that broke off before there was a mail. */
final class Unmade {
  private static final Logger LOG = LoggerFactory.getLogger(Unmade.class);

  private Unmade() {}

  /** What cannot be composed never will, anything else is tried again. */
  static List<Answer> answers(List<Recipient> recipients, @Nullable Throwable failure) {
    boolean never =
        failure instanceof NoAccountException || failure instanceof IllegalArgumentException;
    if (!never) {
      LOG.error("attempt broke off before the mail was made", failure);
    }
    String text = failure == null ? "no mail was made" : String.valueOf(failure.getMessage());
    return recipients.stream()
        .map(
            recipient ->
                new Answer(
                    recipient,
                    never ? Answer.Kind.PERMANENT : Answer.Kind.UNREACHABLE,
                    0,
                    null,
                    Reply.clean(text),
                    Phase.COMPOSE))
        .toList();
  }
}
