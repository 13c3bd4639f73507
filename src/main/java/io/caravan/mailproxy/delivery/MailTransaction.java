package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Answer.Kind;
import io.caravan.mailproxy.message.Phase;
import io.caravan.mailproxy.queue.Failpoint;
import jakarta.mail.MessagingException;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * One mail over one connection: MAIL, RCPT, DATA, body, dot (RFC 5321 section 3.3), with the
 * commands in one write where the relay offers PIPELINING (RFC 2920). Knows at each moment how far
 * it came, so that only a break between the last write and the reply to the dot is uncertain.
 */
final class MailTransaction {

  /** Past this many, commands and replies might fill both directions and wait for each other. */
  private static final int MAX_PIPELINED = 1000;

  private static final byte[] DOT = {'.', '\r', '\n'};

  private final SmtpConnection connection;
  private final SmtpSettings settings;
  private final OutgoingMail mail;
  private final int count;
  private final AnswerSheet sheet;
  private final EnvelopeCommands commands;

  /** Bytes with dots doubled; made once, before anything is said. */
  private final byte[] body;

  private Phase phase = Phase.MAIL;

  MailTransaction(SmtpConnection connection, SmtpSettings settings, OutgoingMail mail) {
    this.connection = connection;
    this.settings = settings;
    this.mail = mail;
    this.count = mail.recipients().size();
    this.sheet = new AnswerSheet(mail.recipients());
    BodyBytes content = BodyBytes.of(mail.content());
    this.body = content.bytes();
    this.commands = new EnvelopeCommands(mail, connection.offers(), content.eightBit(), sheet);
  }

  /**
   * Runs it. Returns when each recipient has an answer, which the mail then holds.
   *
   * @throws StaleConnectionException a kept connection was dead, nothing was taken
   * @throws LeaseLostException the gate stayed shut, nothing was sent
   */
  void run() throws MessagingException {
    if (commands.anySaid()) {
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
    } else {
      connection.done();
    }
    mail.answered(sheet.all());
  }

  // commands

  /** Answers whether the relay waits for the body, for at least one recipient. */
  private boolean envelope() throws IOException, MessagingException {
    boolean pipelining = connection.offers().pipelining() && count <= MAX_PIPELINED;
    connection.arm(settings.commandTimeout());
    Reply reply;
    try {
      connection.write(pipelining ? commands.all() : commands.mail());
      reply = connection.replies().read(false);
    } catch (IOException e) {
      throw staleOr(e);
    }
    if (reply.closing() && connection.usedBefore()) {
      connection.refusedAnother();
      throw stale("the relay closes the kept connection: " + reply.text(), null);
    }
    boolean accepted = reply.positive();
    if (!accepted) {
      concludes(reply);
    }
    ended(reply);
    if (!accepted && !pipelining) {
      return false;
    }
    reached(Phase.RCPT);
    boolean any = false;
    for (int i = 0; i < count; i++) {
      if (commands.said(i)) {
        any |= recipient(i, pipelining);
      }
    }
    if (any || pipelining) {
      return dataCommand(any, pipelining);
    }
    reset();
    return false;
  }

  private boolean recipient(int i, boolean pipelining) throws IOException {
    connection.arm(settings.commandTimeout());
    if (!pipelining) {
      connection.write(commands.rcpt(i));
    }
    Reply reply = connection.replies().read(false);
    if (!reply.positive()) {
      sheet.put(i, ReplyTable.kind(reply, phase), reply, phase);
    }
    ended(reply);
    return sheet.open(i);
  }

  private boolean dataCommand(boolean any, boolean pipelining) throws IOException {
    reached(Phase.DATA);
    connection.arm(settings.commandTimeout());
    if (!pipelining) {
      connection.write(commands.data());
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
    concludes(reply);
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
    mail.openGate();
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
      concludes(early);
      throw new Closing(early);
    }
    reached(Phase.DONE);
    concludes(reply);
    ended(reply);
  }

  /** From the write that carries the dot on, the mail may have been taken. */
  private void writeBody() throws IOException, MessagingException {
    byte[] buffer = connection.buffer();
    int tail = Math.min(body.length, buffer.length - DOT.length);
    if (tail < body.length) {
      connection.write(body, 0, body.length - tail);
      Failpoint.pass("send.midData");
    }
    System.arraycopy(body, body.length - tail, buffer, 0, tail);
    System.arraycopy(DOT, 0, buffer, tail, DOT.length);
    mail.checkGate();
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

  /** A 421, an endless reply or one out of place is the last that is heard on this connection. */
  private void ended(Reply reply) throws Closing {
    boolean outOfPlace = reply.code() >= 300 && reply.code() < 400 && phase != Phase.DATA;
    if (reply.closing() || reply.overlong() || outOfPlace) {
      throw new Closing(reply);
    }
  }

  private void closing(Reply reply) {
    if (reply.closing()) {
      concludes(reply);
    } else {
      broken(new IOException("the relay's reply had no end or no place"));
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
    sheet.putRest(kind, new Reply(0, null, "broken at " + phase + ": " + why, false), phase);
  }

  /** The reply, refusal or not, is the answer for all that have none yet. */
  private void concludes(Reply reply) {
    sheet.putRest(ReplyTable.kind(reply, phase), reply, phase);
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
