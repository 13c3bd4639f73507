package io.caravan.mailproxy.intake;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An attachment with its JSON types checked, its values not (genro-api 1.4). A closed object:
 * unknown fields and missing ones are errors of the whole request.
 *
 * @param mode how the content is had; {@code null}: see {@link #resolvedMode()}
 */
record AttachmentFields(
    String filename,
    String storagePath,
    @Nullable Mode mode,
    @Nullable String mimeType,
    @Nullable String contentMd5) {
  static final String BASE64_PREFIX = "base64:";

  private static final Set<String> FIELDS =
      Set.of("filename", "storage_path", "fetch_mode", "mime_type", "content_md5", "auth");
  private static final List<String> AUTH_FIELDS = List.of("method", "token", "user", "password");
  private static final Set<String> AUTH_METHODS = Set.of("none", "bearer", "basic");

  /** Where the content comes from. */
  enum Mode {
    ENDPOINT,
    HTTP_URL,
    BASE64,
    FILESYSTEM;

    String label() {
      return name().toLowerCase(Locale.ROOT);
    }

    static Optional<Mode> of(String label) {
      for (Mode mode : values()) {
        if (mode.label().equals(label)) {
          return Optional.of(mode);
        }
      }
      return Optional.empty();
    }
  }

  static AttachmentFields read(JsonNode node, TypeCheck check, Path at) {
    if (!check.isObject(node, at)) {
      return new AttachmentFields("", "", null, null, null);
    }
    check.onlyFields(node, FIELDS, at);
    checkAuth(node, check, at.at("auth"));
    return new AttachmentFields(
        required(node, "filename", check, at),
        required(node, "storage_path", check, at),
        mode(node, check, at),
        check.text(node, "mime_type", at),
        check.text(node, "content_md5", at));
  }

  /** The mode given, else the one the content's first characters tell (genro-api 5). */
  Mode resolvedMode() {
    if (mode != null) {
      return mode;
    }
    if (storagePath.startsWith(BASE64_PREFIX)) {
      return Mode.BASE64;
    }
    if (storagePath.startsWith("http://") || storagePath.startsWith("https://")) {
      return Mode.HTTP_URL;
    }
    return storagePath.startsWith("/") ? Mode.FILESYSTEM : Mode.ENDPOINT;
  }

  private static String required(JsonNode node, String field, TypeCheck check, Path at) {
    if (check.present(node, field) == null) {
      check.missing(at.at(field));
      return "";
    }
    String text = check.text(node, field, at);
    return text == null ? "" : text;
  }

  private static @Nullable Mode mode(JsonNode node, TypeCheck check, Path at) {
    String label = check.text(node, "fetch_mode", at);
    if (label == null) {
      return null;
    }
    Optional<Mode> mode = Mode.of(label);
    if (mode.isEmpty()) {
      check.add(
          "literal_error",
          at.at("fetch_mode"),
          "Input should be 'endpoint', 'http_url', 'base64' or 'filesystem'",
          node.get("fetch_mode"));
    }
    return mode.orElse(null);
  }

  /** Its values may be secret: never repeated in an error. */
  private static void checkAuth(JsonNode node, TypeCheck check, Path at) {
    JsonNode auth = check.present(node, "auth");
    if (auth == null) {
      return;
    }
    if (!auth.isObject()) {
      check.add("model_attributes_type", at, TypeCheck.NO_OBJECT, null);
      return;
    }
    check.onlyFields(auth, AUTH_FIELDS, at);
    for (String field : AUTH_FIELDS) {
      JsonNode value = check.present(auth, field);
      if (value != null && !value.isTextual()) {
        check.add("string_type", at.at(field), "Input should be a valid string", null);
      } else if (value != null
          && field.equals("method")
          && !AUTH_METHODS.contains(value.textValue())) {
        check.add(
            "literal_error", at.at(field), "Input should be 'none', 'bearer' or 'basic'", null);
      }
    }
  }
}
