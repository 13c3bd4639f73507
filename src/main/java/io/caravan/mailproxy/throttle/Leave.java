package io.caravan.mailproxy.throttle;

import java.util.List;

/** What a transaction that began holds until it ends: a connection's place, and permits. */
public final class Leave {
  private final Connections connections;
  private final List<Permits> permits;
  private boolean open = true;

  Leave(Connections connections, List<Permits> permits) {
    this.connections = connections;
    this.permits = permits;
  }

  /**
   * Ends the transaction; once.
   *
   * @param counts whether the relay may have taken a mail in it; else its permits are free again
   * @return whether others may go on that waited for such a permit
   */
  public boolean end(boolean counts) {
    if (!open) {
      return false;
    }
    open = false;
    boolean freed = false;
    for (int i = 0; i < permits.size(); i++) {
      if (counts) {
        permits.get(i).end();
      } else {
        freed |= permits.get(i).giveBack();
      }
    }
    connections.close();
    return freed;
  }
}
