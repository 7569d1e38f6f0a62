package dev.windhover.http.middleware;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * The settings of {@link ForwardedHeaders}, with the names of ASP.NET Core's. A method with an
 * argument sets a value and returns this.
 */
public final class ForwardedHeadersOptions {
  private Set<ForwardedHeader> forwardedHeaders =
      EnumSet.of(ForwardedHeader.X_FORWARDED_FOR, ForwardedHeader.X_FORWARDED_PROTO);
  private final List<IpNetwork> known =
      new ArrayList<>(List.of(IpNetwork.parse("127.0.0.0/8"), IpNetwork.parse("::1/128")));
  private final List<String> allowedHosts = new ArrayList<>();
  private int forwardLimit = 1; // as in ASP.NET Core
  private boolean requireHeaderSymmetry;

  /** Creates the defaults. */
  public ForwardedHeadersOptions() {}

  /**
   * Trusts these headers and no others; {@code X-Forwarded-For} and {@code X-Forwarded-Proto} by
   * default. Name only headers that your proxy sets on <em>every</em> request: a header that it
   * passes through comes from the client.
   *
   * @throws IllegalArgumentException if none is given, or {@code Forwarded} together with others: a
   *     proxy sets one kind or the other
   */
  public ForwardedHeadersOptions forwardedHeaders(ForwardedHeader... headers) {
    if (headers.length == 0) {
      throw new IllegalArgumentException("forwardedHeaders needs at least one header");
    }
    Set<ForwardedHeader> chosen = EnumSet.copyOf(List.of(headers));
    if (chosen.contains(ForwardedHeader.FORWARDED) && chosen.size() > 1) {
      throw new IllegalArgumentException("Forwarded and X-Forwarded-* exclude each other");
    }
    forwardedHeaders = chosen;
    return this;
  }

  /** Returns the trusted headers. */
  public Set<ForwardedHeader> forwardedHeaders() {
    return Set.copyOf(forwardedHeaders);
  }

  /**
   * Trusts these proxies in addition to those already known, which at first are the loopback
   * addresses.
   *
   * @param addresses for example {@code 192.0.2.1} or {@code 2001:db8::1}
   * @throws IllegalArgumentException if one is not an address; names are not looked up
   */
  public ForwardedHeadersOptions knownProxies(String... addresses) {
    for (String text : Objects.requireNonNull(addresses, "addresses")) {
      InetAddress address = IpNetwork.parseAddress(text);
      if (address == null) {
        throw new IllegalArgumentException("proxy \"" + text + "\" is not an IP address");
      }
      known.add(IpNetwork.of(address));
    }
    return this;
  }

  /**
   * Trusts all proxies of these networks in addition to those already known.
   *
   * @param networks for example {@code 10.0.0.0/8} or {@code fd00::/8}
   * @throws IllegalArgumentException if one is malformed, or has bits set after its prefix
   */
  public ForwardedHeadersOptions knownNetworks(String... networks) {
    for (String network : Objects.requireNonNull(networks, "networks")) {
      known.add(IpNetwork.parse(network));
    }
    return this;
  }

  /** Forgets all known proxies and networks, including the loopback addresses. */
  public ForwardedHeadersOptions clearKnown() {
    known.clear();
    return this;
  }

  List<IpNetwork> known() {
    return List.copyOf(known);
  }

  /**
   * Limits how many known proxies in a row are trusted; 1 by default. {@link Integer#MAX_VALUE}
   * means no limit.
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

  /** Returns how many proxies in a row are trusted. */
  public int forwardLimit() {
    return forwardLimit;
  }

  /**
   * Ignores all {@code X-Forwarded-*} headers unless the trusted ones have the same number of
   * elements. Off by default, because many proxies append to one header and replace another.
   */
  public ForwardedHeadersOptions requireHeaderSymmetry(boolean require) {
    requireHeaderSymmetry = require;
    return this;
  }

  /** Returns whether the headers must have the same number of elements. */
  public boolean requireHeaderSymmetry() {
    return requireHeaderSymmetry;
  }

  /**
   * Accepts only these hosts from a proxy. Accepts any by default, leaving the decision to {@link
   * HostFiltering} after this step.
   *
   * @param hosts as in {@link HostFilteringOptions#allowedHosts(String...)}
   * @throws IllegalArgumentException if one is malformed
   */
  public ForwardedHeadersOptions allowedHosts(String... hosts) {
    HostPatterns _ =
        new HostPatterns(
            List.of(Objects.requireNonNull(hosts, "hosts"))); // fails where the option is set
    allowedHosts.addAll(List.of(hosts));
    return this;
  }

  /** Returns the hosts that are accepted from a proxy; empty for any. */
  public List<String> allowedHosts() {
    return List.copyOf(allowedHosts);
  }
}
