package dev.windhover.hubs.redis;

import java.time.Duration;

/**
 * What happens to messages for other servers while Redis is away. The clients of this server get
 * them at once in any case.
 */
public sealed interface WhenAway {
  /**
   * They are refused: the send throws a {@link dev.windhover.hubs.backplane.BackplaneException}
   * after it has reached the clients of this server.
   */
  record Refuse() implements WhenAway {}

  /**
   * They are kept and published in order when Redis is back, unless they are too old by then. At
   * the {@linkplain RedisOptions#maximumWaiting limit}, the oldest are dropped.
   *
   * @param longest how old they may be
   */
  record Keep(Duration longest) implements WhenAway {
    /**
     * Creates one.
     *
     * @throws IllegalArgumentException if {@code longest} is negative
     */
    public Keep {
      if (longest.isNegative()) {
        throw new IllegalArgumentException("messages cannot be kept for " + longest);
      }
    }
  }

  /**
   * They are kept until Redis is back, however long that takes. At the limit, the oldest are
   * dropped.
   */
  record DropOldest() implements WhenAway {}
}
