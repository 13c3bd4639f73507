package io.caravan.mailproxy.intake;

import io.caravan.mailproxy.intake.AttachmentFields.Mode;
import io.caravan.mailproxy.message.Attachment;
import io.caravan.mailproxy.message.HeaderRules;
import java.util.regex.Pattern;

/** From an attachment as submitted to one that can be sent (genro-api 5; B7–B9, B79). */
final class AttachmentReader {
  private static final int MAX_FILENAME_CHARS = 255;
  private static final int MAX_MIME_CHARS = 127;
  private static final Pattern MARKER = Pattern.compile("\\{MD5:[0-9a-fA-F]+\\}");
  private static final Pattern UNDERSCORES = Pattern.compile("_+");
  private static final Pattern EDGES = Pattern.compile("^_|_$");
  private static final Pattern MD5 = Pattern.compile("[0-9a-fA-F]{32}");

  /** RFC 2045 section 5.1. */
  private static final String TSPECIALS = "()<>@,;:\\\"/[]?=";

  private AttachmentReader() {}

  /** Derives what is sent; what is derived from is trusted. */
  static Attachment derive(AttachmentFields fields) {
    String name = filename(fields.filename());
    String given = fields.mimeType();
    return new Attachment(
        name,
        given == null || given.isEmpty() ? MimeTypes.ofFilename(name) : given,
        content(fields.storagePath()));
  }

  /** Checks all values. {@code pointer}: of the attachment below its item. */
  static void check(AttachmentFields fields, String pointer) {
    checkFilename(fields.filename(), pointer + "/filename");
    checkMode(fields.resolvedMode(), pointer + "/fetch_mode");
    String mime = fields.mimeType();
    if (mime != null && !mime.isEmpty()) {
      checkMimeType(mime, pointer + "/mime_type");
    }
    String md5 = fields.contentMd5();
    if (md5 != null && !MD5.matcher(md5).matches()) {
      throw new Refusal(
          "invalid_content_md5", "content_md5 must be 32 hex digits", pointer + "/content_md5");
    }
    String content = content(fields.storagePath());
    if (!Base64Text.isValid(content)) {
      throw new Refusal(
          "invalid_base64",
          content.isEmpty()
              ? "attachment has no content"
              : "attachment is not base64 (standard alphabet, padded, no blanks or line breaks)",
          pointer + "/storage_path");
    }
  }

  private static void checkMode(Mode mode, String pointer) {
    if (mode != Mode.BASE64) {
      throw new Refusal(
          "attachment_mode_unsupported",
          "attachment mode " + mode.label() + " is not available yet, send the content as base64",
          pointer);
    }
  }

  /** The prefix may stand before content whose mode is given, too. */
  private static String content(String storagePath) {
    return storagePath.startsWith(AttachmentFields.BASE64_PREFIX)
        ? storagePath.substring(AttachmentFields.BASE64_PREFIX.length())
        : storagePath;
  }

  private static void checkFilename(String raw, String pointer) {
    int chars = raw.codePointCount(0, raw.length());
    String name = filename(raw);
    String reason =
        chars == 0 || chars > MAX_FILENAME_CHARS
            ? "filename must have 1 to " + MAX_FILENAME_CHARS + " characters"
            : HeaderRules.hasControl(raw) || raw.chars().anyMatch(AttachmentReader::isDirectional)
                ? "filename contains a control character"
                : name.isBlank() || name.equals(".") || name.equals("..")
                    ? "filename is only a path or a marker"
                    : null;
    if (reason != null) {
      throw new Refusal("invalid_filename", reason, pointer);
    }
  }

  /** Marks and overrides of direction make {@code fdp.exe} look like {@code exe.pdf}. */
  private static boolean isDirectional(int c) {
    return c == 0x061c
        || c == 0x200e
        || c == 0x200f
        || (c >= 0x202a && c <= 0x202e)
        || (c >= 0x2066 && c <= 0x2069);
  }

  private static String filename(String raw) {
    String name = raw.substring(Math.max(raw.lastIndexOf('/'), raw.lastIndexOf('\\')) + 1);
    if (!name.contains("{MD5:")) {
      return name;
    }
    String bare = MARKER.matcher(name).replaceAll("");
    if (bare.equals(name)) {
      return name;
    }
    String single = UNDERSCORES.matcher(bare).replaceAll("_");
    return EDGES.matcher(single).replaceAll("").replace("_.", ".");
  }

  /** A plain type of one part: RFC 2045 section 5.1 without parameters. */
  private static void checkMimeType(String type, String pointer) {
    int slash = type.indexOf('/');
    if (!isToken(type, 0, slash) || !isToken(type, slash + 1, type.length())) {
      throw new Refusal(
          "invalid_mime_type", "mime_type must be type/subtype without parameters", pointer);
    }
    if (type.regionMatches(true, 0, "multipart/", 0, 10)
        || type.regionMatches(true, 0, "message/", 0, 8)) {
      throw new Refusal("invalid_mime_type", "mime_type must not be multipart or message", pointer);
    }
  }

  private static boolean isToken(String text, int start, int end) {
    if (end <= start || end - start > MAX_MIME_CHARS) {
      return false;
    }
    for (int i = start; i < end; i++) {
      char c = text.charAt(i);
      if (c <= ' ' || c > '~' || TSPECIALS.indexOf(c) >= 0) {
        return false;
      }
    }
    return true;
  }
}
