package io.caravan.mailproxy.telemetry;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/**
 * A message in Protocol Buffers' wire format, written field by field, as far as OTLP needs it
 * (protobuf.dev, Encoding). Fields are named by their numbers.
 */
final class Protobuf {
  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int BYTES = 2;
  private static final int FIXED32 = 5;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  Protobuf text(int field, String value) {
    return bytes(field, value.getBytes(StandardCharsets.UTF_8));
  }

  /** A field of type {@code bytes}, given as hexadecimal digits. */
  Protobuf hex(int field, String digits) {
    return bytes(field, HexFormat.of().parseHex(digits));
  }

  Protobuf message(int field, Protobuf value) {
    return bytes(field, value.toBytes());
  }

  /** A field of type {@code int64}, {@code uint64} or of an enumeration. */
  Protobuf number(int field, long value) {
    tag(field, VARINT);
    varint(value);
    return this;
  }

  Protobuf fixed64(int field, long value) {
    tag(field, FIXED64);
    return fixed(value, Long.BYTES);
  }

  Protobuf fixed32(int field, int value) {
    tag(field, FIXED32);
    return fixed(value, Integer.BYTES);
  }

  byte[] toBytes() {
    return out.toByteArray();
  }

  private Protobuf bytes(int field, byte[] value) {
    tag(field, BYTES);
    varint(value.length);
    out.writeBytes(value);
    return this;
  }

  private void tag(int field, int type) {
    varint(((long) field << 3) | type);
  }

  /** Seven bits a byte, the lowest first; the eighth says that more follow. */
  private void varint(long value) {
    long rest = value;
    while ((rest & ~0x7FL) != 0) {
      out.write((int) ((rest & 0x7F) | 0x80));
      rest >>>= 7;
    }
    out.write((int) rest);
  }

  /** The lowest byte first. */
  private Protobuf fixed(long value, int bytes) {
    for (int i = 0; i < bytes; i++) {
      out.write((int) (value >>> (Byte.SIZE * i)));
    }
    return this;
  }
}
