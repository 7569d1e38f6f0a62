package dev.windhover.http.host;

import dev.windhover.http.websocket.PreparedMessage;
import java.nio.ByteBuffer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What a prepared message keeps for engines: its payload as each setting encodes it. Any thread.
 *
 * <p>Implemented by Windhover; methods may be added.
 */
public interface Encodings {
  /** Returns the encodings of {@code message}. */
  static Encodings of(PreparedMessage message) {
    return (Encodings) message; // the only class that it permits implements this
  }

  /**
   * Returns the payload as {@code setting} encodes it. The first caller encodes it; the others wait
   * for the result. Not for loops.
   *
   * @param setting everything that the result depends on, apart from the payload; compared by
   *     {@code equals}
   * @param encoder encodes a view of the payload, and does not change the result afterwards; null,
   *     which is not kept, if it cannot encode now
   * @return a read-only view of the result, with a position of its own
   */
  @Nullable ByteBuffer encoded(Object setting, Function<ByteBuffer, @Nullable ByteBuffer> encoder);

  /**
   * The same, for loops: waits for nobody. If there is no result yet, the caller encodes the
   * payload even if others are doing so; the first result is kept.
   */
  @Nullable ByteBuffer encodedAtOnce(
      Object setting, Function<ByteBuffer, @Nullable ByteBuffer> encoder);
}
