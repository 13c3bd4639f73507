package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Answer;
import io.caravan.mailproxy.message.Phase;
import io.caravan.mailproxy.message.Recipient;
import jakarta.mail.Address;
import jakarta.mail.Session;
import jakarta.mail.internet.InternetAddress;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.eclipse.angus.mail.smtp.SMTPMessage;
import org.jspecify.annotations.Nullable;

/**
 * One composed mail on its way out: envelope and bytes, and afterwards what the relay answered.
 *
 * <p>It is a {@code MimeMessage}, so that the stock {@code smtp:} endpoint sends it too: with the
 * stored envelope, never with recipients out of headers, and byte for byte. Headers set on it from
 * outside change nothing that is sent.
 *
 * <p>Used by one thread at a time.
 */
public final class OutgoingMail extends SMTPMessage {
  private final Account account;
  private final String sender;
  private final List<Recipient> recipients;
  private final String id;
  private final byte[] bytes;
  private final DataGate gate;

  private volatile List<Answer> answers = List.of();
  private volatile Phase phase = Phase.COMPOSE;
  private final Map<Phase, Long> spent = new EnumMap<>(Phase.class);
  private long since = System.nanoTime();
  private @Nullable Phase timed;
  private boolean wantsNewConnection;
  private @Nullable Account server;

  /**
   * A mail ready to go.
   *
   * @param sender envelope sender, {@code local@domain}; empty for the null return path
   * @param messageId value of the Message-ID header, brackets included
   * @param content the complete mail (RFC 5322), CRLF lines, no Bcc; not copied
   */
  public OutgoingMail(
      Account account,
      String sender,
      List<Recipient> recipients,
      String messageId,
      byte[] content,
      DataGate gate) {
    super((@Nullable Session) null);
    this.account = account;
    this.sender = sender;
    this.recipients = List.copyOf(recipients);
    this.id = messageId;
    this.bytes = content;
    this.gate = gate;
    setSendPartial(true);
    saved = true;
  }

  /** The relay it goes to. */
  public Account account() {
    return account;
  }

  /** Envelope sender. */
  public String sender() {
    return sender;
  }

  /** Envelope recipients. */
  public List<Recipient> recipients() {
    return recipients;
  }

  /** The complete mail, as a {@code file:} endpoint may store it. The array itself, not a copy. */
  public byte[] content() {
    return bytes;
  }

  /** The complete mail, to be read. */
  public InputStream contentStream() {
    return new ByteArrayInputStream(bytes);
  }

  /**
   * The body is about to leave.
   *
   * @throws LeaseLostException it must not
   */
  void openGate() throws LeaseLostException {
    boolean open;
    try {
      open = gate.open();
    } catch (Exception e) {
      throw new LeaseLostException("the DATA phase could not be stored", e);
    }
    if (!open) {
      throw new LeaseLostException("the lease was lost before DATA", null);
    }
  }

  /**
   * The dot is about to leave.
   *
   * @throws LeaseLostException it must not
   */
  void checkGate() throws LeaseLostException {
    if (!gate.holds()) {
      throw new LeaseLostException("the lease was lost before the dot", null);
    }
  }

  /** One answer for each recipient, in their order; empty until an attempt has answers. */
  public List<Answer> answers() {
    return answers;
  }

  /** How far the attempt came. */
  public Phase phase() {
    return phase;
  }

  /** The server that was tried last; {@code null}: none yet, or the sender does not say. */
  public @Nullable Account server() {
    return server;
  }

  void goesTo(Account tried) {
    server = tried;
  }

  /** Nanoseconds spent in a phase, over all servers that were tried. */
  public long nanos(Phase of) {
    long before = spent.getOrDefault(of, 0L);
    return of == timed ? before + System.nanoTime() - since : before;
  }

  void begin() {
    answers = List.of();
    reached(Phase.CONNECT);
  }

  void reached(Phase next) {
    time(next);
    phase = next;
  }

  private void time(@Nullable Phase next) {
    long now = System.nanoTime();
    if (timed != null) {
      spent.merge(timed, now - since, Long::sum);
    }
    since = now;
    timed = next;
  }

  void answered(List<Answer> now) {
    time(null);
    answers = now;
  }

  /** After a stale connection the next one must be new. */
  void wantNewConnection() {
    wantsNewConnection = true;
  }

  boolean wantsNewConnection() {
    return wantsNewConnection;
  }

  // what the library and the stock sender ask of a mail

  @Override
  public Address[] getAllRecipients() {
    Address[] all = new Address[recipients.size()];
    for (int i = 0; i < all.length; i++) {
      InternetAddress address = new InternetAddress();
      address.setAddress(recipients.get(i).address());
      all[i] = address;
    }
    return all;
  }

  /** {@code <>} for the null return path: an empty text would make the library guess a sender. */
  @Override
  public String getEnvelopeFrom() {
    return sender.isEmpty() ? "<>" : sender;
  }

  @Override
  public String getMessageID() {
    return id;
  }

  @Override
  public int getSize() {
    return bytes.length;
  }

  /** Does nothing: the bytes are final. */
  @Override
  public void saveChanges() {
    saved = true;
  }

  @Override
  public void writeTo(OutputStream out) throws IOException {
    reached(Phase.DATA);
    try {
      openGate();
    } catch (LeaseLostException e) {
      throw new IOException(e);
    }
    reached(Phase.BODY);
    out.write(bytes);
    out.flush();
    reached(Phase.DOT);
  }

  /** Leaves no header out: they are part of the bytes. */
  @Override
  public void writeTo(OutputStream out, String @Nullable [] ignored) throws IOException {
    writeTo(out);
  }
}
