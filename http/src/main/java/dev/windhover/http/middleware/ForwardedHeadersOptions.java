package dev.windhover.http.middleware;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * The settings of {@link ForwardedHeaders}, by the names of ASP.NET Core's. Each method with an
 * argument sets and returns this.
 */
public final class ForwardedHeadersOptions {
  private Set<ForwardedHeader> forwardedHeaders =
      EnumSet.of(ForwardedHeader.X_FORWARDED_FOR, ForwardedHeader.X_FORWARDED_PROTO);
  private final List<IpNetwork> known =
      new ArrayList<>(List.of(IpNetwork.parse("127.0.0.0/8"), IpNetwork.parse("::1/128")));
  private final List<String> allowedHosts = new ArrayList<>();
  private int forwardLimit = 1; // the reference's
  private boolean requireHeaderSymmetry;

  /** Creates the defaults. */
  public ForwardedHeadersOptions() {}

  /**
   * Believes these headers, and no others; {@code X-Forwarded-For} and {@code X-Forwarded-Proto} by
   * default. Name only those that your proxy sets on <em>every</em> request: one that it passes on
   * is the client's own.
   *
   * @throws IllegalArgumentException if none is given, or {@code Forwarded} with one of the others:
   *     a proxy sets the one or the other
   */
  public ForwardedHeadersOptions forwardedHeaders(ForwardedHeader... headers) {
    if (headers.length == 0) {
      throw new IllegalArgumentException("forwardedHeaders needs a header");
    }
    Set<ForwardedHeader> chosen = EnumSet.copyOf(List.of(headers));
    if (chosen.contains(ForwardedHeader.FORWARDED) && chosen.size() > 1) {
      throw new IllegalArgumentException("Forwarded and X-Forwarded-* exclude each other");
    }
    forwardedHeaders = chosen;
    return this;
  }

  /** Returns the headers that are believed. */
  public Set<ForwardedHeader> forwardedHeaders() {
    return Set.copyOf(forwardedHeaders);
  }

  /**
   * Believes these proxies, beside those known already: at first the loopback addresses.
   *
   * @param addresses as {@code 192.0.2.1} or {@code 2001:db8::1}
   * @throws IllegalArgumentException if one is no address; names are not looked up
   */
  public ForwardedHeadersOptions knownProxies(String... addresses) {
    for (String text : addresses) {
      InetAddress address = IpNetwork.parseAddress(text);
      if (address == null) {
        throw new IllegalArgumentException("proxy \"" + text + "\" is not an IP address");
      }
      known.add(IpNetwork.of(address));
    }
    return this;
  }

  /**
   * Believes all proxies of these networks, beside those known already.
   *
   * @param networks as {@code 10.0.0.0/8} or {@code fd00::/8}
   * @throws IllegalArgumentException if one is malformed, or has bits behind its prefix
   */
  public ForwardedHeadersOptions knownNetworks(String... networks) {
    for (String network : networks) {
      known.add(IpNetwork.parse(network));
    }
    return this;
  }

  /** Forgets all known proxies and networks, the loopback addresses too. */
  public ForwardedHeadersOptions clearKnown() {
    known.clear();
    return this;
  }

  List<IpNetwork> known() {
    return List.copyOf(known);
  }

  /**
   * Sets how many proxies may stand in a row, each of them known; 1 by default. {@link
   * Integer#MAX_VALUE} is no limit.
   *
   * @throws IllegalArgumentException if less than 1
   */
  public ForwardedHeadersOptions forwardLimit(int proxies) {
    if (proxies < 1) {
      throw new IllegalArgumentException("forwardLimit " + proxies + " is less than 1");
    }
    forwardLimit = proxies;
    return this;
  }

  /** Returns how many proxies may stand in a row. */
  public int forwardLimit() {
    return forwardLimit;
  }

  /**
   * Ignores all of the {@code X-Forwarded-*} headers unless those that are believed have equally
   * many elements. Off by default: many proxies add to one and replace another.
   */
  public ForwardedHeadersOptions requireHeaderSymmetry(boolean require) {
    requireHeaderSymmetry = require;
    return this;
  }

  /** Returns whether the headers must have equally many elements. */
  public boolean requireHeaderSymmetry() {
    return requireHeaderSymmetry;
  }

  /**
   * Takes only these hosts from a proxy; any by default, as for {@link HostFiltering} behind this.
   *
   * @param hosts as in {@link HostFilteringOptions#allowedHosts(String...)}
   * @throws IllegalArgumentException if one is malformed
   */
  public ForwardedHeadersOptions allowedHosts(String... hosts) {
    HostPatterns _ = new HostPatterns(List.of(hosts)); // fails where it is written
    allowedHosts.addAll(List.of(hosts));
    return this;
  }

  /** Returns the hosts that are taken from a proxy; empty for any. */
  public List<String> allowedHosts() {
    return List.copyOf(allowedHosts);
  }
}
