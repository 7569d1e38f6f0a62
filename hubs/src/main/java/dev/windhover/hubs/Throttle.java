package dev.windhover.hubs;

import dev.windhover.http.host.Loop;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Stops reading a client for a while when it calls too often: by itself, or together with the other
 * connections of its user. Loop only.
 */
final class Throttle {
  private final Loop loop;
  private final @Nullable CallRate own;
  private final @Nullable UserRates users;
  private final @Nullable CallRate shared;
  private final @Nullable String user;

  /** Reads on. */
  private final Runnable resume;

  private boolean isHolding;

  private Throttle(
      Loop loop,
      @Nullable CallRate own,
      @Nullable UserRates users,
      @Nullable String user,
      Runnable resume) {
    this.loop = loop;
    this.own = own;
    this.users = users;
    this.user = user;
    this.shared = users == null || user == null ? null : users.join(user, loop.nanoTime());
    this.resume = resume;
  }

  /**
   * Returns one for a connection of {@code user}; null if nothing is limited.
   *
   * @param most calls in a second; 0 for any number
   * @param users the rates of users; null if they are not limited
   * @param user null if nobody is known
   */
  static @Nullable Throttle of(
      Loop loop, int most, @Nullable UserRates users, @Nullable String user, Runnable resume) {
    CallRate own = most == 0 ? null : new CallRate(most, loop.nanoTime());
    boolean sharesRate = users != null && user != null;
    return own == null && !sharesRate ? null : new Throttle(loop, own, users, user, resume);
  }

  /** A call has come. */
  void count() {
    long now = loop.nanoTime();
    long pause = Math.max(own == null ? 0 : own.count(now), shared == null ? 0 : shared.count(now));
    if (pause > 0) {
      isHolding = true;
      Loop.Timer _ =
          loop.schedule(
              Duration.ofNanos(pause),
              () -> {
                isHolding = false;
                resume.run();
              });
    }
  }

  /** Returns whether nothing is to be read. */
  boolean isHolding() {
    return isHolding;
  }

  /** The connection has ended. */
  void end() {
    if (shared != null) {
      Objects.requireNonNull(users).leave(Objects.requireNonNull(user));
    }
  }
}
