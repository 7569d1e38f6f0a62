package dev.windhover.protocol;

import static dev.windhover.protocol.KeepAlive.Action.ABORT;
import static dev.windhover.protocol.KeepAlive.Action.PING;
import static dev.windhover.protocol.KeepAlive.Action.WAIT;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Its numbers; what sockets make of it is tested with them, in {@code testing}. */
class KeepAliveTest {
  /** The clock's time after {@code nanos} from the start; it overflows on the way. */
  private static long at(long nanos) {
    return Long.MAX_VALUE - 50 + nanos;
  }

  private static Conversation.Terms terms(long interval, long timeout) {
    return new Conversation.Terms(interval, timeout, 0, 0, 0, 0);
  }

  @Test
  void aQuietPeerIsPingedOnceThenCountsAsDead() {
    KeepAlive keepAlive = new KeepAlive(terms(100, 20), at(0));
    assertThat(keepAlive.delay(at(0))).isEqualTo(100);
    assertThat(keepAlive.ask(at(99), true, true)).isEqualTo(WAIT);
    assertThat(keepAlive.ask(at(100), true, true)).isEqualTo(PING);
    assertThat(keepAlive.delay(at(100))).isEqualTo(20);
    assertThat(keepAlive.ask(at(119), true, true)).isEqualTo(WAIT);
    assertThat(keepAlive.ask(at(120), true, true)).isEqualTo(ABORT);
  }

  @Test
  void anAnsweredPingIsFollowedByTheNextAfterAnIntervalHoweverLongTheLimit() {
    KeepAlive keepAlive = new KeepAlive(terms(100, 1_000), at(0));
    assertThat(keepAlive.ask(at(100), true, true)).isEqualTo(PING);
    assertThat(keepAlive.delay(at(100))).isEqualTo(100);
    keepAlive.heard(at(101));
    assertThat(keepAlive.ask(at(200), true, true)).isEqualTo(WAIT);
    assertThat(keepAlive.delay(at(200))).isEqualTo(1);
    assertThat(keepAlive.ask(at(201), true, true)).isEqualTo(PING);
    assertThat(keepAlive.ask(at(301), true, true)).isEqualTo(WAIT);
    assertThat(keepAlive.delay(at(1_150))).isEqualTo(51); // this one is not answered
    assertThat(keepAlive.ask(at(1_201), true, true)).isEqualTo(ABORT);
  }

  /** It may be queued after megabytes, which a slow peer takes for minutes. */
  @Test
  void aPingIsAskedWhenItHasArrived() {
    KeepAlive keepAlive = new KeepAlive(terms(100, 20), at(0));
    assertThat(keepAlive.ask(at(100), true, false)).isEqualTo(PING);
    keepAlive.pingWaits();
    for (int time = 105; time < 1_000; time += 5) {
      assertThat(keepAlive.delay(at(time))).isEqualTo(5);
      assertThat(keepAlive.ask(at(time), true, false)).isEqualTo(WAIT);
    }
    assertThat(keepAlive.ask(at(1_000), true, true)).isEqualTo(WAIT);
    assertThat(keepAlive.ask(at(1_019), true, true)).isEqualTo(WAIT);
    assertThat(keepAlive.ask(at(1_020), true, true)).isEqualTo(ABORT);
  }

  @Test
  void bytesThatThePeerAcknowledgesAreASignOfLifeButNoAnswer() {
    KeepAlive keepAlive = new KeepAlive(terms(100, 20), at(0));
    keepAlive.acknowledged(1_000, at(50));
    assertThat(keepAlive.ask(at(100), true, true)).isEqualTo(PING); // it puts no Ping off
    keepAlive.acknowledged(1_010, at(100));
    keepAlive.acknowledged(1_010, at(110));
    keepAlive.acknowledged(1_011, at(119));
    assertThat(keepAlive.ask(at(120), true, true)).isEqualTo(WAIT);
    keepAlive.acknowledged(1_011, at(130));
    assertThat(keepAlive.ask(at(138), true, true)).isEqualTo(WAIT);
    assertThat(keepAlive.ask(at(139), true, true)).isEqualTo(ABORT);
  }

  @Test
  void itIsNeverAskedInNoTime() {
    KeepAlive keepAlive = new KeepAlive(terms(1, 1), at(0));
    assertThat(keepAlive.ask(at(1), true, true)).isEqualTo(PING);
    assertThat(keepAlive.delay(at(1000))).isPositive();
  }
}
