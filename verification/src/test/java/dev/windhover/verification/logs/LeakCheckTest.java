package dev.windhover.verification.logs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBufAllocator;
import io.netty.util.ResourceLeakDetector;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The check that guards all other tests of this module can itself fail. */
@ExtendWith(StrictLogs.class)
class LeakCheckTest {
  @Test
  void detectorWatchesEveryBuffer() {
    assertThat(ResourceLeakDetector.getLevel()).isEqualTo(ResourceLeakDetector.Level.PARANOID);
  }

  @Test
  void bufferThatIsNotReleasedFailsTheCheck() {
    leak();

    assertThatThrownBy(LeakCheck::requireNone)
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("LEAK");
  }

  @Test
  void releasedBufferPassesTheCheck() throws InterruptedException {
    ByteBufAllocator.DEFAULT.directBuffer(16).release();

    LeakCheck.requireNone();
  }

  private static void leak() {
    ByteBufAllocator.DEFAULT.directBuffer(16).writeLong(42);
  }
}
