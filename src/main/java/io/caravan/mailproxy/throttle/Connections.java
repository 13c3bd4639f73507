package io.caravan.mailproxy.throttle;

/** Transactions under way of one account over all its lanes, each on a connection. */
final class Connections {
  private int open;
  private int taken = Integer.MAX_VALUE;

  /** The relay was found to take so many, 1 and more; {@link Integer#MAX_VALUE}: any number. */
  synchronized void narrow(int connections) {
    if (taken != connections) {
      taken = connections;
      notifyAll();
    }
  }

  synchronized int most(int ofAccount) {
    return Math.min(ofAccount, taken);
  }

  synchronized boolean tryOpen(int ofAccount) {
    if (open >= most(ofAccount)) {
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
  synchronized void await(int ofAccount, long atMostMillis) throws InterruptedException {
    long deadline = System.nanoTime() + atMostMillis * 1_000_000;
    while (open >= most(ofAccount)) {
      long left = (deadline - System.nanoTime()) / 1_000_000;
      if (left <= 0) {
        return;
      }
      wait(left);
    }
  }
}
