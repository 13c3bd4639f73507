package io.caravan.mailproxy.intake;

import io.caravan.mailproxy.http.Problem;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The answer to add-messages (genro-api 1.4; DECISIONS, Intake). */
public final class BatchAnswer {
  private BatchAnswer() {}

  /**
   * What became of each item of a call.
   *
   * @throws Problem 400 nothing was queued, and not all items were sent before
   */
  public static Map<String, Object> of(int queued, List<Rejection> rejections) {
    List<Map<String, Object>> rejected = new ArrayList<>();
    List<Rejection> inOrder = new ArrayList<>(rejections);
    inOrder.sort(Comparator.comparingInt(Rejection::index));
    boolean anew = false;
    for (Rejection rejection : inOrder) {
      Map<String, Object> told = new LinkedHashMap<>();
      if (rejection.id() != null) {
        told.put("id", rejection.id());
      }
      told.put("index", rejection.index());
      told.put("reason", rejection.reason());
      told.put("code", rejection.code());
      if (rejection.pointer() != null) {
        told.put("pointer", rejection.pointer());
      }
      rejected.add(told);
      anew |= !rejection.code().equals("already_sent");
    }
    Map<String, Object> answer = new LinkedHashMap<>();
    if (queued == 0 && anew) {
      answer.put("error", null);
      answer.put("rejected", rejected);
      throw new Problem(400, "nothing_queued", answer);
    }
    answer.put("ok", true);
    answer.put("queued", queued);
    answer.put("rejected", rejected);
    return answer;
  }
}
