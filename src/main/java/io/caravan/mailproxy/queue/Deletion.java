package io.caravan.mailproxy.queue;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.db.Row;
import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.http.JsonFields;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** One request to delete messages, piece by piece. Its getters are for Simple in routes. */
public final class Deletion {
  private static final int MAX_IDS = 10_000;
  private static final int PIECE = 200;

  private final String tenant;
  private final List<String> ids;
  private final Set<String> missing;
  private int next;
  private int removed;

  private Deletion(String tenant, Set<String> ids) {
    this.tenant = tenant;
    this.ids = List.copyOf(ids);
    this.missing = ids;
  }

  /**
   * Empty ids, and those that stand there twice, are left out.
   *
   * @throws io.caravan.mailproxy.http.Problem 422 it is no list of up to 10,000 ids
   */
  static Deletion of(String tenant, JsonNode body) {
    return new Deletion(tenant, ids(new JsonFields(body), "ids"));
  }

  /** A field that is a list of ids; absent: none. */
  static Set<String> ids(JsonFields form, String name) {
    JsonNode list = form.node(name);
    Set<String> ids = new LinkedHashSet<>();
    if (list == null) {
      return ids;
    }
    if (!list.isArray() || list.size() > MAX_IDS) {
      throw form.wrong(name, "Input should be a list of at most " + MAX_IDS + " ids");
    }
    for (JsonNode id : list) {
      if (!id.isTextual()) {
        throw form.wrong(name, "Input should be a list of strings");
      }
      if (!id.textValue().isEmpty()) {
        ids.add(id.textValue());
      }
    }
    return ids;
  }

  /** Whether there is another piece. */
  public boolean isMore() {
    return next < ids.size();
  }

  /** Parameters for {@code find-keys.sql}: the next piece. */
  public Map<String, Object> getPiece() {
    List<String> piece = ids.subList(next, Math.min(next + PIECE, ids.size()));
    return Map.of("tenant", tenant, "ids", Json.text(piece));
  }

  String tenantId() {
    return tenant;
  }

  /** The piece is done: these of it were there. */
  void removed(List<Map<String, Object>> rows, int messages) {
    Row.all(rows).forEach(row -> missing.remove(row.text("id")));
    next += PIECE;
    removed += messages;
  }

  /** What clients are told; a foreign id is answered like an absent one. */
  public Map<String, Object> getAnswer() {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("ok", true);
    answer.put("removed", removed);
    answer.put("not_found", new ArrayList<>(missing));
    answer.put("unauthorized", List.of());
    return answer;
  }
}
