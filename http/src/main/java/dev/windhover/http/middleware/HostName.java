package dev.windhover.http.middleware;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The host of a {@code Host} header (RFC 9110 7.2), in its normal form.
 *
 * @param name in lower case; an IPv6 address in brackets
 * @param port 0–65535, or -1 if there is none
 */
record HostName(String name, int port) {
  private static final int LONGEST = 255; // RFC 1035 2.3.4

  /** Reads a name or an address, with or without a port; null if it is malformed. */
  static @Nullable HostName parse(String text) {
    int end = text.startsWith("[") ? text.indexOf(']') + 1 : text.indexOf(':');
    if (end < 0) {
      end = text.length();
    }
    String name = name(text.substring(0, end));
    if (name == null) {
      return null;
    }
    if (end >= text.length() - 1) { // the port may be empty: RFC 3986 3.2.3
      return end == text.length() || text.charAt(end) == ':' ? new HostName(name, -1) : null;
    }
    int port = text.charAt(end) == ':' ? port(text.substring(end + 1)) : -1;
    return port < 0 ? null : new HostName(name, port);
  }

  /** Returns {@code text} as a port, or -1 if it is not one. */
  static int port(String text) {
    boolean digits = !text.isEmpty() && text.length() <= 5;
    int port = 0;
    for (int i = 0; digits && i < text.length(); i++) {
      int digit = text.charAt(i) - '0';
      digits = digit >= 0 && digit <= 9;
      port = port * 10 + digit;
    }
    return digits && port <= 65_535 ? port : -1;
  }

  private static @Nullable String name(String text) {
    if (text.startsWith("[")) {
      InetAddress address =
          text.indexOf(':') < 0
              ? null
              : IpNetwork.parseAddress(text.substring(1, text.length() - 1));
      if (address instanceof Inet4Address) {
        return address.getHostAddress(); // an IPv4 address, mapped into IPv6
      }
      return address == null ? null : "[" + address.getHostAddress() + "]";
    }
    boolean wellFormed =
        !text.isEmpty()
            && text.length() <= LONGEST
            && text.chars().allMatch(HostName::isOfName)
            && !text.startsWith(".")
            && !text.contains("..");
    return wellFormed ? text.toLowerCase(Locale.ROOT) : null;
  }

  /** Stricter than RFC 3986: no host on the Internet has other characters. */
  private static boolean isOfName(int c) {
    return (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9')
        || c == '.'
        || c == '-'
        || c == '_';
  }

  @Override
  public String toString() {
    return port < 0 ? name : name + ":" + port;
  }
}
