package io.caravan.mailproxy.telemetry;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;

/** A StatsD server on loopback that keeps what it is sent. */
final class UdpSink implements AutoCloseable {
  private static final int BUFFER_BYTES = 4_194_304;

  private final DatagramSocket socket;
  private final List<String> packets = new CopyOnWriteArrayList<>();

  /**
   * @param port 0: a free one
   */
  UdpSink(int port) {
    try {
      socket = new DatagramSocket(port, InetAddress.getLoopbackAddress());
      socket.setReceiveBufferSize(BUFFER_BYTES);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread thread = new Thread(this::receive, "udp-sink");
    thread.setDaemon(true);
    thread.start();
  }

  int port() {
    return socket.getLocalPort();
  }

  List<String> packets() {
    return packets;
  }

  List<String> lines() {
    List<String> lines = new ArrayList<>();
    packets.forEach(packet -> lines.addAll(List.of(packet.split("\n", -1))));
    return lines;
  }

  /** All that counters have grown by, by key. */
  Map<String, Long> counters() {
    return lines().stream()
        .filter(line -> line.endsWith("|c"))
        .collect(
            Collectors.groupingBy(
                UdpSink::key,
                Collectors.summingLong(line -> Long.parseLong(value(line).replace("|c", "")))));
  }

  static String key(String line) {
    return line.substring(0, line.indexOf(':'));
  }

  static String value(String line) {
    return line.substring(line.indexOf(':') + 1);
  }

  @Override
  public void close() {
    socket.close();
  }

  private void receive() {
    DatagramPacket packet = new DatagramPacket(new byte[65_536], 65_536);
    while (true) {
      try {
        socket.receive(packet);
      } catch (IOException e) {
        return; // closed
      }
      packets.add(new String(packet.getData(), 0, packet.getLength(), StandardCharsets.ISO_8859_1));
    }
  }
}
