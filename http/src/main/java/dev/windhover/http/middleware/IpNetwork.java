package dev.windhover.http.middleware;

import java.net.InetAddress;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A range of IP addresses, such as {@code 10.0.0.0/8} (RFC 4632 3.1) or {@code fd00::/8}. */
final class IpNetwork {
  private static final Pattern IPV4 = Pattern.compile("(0|[1-9]\\d{0,2})(\\.(0|[1-9]\\d{0,2})){3}");

  private final byte[] address;
  private final int prefix;

  private IpNetwork(byte[] address, int prefix) {
    this.address = address;
    this.prefix = prefix;
  }

  /** Returns the network that contains only {@code address}. */
  static IpNetwork of(InetAddress address) {
    byte[] bytes = address.getAddress();
    return new IpNetwork(bytes, bytes.length * 8);
  }

  /**
   * Reads {@code address/prefix}.
   *
   * @throws IllegalArgumentException if it is malformed, or has bits set after its prefix
   */
  static IpNetwork parse(String text) {
    int slash = text.indexOf('/');
    InetAddress address = slash < 0 ? null : parseAddress(text.substring(0, slash));
    if (address == null || !text.substring(slash + 1).matches("\\d{1,3}")) {
      throw new IllegalArgumentException(
          "network \"" + text + "\" is not of the form address/prefix");
    }
    int prefix = Integer.parseInt(text.substring(slash + 1));
    byte[] bytes = address.getAddress();
    if (prefix > bytes.length * 8) {
      throw new IllegalArgumentException(
          "network \"" + text + "\" has a prefix longer than " + bytes.length * 8);
    }
    for (int bit = prefix; bit < bytes.length * 8; bit++) {
      if ((bytes[bit / 8] & (0x80 >> bit % 8)) != 0) {
        throw new IllegalArgumentException(
            "network \"" + text + "\" has bits set after its prefix");
      }
    }
    return new IpNetwork(bytes, prefix);
  }

  /**
   * Returns {@code text} as an address, or null if it is not one: four decimal numbers, or IPv6
   * without brackets or zone. Names are never looked up. An IPv4 address mapped into IPv6 is
   * returned as the IPv4 address.
   */
  static @Nullable InetAddress parseAddress(String text) {
    boolean wellFormed =
        text.indexOf(':') < 0
            ? IPV4.matcher(text).matches()
            : text.chars().allMatch(c -> Character.digit(c, 16) >= 0 || c == ':' || c == '.');
    if (!wellFormed) {
      return null;
    }
    try {
      return InetAddress.ofLiteral(text);
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  boolean contains(InetAddress other) {
    byte[] bytes = other.getAddress();
    if (bytes.length != address.length) {
      return false;
    }
    int whole = prefix / 8;
    for (int i = 0; i < whole; i++) {
      if (bytes[i] != address[i]) {
        return false;
      }
    }
    int mask = 0xFF00 >> prefix % 8 & 0xFF;
    return mask == 0 || ((bytes[whole] ^ address[whole]) & mask) == 0;
  }
}
