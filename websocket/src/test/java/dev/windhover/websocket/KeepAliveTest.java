package dev.windhover.websocket;

import static dev.windhover.websocket.KeepAlive.Action.ABORT;
import static dev.windhover.websocket.KeepAlive.Action.PING;
import static dev.windhover.websocket.KeepAlive.Action.PONG;
import static dev.windhover.websocket.KeepAlive.Action.WAIT;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class KeepAliveTest {
  /** The clock's time after {@code nanos} from the start; it overflows on the way. */
  private static long at(long nanos) {
    return Long.MAX_VALUE - 50 + nanos;
  }

  @Test
  void anIntervalOfZeroIsOff() {
    assertThat(new KeepAlive(0, 20, at(0)).isOn()).isFalse();
    assertThat(new KeepAlive(1, 0, at(0)).isOn()).isTrue();
  }

  @Test
  void aQuietPeerIsPingedOnceThenCountsAsDead() {
    KeepAlive keepAlive = new KeepAlive(100, 20, at(0));
    assertThat(keepAlive.delay(at(0))).isEqualTo(100);
    assertThat(keepAlive.ask(at(99), true)).isEqualTo(WAIT);
    assertThat(keepAlive.ask(at(100), true)).isEqualTo(PING);
    assertThat(keepAlive.delay(at(100))).isEqualTo(20);
    assertThat(keepAlive.ask(at(119), true)).isEqualTo(WAIT);
    assertThat(keepAlive.ask(at(120), true)).isEqualTo(ABORT);
  }

  @Test
  void whatComesPutsThePingOff() {
    KeepAlive keepAlive = new KeepAlive(100, 20, at(0));
    keepAlive.heard(at(90));
    assertThat(keepAlive.ask(at(100), true)).isEqualTo(WAIT);
    assertThat(keepAlive.delay(at(100))).isEqualTo(90);
    assertThat(keepAlive.ask(at(190), true)).isEqualTo(PING);
  }

  @Test
  void whatComesClearsTheOutstandingPing() {
    KeepAlive keepAlive = new KeepAlive(100, 20, at(0));
    assertThat(keepAlive.ask(at(100), true)).isEqualTo(PING);
    keepAlive.heard(at(119));
    assertThat(keepAlive.ask(at(200), true)).isEqualTo(WAIT);
    assertThat(keepAlive.ask(at(219), true)).isEqualTo(PING);
  }

  @Test
  void whileNothingCanBeSeenNobodyIsDead() {
    KeepAlive keepAlive = new KeepAlive(100, 20, at(0));
    assertThat(keepAlive.ask(at(100), false)).isEqualTo(PING);
    assertThat(keepAlive.ask(at(10_000), false)).isEqualTo(WAIT);
    keepAlive.readingAgain(at(10_000));
    assertThat(keepAlive.ask(at(10_019), true)).isEqualTo(WAIT);
    assertThat(keepAlive.ask(at(10_020), true)).isEqualTo(ABORT);
  }

  @Test
  void withoutATimeLimitThereArePongsAtEveryIntervalWhateverComes() {
    KeepAlive keepAlive = new KeepAlive(100, 0, at(0));
    assertThat(keepAlive.ask(at(99), true)).isEqualTo(WAIT);
    keepAlive.heard(at(99));
    assertThat(keepAlive.ask(at(100), true)).isEqualTo(PONG);
    assertThat(keepAlive.delay(at(100))).isEqualTo(100);
    assertThat(keepAlive.ask(at(200), false)).isEqualTo(PONG);
  }

  @Test
  void itIsNeverAskedInNoTime() {
    KeepAlive keepAlive = new KeepAlive(1, 1, at(0));
    assertThat(keepAlive.ask(at(1), true)).isEqualTo(PING);
    assertThat(keepAlive.delay(at(1000))).isPositive();
  }
}
