package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Answer;
import io.caravan.mailproxy.message.Phase;
import jakarta.mail.MessagingException;
import org.jspecify.annotations.Nullable;

/**
 * No mail transaction took place: no connection, or no session. Nothing was sent; it means the same
 * for each recipient ({@link ReplyClassifier#answers}).
 */
public final class RelayException extends MessagingException {
  private static final long serialVersionUID = 1L;

  private final Answer.Kind kind;
  private final Phase phase;
  private final int code;
  private final @Nullable String enhanced;

  RelayException(
      Answer.Kind kind,
      Phase phase,
      int code,
      @Nullable String enhanced,
      String text,
      @Nullable Exception cause) {
    super(text, cause);
    this.kind = kind;
    this.phase = phase;
    this.code = code;
    this.enhanced = enhanced;
  }

  RelayException(Answer.Kind kind, Phase phase, String text, @Nullable Exception cause) {
    this(kind, phase, 0, null, text, cause);
  }

  RelayException(Answer.Kind kind, Phase phase, Reply reply, @Nullable Exception cause) {
    this(kind, phase, reply.code(), reply.enhanced(), reply.text(), cause);
  }

  /** UNREACHABLE, TEMPORARY or ACCOUNT; PERMANENT where a domain has no mail server. */
  public Answer.Kind kind() {
    return kind;
  }

  /** How far it came: CONNECT or SESSION. */
  public Phase phase() {
    return phase;
  }

  /** The relay's reply code; 0 where none was read. */
  public int code() {
    return code;
  }

  /** Enhanced status code (RFC 3463), if there was one. */
  public @Nullable String enhanced() {
    return enhanced;
  }

  /** The relay's words or the local reason. */
  public String text() {
    String text = getMessage();
    return text == null ? "" : text;
  }
}
