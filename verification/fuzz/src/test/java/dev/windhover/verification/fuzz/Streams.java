package dev.windhover.verification.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.protocol.deflate.StreamSource;

/** A source that counts what it has lent. */
final class Streams<T> implements StreamSource<T> {
  private final StreamSource<T> source;
  private int lent;

  Streams(StreamSource<T> source) {
    this.source = source;
  }

  @Override
  public T take() {
    lent++;
    T stream = source.take();
    if (stream == null) {
      throw new AssertionError("the codec makes no stream");
    }
    return stream;
  }

  @Override
  public void give(T stream, boolean usable) {
    lent--;
    assertThat(usable).as("a stream that comes back is usable").isTrue();
    source.give(stream, true);
  }

  /** Requires that all has come back. */
  void expectAllBack() {
    assertThat(lent).as("streams that did not come back").isZero();
  }
}
