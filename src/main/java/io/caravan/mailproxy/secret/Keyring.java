package io.caravan.mailproxy.secret;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * The keys that are loaded: the first seals, all open. AES-256-GCM (NIST SP 800-38D) under a random
 * nonce; a sealed value reads {@code v1:<key id>:<base64url of nonce, ciphertext and tag>}.
 */
public final class Keyring {
  private static final int KEY_BYTES = 32;
  private static final int NONCE_BYTES = 12;
  private static final int TAG_BITS = 128;
  private static final int DERIVED_ID_BYTES = 4;
  private static final String VERSION = "v1:";

  private static final Pattern SEALED =
      Pattern.compile("v1:([A-Za-z0-9_-]{1,32}):([A-Za-z0-9_-]+)");
  private static final Pattern ID = Pattern.compile("[A-Za-z0-9_-]{1,32}");

  private final SecureRandom random = new SecureRandom();
  private final Map<String, SecretKey> keys;
  private final String first;

  private Keyring(Map<String, SecretKey> keys) {
    this.keys = keys;
    this.first = keys.keySet().iterator().next();
  }

  /**
   * Keys from a text: {@code base64}, or {@code id:base64,id:base64}. A key without an id takes the
   * first 8 hex digits of its SHA-256.
   *
   * @throws IllegalArgumentException a key is none, or two have one id; the message says which by
   *     its number, and repeats nothing of the text
   */
  public static Keyring parse(String text) {
    Map<String, SecretKey> keys = new LinkedHashMap<>();
    List<String> entries = List.of(text.strip().split(",", -1));
    for (int i = 0; i < entries.size(); i++) {
      String entry = entries.get(i).strip();
      int colon = entry.indexOf(':');
      byte[] key = key(entry.substring(colon + 1), i + 1);
      String id = colon < 0 ? derivedId(key) : entry.substring(0, colon);
      if (!ID.matcher(id).matches()) {
        throw wrong(i + 1, "has an id that is not 1 to 32 letters, digits, - or _");
      }
      if (keys.putIfAbsent(id, new SecretKeySpec(key, "AES")) != null) {
        throw wrong(i + 1, "has the id of another key");
      }
    }
    return new Keyring(keys);
  }

  /** A new key as text. */
  static String generate() {
    byte[] key = new byte[KEY_BYTES];
    new SecureRandom().nextBytes(key);
    return Base64.getEncoder().encodeToString(key);
  }

  private static byte[] key(String base64, int number) {
    byte[] key;
    try {
      key = Base64.getDecoder().decode(base64);
    } catch (IllegalArgumentException e) {
      throw wrong(number, "is not base64");
    }
    if (key.length != KEY_BYTES) {
      throw wrong(number, "has " + key.length + " bytes, it must have " + KEY_BYTES);
    }
    return key;
  }

  private static IllegalArgumentException wrong(int number, String what) {
    return new IllegalArgumentException("key " + number + " " + what);
  }

  private static String derivedId(byte[] key) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(key);
      return HexFormat.of().formatHex(Arrays.copyOf(digest, DERIVED_ID_BYTES));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Seals a text with the first key, for its place alone. */
  public String seal(Place place, String text) {
    byte[] nonce = new byte[NONCE_BYTES];
    random.nextBytes(nonce);
    byte[] plain = text.getBytes(StandardCharsets.UTF_8);
    try {
      byte[] sealed = cipher(Cipher.ENCRYPT_MODE, first, nonce, place).doFinal(plain);
      byte[] all = ByteBuffer.allocate(nonce.length + sealed.length).put(nonce).put(sealed).array();
      return VERSION + first + ":" + Base64.getUrlEncoder().withoutPadding().encodeToString(all);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Opens what was sealed for this place.
   *
   * @throws LockedException no loaded key opens it, or it is no sealed value at all
   */
  public String open(Place place, String value) throws LockedException {
    Matcher form = SEALED.matcher(value);
    if (!form.matches()) {
      throw new LockedException(place, "is not a sealed value");
    }
    String id = form.group(1);
    if (!keys.containsKey(id)) {
      throw new LockedException(place, "is sealed with key " + id + ", which is not loaded");
    }
    byte[] all = bytes(form.group(2));
    if (all.length < NONCE_BYTES + TAG_BITS / Byte.SIZE) {
      throw new LockedException(place, "is not a sealed value");
    }
    try {
      Cipher cipher = cipher(Cipher.DECRYPT_MODE, id, Arrays.copyOf(all, NONCE_BYTES), place);
      return new String(
          cipher.doFinal(all, NONCE_BYTES, all.length - NONCE_BYTES), StandardCharsets.UTF_8);
    } catch (AEADBadTagException e) {
      throw new LockedException(
          place,
          "does not open with key " + id + ": that is another key, or the value was changed");
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Empty: it is not base64url. */
  private static byte[] bytes(String base64url) {
    try {
      return Base64.getUrlDecoder().decode(base64url);
    } catch (IllegalArgumentException e) {
      return new byte[0];
    }
  }

  /** Whether a sealed value names the first key. */
  public boolean isOfFirst(String value) {
    return value.startsWith(VERSION + first + ":");
  }

  private Cipher cipher(int mode, String id, byte[] nonce, Place place)
      throws GeneralSecurityException {
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(mode, keys.get(id), new GCMParameterSpec(TAG_BITS, nonce));
    cipher.updateAAD(place.bound());
    return cipher;
  }
}
