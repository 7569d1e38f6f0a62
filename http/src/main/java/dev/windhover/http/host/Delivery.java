package dev.windhover.http.host;

import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.http.websocket.WhenFull;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A message on its way to sockets of one loop, and what happens where there is no room for it.
 * Created by any thread, then used on that loop.
 */
public final class Delivery {
  private final PreparedMessage message;
  private final @Nullable WhenFull whenFull;
  private final Object key;
  private final ByteBuffer payload;

  // Loop only.
  private int queues;
  private long counted;

  /**
   * Creates one.
   *
   * @param whenFull null for what each receiver has joined with
   * @param key which messages replace one another with {@link WhenFull#KEEP_LATEST}
   */
  public Delivery(PreparedMessage message, @Nullable WhenFull whenFull, Object key) {
    this.message = message;
    this.whenFull = whenFull;
    this.key = key;
    this.payload = message.payload();
  }

  /** Returns the message. */
  public PreparedMessage message() {
    return message;
  }

  /** Returns what happens where there is no room; null for what each receiver has joined with. */
  public @Nullable WhenFull whenFull() {
    return whenFull;
  }

  /** Returns which messages this one replaces. */
  public Object key() {
    return key;
  }

  /**
   * It waits in one more queue of its loop; see {@link FanOut#waits}.
   *
   * @param bytes what it keeps in memory
   * @return how many of them were not counted before
   */
  long waits(long bytes) {
    if (queues++ > 0) {
      return 0;
    }
    counted = bytes;
    return bytes;
  }

  /** It waits in one queue less; returns how many bytes count no more. */
  long waitsNoMore() {
    return --queues > 0 ? 0 : counted;
  }

  boolean isWaiting() {
    return queues > 0;
  }

  /** Returns the payload, in a view that all receivers share; loop only. */
  public ByteBuffer payload() {
    return payload.rewind();
  }
}
