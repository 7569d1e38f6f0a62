package dev.windhover.protocol.deflate;

import dev.windhover.protocol.spi.DeflateCodec;
import dev.windhover.protocol.spi.DeflateStream;
import dev.windhover.protocol.spi.InflateStream;
import org.jspecify.annotations.Nullable;

/**
 * Lends streams for compressed messages and takes them back.
 *
 * @param <T> {@link DeflateStream} or {@link InflateStream}
 */
public interface StreamSource<T> {
  /** Returns a new stream, or one that was reset; null if none is available. */
  @Nullable T take();

  /**
   * Takes back a stream.
   *
   * @param reusable whether it was reset and can be used again; otherwise it must be ended
   */
  void give(T stream, boolean reusable);

  /**
   * Returns a source that creates a new compressing stream each time and ends it when it is given
   * back.
   */
  static StreamSource<DeflateStream> deflating(DeflateCodec codec, int windowBits, int level) {
    return new StreamSource<>() {
      @Override
      public DeflateStream take() {
        return codec.deflate(windowBits, level);
      }

      @Override
      public void give(DeflateStream stream, boolean reusable) {
        stream.end();
      }
    };
  }

  /**
   * Returns a source that creates a new decompressing stream each time and ends it when it is given
   * back.
   */
  static StreamSource<InflateStream> inflating(DeflateCodec codec, int windowBits) {
    return new StreamSource<>() {
      @Override
      public InflateStream take() {
        return codec.inflate(windowBits);
      }

      @Override
      public void give(InflateStream stream, boolean reusable) {
        stream.end();
      }
    };
  }
}
