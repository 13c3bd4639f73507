package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Answer;
import io.caravan.mailproxy.message.Answer.Kind;
import io.caravan.mailproxy.message.Phase;
import io.caravan.mailproxy.message.Recipient;
import jakarta.mail.Address;
import jakarta.mail.AuthenticationFailedException;
import jakarta.mail.MessagingException;
import jakarta.mail.SendFailedException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLException;
import org.eclipse.angus.mail.smtp.SMTPAddressFailedException;
import org.eclipse.angus.mail.smtp.SMTPSendFailedException;
import org.eclipse.angus.mail.util.MailConnectException;
import org.jspecify.annotations.Nullable;

/**
 * What the exceptions of the library's own transport mean, for a stock {@code smtp:} endpoint in
 * place of our pool. Coarse where the library does not tell (reliability-security A3): what came
 * after the body was written and has no reply is uncertain.
 */
final class LibraryFailures {
  private LibraryFailures() {}

  static List<Answer> answers(OutgoingMail mail, Throwable failure) {
    if (failure instanceof SendFailedException e) {
      return perRecipient(mail, e);
    }
    Reply reply = Reply.parse(greetingOr(failure));
    Phase phase = mail.phase();
    if (failure instanceof AuthenticationFailedException) {
      boolean later = reply.code() >= 400 && reply.code() < 500;
      return session(mail, later ? Kind.TEMPORARY : Kind.ACCOUNT, reply, failure);
    }
    if (phase == Phase.DOT) {
      return all(mail, Kind.UNCERTAIN, "no reply to the final dot: " + said(failure), phase);
    }
    if (unsayable(failure)) {
      return all(mail, Kind.PERMANENT, "the address cannot be sent", Phase.MAIL);
    }
    if (reply.code() >= 400 && phase == Phase.COMPOSE) {
      return session(mail, reply.code() >= 500 ? Kind.ACCOUNT : Kind.TEMPORARY, reply, failure);
    }
    if (phase == Phase.COMPOSE && !(failure instanceof MailConnectException) && tls(failure)) {
      return all(mail, Kind.ACCOUNT, said(failure), Phase.SESSION);
    }
    return all(
        mail, Kind.UNREACHABLE, said(failure), phase == Phase.COMPOSE ? Phase.CONNECT : phase);
  }

  /** Each recipient by its own RCPT reply, else by the reply to the whole. */
  private static List<Answer> perRecipient(OutgoingMail mail, SendFailedException e) {
    Map<String, Reply> own = new HashMap<>();
    Exception next = e.getNextException();
    while (next instanceof MessagingException link) {
      if (link instanceof SMTPAddressFailedException failed) {
        own.put(failed.getAddress().getAddress(), reply(failed.getReturnCode(), failed));
      }
      next = link.getNextException();
    }
    if (e instanceof SMTPAddressFailedException failed) {
      own.put(failed.getAddress().getAddress(), reply(failed.getReturnCode(), failed));
    }
    List<Answer> answers = new ArrayList<>();
    for (Recipient recipient : mail.recipients()) {
      Reply refused = own.get(recipient.address());
      if (refused != null) {
        Kind kind = ReplyTable.kind(refused, Phase.RCPT);
        answers.add(answer(recipient, kind, refused, Phase.RCPT));
      } else {
        answers.add(whole(mail, recipient, e));
      }
    }
    return answers;
  }

  private static Answer whole(OutgoingMail mail, Recipient recipient, SendFailedException e) {
    boolean afterDot = mail.phase() == Phase.DOT;
    Phase phase = afterDot ? Phase.DOT : Phase.MAIL;
    if (!(e instanceof SMTPSendFailedException sent)) {
      Reply none = new Reply(0, null, "not sent: " + said(e), false);
      return answer(recipient, afterDot ? Kind.UNCERTAIN : Kind.UNREACHABLE, none, phase);
    }
    Reply reply = reply(sent.getReturnCode(), sent);
    if (reply.positive()) {
      Kind kind =
          contains(sent.getValidSentAddresses(), recipient) ? Kind.ACCEPTED : Kind.TEMPORARY;
      return answer(recipient, kind, reply, Phase.DONE);
    }
    return answer(recipient, ReplyTable.kind(reply, phase), reply, phase);
  }

  private static Reply reply(int code, MessagingException e) {
    Reply parsed = Reply.parse(e.getMessage());
    return code > 0 && parsed.code() == code
        ? parsed
        : new Reply(Math.max(code, 0), null, said(e), false);
  }

  private static boolean contains(Address @Nullable [] addresses, Recipient recipient) {
    if (addresses != null) {
      for (Address address : addresses) {
        if (address.toString().equals(recipient.address())) {
          return true;
        }
      }
    }
    return false;
  }

  private static @Nullable String greetingOr(Throwable failure) {
    String message = failure.getMessage();
    if (message == null || !message.startsWith("Got bad greeting")) {
      return message;
    }
    int response = message.indexOf("response: ");
    return response < 0 ? null : message.substring(response + "response: ".length());
  }

  private static boolean tls(Throwable failure) {
    String message = String.valueOf(failure.getMessage());
    boolean tls = message.startsWith("STARTTLS is required") || message.contains("socket to TLS");
    for (Throwable cause = failure; cause != null && !tls; cause = cause.getCause()) {
      tls = cause instanceof SSLException;
    }
    return tls;
  }

  private static boolean unsayable(Throwable failure) {
    return failure.getCause() instanceof IllegalArgumentException;
  }

  private static String said(Throwable failure) {
    return RelaySession.said(failure);
  }

  private static List<Answer> session(OutgoingMail mail, Kind kind, Reply reply, Throwable e) {
    String text = reply.code() == 0 ? said(e) : reply.text();
    return ReplyClassifier.all(mail, kind, reply.code(), reply.enhanced(), text, Phase.SESSION);
  }

  private static List<Answer> all(OutgoingMail mail, Kind kind, String text, Phase phase) {
    return ReplyClassifier.all(mail, kind, 0, null, text, phase);
  }

  private static Answer answer(Recipient recipient, Kind kind, Reply reply, Phase phase) {
    return new Answer(recipient, kind, reply.code(), reply.enhanced(), reply.text(), phase);
  }
}
