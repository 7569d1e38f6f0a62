package dev.windhover.websocket;

import dev.windhover.http.host.Origins;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Decides whether a browser's page may open a socket here (RFC 6455 10.2). */
final class OriginPolicy {
  private static final String ANY_SUBDOMAIN = "://*.";

  private final List<String> allowed;
  private final boolean sameOrigin;
  private final List<String> hosts;

  OriginPolicy(WebSocketOptions options) {
    this.allowed = options.allowedOrigins().stream().map(Origins::normalize).toList();
    this.sameOrigin = options.isSameOrigin();
    this.hosts =
        options.allowedHosts().stream().map(host -> host.toLowerCase(Locale.ROOT)).toList();
  }

  /** Returns whether every origin is allowed because nothing was set. */
  boolean isOpen() {
    return allowed.isEmpty() && !sameOrigin;
  }

  /**
   * Returns whether host filtering must decide which hosts are ours, because none were named here.
   */
  boolean reliesOnHostFiltering() {
    return sameOrigin && hosts.isEmpty();
  }

  /**
   * Returns whether {@code origin} may connect.
   *
   * @param origin the header's value, with several joined by commas; null or empty if there is none
   * @param scheme the request's scheme, {@code http} or {@code https}
   * @param host the request's host, with its port if it has one
   */
  boolean allows(@Nullable String origin, String scheme, String host) {
    if (origin == null || origin.isEmpty() || isOpen()) {
      return true;
    }
    String normal = Origins.normalize(origin);
    for (String pattern : allowed) {
      if (pattern.equals("*") || pattern.equals(normal) || isSubdomain(normal, pattern)) {
        return true;
      }
    }
    return sameOrigin
        && (hosts.isEmpty() || hosts.contains(withoutPort(host).toLowerCase(Locale.ROOT)))
        && normal.equals(Origins.normalize(scheme + "://" + host));
  }

  private static boolean isSubdomain(String origin, String pattern) {
    int wildcard = pattern.indexOf(ANY_SUBDOMAIN);
    if (wildcard < 0) {
      return false;
    }
    String prefix = pattern.substring(0, wildcard + 3);
    String suffix = pattern.substring(wildcard + 4); // including the dot
    if (!origin.startsWith(prefix)
        || !origin.endsWith(suffix)
        || origin.length() <= prefix.length() + suffix.length()) {
      return false;
    }
    String labels = origin.substring(prefix.length(), origin.length() - suffix.length());
    return labels.chars().allMatch(c -> c == '.' || c == '-' || Character.isLetterOrDigit(c));
  }

  private static String withoutPort(String host) {
    int colon = host.lastIndexOf(':');
    return colon > host.lastIndexOf(']') ? host.substring(0, colon) : host;
  }

  static void requireWellFormed(String origin) {
    if (origin.equals("*") || origin.equals("null")) {
      return;
    }
    if (!Origins.isWellFormed(origin)) {
      throw new IllegalArgumentException(
          "origin \"" + origin + "\" is not of the form scheme://host[:port]");
    }
    int host = origin.indexOf("://") + 3;
    int star = origin.indexOf('*');
    if (star >= 0 && (star != host || !origin.startsWith("*.", host))) {
      throw new IllegalArgumentException(
          "origin \"" + origin + "\" has a * that is not the whole first label");
    }
  }
}
