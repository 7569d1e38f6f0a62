package dev.windhover.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.http.Application;
import dev.windhover.http.Handler;
import dev.windhover.http.host.LoopWatch;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Code that holds a loop is named, and a loop that is only busy is not taken for a held one. */
class HeldLoopTest {
  private static final Duration THRESHOLD = Duration.ofMillis(60);

  private final Faults faults = new Faults();
  private final MemoryLoop loop = new MemoryLoop(new HandClock(), faults);
  private final BlockingQueue<LoopWatch.Held> found = new LinkedBlockingQueue<>();
  private final LoopWatch watch = watch(found);
  private final CountDownLatch gate = new CountDownLatch(1);

  private LoopWatch watch(BlockingQueue<LoopWatch.Held> held) {
    return LoopWatch.start(THRESHOLD, List.of(loop.watched()), TestHost::isHost, held::add);
  }

  @AfterEach
  void stop() {
    gate.countDown();
    loop.awaitIdle();
    loop.stop();
    watch.stop();
    faults.check();
  }

  private static LoopWatch.Held next(BlockingQueue<LoopWatch.Held> held) throws Exception {
    LoopWatch.Held next = held.poll(Waiting.SECONDS, TimeUnit.SECONDS);
    assertThat(next).isNotNull();
    return next;
  }

  private void waitAtTheGate() {
    try {
      gate.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private void computeUntilTheGateOpens() {
    while (gate.getCount() > 0) {
      Thread.onSpinWait();
    }
  }

  /** Uses the processor for that long, however long that takes. */
  private static void compute(Duration time) {
    var threads = ManagementFactory.getThreadMXBean();
    long end = threads.getCurrentThreadCpuTime() + time.toNanos();
    while (threads.getCurrentThreadCpuTime() < end) {
      Thread.onSpinWait();
    }
  }

  @Test
  void whoeverWaitsOnTheLoopIsNamed() throws Exception {
    loop.execute(this::waitAtTheGate);
    LoopWatch.Held held = next(found);
    assertThat(held.place()).isEqualTo(HeldLoopTest.class.getName() + ".waitAtTheGate");
    assertThat(held.where().getStackTrace())
        .extracting(StackTraceElement::getMethodName)
        .contains("await", "waitAtTheGate", "run");
  }

  @Test
  void whoeverComputesOnTheLoopIsNamed() throws Exception {
    loop.execute(this::computeUntilTheGateOpens);
    assertThat(next(found).place())
        .isEqualTo(HeldLoopTest.class.getName() + ".computeUntilTheGateOpens");
  }

  @Test
  void eachPlaceIsNamedOnce() throws Exception {
    BlockingQueue<LoopWatch.Held> again = new LinkedBlockingQueue<>();
    loop.execute(this::waitAtTheGate);
    next(found);
    LoopWatch second = watch(again);
    next(again); // meanwhile the first has seen the same for as long
    second.stop();
    assertThat(found).isEmpty();
  }

  @Test
  void aLoopWithMuchToDoIsNotHeld() {
    for (int i = 0; i < 100; i++) {
      loop.execute(() -> compute(Duration.ofMillis(5)));
    }
    loop.awaitIdle();
    assertThat(found).isEmpty();
  }

  @Test
  void anIdleLoopThatGetsNoProcessorIsNotHeld() throws Exception {
    MemoryLoop idle = new MemoryLoop(new HandClock(), faults);
    LoopWatch.Loop starved = new LoopWatch.Loop(idle.thread(), _ -> {}, () -> 0);
    loop.execute(this::waitAtTheGate);
    BlockingQueue<LoopWatch.Held> held = new LinkedBlockingQueue<>();
    LoopWatch both =
        LoopWatch.start(THRESHOLD, List.of(starved, loop.watched()), TestHost::isHost, held::add);
    assertThat(next(held).place()).endsWith(".waitAtTheGate"); // the idle one was looked at before
    both.stop();
    idle.stop();
  }

  @Test
  void aNonBlockingHandlerThatHoldsTheLoopFailsTheTest() {
    Application application = new Application();
    application.map("/", Handler.nonBlocking(context -> compute(Duration.ofMillis(450))));
    TestHost host = TestHost.start(application);
    assertThat(host.get("/").send().status()).isEqualTo(200);
    assertThatThrownBy(host::close)
        .hasMessage(
            "the loop was held for more than PT0.2S by "
                + HeldLoopTest.class.getName()
                + ".lambda$aNonBlockingHandlerThatHoldsTheLoopFailsTheTest$0");
  }

  @Test
  void aTestMayAllowIt() {
    Application application = new Application();
    application.map("/", Handler.nonBlocking(context -> compute(Duration.ofMillis(450))));
    try (TestHost host = TestHost.start(application)) {
      host.allowHeldLoop();
      assertThat(host.get("/").send().status()).isEqualTo(200);
    }
  }
}
