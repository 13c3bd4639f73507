package io.caravan.mailproxy.endtoend;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Ports for what has to come back at the same one, or to be at none. The kernel gives none of them
 * to others (its own begin at 32768), and each test process has its share.
 */
public final class TestPorts {
  private static final int FIRST = 10_000;
  private static final int SHARE = 2_500;
  private static final int SHARES = 8;
  private static final int MINE =
      FIRST + SHARE * (Integer.getInteger("mailproxy.testProcess", 0) % SHARES);
  private static final AtomicInteger NEXT =
      new AtomicInteger(ThreadLocalRandom.current().nextInt(SHARE));

  private TestPorts() {}

  /** The next one at which nobody listens. */
  public static int next() throws IOException {
    for (int tried = 0; tried < SHARE; tried++) {
      int port = MINE + Math.floorMod(NEXT.getAndIncrement(), SHARE);
      if (isFree(port)) {
        return port;
      }
    }
    throw new IOException("no free port from " + MINE);
  }

  private static boolean isFree(int port) {
    try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
      return socket.isBound();
    } catch (IOException e) {
      return false;
    }
  }
}
