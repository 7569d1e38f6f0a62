package dev.windhover.websocket;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.host.Loop;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class ParkedThreadsTest {
  private final ParkedThreads threads = new ParkedThreads(new NoLoop());

  private static FutureTask<Boolean> start(Waiting waiting) {
    var task =
        new FutureTask<>(() -> {
          waiting.await();
          return true;
        });
    Thread.ofVirtual().start(task);
    return task;
  }

  @FunctionalInterface
  private interface Waiting {
    void await() throws InterruptedException;
  }

  private static void expectDone(FutureTask<Boolean> task) throws Exception {
    assertThat(task.get(10, TimeUnit.SECONDS)).isTrue();
  }

  /** As a loop's {@code execute} may park, on the lock of its queue. */
  @Test
  void aWakeUpIsNotLostIfTheQuestionItselfParks() throws Exception {
    var isMet = new AtomicBoolean();
    var asked = new CountDownLatch(1);
    var goesOn = new CountDownLatch(1);
    var waiting =
        start(() ->
            threads.await(() -> {
              boolean answer = isMet.get();
              asked.countDown();
              parkUntil(goesOn);
              return answer;
            }));
    asked.await();
    isMet.set(true);
    threads.wakeAll(); // while it is parked in the question, which uses that up
    goesOn.countDown();
    expectDone(waiting);
  }

  private static void parkUntil(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void theFirstKeepsItsTurnUntilItLeaves() throws Exception {
    var firstHasTurn = new CountDownLatch(1);
    var firstLeaves = new CountDownLatch(1);
    List<String> order = new ArrayList<>(); // guarded by their turns
    var first =
        start(() -> {
          threads.awaitInTurn(() -> true);
          firstHasTurn.countDown();
          firstLeaves.await();
          order.add("first");
          threads.leave();
        });
    firstHasTurn.await();
    var second =
        start(() -> {
          threads.awaitInTurn(() -> true);
          order.add("second");
          threads.leave();
        });
    threads.leave(); // of a thread that has no turn: nobody's ends
    firstLeaves.countDown();
    expectDone(first);
    expectDone(second);
    assertThat(order).containsExactly("first", "second");
    assertThat(threads.isEmpty()).isTrue();
  }

  /** Only wakes threads. */
  private static final class NoLoop implements Loop {
    @Override
    public void execute(Runnable task) {
      throw new UnsupportedOperationException();
    }

    @Override
    public boolean inLoop() {
      return false;
    }

    @Override
    public long nanoTime() {
      throw new UnsupportedOperationException();
    }

    @Override
    public Instant now() {
      throw new UnsupportedOperationException();
    }

    @Override
    public Timer schedule(Duration delay, Runnable task) {
      throw new UnsupportedOperationException();
    }
  }
}
