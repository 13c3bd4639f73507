package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Answer;
import io.caravan.mailproxy.message.Answer.Kind;
import io.caravan.mailproxy.message.Phase;
import io.caravan.mailproxy.message.Recipient;
import jakarta.mail.MessagingException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One mail over one connection: MAIL, RCPT, DATA, body, dot (RFC 5321 section 3.3), with the
 * commands in one write where the relay offers PIPELINING (RFC 2920). Knows at each moment how far
 * it came, so that only a break between the last write and the reply to the dot is uncertain.
 */
final class MailTransaction {
  private static final String DATA = "DATA\r\n";

  /** Past this many, commands and replies might fill both directions and wait for each other. */
  private static final int MAX_PIPELINED = 1000;

  private static final byte[] DOT = {'.', '\r', '\n'};

  private final SmtpConnection connection;
  private final SmtpSettings settings;
  private final OutgoingMail mail;
  private final List<Recipient> recipients;
  private final @Nullable Answer[] answers;

  private final BodyBytes content;
  private final byte[] body;

  /** Positions whose RCPT is said: all that need no answer of our own. */
  private final boolean[] said;

  private Phase phase = Phase.MAIL;

  MailTransaction(SmtpConnection connection, SmtpSettings settings, OutgoingMail mail) {
    this.connection = connection;
    this.settings = settings;
    this.mail = mail;
    this.recipients = mail.recipients();
    this.answers = new Answer[recipients.size()];
    this.content = BodyBytes.of(mail.content());
    this.body = content.bytes();
    this.said = new boolean[recipients.size()];
  }

  /**
   * Runs it. Returns when each recipient has an answer, which the mail then holds.
   *
   * @throws StaleConnectionException a kept connection was dead, nothing was taken
   * @throws LeaseLostException the gate stayed shut, nothing was sent
   */
  void run() throws MessagingException {
    if (refuseWhatCannotBeSaid()) {
      connection.done();
    } else {
      try {
        if (envelope()) {
          data();
        }
        connection.done();
      } catch (Closing e) {
        closing(e.reply);
      } catch (IOException e) {
        broken(e);
      }
    }
    List<Answer> all = new ArrayList<>(answers.length);
    for (Answer answer : answers) {
      if (answer == null) {
        throw new IllegalStateException("a recipient without an answer");
      }
      all.add(answer);
    }
    mail.answered(all);
  }

  // before any byte

  /** Answers whether nobody is left to send to. */
  private boolean refuseWhatCannotBeSaid() {
    SmtpConnection.Offers offers = connection.offers();
    String sender = mail.sender();
    if (!sender.isEmpty() && !WireAddress.fits(sender)) {
      refuseLocally("sender_invalid: the sender's address cannot be sent", "5.1.7");
    } else if (!WireAddress.ascii(sender) && !offers.smtpUtf8()) {
      refuseLocally("smtputf8_unsupported", "5.6.7");
    } else if (offers.size() > 0 && mail.content().length > offers.size()) {
      refuseLocally(
          "message_too_large: "
              + mail.content().length
              + " bytes, the relay takes "
              + offers.size(),
          "5.3.4");
    }
    boolean nobody = true;
    for (int i = 0; i < answers.length; i++) {
      String address = recipients.get(i).address();
      if (answers[i] != null) {
        continue;
      }
      if (!WireAddress.fits(address)) {
        answer(i, Kind.PERMANENT, 0, "5.1.3", "recipient_invalid: the address cannot be sent");
      } else if (!WireAddress.ascii(address) && !offers.smtpUtf8()) {
        answer(i, Kind.PERMANENT, 0, "5.6.7", "smtputf8_unsupported");
      } else {
        said[i] = true;
        nobody = false;
      }
    }
    return nobody;
  }

  private void refuseLocally(String text, String enhanced) {
    for (int i = 0; i < answers.length; i++) {
      answer(i, Kind.PERMANENT, 0, enhanced, text);
    }
  }

  // commands

