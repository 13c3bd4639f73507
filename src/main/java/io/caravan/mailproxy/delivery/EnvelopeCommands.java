package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Answer.Kind;
import io.caravan.mailproxy.message.Phase;
import io.caravan.mailproxy.message.Recipient;
import java.util.List;

/**
 * MAIL and RCPT as they may be said to one relay, and the refusals of what may not: addresses that
 * could leave their brackets, mails over the relay's limit, non-ASCII without SMTPUTF8 (RFC 6531).
 */
final class EnvelopeCommands {
  private static final String DATA = "DATA\r\n";

  private final OutgoingMail mail;
  private final List<Recipient> recipients;
  private final Offers offers;
  private final boolean eightBit;
  private final boolean[] said;
  private boolean anySaid;

  /** Puts the refusals on {@code sheet}. */
  EnvelopeCommands(OutgoingMail mail, Offers offers, boolean eightBit, AnswerSheet sheet) {
    this.mail = mail;
    this.recipients = mail.recipients();
    this.offers = offers;
    this.eightBit = eightBit;
    this.said = new boolean[recipients.size()];
    refuseMail(sheet);
    for (int i = 0; i < said.length; i++) {
      refuseRecipient(i, sheet);
      said[i] = sheet.open(i);
      anySaid |= said[i];
    }
  }

  private void refuseMail(AnswerSheet sheet) {
    String sender = mail.sender();
    int size = mail.content().length;
    if (!sender.isEmpty() && !WireAddress.fits(sender)) {
      sheet.putRest(
          Kind.PERMANENT,
          local("5.1.7", "sender_invalid: the sender's address cannot be sent"),
          Phase.MAIL);
    } else if (!WireAddress.ascii(sender) && !offers.smtpUtf8()) {
      sheet.putRest(Kind.PERMANENT, local("5.6.7", "smtputf8_unsupported"), Phase.MAIL);
    } else if (offers.size() > 0 && size > offers.size()) {
      String text = "message_too_large: " + size + " bytes, the relay takes " + offers.size();
      sheet.putRest(Kind.PERMANENT, local("5.3.4", text), Phase.MAIL);
    }
  }

  private void refuseRecipient(int i, AnswerSheet sheet) {
    String address = recipients.get(i).address();
    if (!WireAddress.fits(address)) {
      String text = "recipient_invalid: the address cannot be sent";
      sheet.put(i, Kind.PERMANENT, local("5.1.3", text), Phase.MAIL);
    } else if (!WireAddress.ascii(address) && !offers.smtpUtf8()) {
      sheet.put(i, Kind.PERMANENT, local("5.6.7", "smtputf8_unsupported"), Phase.MAIL);
    } else if (mail.account().type() == Account.Type.MX && !ofFirstDomain(i)) {
      String text = "other_domain: its server is another one, it follows in a mail of its own";
      sheet.put(i, Kind.TEMPORARY, local("4.4.4", text), Phase.MAIL);
    }
  }

  private boolean ofFirstDomain(int i) {
    return recipients.get(i).domain().equalsIgnoreCase(recipients.get(0).domain());
  }

  private static Reply local(String enhanced, String text) {
    return new Reply(0, enhanced, text, false);
  }

  /** Whether there is anybody to say RCPT for. */
  boolean anySaid() {
    return anySaid;
  }

  /** Whether RCPT is said for this one. */
  boolean said(int position) {
    return said[position];
  }

  /** MAIL with what the relay offered: SIZE (RFC 1870), 8BITMIME (RFC 6152), SMTPUTF8. */
  String mail() {
    StringBuilder command = new StringBuilder(200);
    command.append("MAIL FROM:<").append(mail.sender()).append('>');
    if (offers.size() != 0) {
      command.append(" SIZE=").append(mail.content().length);
    }
    if (offers.eightBitMime() && eightBit) {
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

  String rcpt(int position) {
    return "RCPT TO:<" + recipients.get(position).address() + ">\r\n";
  }

  String data() {
    return DATA;
  }

  /** All of them, for one write. */
  String all() {
    StringBuilder commands = new StringBuilder(mail());
    for (int i = 0; i < said.length; i++) {
      if (said[i]) {
        commands.append("RCPT TO:<").append(recipients.get(i).address()).append(">\r\n");
      }
    }
    return commands.append(DATA).toString();
  }
}
