package dev.windhover.websocket;

import static dev.windhover.websocket.Deadlines.Kind.CLOSING;
import static dev.windhover.websocket.Deadlines.Kind.EFFECT;
import static dev.windhover.websocket.Deadlines.Kind.KEEP_ALIVE;
import static dev.windhover.websocket.Deadlines.Kind.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DeadlinesTest {
  private final HandLoop loop = new HandLoop(Long.MAX_VALUE - 50); // time overflows on the way
  private final List<Deadlines.Kind> passed = new ArrayList<>();
  private final Deadlines deadlines = new Deadlines(loop, passed::add);

  @Test
  void aLimitPassesAtItsTimeAndOnce() {
    deadlines.set(CLOSING, 100);
    loop.advance(99);
    assertThat(passed).isEmpty();
    loop.advance(1);
    assertThat(passed).containsExactly(CLOSING);
    loop.advance(1000);
    assertThat(passed).containsExactly(CLOSING);
  }

  @Test
  void severalLimitsPassInTheirOrder() {
    deadlines.set(KEEP_ALIVE, 300);
    deadlines.set(WRITE, 100);
    deadlines.set(EFFECT, 200);
    loop.advance(300);
    assertThat(passed).containsExactly(WRITE, EFFECT, KEEP_ALIVE);
  }

  @Test
  void aLimitThatMovesAwayNeedsNoNewTimer() {
    for (int i = 0; i < 100; i++) {
      deadlines.set(WRITE, 100);
      loop.advance(1);
    }
    assertThat(passed).isEmpty();
    assertThat(loop.scheduled()).isLessThanOrEqualTo(2);
    loop.advance(99);
    assertThat(passed).containsExactly(WRITE);
  }

  @Test
  void aNearerLimitIsNotLate() {
    deadlines.set(KEEP_ALIVE, 1000);
    deadlines.set(CLOSING, 10);
    assertThat(loop.waiting()).as("one timer at a time").isEqualTo(1);
    loop.advance(10);
    assertThat(passed).containsExactly(CLOSING);
    loop.advance(990);
    assertThat(passed).containsExactly(CLOSING, KEEP_ALIVE);
  }

  @Test
  void aLimitThatIsClearedDoesNotPass() {
    deadlines.set(CLOSING, 10);
    assertThat(deadlines.isSet(CLOSING)).isTrue();
    deadlines.clear(CLOSING);
    assertThat(deadlines.isSet(CLOSING)).isFalse();
    loop.advance(100);
    assertThat(passed).isEmpty();
  }

  @Test
  void afterStopNothingPassesAndNoTimerIsLeft() {
    deadlines.set(CLOSING, 10);
    deadlines.set(WRITE, 20);
    deadlines.stop();
    assertThat(loop.waiting()).isZero();
    assertThat(deadlines.isSet(WRITE)).isFalse();
    loop.advance(100);
    assertThat(passed).isEmpty();
  }

  @Test
  void itSaysWhenItIsNotNeededAnyMore() {
    var ends = new ArrayList<Long>();
    var telling =
        new Deadlines(
            loop,
            new Deadlines.Listener() {
              @Override
              public void passed(Deadlines.Kind kind) {
                passed.add(kind);
              }

              @Override
              public void nonePending() {
                ends.add(loop.nanoTime());
              }
            });
    long start = loop.nanoTime();
    telling.set(CLOSING, 10);
    telling.set(KEEP_ALIVE, 20);
    telling.set(WRITE, 30);
    telling.clear(WRITE);
    loop.advance(100);
    assertThat(passed).containsExactly(CLOSING, KEEP_ALIVE);
    assertThat(ends).containsExactly(start + 20);
    telling.set(WRITE, 10);
    telling.clear(WRITE);
    loop.advance(10);
    assertThat(ends).containsExactly(start + 20, start + 110);
  }

  @Test
  void aLimitOfForeverNeverPasses() {
    deadlines.set(CLOSING, Long.MAX_VALUE);
    deadlines.set(WRITE, 10);
    loop.advance(1_000_000_000_000L);
    assertThat(passed).containsExactly(WRITE);
  }
}
