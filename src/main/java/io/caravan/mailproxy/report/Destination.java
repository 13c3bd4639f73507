package io.caravan.mailproxy.report;

import java.util.concurrent.atomic.LongAdder;

/**
 * What is known of one place where events go (the {@code event_delivery_*} families). Latencies are
 * those of the last call that told events.
 */
public final class Destination {
  /** The sync endpoints of all tenants together. */
  public static final String SYNC = "sync";

  private final LongAdder reads = new LongAdder();
  private final LongAdder delivered = new LongAdder();
  private final LongAdder failedByAnswer = new LongAdder();
  private final LongAdder failedByNetwork = new LongAdder();
  private volatile double ready;
  private volatile double firstReady;
  private volatile double submission;
  private volatile Waiting waiting = new Waiting(0, 0, 0, 0);

  /**
   * Events that wait, as counted last.
   *
   * @param first never told yet
   * @param firstAge seconds since the oldest of them happened, 0 if there is none
   * @param retry told and not acknowledged
   */
  public record Waiting(long first, double firstAge, long retry, double retryAge) {}

  /** Events were read from the store. */
  void read() {
    reads.increment();
  }

  /**
   * A call is about to tell events.
   *
   * @param seconds the longest wait among them
   */
  void ready(double seconds) {
    ready = seconds;
  }

  /** The same, of those that are told for the first time. */
  void readyFirst(double seconds) {
    firstReady = seconds;
  }

  /** A call that told events ended. */
  void submitted(double seconds) {
    submission = seconds;
  }

  void delivered(long events) {
    delivered.add(events);
  }

  /**
   * A call was not acknowledged.
   *
   * @param network whether there was no answer at all
   */
  void failed(long events, boolean network) {
    (network ? failedByNetwork : failedByAnswer).add(events);
  }

  void waiting(Waiting counted) {
    waiting = counted;
  }

  public long reads() {
    return reads.sum();
  }

  public long delivered() {
    return delivered.sum();
  }

  /** Events of calls that were not acknowledged, without those that got no answer. */
  public long failedByAnswer() {
    return failedByAnswer.sum();
  }

  /** Events of calls that got no answer. */
  public long failedByNetwork() {
    return failedByNetwork.sum();
  }

  /** Seconds. */
  public double ready() {
    return ready;
  }

  /** Seconds. */
  public double firstReady() {
    return firstReady;
  }

  /** Seconds. */
  public double submission() {
    return submission;
  }

  public Waiting waiting() {
    return waiting;
  }
}
