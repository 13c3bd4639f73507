package io.caravan.mailproxy.admin;

import com.fasterxml.jackson.databind.JsonNode;
import io.caravan.mailproxy.db.Row;
import io.caravan.mailproxy.http.JsonFields;
import io.caravan.mailproxy.http.Problem;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What {@code /instance} shows and changes (genro-api 1.8). Bounces are not handled yet. */
public final class Instance {
  private static final int MAX_PORT = 65_535;
  private static final List<String> FLAGS = List.of("bounce_enabled", "bounce_imap_ssl");
  private static final List<String> TIMES = List.of("created_at", "updated_at");

  /**
   * The values for {@code update-instance.sql}; what is absent or null stays. A field {@code
   * api_token} changes nothing: the token in force is a setting.
   */
  public Map<String, @Nullable Object> read(JsonNode body) {
    JsonFields form = new JsonFields(body);
    Map<String, @Nullable Object> row = new HashMap<>();
    row.put("name", form.text("name", 255, null));
    row.put("bounce_imap_host", form.text("bounce_imap_host", 253, null));
    row.put("bounce_imap_port", form.number("bounce_imap_port", 1, MAX_PORT, null));
    row.put("bounce_imap_user", form.text("bounce_imap_user", 1_024, null));
    row.put("bounce_imap_password", form.text("bounce_imap_password", 1_024, null));
    row.put("bounce_imap_folder", form.text("bounce_imap_folder", 255, null));
    row.put("bounce_poll_interval", form.number("bounce_poll_interval", 1, 86_400, null));
    row.put("bounce_return_path", form.text("bounce_return_path", 320, null));
    for (String name : FLAGS) {
      Boolean flag = form.flag(name);
      row.put(name, flag == null ? null : flag ? 1 : 0);
    }
    return row;
  }

  /** {@code GET /instance}: null is left out, and so are secrets. */
  public Map<String, Object> told(List<Map<String, Object>> rows) {
    Row row = new Row(rows.get(0));
    Map<String, Object> told = new LinkedHashMap<>();
    row.columns()
        .forEach(
            (name, value) -> {
              if (FLAGS.contains(name)) {
                told.put(name, row.number(name) != 0);
              } else if (TIMES.contains(name)) {
                told.put(name, Listings.iso(value));
              } else if (value != null) {
                told.put(name, value);
              }
            });
    return told;
  }

  /**
   * {@code POST /instance/reload-bounce}.
   *
   * @throws Problem 501 always
   */
  @SuppressWarnings("DoNotCallSuggester") // the route's only step
  public void reloadBounce() {
    throw new Problem(501, "Bounce handling is not there yet");
  }
}
