package io.caravan.mailproxy.throttle;

/** Transactions under way of one account over all its lanes, each on a connection. */
final class Connections {
  private int open;

  synchronized boolean tryOpen(int max) {
    if (open >= max) {
      return false;
    }
    open++;
    return true;
  }

  synchronized void close() {
    open--;
    notify();
  }

  /**
   * Waits until there is room for one more, without taking it.
   *
   * @param atMostMillis milliseconds
   */
  synchronized void await(int max, long atMostMillis) throws InterruptedException {
    long deadline = System.nanoTime() + atMostMillis * 1_000_000;
    while (open >= max) {
      long left = (deadline - System.nanoTime()) / 1_000_000;
      if (left <= 0) {
        return;
      }
      wait(left);
    }
  }
}
