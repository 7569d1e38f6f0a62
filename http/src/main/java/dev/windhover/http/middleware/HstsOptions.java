package dev.windhover.http.middleware;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** The settings of {@link Hsts}. A method with an argument sets a value and returns this. */
public final class HstsOptions {
  private Duration maxAge = Duration.ofDays(30); // as in ASP.NET Core
  private boolean includeSubDomains;
  private boolean preload;
  private final List<String> excludedHosts =
      new ArrayList<>(List.of("localhost", "127.0.0.1", "[::1]"));

  /** Creates the defaults. */
  public HstsOptions() {}

  /**
   * Sets how long browsers remember, in whole seconds; 30 days by default, and zero makes them
   * forget. As long as a browser remembers, it does not use HTTP for this host any more, so begin
   * with an hour.
   *
   * @throws IllegalArgumentException if negative
   */
  public HstsOptions maxAge(Duration maxAge) {
    if (maxAge.isNegative()) {
      throw new IllegalArgumentException("maxAge " + maxAge + " is negative");
    }
    this.maxAge = maxAge;
    return this;
  }

  /** Returns how long browsers remember. */
  public Duration maxAge() {
    return maxAge;
  }

  /** Includes all hosts below this one; off by default. */
  public HstsOptions includeSubDomains(boolean include) {
    includeSubDomains = include;
    return this;
  }

  /** Returns whether hosts below this one are included. */
  public boolean includeSubDomains() {
    return includeSubDomains;
  }

  /**
   * Consents to inclusion in the list that browsers ship with, which is hard to leave; off by
   * default. The list also requires a year and {@link #includeSubDomains}.
   */
  public HstsOptions preload(boolean preload) {
    this.preload = preload;
    return this;
  }

  /** Returns whether the host may be included in the browsers' list. */
  public boolean preload() {
    return preload;
  }

  /**
   * Excludes these hosts, in addition to {@code localhost}, {@code 127.0.0.1} and {@code [::1]}.
   *
   * @param hosts as in {@link HostFilteringOptions#allowedHosts(String...)}
   * @throws IllegalArgumentException if one is malformed
   */
  public HstsOptions excludedHosts(String... hosts) {
    HostPatterns _ =
        new HostPatterns(
            List.of(Objects.requireNonNull(hosts, "hosts"))); // fails where the option is set
    excludedHosts.addAll(List.of(hosts));
    return this;
  }

  /** Returns the excluded hosts. */
  public List<String> excludedHosts() {
    return List.copyOf(excludedHosts);
  }
}
