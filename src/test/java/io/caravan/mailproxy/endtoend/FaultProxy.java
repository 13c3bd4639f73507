package io.caravan.mailproxy.endtoend;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A TCP proxy on 127.0.0.1 that does to its connections what networks do: it passes, refuses,
 * hangs, resets, is slow. What is set holds for all connections, those that are open too.
 */
public final class FaultProxy implements AutoCloseable {
  private static final int BYTES = 16_384;

  private final InetSocketAddress target;
  private final int port;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private final Object gate = new Object();
  private ServerSocket listener;
  private boolean partitioned;
  private volatile boolean closed;
  private volatile long latencyMillis;
  private volatile int trickleBytes;

  /** Passes everything to a port of 127.0.0.1. */
  public FaultProxy(int targetPort) throws IOException {
    target = new InetSocketAddress(InetAddress.getLoopbackAddress(), targetPort);
    listener = listen(TestPorts.next());
    port = listener.getLocalPort();
  }

  public int port() {
    return port;
  }

  /** Refuses connections, and resets those that are there. */
  public synchronized void down() throws IOException {
    listener.close();
    reset();
  }

  /** Takes connections again. */
  public synchronized void up() throws IOException {
    if (listener.isClosed()) {
      listener = listen(port);
    }
  }

  /** Nothing arrives any more, and nobody is told: no FIN, no reset. */
  public void partition() {
    synchronized (gate) {
      partitioned = true;
    }
  }

  /** What was sent meanwhile arrives, and all goes on. */
  public void heal() {
    synchronized (gate) {
      partitioned = false;
      gate.notifyAll();
    }
  }

  /** Resets all connections once. */
  public void reset() {
    for (Socket socket : sockets) {
      end(socket);
    }
  }

  /**
   * Makes it slow.
   *
   * @param millis milliseconds that each packet takes longer, in each direction
   */
  public void latency(long millis) {
    latencyMillis = millis;
  }

  /**
   * Makes it narrow.
   *
   * @param bytesPerSecond in each direction of each connection; 0: all at once
   */
  public void trickle(int bytesPerSecond) {
    trickleBytes = bytesPerSecond;
  }

  @Override
  public void close() throws IOException {
    closed = true;
    heal();
    down();
  }

  private ServerSocket listen(int at) throws IOException {
    ServerSocket socket = new ServerSocket();
    socket.setReuseAddress(true);
    socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), at), 200);
    daemon(() -> accept(socket));
    return socket;
  }

  private void accept(ServerSocket from) {
    while (true) {
      try {
        Socket client = from.accept();
        sockets.add(client);
        daemon(() -> connect(client));
      } catch (IOException e) {
        return; // it was closed
      }
    }
  }

  private void connect(Socket client) {
    Socket server = new Socket();
    try {
      pass();
      server.connect(target);
      sockets.add(server);
      client.setTcpNoDelay(true);
      server.setTcpNoDelay(true);
    } catch (IOException | InterruptedException e) {
      end(client);
      return;
    }
    daemon(() -> pump(client, server));
    daemon(() -> pump(server, client));
  }

  private void pump(Socket from, Socket to) {
    byte[] buffer = new byte[BYTES];
    try {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        int step = trickleBytes == 0 ? count : 1;
        for (int sent = 0; sent < count; sent += step) {
          later(trickleBytes == 0 ? latencyMillis : 1_000 / trickleBytes);
          pass();
          out.write(buffer, sent, step);
        }
      }
      pass();
      to.shutdownOutput();
    } catch (IOException | InterruptedException e) {
      end(from);
      end(to);
    }
  }

  private static void later(long millis) {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    for (long left = end - System.nanoTime(); left > 0; left = end - System.nanoTime()) {
      LockSupport.parkNanos(left);
    }
  }

  private void pass() throws InterruptedException {
    synchronized (gate) {
      while (partitioned && !closed) {
        gate.wait();
      }
    }
  }

  /** With a reset in the place of a FIN. */
  private void end(Socket socket) {
    sockets.remove(socket);
    try {
      socket.setSoLinger(true, 0);
      socket.close();
    } catch (IOException e) {
      // it is closed already
    }
  }

  private static void daemon(Runnable work) {
    Thread thread = new Thread(work, "fault-proxy");
    thread.setDaemon(true);
    thread.start();
  }
}
