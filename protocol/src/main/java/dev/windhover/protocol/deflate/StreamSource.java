package dev.windhover.protocol.deflate;

import org.jspecify.annotations.Nullable;

/**
 * Where compressed messages take a stream from, and give it back to.
 *
 * @param <T> {@link DeflateStream} or {@link InflateStream}
 */
public interface StreamSource<T> {
  /** Returns a fresh stream, or one that was reset; null if there is none to be had. */
  @Nullable T take();

  /**
   * Takes back a stream.
   *
   * @param reusable whether it was reset and works; else it is to be ended
   */
  void give(T stream, boolean reusable);

  /** Returns a source that makes a compressing stream each time, and ends it. */
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

  /** Returns a source that makes a decompressing stream each time, and ends it. */
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
