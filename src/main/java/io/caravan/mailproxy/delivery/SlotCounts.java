package io.caravan.mailproxy.delivery;

/**
 * In which state the slots of one queue are, all at one moment (telemetry.md 5, R1 to R3).
 *
 * @param free without work
 * @param unacknowledged with an attempt that has no answer of the throttle yet
 * @param acknowledged with an attempt that waits in the throttle's backlog
 * @param delivering with an attempt that has leave, until its result is on disk
 * @param diskwait with a delivery that goes back to the table
 */
public record SlotCounts(
    int free, int unacknowledged, int acknowledged, int delivering, int diskwait) {

  /** Those that wait for leave. */
  public int throttlewait() {
    return unacknowledged + acknowledged;
  }

  /** With one slot in another state. */
  SlotCounts moved(Slot.State from, Slot.State to) {
    return new SlotCounts(
        free + change(Slot.State.FREE, from, to),
        unacknowledged + change(Slot.State.UNACKNOWLEDGED, from, to),
        acknowledged + change(Slot.State.ACKNOWLEDGED, from, to),
        delivering + change(Slot.State.DELIVERING, from, to),
        diskwait + change(Slot.State.DISKWAIT, from, to));
  }

  private static int change(Slot.State of, Slot.State from, Slot.State to) {
    return (of == to ? 1 : 0) - (of == from ? 1 : 0);
  }
}
