package dev.windhover.server.exchange;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.server.ServerLimits;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class RateMeterTest {
  private static final ServerLimits.Rate RATE = new ServerLimits.Rate(240, Duration.ofSeconds(5));
  private static final long SECOND = 1_000_000_000;

  @Test
  void peerThatSendsNothingHasItsGrace() {
    RateMeter meter = new RateMeter(RATE, 0);
    assertThat(meter.untilNextLook()).isEqualTo(5 * SECOND);
    assertThat(meter.add(0, 5 * SECOND)).isTrue();
    assertThat(meter.add(0, 1)).isFalse();
  }

  @Test
  void peerAtTheRateStaysForEver() {
    RateMeter meter = new RateMeter(RATE, 0);
    for (int second = 0; second < 100_000; second++) {
      assertThat(meter.add(240, SECOND)).isTrue();
    }
  }

  @Test
  void peerBelowTheRateUsesItsGraceUp() {
    RateMeter meter = new RateMeter(RATE, 0);
    for (int second = 0; second < 50; second++) { // late by a tenth of each
      assertThat(meter.add(216, SECOND)).as("second %d", second).isTrue();
    }
    assertThat(meter.add(0, SECOND)).isFalse();
  }

  @Test
  void havingBeenFastIsNoCredit() {
    RateMeter meter = new RateMeter(RATE, 0);
    assertThat(meter.add(1_000_000_000, SECOND)).isTrue();
    assertThat(meter.add(0, 5 * SECOND + 1)).isFalse();
  }

  @Test
  void lumpLastsAsLongAsItsBytes() {
    RateMeter meter = new RateMeter(RATE, 2_400);
    assertThat(meter.add(1_000_000, SECOND)).isTrue();
    assertThat(meter.add(0, 15 * SECOND)).isTrue();
    assertThat(meter.add(0, 1)).isFalse();
  }

  @Test
  void peerThatIsNearlyTooSlowIsNotLookedAtAllTheTime() {
    RateMeter meter = new RateMeter(RATE, 0);
    assertThat(meter.add(0, 5 * SECOND)).isTrue();
    assertThat(meter.untilNextLook()).isEqualTo(5 * SECOND / 8);
  }

  @Test
  void hugeNumbersDoNotOverflow() {
    RateMeter meter =
        new RateMeter(new ServerLimits.Rate(1, Duration.ofDays(100_000)), Integer.MAX_VALUE);
    assertThat(meter.add(Long.MAX_VALUE, 0)).isTrue();
    assertThat(meter.add(Long.MAX_VALUE, SECOND)).isTrue();
    assertThat(meter.untilNextLook()).isPositive();
  }

  @Test
  void totalsCountByTheirDifferences() {
    RateMeter meter = RateMeter.ofResponse(RATE, 1_000_000, 7 * SECOND);
    for (int second = 1; second <= 1_000; second++) {
      assertThat(meter.isFastEnough(1_000_000 + 240L * second, (7 + second) * SECOND)).isTrue();
    }
    assertThat(meter.isFastEnough(1_240_000, 1_100 * SECOND)).isFalse();
  }

  @Test
  void totalThatShrinksCountsAsNoProgress() {
    RateMeter meter = RateMeter.ofResponse(RATE, 1_000, 0);
    assertThat(meter.isFastEnough(0, SECOND)).isTrue();
    assertThat(meter.isFastEnough(4 * 240, 5 * SECOND)).isTrue();
    assertThat(meter.isFastEnough(4 * 240, 9 * SECOND + 1)).isFalse();
  }
}