  /** Answers whether the relay waits for the body, for at least one recipient. */
  private boolean envelope() throws IOException, MessagingException {
    boolean pipelining = connection.offers().pipelining() && answers.length <= MAX_PIPELINED;
    connection.arm(settings.commandTimeout());
    Reply reply;
    try {
      connection.write(pipelining ? allCommands() : mailCommand());
      reply = connection.replies().read(false);
    } catch (IOException e) {
      throw staleOr(e);
    }
    if (reply.closing() && connection.usedBefore()) {
      throw stale("the relay closes the kept connection: " + reply.text(), null);
    }
    boolean accepted = reply.positive();
    if (!accepted) {
      refuse(reply);
    }
    ended(reply);
    if (!accepted && !pipelining) {
      return false;
    }
    reached(Phase.RCPT);
    boolean any = false;
    for (int i = 0; i < answers.length; i++) {
      if (said[i]) {
        any |= recipient(i, pipelining);
      }
    }
    if (any || pipelining) {
      return dataCommand(any, pipelining);
    }
    reset();
    return false;
  }

  private String mailCommand() {
    SmtpConnection.Offers offers = connection.offers();
    StringBuilder command = new StringBuilder(200);
    command.append("MAIL FROM:<").append(mail.sender()).append('>');
    if (offers.size() != 0) {
      command.append(" SIZE=").append(mail.content().length);
    }
    if (offers.eightBitMime() && content.eightBit()) {
      command.append(" BODY=8BITMIME");
    }
    if (offers.smtpUtf8() && needsUtf8()) {
      command.append(" SMTPUTF8");
    }
    return command.append("\r\n").toString();
  }

  private boolean needsUtf8() {
    boolean needed = !WireAddress.ascii(mail.sender());
    for (int i = 0; i < said.length && !needed; i++) {
      needed = said[i] && !WireAddress.ascii(recipients.get(i).address());
    }
    return needed;
  }

  private String rcptCommand(int i) {
    return "RCPT TO:<" + recipients.get(i).address() + ">\r\n";
  }

  private String allCommands() {
    StringBuilder commands = new StringBuilder(mailCommand());
    for (int i = 0; i < said.length; i++) {
      if (said[i]) {
        commands.append("RCPT TO:<").append(recipients.get(i).address()).append(">\r\n");
      }
    }
    return commands.append(DATA).toString();
  }

  private boolean recipient(int i, boolean pipelining) throws IOException {
    connection.arm(settings.commandTimeout());
    if (!pipelining) {
      connection.write(rcptCommand(i));
    }
    Reply reply = connection.replies().read(false);
    if (!reply.positive() && answers[i] == null) {
      answer(i, ReplyClassifier.kind(reply, phase), reply);
    }
    ended(reply);
    return answers[i] == null;
  }

  private boolean dataCommand(boolean any, boolean pipelining) throws IOException {
    reached(Phase.DATA);
    connection.arm(settings.commandTimeout());
    if (!pipelining) {
      connection.write(DATA);
    }
    Reply reply = connection.replies().read(false);
    if (reply.code() == 354) {
      ended(reply);
      if (any) {
        return true;
      }
      // RFC 2920 section 3.1: nobody to send to, so an empty mail for nobody
      connection.write(DOT, 0, DOT.length);
      ended(connection.replies().read(false));
      return false;
    }
    if (any && reply.code() < 400) {
      throw new IOException("the relay answered " + reply.code() + " to DATA");
    }
    refuse(reply);
    ended(reply);
    reset();
    return false;
  }

  /** Clears what the relay may remember of a transaction that did not come to its end. */
  private void reset() throws IOException {
    connection.arm(settings.commandTimeout());
    connection.write("RSET\r\n");
    if (!connection.replies().read(false).positive()) {
      throw new IOException("RSET was refused");
    }
  }

  // the body

