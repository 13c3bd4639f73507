package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Answer;
import io.caravan.mailproxy.message.Answer.Kind;
import io.caravan.mailproxy.message.Health;
import io.caravan.mailproxy.message.Phase;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the answers of an attempt say of the account that it went through. */
final class AccountSigns {
  private AccountSigns() {}

  /** {@code null}: nothing about the account. */
  static Health.@Nullable State said(List<Answer> answers) {
    Answer first = answers.get(0);
    if (first.kind() == Kind.ACCEPTED) {
      return Health.State.OK;
    }
    if (answers.stream().anyMatch(ReplyTable::logIn)) {
      return Health.State.AUTH_FAILED;
    }
    if (answers.stream().anyMatch(answer -> answer.phase().compareTo(Phase.MAIL) >= 0)) {
      return Health.State.OK;
    }
    boolean refused =
        first.kind() == Kind.UNREACHABLE
            || first.kind() == Kind.ACCOUNT
            || (first.phase() == Phase.CONNECT && first.code() >= 400);
    return first.phase() != Phase.COMPOSE && refused ? Health.State.REFUSED : null;
  }
}
