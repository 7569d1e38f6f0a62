package dev.windhover.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.windhover.http.host.MemoryBudget;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class MemoryBudgetTest {
  private static final int KIB = 1024;

  @RegisterExtension final CapturedLog log = new CapturedLog();

  private final MemoryBudget budget = new MemoryBudget(1000 * KIB, 1000 * KIB);
  private final HandLoop loop = new HandLoop();
  private final HandLoop otherLoop = new HandLoop();
  private final List<String> evicted = new ArrayList<>();

  @AfterEach
  void emptyLog() {
    log.take();
  }

  /** Somebody who holds memory. */
  private class Connection implements MemoryBudget.Holder {
    final String name;
    final HandLoop itsLoop;
    final MemoryBudget.Account account;
    long heap;
    long direct;
    long shared;
    long moved;

    Connection(String name) {
      this(name, loop);
    }

    Connection(String name, HandLoop itsLoop) {
      this.name = name;
      this.itsLoop = itsLoop;
      this.account = budget.open(itsLoop, this);
    }

    Connection holds(long kib) {
      heap = kib * KIB;
      itsLoop.run(this::stateMemory);
      return this;
    }

    Connection holdsDirect(long kib) {
      direct = kib * KIB;
      itsLoop.run(this::stateMemory);
      return this;
    }

    Connection holdsToo(long kib) {
      shared = kib * KIB;
      itsLoop.run(this::stateMemory);
      return this;
    }

    void close() {
      itsLoop.run(account::close);
    }

    @Override
    public void stateMemory() {
      account.holds(heap, direct, shared);
    }

    @Override
    public long moved() {
      return moved;
    }

    @Override
    public void evict() {
      evicted.add(name);
    }
  }

  private void pass(Duration time) {
    loop.advance(time);
    otherLoop.advance(time);
  }

  @Test
  void countsInStepsOf4KiB() {
    Connection connection = new Connection("a").holds(1);
    assertThat(budget.used()).isEqualTo(4 * KIB);
    connection.holds(4);
    assertThat(budget.used()).isEqualTo(4 * KIB);
    connection.holds(5);
    assertThat(budget.used()).isEqualTo(8 * KIB);
  }

  @Test
  void nothingThatWasHeldIsLeftAfterTheEnd() {
    Connection one = new Connection("one").holds(50).holdsDirect(20).holds(0);
    Connection other = new Connection("other").holds(300);
    one.close();
    other.close();
    other.close();
    assertThat(budget.used()).isZero();
    assertThat(budget.directUsed()).isZero();
  }

  @Test
  void aLittleIsKeptInReserve() {
    Connection connection = new Connection("a").holds(64).holds(0);
    assertThat(budget.used()).isEqualTo(64 * KIB);
    connection.holds(100).holds(10);
    assertThat(budget.used()).isEqualTo(12 * KIB);
  }

  @Test
  void theReservesAreGivenBackAtTheLimitBeforeAnybodyIsEvicted() {
    for (int i = 0; i < 20; i++) {
      new Connection("idle").holds(60).holds(0);
    }
    assertThat(evicted).isEmpty();
    assertThat(budget.used()).isLessThan(1000 * KIB);
  }

  @Test
  void thoseWhoHoldMostGoUntilAQuarterIsFree() {
    new Connection("small").holds(100);
    new Connection("large").holds(300);
    new Connection("larger").holds(400);
    assertThat(evicted).isEmpty();
    new Connection("last").holds(250);
    assertThat(evicted).containsExactly("larger");
    assertThat(budget.used()).isEqualTo(652 * KIB); // in steps
  }

  @Test
  void whoHoldsLittleIsNotEvicted() {
    for (int i = 0; i < 30; i++) {
      new Connection("bystander").holds(4);
    }
    for (int i = 0; i < 100; i++) {
      new Connection("attacker").holds(100);
    }
    assertThat(evicted).hasSizeGreaterThan(50).containsOnly("attacker");
  }

  @Test
  void whoMovesLeastGoesFirst() {
    Connection busy = new Connection("busy").holds(500);
    Connection stalled = new Connection("stalled").holds(300);
    pass(Duration.ofSeconds(2));
    busy.moved += 10_000_000;
    new Connection("last").holds(220);
    assertThat(stalled.heap).isLessThan(busy.heap);
    assertThat(evicted).containsExactly("stalled");
  }

  @Test
  void whoAskedMayBeTheOneThatGoes() {
    new Connection("small").holds(100);
    Connection last = new Connection("last").holds(950);
    assertThat(evicted).containsExactly("last");
    last.holds(950); // it does not know yet
    assertThat(budget.used()).isEqualTo(100 * KIB);
  }

  @Test
  void directMemoryHasALimitOfItsOwn() {
    new Connection("heap").holds(900);
    new Connection("direct").holdsDirect(900);
    assertThat(evicted).isEmpty();
    new Connection("last").holdsDirect(200);
    assertThat(evicted).containsExactly("direct");
  }

  @Test
  void whatOthersHoldCounts() {
    budget.include(() -> 500 * KIB);
    new Connection("a").holds(300);
    assertThat(evicted).isEmpty();
    new Connection("b").holds(240);
    assertThat(evicted).containsExactly("a");
  }

  /**
   * Several hold the same: it is counted elsewhere, once, and whoever holds the most of it goes.
   */
  @Test
  void whatIsHeldWithOthersDecidesWhoGoes() {
    long[] counted = {900 * KIB};
    budget.include(() -> counted[0]);
    new Connection("own").holds(40);
    new Connection("little").holds(4).holdsToo(200);
    Connection most = new Connection("most").holds(4).holdsToo(900);
    assertThat(evicted).isEmpty();
    counted[0] = 1000 * KIB;
    most.holdsToo(890);
    assertThat(evicted).isEmpty(); // it has become less
    most.holdsToo(1000);
    assertThat(evicted).containsExactly("most");
  }

  @Test
  void theAccountsOfAllLoopsAreLookedAt() {
    new Connection("here").holds(300);
    new Connection("there", otherLoop).holds(600);
    new Connection("last").holds(200);
    assertThat(evicted).containsExactly("there");
  }

  /** A handler that never returns may hold up its loop. */
  @Test
  void aLoopThatDoesNotAnswerDoesNotKeepTheOthersFromIt() {
    new Connection("there", otherLoop).holds(500);
    Connection here = new Connection("here").holds(400);
    otherLoop.run(() -> { // holds it up
      new Connection("first").holds(150);
      assertThat(evicted).isEmpty();
      loop.advance(Duration.ofSeconds(2));
      here.holds(410);
      assertThat(evicted).contains("here");
    });
  }

  @Test
  void whatIsTakenWhileRoomIsMadeIsNoticedASecondLater() {
    Connection next = new Connection("next", otherLoop);
    Connection first =
        new Connection("first") {
          @Override
          public void evict() {
            super.evict();
            next.holds(1010);
          }
        };
    first.holds(1004);
    assertThat(evicted).containsExactly("first");
    loop.advance(Duration.ofSeconds(1));
    assertThat(evicted).containsExactly("first", "next");
  }

  @Test
  void itIsShortUntilRoomIsMade() {
    Connection large = new Connection("large").holds(1000);
    assertThat(budget.isShort()).isFalse();
    loop.run(() -> {
      large.holds(1004);
      assertThat(budget.isShort()).isTrue();
      assertThat(evicted).isEmpty();
    });
    assertThat(evicted).containsExactly("large");
    assertThat(budget.isShort()).isFalse();
  }

  @Test
  void itIsNotShortIfNobodyCanMakeRoom() {
    budget.include(() -> 2000 * KIB);
    Connection small = new Connection("small");
    loop.run(() -> {
      small.holds(1);
      assertThat(budget.isShort()).isTrue();
      small.heap = 0; // which it states when it is asked
    });
    assertThat(evicted).isEmpty();
    assertThat(budget.isShort()).isFalse();
  }

  /** The others read on as usual once their part is done. */
  @Test
  void itIsNotShortBecauseALoopDoesNotAnswer() {
    new Connection("there", otherLoop).holds(500);
    Connection here = new Connection("here").holds(490);
    otherLoop.run(() -> { // holds it up
      here.holds(530);
      assertThat(budget.isShort()).isTrue();
      here.holds(10);
      assertThat(budget.isShort()).isFalse();
    });
  }

  @Test
  void theLogIsToldOnceAMinute() {
    for (int i = 0; i < 50; i++) {
      new Connection("attacker").holds(300);
    }
    assertThat(log.take().lines())
        .hasSize(1)
        .first()
        .asString()
        .contains("memory of 1024000 bytes");
    pass(Duration.ofMinutes(1));
    for (int i = 0; i < 5; i++) {
      new Connection("attacker").holds(300);
    }
    assertThat(log.take().lines()).hasSize(1);
  }

  @Test
  void aBudgetOfNothingIsAMistake() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new MemoryBudget(0, 1))
        .withMessage("memory of 0 bytes, direct memory of 1: must be at least 1");
  }
}
