package io.caravan.mailproxy.delivery;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.MXRecord;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

/**
 * A DNS server on 127.0.0.1 that knows what a test tells it: any other name does not exist. A name
 * that begins with {@code fail.} is answered SERVFAIL, one with {@code lost.} the first time not at
 * all.
 */
public final class ScriptedDns implements AutoCloseable {
  private final DatagramSocket socket = new DatagramSocket(0, InetAddress.getLoopbackAddress());
  private final Map<Name, List<Record>> records = new ConcurrentHashMap<>();
  private final Map<Name, Boolean> lost = new ConcurrentHashMap<>();

  /** Questions that were asked. */
  public final AtomicInteger asked = new AtomicInteger();

  public ScriptedDns() throws IOException {
    Thread thread = new Thread(this::serve, "scripted-dns");
    thread.setDaemon(true);
    thread.start();
  }

  /** For {@code smtp.dns-servers}. */
  public String address() {
    return "127.0.0.1:" + socket.getLocalPort();
  }

  /** {@code target} {@code "."}: null MX. */
  public ScriptedDns mx(String domain, int preference, String target) {
    Name name = name(domain);
    return add(name, new MXRecord(name, DClass.IN, 60, preference, name(target)));
  }

  public ScriptedDns a(String host, String address) {
    Name name = name(host);
    try {
      return add(name, new ARecord(name, DClass.IN, 60, InetAddress.getByName(address)));
    } catch (IOException e) {
      throw new IllegalArgumentException(e);
    }
  }

  /** The name exists and has neither MX nor address. */
  public ScriptedDns nothing(String domain) {
    records.put(name(domain), new ArrayList<>());
    return this;
  }

  private ScriptedDns add(Name name, Record record) {
    records.computeIfAbsent(name, n -> new ArrayList<>()).add(record);
    return this;
  }

  private static Name name(String text) {
    try {
      return Name.fromString(text, Name.root);
    } catch (IOException e) {
      throw new IllegalArgumentException(e);
    }
  }

  private void serve() {
    byte[] buffer = new byte[4096];
    while (!socket.isClosed()) {
      try {
        DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
        socket.receive(packet);
        Message question = new Message(packet.getData());
        asked.incrementAndGet();
        byte[] answer = answer(question);
        if (answer != null) {
          socket.send(new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
        }
      } catch (IOException e) {
        if (socket.isClosed()) {
          return;
        }
      }
    }
  }

  private byte[] answer(Message question) {
    Record asked = question.getQuestion();
    Name name = asked.getName();
    if (name.toString().startsWith("lost.") && lost.put(name, true) == null) {
      return null;
    }
    Message answer = new Message(question.getHeader().getID());
    answer.getHeader().setFlag(Flags.QR);
    answer.getHeader().setFlag(Flags.RA);
    answer.addRecord(asked, Section.QUESTION);
    List<Record> known = records.get(name);
    if (name.toString().startsWith("fail.")) {
      answer.getHeader().setRcode(Rcode.SERVFAIL);
    } else if (known == null) {
      answer.getHeader().setRcode(Rcode.NXDOMAIN);
    } else {
      for (Record each : known) {
        if (each.getType() == asked.getType() || asked.getType() == Type.ANY) {
          answer.addRecord(each, Section.ANSWER);
        }
      }
    }
    return answer.toWire();
  }

  @Override
  public void close() {
    socket.close();
  }
}
