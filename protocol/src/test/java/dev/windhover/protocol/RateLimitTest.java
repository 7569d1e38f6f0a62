package dev.windhover.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RateLimitTest {
  private static final long SECOND = 1_000_000_000L;

  /** The clock's time after {@code nanos} from the start; it overflows on the way. */
  private static long at(long nanos) {
    return Long.MAX_VALUE - SECOND / 2 + nanos;
  }

  /** Returns how many of the events that come at once at {@code now} are within the limit. */
  private static int allowed(RateLimit limit, long now) {
    int count = 0;
    while (limit.allows(now)) {
      count++;
    }
    return count;
  }

  @Test
  void aBurstIsAllowedAtOnceAndNoMore() {
    RateLimit limit = new RateLimit(20, 100, at(0));
    assertThat(allowed(limit, at(0))).isEqualTo(100);
    assertThat(allowed(limit, at(1))).isZero();
  }

  @Test
  void eachSecondAfterItAllowsTheRate() {
    RateLimit limit = new RateLimit(20, 100, at(0));
    allowed(limit, at(0));
    assertThat(allowed(limit, at(SECOND))).isEqualTo(20); // the clock has overflowed
    assertThat(allowed(limit, at(2 * SECOND))).isEqualTo(20);
    assertThat(limit.allows(at(2 * SECOND + SECOND / 20 - 1))).isFalse();
    assertThat(limit.allows(at(2 * SECOND + SECOND / 20))).isTrue();
  }

  @Test
  void partsOfASecondAddUpWithoutLoss() {
    RateLimit limit = new RateLimit(3, 3, at(0));
    allowed(limit, at(0));
    int count = 0;
    for (int i = 1; i <= 1_000; i++) {
      count += allowed(limit, at(i * (SECOND / 1_000)));
    }
    assertThat(count).isEqualTo(3);
  }

  @Test
  void aQuietTimeHoweverLongSavesUpOneBurst() {
    RateLimit limit = new RateLimit(20, 100, at(0));
    allowed(limit, at(0));
    assertThat(allowed(limit, at(4 * SECOND))).isEqualTo(80);
    assertThat(allowed(limit, at(9 * SECOND))).isEqualTo(100);
    assertThat(allowed(limit, at(Long.MAX_VALUE))).isEqualTo(100);
  }

  @Test
  void theBurstIsWholeEvenIfTheRateDoesNotDivideIt() {
    RateLimit limit = new RateLimit(3, 100, at(0));
    allowed(limit, at(0));
    assertThat(allowed(limit, at(3_600 * SECOND))).isEqualTo(100);
  }

  @Test
  void theLargestLimitIsNone() {
    RateLimit limit = new RateLimit(Integer.MAX_VALUE, Integer.MAX_VALUE, at(0));
    for (int i = 0; i < 1_000; i++) {
      assertThat(limit.allows(at(i % 2))).isTrue();
    }
  }
}
