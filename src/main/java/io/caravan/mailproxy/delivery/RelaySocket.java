package io.caravan.mailproxy.delivery;

import io.caravan.mailproxy.message.Account;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A plain socket, under TLS or not, with two guards that the library does not have: a deadline that
 * holds over any number of reads and writes, and a bound on what a relay may send before the
 * session stands.
 *
 * <p>There are no socket time-outs: the keeper closes the socket, which ends whatever waits on it.
 */
final class RelaySocket extends Socket {
  /**
   * Bytes a relay may send from greeting to AUTH: two EHLO replies and a long certificate chain.
   */
  private static final int MAX_SESSION_BYTES = 256 * 1024;

  private static final long NONE = Long.MAX_VALUE;
  private static final long EXPIRED = Long.MIN_VALUE;

  private final AtomicLong deadline = new AtomicLong(NONE);
  private int sessionBytes = MAX_SESSION_BYTES;
  private volatile boolean inSession = true;

  /**
   * An address under the name that the account gives it. The library holds certificates against the
   * name of the socket's address, which would else be looked up: that answer is anybody's.
   */
  static InetSocketAddress target(InetAddress address, Account account)
      throws UnknownHostException {
    return new InetSocketAddress(
        InetAddress.getByAddress(account.host(), address.getAddress()), account.port());
  }

  /**
   * Sets the deadline in nanoseconds of {@link System#nanoTime}; fails when the last one passed.
   */
  void arm(long nanos) throws IOException {
    if (deadline.getAndSet(nanos) == EXPIRED) {
      deadline.set(EXPIRED);
      throw new IOException("the deadline has passed");
    }
  }

  /** Without a deadline: nobody waits on this socket. */
  void disarm() {
    deadline.updateAndGet(d -> d == EXPIRED ? EXPIRED : NONE);
  }

  /** Closes the socket when its deadline has passed. */
  void expireIfDue(long now) {
    long due = deadline.get();
    if (due != NONE && due != EXPIRED && now - due >= 0 && deadline.compareAndSet(due, EXPIRED)) {
      closeQuietly();
    }
  }

  /** Closes the socket as if its deadline had passed. */
  void expire() {
    deadline.set(EXPIRED);
    closeQuietly();
  }

  /** Whether it was closed because a deadline passed. */
  boolean expired() {
    return deadline.get() == EXPIRED;
  }

  /** Ends the bound on what the relay may send. */
  void sessionStands() {
    inSession = false;
  }

  @Override
  public InputStream getInputStream() throws IOException {
    InputStream in = super.getInputStream();
    return inSession ? new Bounded(in) : in;
  }

  void closeQuietly() {
    try {
      close();
    } catch (IOException ignored) {
      // closed is all we want
    }
  }

  private final class Bounded extends FilterInputStream {
    Bounded(InputStream in) {
      super(in);
    }

    @Override
    public int read() throws IOException {
      return counted(super.read(), 1);
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      int count = super.read(buffer, offset, length);
      return counted(count, count);
    }

    private int counted(int result, int count) throws IOException {
      if (inSession && result >= 0) {
        sessionBytes -= count;
        if (sessionBytes < 0) {
          throw new IOException("the relay sent too much before the session stood");
        }
      }
      return result;
    }
  }
}
