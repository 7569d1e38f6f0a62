package dev.windhover.samples.hub.server;

import dev.windhover.hubs.Hub;
import dev.windhover.hubs.RequireRole;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** A hub for known users; some of its methods are for admins. */
public final class AuthHub extends Hub<Void> {
  public String echo(String text) {
    return text;
  }

  public @Nullable String who() {
    return context().userIdentifier();
  }

  @RequireRole("admin")
  public String admin(String text) {
    return "admin " + text;
  }

  @RequireRole("admin")
  public IntStream adminCount(int n) {
    return IntStream.range(0, n);
  }
}
