package io.caravan.mailproxy.telemetry;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Packs lines into UDP packets and gives them to the network, which takes them at once or not at
 * all. Used by one thread at a time.
 */
final class StatsdSender {
  /** Packets are shorter than this, in bytes: they fit into one Ethernet frame, by any tunnel. */
  static final int MAX_PACKET = 1_400;

  private static final int BUFFER_BYTES = 1_048_576;

  /** How long an address is used before the host's name is looked up again. */
  private static final long LOOKUP_NANOS = TimeUnit.MINUTES.toNanos(1);

  private static final Logger LOG = LoggerFactory.getLogger(StatsdSender.class);

  private final String host;
  private final int port;
  private final LongAdder sent = new LongAdder();
  private final LongAdder dropped = new LongAdder();
  private @Nullable DatagramChannel channel;
  private @Nullable InetAddress address;
  private long lookedUpAt;
  private boolean away;
  private String trouble = "";

  /** Lines of the packet that left last. */
  private int onTheirWay;

  StatsdSender(String host, int port) {
    this.host = host;
    this.port = port;
  }

  /** Lines that the network took. */
  double sent() {
    return sent.sum();
  }

  /** Lines that the network did not take, and those of packets that came back. */
  double dropped() {
    return dropped.sum();
  }

  /**
   * Sends lines.
   *
   * @param left is told of each line that the network took
   * @return whether the server is back after it was away
   */
  boolean send(List<StatsdLine> lines, Consumer<StatsdLine> left) {
    trouble = "";
    if (channel == null || away || System.nanoTime() - lookedUpAt > LOOKUP_NANOS) {
      connect();
    }
    List<StatsdLine> packet = new ArrayList<>();
    int length = 0;
    for (StatsdLine line : lines) {
      int more = line.text().length() + 1;
      if (length + more > MAX_PACKET) {
        sendPacket(packet, left);
        packet = new ArrayList<>();
        length = 0;
      }
      packet.add(line);
      length += more;
    }
    sendPacket(packet, left);
    return tell();
  }

  /** One packet; a line that is too long for it is dropped. */
  private void sendPacket(List<StatsdLine> packet, Consumer<StatsdLine> left) {
    String text = packet.stream().map(StatsdLine::text).collect(Collectors.joining("\n"));
    ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
    if (bytes.hasRemaining() && bytes.remaining() < MAX_PACKET && write(bytes)) {
      onTheirWay = packet.size();
      sent.add(onTheirWay);
      packet.forEach(left);
    } else {
      dropped.add(packet.size());
    }
  }

  private boolean write(ByteBuffer packet) {
    DatagramChannel to = channel;
    if (to == null) {
      return false;
    }
    try {
      try {
        return to.write(packet) > 0;
      } catch (PortUnreachableException e) { // of the packet before; this one has not left yet
        trouble = "nothing listens there";
        dropped.add(onTheirWay);
        onTheirWay = 0;
        return to.write(packet) > 0;
      }
    } catch (IOException e) {
      close(e.toString());
      return false;
    }
  }

  /** An address that the name still has is kept; without an answer, so is the one there is. */
  private void connect() {
    lookedUpAt = System.nanoTime();
    try {
      InetAddress[] found = InetAddress.getAllByName(host);
      if (channel == null || !Arrays.asList(found).contains(address)) {
        close("");
        address = found[0];
        open(new InetSocketAddress(found[0], port));
      }
    } catch (UnknownHostException e) {
      if (channel == null) {
        trouble = "its name has no address";
      }
    } catch (IOException e) {
      close(e.toString());
    }
  }

  private void open(InetSocketAddress to) throws IOException {
    DatagramChannel opened = DatagramChannel.open();
    channel = opened;
    opened.configureBlocking(false);
    opened.setOption(StandardSocketOptions.SO_SNDBUF, BUFFER_BYTES);
    opened.connect(to); // so that the network can say that nothing listens
  }

  /**
   * Gives the socket back; the next packet takes another.
   *
   * @param reason for which it is of no use; empty: none
   */
  void close(String reason) {
    trouble = reason;
    onTheirWay = 0;
    DatagramChannel old = channel;
    channel = null;
    try {
      if (old != null) {
        old.close();
      }
    } catch (IOException e) {
      LOG.debug("The StatsD socket did not close", e);
    }
  }

  private boolean tell() {
    boolean back = away && trouble.isEmpty();
    if (back) {
      LOG.info("StatsD server {}:{} is back", host, port);
    } else if (!away && !trouble.isEmpty()) {
      LOG.warn("StatsD server {}:{} is away, lines are dropped: {}", host, port, trouble);
    }
    away = !trouble.isEmpty();
    return back;
  }
}
