package io.caravan.mailproxy.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import io.caravan.mailproxy.message.Answer;
import io.caravan.mailproxy.message.Answer.Kind;
import io.caravan.mailproxy.message.Phase;
import io.caravan.mailproxy.message.Recipient;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What large providers and usual servers say, and what it is taken for. */
class ReplyTableTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          # the account, not the mail
          MAIL | 530 5.7.0 Authentication Required. Learn more at https://support.google.com/mail | ACCOUNT
          MAIL | 530 5.7.57 Client not authenticated to send mail. | ACCOUNT
          MAIL | 530 Authentication required | ACCOUNT
          MAIL | 530 5.7.0 Must issue a STARTTLS command first | ACCOUNT
          MAIL | 550 Unauthenticated senders not allowed | ACCOUNT
          MAIL | 550 5.7.57 SMTP; Client was not authenticated to send anonymous mail during MAIL FROM | ACCOUNT
          RCPT | 550 5.7.1 Relaying denied | ACCOUNT
          RCPT | 550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain | ACCOUNT
          RCPT | 550 5.7.64 TenantAttribution; Relay Access Denied | ACCOUNT
          RCPT | 550-5.7.1 [192.0.2.1] is not permitted to relay through this server without 550 5.7.1 authentication. | ACCOUNT
          RCPT | 550 relay not permitted | ACCOUNT
          RCPT | 554 5.7.1 <b@y.test>: Relay access denied | ACCOUNT
          # a limit, whatever the first digit
          MAIL | 550 5.4.5 Daily user sending limit exceeded. For more information on Gmail sending limits | TEMPORARY
          DONE | 550 5.4.5 Daily SMTP relay sending quota exceeded. | TEMPORARY
          MAIL | 454 Throttling failure: Maximum sending rate exceeded. | TEMPORARY
          DONE | 454 Throttling failure: Daily message quota exceeded. | TEMPORARY
          MAIL | 421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume | TEMPORARY
          DONE | 421 4.7.28 Our system has detected an unusual rate of unsolicited mail | TEMPORARY
          RCPT | 450 4.2.1 The user you are trying to contact is receiving mail too quickly. | TEMPORARY
          RCPT | 451 4.7.500 Server busy. Please try again later from [192.0.2.1]. | TEMPORARY
          DONE | 432 4.3.2 Concurrent connections limit exceeded. | TEMPORARY
          DONE | 451 You have exceeded your messaging limits | TEMPORARY
          RCPT | 452 4.5.3 Too many recipients | TEMPORARY
          RCPT | 452 4.5.3 Error: too many recipients | TEMPORARY
          RCPT | 552 too many recipients | TEMPORARY
          RCPT | 550 5.5.3 Too many recipients | TEMPORARY
          DONE | 550 5.5.3 Too many recipients | PERMANENT
          # greylisting and the like
          RCPT | 450 4.2.0 <b@y.test>: Recipient address rejected: Greylisted | TEMPORARY
          RCPT | 451 Temporary local problem - please try later | TEMPORARY
          RCPT | 454 4.7.1 <b@y.test>: Relay access denied | TEMPORARY
          # the recipient
          RCPT | 550-5.1.1 The email account that you tried to reach does not exist. | PERMANENT
          RCPT | 550 5.1.1 <b@y.test>: Recipient address rejected: User unknown in local recipient table | PERMANENT
          RCPT | 550 5.5.0 Requested action not taken: mailbox unavailable | PERMANENT
          RCPT | 550 5.4.1 Recipient address rejected: Access denied. | PERMANENT
          RCPT | 554 delivery error: dd This user doesn't have a yahoo.com account | PERMANENT
          RCPT | 550 No such user here | PERMANENT
          # a full mailbox is what the relay says it is
          RCPT | 452 4.2.2 The recipient's inbox is out of storage space. | TEMPORARY
          RCPT | 552 5.2.2 The email account that you tried to reach is over quota. | PERMANENT
          DONE | 554 5.2.2 mailbox full | PERMANENT
          # content, sender, policy
          DONE | 550-5.7.1 This message is likely unsolicited mail. To reduce the amount of spam it is blocked. | PERMANENT
          DONE | 550 5.7.26 This mail has been blocked because the sender is unauthenticated. | PERMANENT
          DONE | 554 5.7.9 Message not accepted for policy reasons. | PERMANENT
          DONE | 550 5.7.60 SMTP; Client does not have permissions to send as this sender | PERMANENT
          DONE | 554 Message rejected: Email address is not verified. | PERMANENT
          DONE | 550 The from address does not match a verified Sender Identity. | PERMANENT
          DONE | 552 5.3.4 Message size exceeds fixed limit | PERMANENT
          DONE | 552-5.7.0 This message was blocked because its content presents a potential security issue. | PERMANENT
          RCPT | 554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org | PERMANENT
          MAIL | 550 5.1.8 Access denied, bad outbound sender | PERMANENT
          """)
  void aReplyMeans(Phase phase, String said, Kind kind) {
    assertThat(ReplyTable.kind(Reply.parse(said), phase)).isEqualTo(kind);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          ACCOUNT   | 535 | 5.7.8 Username and Password not accepted. | true
          ACCOUNT   | 535 | 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled | true
          ACCOUNT   | 535 | Authentication Credentials Invalid | true
          ACCOUNT   | 534 | 5.7.14 Please log in via your web browser and then try again. | true
          ACCOUNT   | 530 | 5.7.0 Authentication Required. | true
          ACCOUNT   | 554 | log-in refused: 554 5.7.0 too many | true
          ACCOUNT   | 554 | 5.7.1 Service unavailable; Client host blocked | false
          ACCOUNT   | 550 | 5.7.1 Relaying denied | false
          ACCOUNT   | 0   | TLS failed: certificate expired | false
          TEMPORARY | 454 | 4.7.0 Temporary authentication failure | false
          PERMANENT | 535 | said to a recipient by another kind | false
          """)
  void aRefusedLogInIsKnown(Kind kind, int code, String text, boolean logIn) {
    Answer answer = new Answer(new Recipient(0, "b@y.test"), kind, code, null, text, Phase.SESSION);
    assertThat(ReplyTable.logIn(answer)).isEqualTo(logIn);
  }
}
