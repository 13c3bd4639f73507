package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.db.Row;
import io.caravan.mailproxy.http.Command;
import io.caravan.mailproxy.http.Json;
import io.caravan.mailproxy.http.Problem;
import io.caravan.mailproxy.http.Request;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What was asked for through the API (genro-api 1.9, 6.5). */
public final class CommandLog {
  private static final Set<Integer> NO_ROOM = Set.of(503, 507);
  private static final int PIECE = 1_000;
  private static final long MAX_LIST = 10_000;
  private static final Logger LOG = LoggerFactory.getLogger(CommandLog.class);

  private final Outbox outbox;
  private final long keepMillis;

  /**
   * @param keepSeconds seconds after which an entry is deleted (command-log.retention-seconds)
   */
  public CommandLog(Outbox outbox, long keepSeconds) {
    this.outbox = outbox;
    this.keepMillis = TimeUnit.SECONDS.toMillis(keepSeconds);
  }

  /**
   * Keeps what was done or refused; where that fails, the answer is as it is. What was turned away
   * because there is no room, or no store, is not kept: that must not wait for the store.
   */
  public void keep(Command command, int status) {
    if (NO_ROOM.contains(status)) {
      return;
    }
    try {
      outbox.commit((statements, now) -> insert(statements, command, status, now));
    } catch (StoreException e) {
      LOG.warn(
          "command {} of request {} is not in the log", command.endpoint(), command.requestId(), e);
    }
  }

  static int insert(Statements statements, Command command, int status, long now)
      throws SQLException {
    return statements.update(
        "insert-command",
        now,
        command.endpoint(),
        command.tenantId(),
        command.caller(),
        command.address(),
        command.requestId(),
        command.payload(),
        status);
  }

  /**
   * Parameters for {@code list-commands.sql} from the query.
   *
   * @throws Problem 422 a number is none
   */
  public Map<String, @Nullable Object> filter(Request request, long limit) {
    Map<String, @Nullable Object> values = new HashMap<>();
    values.put("tenant", request.parameter("tenant_id").orElse(null));
    values.put("endpoint", request.parameter("endpoint_filter").orElse(null));
    Long since = number(request, "since_ts");
    values.put("since", since == null ? null : since * 1_000);
    Long until = number(request, "until_ts");
    values.put("until", until == null ? null : until * 1_000 + 999);
    Long after = number(request, "after_id");
    values.put("after", after == null ? 0 : after);
    Long wish = number(request, "limit");
    values.put("limit", Math.max(0, Math.min(MAX_LIST, wish == null ? limit : wish)));
    return values;
  }

  private static @Nullable Long number(Request request, String name) {
    String text = request.parameter(name).orElse("");
    try {
      return text.isEmpty() ? null : Long.valueOf((long) Double.parseDouble(text));
    } catch (NumberFormatException e) {
      throw Problem.invalid(
          "int_parsing", List.of("query", name), "Input should be a valid integer");
    }
  }

  /** {@code GET /command-log}, the oldest first. */
  public Map<String, Object> list(List<Map<String, Object>> rows) {
    List<Map<String, Object>> commands = new ArrayList<>();
    for (Row row : Row.all(rows)) {
      Map<String, Object> told = new LinkedHashMap<>();
      told.put("id", row.number("id"));
      told.put("command_ts", row.number("at") / 1_000);
      told.put("endpoint", row.text("endpoint"));
      if (row.textOrNull("tenant_id") != null) {
        told.put("tenant_id", row.text("tenant_id"));
      }
      told.put("payload", Json.tree(row.text("payload")));
      told.put("response_status", row.number("status"));
      told.put("caller", row.text("caller"));
      told.put("address", row.text("address"));
      told.put("request_id", row.text("request_id"));
      commands.add(told);
    }
    Map<String, Object> answer = answer(commands);
    answer.put("total", commands.size());
    return answer;
  }

  /** {@code GET /command-log/export}: what it takes to give the commands again; null is shown. */
  public Map<String, Object> export(List<Map<String, Object>> rows) {
    List<Map<String, @Nullable Object>> commands = new ArrayList<>();
    for (Row row : Row.all(rows)) {
      Map<String, @Nullable Object> told = new LinkedHashMap<>();
      told.put("endpoint", row.text("endpoint"));
      told.put("tenant_id", row.textOrNull("tenant_id"));
      told.put("payload", Json.tree(row.text("payload")));
      told.put("command_ts", row.number("at") / 1_000);
      commands.add(told);
    }
    return answer(commands);
  }

  private static Map<String, Object> answer(List<?> commands) {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("ok", true);
    answer.put("commands", commands);
    return answer;
  }

  /** Parameters for {@code forget-commands.sql}. */
  public Map<String, Object> old() {
    return Map.of("age", keepMillis, "piece", PIECE);
  }

  /** Whether more of them may be left. */
  public boolean more(List<Map<String, Object>> rows) {
    return rows.size() >= PIECE;
  }
}
