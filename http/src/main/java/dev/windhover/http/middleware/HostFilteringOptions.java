package dev.windhover.http.middleware;

import java.util.ArrayList;
import java.util.List;

/** The settings of {@link HostFiltering}. Each method with an argument sets and returns this. */
public final class HostFilteringOptions {
  private final List<String> allowedHosts = new ArrayList<>();
  private boolean allowEmptyHosts;

  /** Creates the defaults: no host is allowed. */
  public HostFilteringOptions() {}

  /**
   * Allows these hosts, whatever the port.
   *
   * @param hosts the names this server goes by: {@code example.com}, {@code *.example.com} for all
   *     below it (itself not), {@code 192.0.2.1}, {@code [::1]}; without a port. Letters that are
   *     not ASCII are taken as their IDNA form
   * @throws IllegalArgumentException if one is malformed, or {@code *}
   */
  public HostFilteringOptions allowedHosts(String... hosts) {
    HostPatterns _ = new HostPatterns(List.of(hosts)); // fails where it is written
    allowedHosts.addAll(List.of(hosts));
    return this;
  }

  /** Returns the allowed hosts. */
  public List<String> allowedHosts() {
    return List.copyOf(allowedHosts);
  }

  /**
   * Allows requests that name no host, as HTTP/1.0 may. Off by default (the reference allows them):
   * whoever asks so cannot be told from an attacker.
   */
  public HostFilteringOptions allowEmptyHosts(boolean allow) {
    allowEmptyHosts = allow;
    return this;
  }

  /** Returns whether requests that name no host are allowed. */
  public boolean allowEmptyHosts() {
    return allowEmptyHosts;
  }
}
