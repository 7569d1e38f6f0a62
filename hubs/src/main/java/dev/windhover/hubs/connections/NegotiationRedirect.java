package dev.windhover.hubs.connections;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Where a client is to negotiate instead. Clients follow at most 100 of these.
 *
 * @param url the other endpoint, absolute; its query is kept
 * @param accessToken what the client presents there in place of its own token; null to keep that
 */
public record NegotiationRedirect(String url, @Nullable String accessToken) {
  /** Checks that there is a URL. */
  public NegotiationRedirect {
    Objects.requireNonNull(url, "url");
  }

  /** Returns one without a token. */
  public static NegotiationRedirect to(String url) {
    return new NegotiationRedirect(url, null);
  }

  /** Leaves the token out, which is a secret. */
  @Override
  public String toString() {
    return "redirect to " + url;
  }
}
