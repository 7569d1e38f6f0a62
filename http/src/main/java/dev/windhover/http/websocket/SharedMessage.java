package dev.windhover.http.websocket;

import dev.windhover.http.host.Encodings;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A prepared message with what engines have made of it. */
final class SharedMessage extends PreparedMessage implements Encodings {
  private final Map<Object, ByteBuffer> encodings = new ConcurrentHashMap<>();

  SharedMessage(MessageType type, ByteBuffer payload) {
    super(type, payload);
  }

  @Override
  public @Nullable ByteBuffer encoded(
      Object setting, Function<ByteBuffer, @Nullable ByteBuffer> encoder) {
    ByteBuffer known = encodings.get(setting);
    if (known == null) {
      known = encodings.computeIfAbsent(setting, _ -> readOnly(encoder.apply(payload())));
    }
    return known == null ? null : known.duplicate();
  }

  private static @Nullable ByteBuffer readOnly(@Nullable ByteBuffer bytes) {
    return bytes == null ? null : bytes.asReadOnlyBuffer();
  }
}
