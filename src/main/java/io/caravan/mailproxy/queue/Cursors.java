package io.caravan.mailproxy.queue;

import io.caravan.mailproxy.db.Database;
import io.caravan.mailproxy.db.Row;
import io.caravan.mailproxy.http.Problem;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Places in a list of messages, as clients get them: signed, and good for the same tenant and
 * filter only (reliability-security B48).
 */
final class Cursors {
  private static final String ALGORITHM = "HmacSHA256";
  private static final int PLACE_BYTES = Integer.BYTES + Long.BYTES;
  private static final int MAC_BYTES = 32;

  private final SecretKeySpec key;

  /** Reads the key from table {@code service_key}. */
  Cursors(Database database) {
    String hex =
        Row.all(database.rows("service-keys")).stream()
            .filter(row -> row.text("name").equals("cursor"))
            .map(row -> row.text("value"))
            .findFirst()
            .orElseThrow(() -> new IllegalStateException("the key of cursors is missing"));
    key = new SecretKeySpec(HexFormat.of().parseHex(hex), ALGORITHM);
  }

  /** After a message: its priority and its key. */
  record Place(int level, long after) {
    static final Place START = new Place(0, 0);
  }

  String text(MessageFilter filter, Place place) {
    byte[] bytes =
        ByteBuffer.allocate(PLACE_BYTES).putInt(place.level()).putLong(place.after()).array();
    byte[] signed =
        ByteBuffer.allocate(PLACE_BYTES + MAC_BYTES).put(bytes).put(mac(filter, bytes)).array();
    return Base64.getUrlEncoder().withoutPadding().encodeToString(signed);
  }

  /**
   * Reads one.
   *
   * @throws Problem 422 it is not one of ours, or of another tenant or filter
   */
  Place read(String text, MessageFilter filter) {
    byte[] signed;
    try {
      signed = Base64.getUrlDecoder().decode(text);
    } catch (IllegalArgumentException e) {
      throw foreign();
    }
    if (signed.length != PLACE_BYTES + MAC_BYTES) {
      throw foreign();
    }
    byte[] bytes = new byte[PLACE_BYTES];
    byte[] mac = new byte[MAC_BYTES];
    ByteBuffer.wrap(signed).get(bytes).get(mac);
    if (!MessageDigest.isEqual(mac, mac(filter, bytes))) {
      throw foreign();
    }
    ByteBuffer place = ByteBuffer.wrap(bytes);
    return new Place(place.getInt(), place.getLong());
  }

  private static Problem foreign() {
    return MessageFilter.wrong("cursor", "Input should be the next_cursor of the same list");
  }

  private byte[] mac(MessageFilter filter, byte[] place) {
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(key);
      mac.update(place);
      return mac.doFinal(filter.told().getBytes(StandardCharsets.UTF_8));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }
}
