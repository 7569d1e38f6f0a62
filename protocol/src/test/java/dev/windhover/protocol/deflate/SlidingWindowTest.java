package dev.windhover.protocol.deflate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.protocol.Frames;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SlidingWindowTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 3, 100, 511, 512, 513, 1000, 2048, 2049, 5000})
  void hasTheLastBytesWhateverThePieces(int step) {
    ByteBuffer bytes = ByteBuffer.wrap(Frames.pattern(20_000));
    SlidingWindow window = new SlidingWindow(2048);
    for (int round = 0; round < 2; round++) {
      for (int at = 0; at < 20_000; at += step) {
        int end = Math.min(20_000, at + step);
        window.append(bytes, at, end);
        if (step > 50 || at % 97 == 0) {
          assertThat(window.toArray())
              .isEqualTo(Arrays.copyOfRange(bytes.array(), Math.max(0, end - 2048), end));
        }
      }
      window.clear();
      assertThat(window.toArray()).isEmpty();
    }
  }
}
