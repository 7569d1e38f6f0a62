package dev.windhover.server;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;

/**
 * An address on which the server listens, as written in {@code --urls}.
 *
 * @param scheme {@code http} or {@code https}
 * @param host a name or an address; {@code *} or {@code +} for all interfaces; {@code localhost}
 *     for the loopback addresses of both families
 * @param port 0 lets the system choose
 */
record ListenAddress(String scheme, String host, int port) {
  /**
   * Parses {@code http://host[:port]} or {@code https://host[:port]}; the default port is 80 or
   * 443.
   *
   * @throws IllegalArgumentException if {@code url} is something else
   */
  static ListenAddress parse(String url) {
    int host = url.indexOf("://") + 3;
    String scheme = host < 3 ? "" : url.substring(0, host - 3);
    if (!scheme.equals("http") && !scheme.equals("https")) {
      throw malformed(url);
    }
    String authority = url.substring(host).replaceFirst("/$", "");
    boolean all = authority.startsWith("*") || authority.startsWith("+");
    URI uri;
    try {
      uri = URI.create(scheme + "://" + (all ? "0.0.0.0" + authority.substring(1) : authority));
    } catch (IllegalArgumentException e) {
      throw malformed(url);
    }
    if (uri.getHost() == null || !uri.getRawPath().isEmpty()) {
      throw malformed(url);
    }
    if (uri.getPort() > 65_535) {
      throw new IllegalArgumentException(
          "cannot listen on \"" + url + "\": port " + uri.getPort() + " is not within 0-65535");
    }
    int port = uri.getPort() >= 0 ? uri.getPort() : scheme.equals("https") ? 443 : 80;
    return new ListenAddress(scheme, all ? "*" : uri.getHost(), port);
  }

  private static IllegalArgumentException malformed(String url) {
    return new IllegalArgumentException(
        "cannot listen on \""
            + url
            + "\": it is not of the form http://host:port or https://host:port");
  }

  boolean isTls() {
    return scheme.equals("https");
  }

  /** Returns the sockets to bind: one for each address of the host. */
  List<InetSocketAddress> toSocketAddresses() throws UnknownHostException {
    List<InetSocketAddress> addresses = new ArrayList<>(2);
    if (host.equals("*")) {
      addresses.add(new InetSocketAddress(port));
    } else if (host.equals("localhost")) {
      addresses.add(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port));
      addresses.add(new InetSocketAddress(InetAddress.ofLiteral("::1"), port));
    } else {
      for (InetAddress address : InetAddress.getAllByName(host)) {
        addresses.add(new InetSocketAddress(address, port));
      }
    }
    return addresses;
  }

  /** Returns the URL with the port that was bound. */
  String toUrl(int boundPort) {
    return scheme + "://" + host + ":" + boundPort;
  }
}