  private void data() throws IOException, MessagingException {
    connection.arm(settings.messageDeadline());
    openGate();
    reached(Phase.BODY);
    connection.arm(settings.messageDeadline());
    Reply reply;
    try {
      writeBody();
      connection.arm(settings.dotTimeout());
      reply = connection.replies().read(true);
    } catch (IOException e) {
      Reply early = phase == Phase.BODY ? saidEarly() : null;
      if (early == null) {
        throw e;
      }
      refuse(early);
      throw new Closing(early);
    }
    Kind kind = ReplyClassifier.kind(reply, Phase.DOT);
    reached(Phase.DONE);
    refuse(kind, reply);
    ended(reply);
  }

  private void openGate() throws MessagingException {
    boolean open;
    try {
      open = mail.gate().open();
    } catch (Exception e) {
      throw new LeaseLostException("the DATA phase could not be stored", e);
    }
    if (!open) {
      throw new LeaseLostException("the lease was lost before DATA", null);
    }
  }

  /** From the write that carries the dot on, the mail may have been taken. */
  private void writeBody() throws IOException {
    byte[] buffer = connection.buffer();
    int tail = Math.min(body.length, buffer.length - DOT.length);
    if (tail < body.length) {
      connection.write(body, 0, body.length - tail);
    }
    System.arraycopy(body, body.length - tail, buffer, 0, tail);
    System.arraycopy(DOT, 0, buffer, tail, DOT.length);
    reached(Phase.DOT);
    try {
      connection.write(buffer, 0, tail + DOT.length);
    } catch (IOException e) {
      if (connection.failedWriteIsCertain()) {
        reached(Phase.BODY);
      }
      throw e;
    }
  }

  /** What a relay said before it broke the connection in the middle of the body. */
  private @Nullable Reply saidEarly() {
    try {
      Reply reply = connection.hasPending() ? connection.replies().read(true) : null;
      return reply != null && reply.code() >= 400 ? reply : null;
    } catch (IOException e) {
      return null;
    }
  }

  // outcomes

  /** A 421 or an endless reply is the last that this connection says. */
  private static void ended(Reply reply) throws Closing {
    if (reply.closing() || reply.overlong()) {
      throw new Closing(reply);
    }
  }

  private void closing(Reply reply) {
    if (reply.closing()) {
      refuse(Kind.TEMPORARY, reply);
    } else {
      broken(new IOException("the relay's reply had no end"));
    }
  }

  private MessagingException staleOr(IOException e) throws IOException, MessagingException {
    if (connection.usedBefore() && !connection.expired()) {
      return stale("the kept connection was dead: " + RelaySession.said(e), e);
    }
    throw e;
  }

  private StaleConnectionException stale(String text, @Nullable Exception cause) {
    mail.wantNewConnection();
    return new StaleConnectionException(text, cause);
  }

  private void broken(IOException e) {
    Kind kind = phase == Phase.DOT ? Kind.UNCERTAIN : Kind.UNREACHABLE;
    String why = connection.expired() ? "time-out" : RelaySession.said(e);
    for (int i = 0; i < answers.length; i++) {
      if (answers[i] == null) {
        answer(i, kind, 0, null, "broken at " + phase + ": " + why);
      }
    }
  }

  private void refuse(Reply reply) {
    refuse(ReplyClassifier.kind(reply, phase), reply);
  }

  /** The reply is the answer for all that have none yet. */
  private void refuse(Kind kind, Reply reply) {
    for (int i = 0; i < answers.length; i++) {
      if (answers[i] == null) {
        answer(i, kind, reply);
      }
    }
  }

  private void answer(int i, Kind kind, Reply reply) {
    answer(i, kind, reply.code(), reply.enhanced(), reply.text());
  }

  private void answer(int i, Kind kind, int code, @Nullable String enhanced, String text) {
    answers[i] = new Answer(recipients.get(i), kind, code, enhanced, text, phase);
  }

  private void reached(Phase now) {
    phase = now;
    mail.reached(now);
  }

  /** The relay ends the session with this reply. */
  private static final class Closing extends IOException {
    private static final long serialVersionUID = 1L;
    private final transient Reply reply;

    Closing(Reply reply) {
      super("the relay ends the session: " + reply.code());
      this.reply = reply;
    }
  }
}
