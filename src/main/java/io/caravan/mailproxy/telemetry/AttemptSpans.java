package io.caravan.mailproxy.telemetry;

import io.caravan.mailproxy.delivery.Attempt;
import io.caravan.mailproxy.delivery.OutgoingMail;
import io.caravan.mailproxy.message.Account;
import io.caravan.mailproxy.message.Answer;
import io.caravan.mailproxy.message.Delivery;
import io.caravan.mailproxy.message.Message;
import io.caravan.mailproxy.message.Settled;
import io.caravan.mailproxy.message.TraceParent;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import org.apache.camel.Exchange;
import org.jspecify.annotations.Nullable;

/**
 * A span for each attempt, child of the span whose {@code traceparent} came with the message, be it
 * days before. Names and attributes by the semantic conventions of OpenTelemetry (messaging spans
 * 1.3x) where they have some. No recipient is named, and no word of a relay repeated: relays name
 * recipients.
 */
public final class AttemptSpans {
  private static final long NANOS = 1_000_000_000;

  private final Traces traces;
  private final InstantSource clock;

  /**
   * @param clock the database's clock
   */
  public AttemptSpans(Traces traces, InstantSource clock) {
    this.traces = traces;
    this.clock = clock;
  }

  /** Tells of the attempt that was recorded; the body is what it came to. */
  public void recorded(Exchange exchange) {
    if (!traces.on()) {
      return;
    }
    Attempt attempt = exchange.getProperty(Attempt.PROPERTY, Attempt.class);
    Delivery delivery = attempt.getDelivery();
    TraceParent parent = delivery.traceParent();
    String trace = parent == null ? own(delivery) : parent.traceId();
    if (parent == null ? traces.wants(trace) : parent.sampled()) {
      traces.add(span(attempt, exchange.getMessage().getBody(Settled.class), trace, parent));
    }
  }

  private Span span(Attempt attempt, Settled settled, String trace, @Nullable TraceParent parent) {
    Instant now = clock.instant();
    long end = now.getEpochSecond() * NANOS + now.getNano();
    Answer answer = telling(attempt.answers(), settled);
    return new Span(
        trace,
        HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextLong(1, Long.MAX_VALUE)),
        parent == null ? null : parent.spanId(),
        "send " + attempt.getAccountId(),
        end - attempt.nanos(),
        end,
        attributes(attempt, settled, answer),
        settled.result() == Settled.Result.FAILURE ? error(answer) : null);
  }

  private static Map<String, Object> attributes(Attempt attempt, Settled settled, Answer answer) {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("messaging.system", "smtp");
    all.put("messaging.operation.type", "send");
    all.put("messaging.operation.name", "send");
    all.put("messaging.destination.name", attempt.getAccountId());
    all.put("messaging.message.id", attempt.getId());
    OutgoingMail mail = attempt.mail();
    Account server = mail == null ? null : mail.server();
    if (server != null) {
      all.put("server.address", server.host());
      all.put("server.port", (long) server.port());
    }
    all.put("mailproxy.tenant.id", attempt.getTenantId());
    all.put("mailproxy.account.id", attempt.getAccountId());
    all.put("mailproxy.attempt.number", (long) attempt.getNumber());
    all.put("mailproxy.attempt.queue", attempt.getQueueName());
    all.put("mailproxy.attempt.outcome", outcome(settled));
    all.put("mailproxy.attempt.recipients", (long) attempt.answers().size());
    all.put("mailproxy.smtp.phase", answer.phase().name().toLowerCase(Locale.ROOT));
    String enhanced = answer.enhanced();
    if (answer.code() != 0) {
      all.put("mailproxy.smtp.code", (long) answer.code());
    }
    if (enhanced != null) {
      all.put("mailproxy.smtp.enhanced_code", enhanced);
    }
    if (answer.kind() != Answer.Kind.ACCEPTED) {
      all.put("error.type", answer.code() == 0 ? answer.getKindName() : "" + answer.code());
    }
    return all;
  }

  private static String outcome(Settled settled) {
    return switch (settled.result()) {
      case SUCCESS -> "sent";
      case FAILURE -> "failed";
      case DEFERRAL -> "deferred";
      default -> settled.getResultName();
    };
  }

  /** Of several recipients' answers, one that says why the attempt came to what it did. */
  private static Answer telling(List<Answer> answers, Settled settled) {
    boolean sent = settled.result() == Settled.Result.SUCCESS;
    boolean deferred = settled.result() == Settled.Result.DEFERRAL;
    Answer best = answers.get(0);
    for (Answer answer : answers) {
      boolean accepted = answer.kind() == Answer.Kind.ACCEPTED;
      boolean fits = sent == accepted && !(deferred && answer.kind() == Answer.Kind.PERMANENT);
      if (fits) {
        return answer;
      }
      best = best.kind() == Answer.Kind.ACCEPTED ? answer : best;
    }
    return best;
  }

  private static String error(Answer answer) {
    String enhanced = answer.enhanced();
    return answer.code() == 0
        ? answer.getKindName()
        : answer.code() + (enhanced == null ? "" : " " + enhanced);
  }

  /**
   * The trace of a message that came without one: the same for all its attempts, in whatever
   * process, and another for each message.
   */
  private static String own(Delivery delivery) {
    Message message = delivery.loaded();
    String key = delivery.messagePk() + "\n" + message.tenantId() + "\n" + message.id();
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(hash, 0, 16);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // each Java has it
    }
  }
}
