package io.caravan.mailproxy.intake;

import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Message;
import java.util.ArrayList;
import java.util.List;

/**
 * One message to be stored. Its answer (queued or a refusal by the store) holds for all {@link
 * #items()} of the call.
 *
 * @param index place of the item in the call, from 0
 * @param payload JSON text to be stored, read back by {@link MessageReader}
 * @param copies places of later items with the same id and the same content
 */
public record Submission(
    int index, Message message, Account account, String payload, List<Integer> copies) {

  /** How many items of the call this message answers, 1 and more. */
  public int items() {
    return 1 + copies.size();
  }

  Submission withCopy(int at) {
    List<Integer> all = new ArrayList<>(copies);
    all.add(at);
    return new Submission(index, message, account, payload, List.copyOf(all));
  }

  /** Without what the mail says: this text may reach a log. */
  @Override
  public String toString() {
    return "Submission[" + index + ", " + message + "]";
  }
}
