package dev.windhover.websocket;

import static dev.windhover.websocket.KeepAlive.Action.ABORT;
import static dev.windhover.websocket.KeepAlive.Action.PING;
import static dev.windhover.websocket.KeepAlive.Action.PONG;
import static dev.windhover.websocket.KeepAlive.Action.WAIT;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class KeepAliveTest {
  private static final long START = Long.MAX_VALUE - 50; // time overflows on the way

  @Test
  void anIntervalOfZeroIsOff() {
    assertThat(new KeepAlive(0, 20, START).isOn()).isFalse();
    assertThat(new KeepAlive(1, 0, START).isOn()).isTrue();
  }

  @Test
  void aQuietPeerIsPingedOnceThenCountsAsDead() {
    KeepAlive keepAlive = new KeepAlive(100, 20, START);
    assertThat(keepAlive.delay(START)).isEqualTo(100);
    assertThat(keepAlive.ask(START + 99, true)).isEqualTo(WAIT);
    assertThat(keepAlive.ask(START + 100, true)).isEqualTo(PING);
    assertThat(keepAlive.delay(START + 100)).isEqualTo(20);
    assertThat(keepAlive.ask(START + 119, true)).isEqualTo(WAIT);
    assertThat(keepAlive.ask(START + 120, true)).isEqualTo(ABORT);
  }

  @Test
  void whatComesPutsThePingOff() {
    KeepAlive keepAlive = new KeepAlive(100, 20, START);
    keepAlive.heard(START + 90);
    assertThat(keepAlive.ask(START + 100, true)).isEqualTo(WAIT);
    assertThat(keepAlive.delay(START + 100)).isEqualTo(90);
    assertThat(keepAlive.ask(START + 190, true)).isEqualTo(PING);
  }

  @Test
  void whatComesClearsTheOutstandingPing() {
    KeepAlive keepAlive = new KeepAlive(100, 20, START);
    assertThat(keepAlive.ask(START + 100, true)).isEqualTo(PING);
    keepAlive.heard(START + 119);
    assertThat(keepAlive.ask(START + 200, true)).isEqualTo(WAIT);
    assertThat(keepAlive.ask(START + 219, true)).isEqualTo(PING);
  }

  @Test
  void whileNothingCanBeSeenNobodyIsDead() {
    KeepAlive keepAlive = new KeepAlive(100, 20, START);
    assertThat(keepAlive.ask(START + 100, false)).isEqualTo(PING);
    assertThat(keepAlive.ask(START + 10_000, false)).isEqualTo(WAIT);
    keepAlive.readingAgain(START + 10_000);
    assertThat(keepAlive.ask(START + 10_019, true)).isEqualTo(WAIT);
    assertThat(keepAlive.ask(START + 10_020, true)).isEqualTo(ABORT);
  }

  @Test
  void withoutATimeLimitThereArePongsAtEveryIntervalWhateverComes() {
    KeepAlive keepAlive = new KeepAlive(100, 0, START);
    assertThat(keepAlive.ask(START + 99, true)).isEqualTo(WAIT);
    keepAlive.heard(START + 99);
    assertThat(keepAlive.ask(START + 100, true)).isEqualTo(PONG);
    assertThat(keepAlive.delay(START + 100)).isEqualTo(100);
    assertThat(keepAlive.ask(START + 200, false)).isEqualTo(PONG);
  }

  @Test
  void itIsNeverAskedInNoTime() {
    KeepAlive keepAlive = new KeepAlive(1, 1, START);
    assertThat(keepAlive.ask(START + 1, true)).isEqualTo(PING);
    assertThat(keepAlive.delay(START + 1000)).isPositive();
  }
}
