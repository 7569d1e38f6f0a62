package dev.windhover.http.middleware;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * The settings of {@link HostFiltering}. A method with an argument sets a value and returns this.
 */
public final class HostFilteringOptions {
  private final List<String> allowedHosts = new ArrayList<>();
  private boolean allowEmptyHosts;

  /** Creates the defaults: no host is allowed. */
  public HostFilteringOptions() {}

  /**
   * Allows these hosts, whatever the port.
   *
   * @param hosts the names of this server, without a port: {@code example.com}, {@code
   *     *.example.com} for all names below it (but not itself), {@code 192.0.2.1}, {@code [::1]}.
   *     Non-ASCII names are converted to their IDNA form
   * @throws IllegalArgumentException if one is malformed, or {@code *}
   */
  public HostFilteringOptions allowedHosts(String... hosts) {
    HostPatterns _ =
        new HostPatterns(
            List.of(Objects.requireNonNull(hosts, "hosts"))); // fails where the option is set
    allowedHosts.addAll(List.of(hosts));
    return this;
  }

  /** Returns the allowed hosts. */
  public List<String> allowedHosts() {
    return List.copyOf(allowedHosts);
  }

  /**
   * Allows requests without a host, which are possible in HTTP/1.0. Off by default, because such a
   * client cannot be told apart from an attacker (ASP.NET Core allows them).
   */
  public HostFilteringOptions allowEmptyHosts(boolean allow) {
    allowEmptyHosts = allow;
    return this;
  }

  /** Returns whether requests without a host are allowed. */
  public boolean allowEmptyHosts() {
    return allowEmptyHosts;
  }
}
