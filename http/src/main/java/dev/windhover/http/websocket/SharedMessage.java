package dev.windhover.http.websocket;

import dev.windhover.http.host.Encodings;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A prepared message with what engines have made of it. */
final class SharedMessage extends PreparedMessage implements Encodings {
  /** The encodings of the few settings that servers use, the latest first. */
  private final AtomicReference<@Nullable Encoding> encodings = new AtomicReference<>();

  private static final class Encoding {
    final Object setting;
    final @Nullable Encoding next;

    /** The first result. */
    final AtomicReference<@Nullable ByteBuffer> result = new AtomicReference<>();

    /** Completes when the thread that encodes is done, with or without a result. */
    final AtomicReference<@Nullable CompletableFuture<Void>> making = new AtomicReference<>();

    Encoding(Object setting, @Nullable Encoding next) {
      this.setting = setting;
      this.next = next;
    }

    /** Returns the result, which {@code made} becomes if there is none yet. */
    @Nullable ByteBuffer orElse(@Nullable ByteBuffer made) {
      ByteBuffer known = result.get();
      if (known == null && made != null) {
        ByteBuffer own = made.asReadOnlyBuffer();
        ByteBuffer first = result.compareAndExchange(null, own);
        known = first == null ? own : first;
      }
      return known == null ? null : known.duplicate();
    }
  }

  SharedMessage(MessageType type, ByteBuffer payload) {
    super(type, payload);
  }

  @Override
  public @Nullable ByteBuffer encoded(
      Object setting, Function<ByteBuffer, @Nullable ByteBuffer> encoder) {
    Encoding encoding = encoding(setting);
    while (encoding.result.get() == null) {
      CompletableFuture<Void> own = new CompletableFuture<>();
      CompletableFuture<Void> other = encoding.making.compareAndExchange(null, own);
      if (other != null) {
        other.join();
        continue;
      }
      try {
        return encodedAtOnce(
            setting, encoder); // another thread may have stored a result since the check
      } finally {
        encoding.making.set(null);
        own.complete(null);
      }
    }
    return encoding.orElse(null);
  }

  @Override
  public @Nullable ByteBuffer encodedAtOnce(
      Object setting, Function<ByteBuffer, @Nullable ByteBuffer> encoder) {
    Encoding encoding = encoding(setting);
    ByteBuffer known = encoding.orElse(null);
    return known != null ? known : encoding.orElse(encoder.apply(payload()));
  }

  private Encoding encoding(Object setting) {
    while (true) {
      Encoding latest = encodings.get();
      for (Encoding each = latest; each != null; each = each.next) {
        if (each.setting.equals(setting)) {
          return each;
        }
      }
      encodings.compareAndSet(latest, new Encoding(setting, latest));
    }
  }
}
