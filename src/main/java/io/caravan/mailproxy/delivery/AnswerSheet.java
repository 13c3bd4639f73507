package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Answer;
import io.caravan.mailproxy.message.Answer.Kind;
import io.caravan.mailproxy.message.Phase;
import io.caravan.mailproxy.message.Recipient;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The answers of one attempt as they come in: the first for a recipient stays. */
final class AnswerSheet {
  private final List<Recipient> recipients;
  private final @Nullable Answer[] answers;

  AnswerSheet(List<Recipient> recipients) {
    this.recipients = recipients;
    this.answers = new Answer[recipients.size()];
  }

  boolean open(int position) {
    return answers[position] == null;
  }

  void put(int position, Kind kind, Reply reply, Phase phase) {
    if (open(position)) {
      Recipient recipient = recipients.get(position);
      answers[position] =
          new Answer(recipient, kind, reply.code(), reply.enhanced(), reply.text(), phase);
    }
  }

  /** One answer for all that have none yet. */
  void putRest(Kind kind, Reply reply, Phase phase) {
    for (int i = 0; i < answers.length; i++) {
      put(i, kind, reply, phase);
    }
  }

  /** One for each recipient, in their order. */
  List<Answer> all() {
    List<Answer> all = new ArrayList<>(answers.length);
    for (Answer answer : answers) {
      if (answer == null) {
        throw new IllegalStateException("a recipient without an answer");
      }
      all.add(answer);
    }
    return all;
  }
}
