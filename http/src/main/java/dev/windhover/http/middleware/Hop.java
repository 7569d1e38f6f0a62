package dev.windhover.http.middleware;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What one proxy says about its client. A component is null if the proxy does not say it, and the
 * address also if the proxy hides it.
 */
record Hop(@Nullable InetSocketAddress remote, @Nullable String scheme, @Nullable HostName host) {

  /** Reads what a proxy says; null if any of it is malformed. */
  static @Nullable Hop of(@Nullable String node, @Nullable String proto, @Nullable String host) {
    InetSocketAddress remote = null;
    if (node != null && !isHidden(node)) {
      remote = address(node);
      if (remote == null) {
        return null;
      }
    }
    String scheme = proto == null ? null : scheme(proto);
    HostName name = host == null ? null : HostName.parse(host);
    boolean malformed = (proto != null && scheme == null) || (host != null && name == null);
    return malformed ? null : new Hop(remote, scheme, name);
  }

  /**
   * Returns whether {@code node} is an obfuscated identifier (RFC 7239 6.3) or {@code unknown}
   * (6.2), with or without a port.
   */
  private static boolean isHidden(String node) {
    int colon = node.indexOf(':');
    String name = colon < 0 ? node : node.substring(0, colon);
    if (colon >= 0 && port(node.substring(colon + 1)) < 0) {
      return false;
    }
    return name.equalsIgnoreCase("unknown") || isObfuscated(name);
  }

  private static boolean isObfuscated(String text) {
    return text.length() > 1
        && text.charAt(0) == '_'
        && text.chars().allMatch(c -> c < 0x80 && (Character.isLetterOrDigit(c) || isMark(c)));
  }

  private static boolean isMark(int c) {
    return c == '.' || c == '_' || c == '-';
  }

  /**
   * Reads an address with or without a port; an IPv6 address with a port is in brackets (RFC 7239
   * 6).
   */
  private static @Nullable InetSocketAddress address(String node) {
    String host = node;
    String port = null;
    if (node.startsWith("[")) {
      int end = node.indexOf(']');
      String rest = end < 0 ? "?" : node.substring(end + 1);
      if (!rest.isEmpty() && !rest.startsWith(":")) {
        return null;
      }
      host = node.substring(1, end);
      port = rest.isEmpty() ? null : rest.substring(1);
      if (host.indexOf(':') < 0) {
        return null;
      }
    } else if (node.indexOf(':') >= 0 && node.indexOf(':') == node.lastIndexOf(':')) {
      host = node.substring(0, node.indexOf(':'));
      port = node.substring(node.indexOf(':') + 1);
    }
    InetAddress address = IpNetwork.parseAddress(host);
    int number = port == null ? 0 : port(port);
    return address == null || number < 0 ? null : new InetSocketAddress(address, number);
  }

  /** Returns {@code text} as a port, 0 for an obfuscated one, or -1 if it is malformed. */
  private static int port(String text) {
    return isObfuscated(text) ? 0 : HostName.port(text);
  }

  /** Some proxies give the scheme of a WebSocket. */
  private static @Nullable String scheme(String proto) {
    return switch (proto.toLowerCase(Locale.ROOT)) {
      case "http", "ws" -> "http";
      case "https", "wss" -> "https";
      default -> null;
    };
  }
}
