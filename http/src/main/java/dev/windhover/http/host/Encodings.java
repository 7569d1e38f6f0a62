package dev.windhover.http.host;

import dev.windhover.http.websocket.PreparedMessage;
import java.nio.ByteBuffer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What a prepared message stores for engines: its payload, encoded once for each setting. Any
 * thread may call it, except where a method says otherwise.
 *
 * <p>Implemented by Windhover; methods may be added.
 */
public interface Encodings {
  /** Returns the encodings of {@code message}. */
  static Encodings of(PreparedMessage message) {
    return (Encodings) message; // the only class that it permits implements this
  }

  /**
   * Returns the payload, encoded for {@code setting}. The first caller encodes it; other callers
   * wait for the result. Must not be called on a loop.
   *
   * @param setting everything that the result depends on, apart from the payload; compared by
   *     {@code equals}
   * @param encoder encodes a view of the payload and does not change the result afterwards. If it
   *     cannot encode now, it returns null, which is not stored
   * @return a read-only view of the result, with a position of its own; null if the encoder
   *     returned null
   */
  @Nullable ByteBuffer encoded(Object setting, Function<ByteBuffer, @Nullable ByteBuffer> encoder);

  /**
   * As {@link #encoded}, for loops: never waits. If there is no result yet, the caller encodes the
   * payload, even if another thread is doing so. The first result is stored.
   */
  @Nullable ByteBuffer encodedAtOnce(
      Object setting, Function<ByteBuffer, @Nullable ByteBuffer> encoder);
}
