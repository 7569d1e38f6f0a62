package dev.windhover.http.middleware;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The settings of {@link Hsts}. Each method with an argument sets and returns this. */
public final class HstsOptions {
  private Duration maxAge = Duration.ofDays(30); // the reference's default
  private boolean includeSubDomains;
  private boolean preload;
  private final List<String> excludedHosts =
      new ArrayList<>(List.of("localhost", "127.0.0.1", "[::1]"));

  /** Creates the defaults. */
  public HstsOptions() {}

  /**
   * Sets how long browsers remember; 30 days by default, whole seconds are sent, zero makes them
   * forget. A browser that remembers cannot be told otherwise by HTTP: begin with an hour.
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

  /** Says that it is meant for all hosts below this one too; off by default. */
  public HstsOptions includeSubDomains(boolean include) {
    includeSubDomains = include;
    return this;
  }

  /** Returns whether hosts below this one are meant too. */
  public boolean includeSubDomains() {
    return includeSubDomains;
  }

  /**
   * Agrees to stand in the list that browsers are shipped with, which is hard to leave; off by
   * default. The list asks for a year and for {@link #includeSubDomains} too.
   */
  public HstsOptions preload(boolean preload) {
    this.preload = preload;
    return this;
  }

  /** Returns whether the host may be put into the browsers' list. */
  public boolean preload() {
    return preload;
  }

  /**
   * Leaves these hosts out, beside {@code localhost}, {@code 127.0.0.1} and {@code [::1]}.
   *
   * @param hosts as in {@link HostFilteringOptions#allowedHosts(String...)}
   * @throws IllegalArgumentException if one is malformed
   */
  public HstsOptions excludedHosts(String... hosts) {
    HostPatterns _ = new HostPatterns(List.of(hosts)); // fails where it is written
    excludedHosts.addAll(List.of(hosts));
    return this;
  }

  /** Returns the hosts that are left out. */
  public List<String> excludedHosts() {
    return List.copyOf(excludedHosts);
  }
}
