package dev.windhover.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.http.Application;
import dev.windhover.http.Events;
import dev.windhover.http.websocket.Group;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.websocket.WebSocketOptions;
import dev.windhover.websocket.WebSockets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.event.Level;

/** What an application does by itself: at its start, from time to time, and at its stop. */
class OwnTasksTest {
  private static final Duration SECOND = Duration.ofSeconds(1);

  private final Application application =
      new Application().use(new WebSockets(new WebSocketOptions().allowedOrigins("*")));
  private final List<String> run = new CopyOnWriteArrayList<>();

  @Nested
  class Every {
    @Test
    void runsByTheClockFromOnePeriodAfterTheStart() {
      List<Instant> times = new CopyOnWriteArrayList<>();
      application.every(SECOND, () -> times.add(application.now()));
      try (TestHost host = TestHost.start(application)) {
        Instant start = application.now();
        host.clock().advance(SECOND.minusNanos(1));
        assertThat(times).isEmpty();
        host.clock().advance(Duration.ofNanos(1));
        host.clock().advance(Duration.ofSeconds(2));
        assertThat(times)
            .containsExactly(start.plusSeconds(1), start.plusSeconds(2), start.plusSeconds(3));
      }
    }

    @Test
    void sendsToSocketsWithoutASleep() {
      Set<WebSocket> sockets = ConcurrentHashMap.newKeySet();
      AtomicInteger ticks = new AtomicInteger();
      application.every(
          Duration.ofMillis(50),
          () -> {
            int tick = ticks.incrementAndGet();
            for (WebSocket socket : sockets) {
              socket.sendText("tick " + tick);
            }
          });
      application.mapWebSocket(
          "/",
          socket -> {
            sockets.add(socket);
            socket.receiveMessage();
          });
      try (TestHost host = TestHost.start(application)) {
        TestWebSocket client = host.webSocket("/").connect();
        host.awaitIdle();
        host.clock().advance(Duration.ofMillis(100));
        client.expectText("tick 1").expectText("tick 2").expectNothing();
        client.close();
      }
    }

    @Test
    void aRunThatThrowsIsReportedAndTheNextOneComes() {
      AtomicInteger ticks = new AtomicInteger();
      application.every(
          SECOND,
          () -> {
            if (ticks.incrementAndGet() == 1) {
              throw new IllegalStateException("no luck");
            }
          });
      try (TestHost host = TestHost.start(application)) {
        host.clock().advance(Duration.ofSeconds(3));
        assertThat(ticks).hasValue(3);
        assertThat(host.expectFailure()).hasMessage("no luck");
        assertThat(logged(Level.ERROR)).containsExactly("a task failed (every PT1S)");
      }
    }

    @Test
    void aSlowRunIsFollowedByOneThatIsDueNotByThoseThatWereMissed() {
      CountDownLatch slow = new CountDownLatch(1);
      List<Duration> times = new CopyOnWriteArrayList<>();
      Instant[] start = new Instant[1];
      application.every(
          SECOND,
          () -> {
            times.add(Duration.between(start[0], application.now()));
            await(slow);
          });
      try (TestHost host = TestHost.start(application)) {
        start[0] = application.now();
        host.clock().advance(Duration.ofMillis(4500)); // the first one takes that long
        assertThat(times).containsExactly(SECOND);
        slow.countDown();
        host.awaitIdle();
        host.clock().advance(Duration.ofMillis(499));
        assertThat(times).hasSize(1);
        host.clock().advance(Duration.ofMillis(1501));
        assertThat(times).containsExactly(SECOND, Duration.ofSeconds(5), Duration.ofSeconds(6));
      }
    }

    @Test
    void mayBlockOnAVirtualThreadOfItsOwn() {
      application.every(SECOND, () -> run.add("virtual " + Thread.currentThread().isVirtual()));
      try (TestHost host = TestHost.start(application)) {
        host.clock().advance(SECOND);
        assertThat(run).containsExactly("virtual true");
      }
    }

    @Test
    void endsAtTheStop() {
      application.every(SECOND, () -> run.add("tick"));
      application.onStopping(() -> run.add("last"));
      try (TestHost host = TestHost.start(application)) {
        host.clock().advance(SECOND);
        host.stop();
        host.clock().advance(Duration.ofSeconds(5));
        assertThat(run).containsExactly("tick", "last");
      }
    }

    @Test
    void aRunThatIsGoingOnEndsBeforeTheTasksOfTheStop() {
      CountDownLatch slow = new CountDownLatch(1);
      application.every(
          SECOND,
          () -> {
            await(slow);
            run.add("tick");
          });
      application.onStopping(() -> run.add("last"));
      try (TestHost host = TestHost.start(application)) {
        host.clock().advance(SECOND);
        host.stop();
        assertThat(run).isEmpty();
        slow.countDown();
        host.awaitIdle();
        assertThat(run).containsExactly("tick", "last");
      }
    }

    @Test
    void aRunMayBeginTheStop() {
      application.every(
          SECOND,
          () -> {
            CompletableFuture<Void> _ = application.beginStop();
            run.add("tick");
          });
      application.onStopping(() -> run.add("last"));
      try (TestHost host = TestHost.start(application)) {
        host.clock().advance(Duration.ofSeconds(3));
        assertThat(run).containsExactly("tick", "last");
      }
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1})
    void aPeriodIsPositive(long nanos) {
      Duration period = Duration.ofNanos(nanos);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> application.every(period, () -> {}))
          .withMessage("period " + period + " is not positive");
    }
  }

  @Nested
  class OnStarted {
    @Test
    void tasksRunInOrderOnTheThreadThatStarts() {
      Thread test = Thread.currentThread();
      application.onStarted(() -> run.add("one " + Thread.currentThread().equals(test)));
      application.onStarted(() -> run.add("two"));
      try (TestHost host = TestHost.start(application)) {
        assertThat(run).containsExactly("one true", "two");
        assertThatIllegalStateException()
            .isThrownBy(() -> host.application().onStarted(() -> {}))
            .withMessage("the application is already built");
      }
    }

    @Test
    void oneThatThrowsStopsTheApplication() {
      application.every(SECOND, () -> run.add("tick"));
      application.onStarted(() -> {
        throw new IllegalArgumentException("on purpose");
      });
      assertThatThrownBy(() -> TestHost.start(application)).hasMessage("on purpose");
      assertThat(application.stopping()).isCompleted();
      assertThat(run).isEmpty();
    }
  }

  @Nested
  class Now {
    @Test
    void isTheHostsTimeSoThereIsNoneBeforeTheStart() {
      assertThatIllegalStateException()
          .isThrownBy(application::now)
          .withMessage("the application has no host before its start");
      application.onStarted(() -> run.add(application.now().toString()));
      try (TestHost host = TestHost.start(application)) {
        assertThat(run).containsExactly(host.clock().now().toString());
        host.clock().advance(SECOND);
        assertThat(application.now()).isEqualTo(host.clock().now());
      }
    }
  }

  @Nested
  class OnStopping {
    @Test
    void lastMessagesArriveBeforeTheClose() {
      List<WebSocket> sockets = new ArrayList<>();
      application.onStopping(() -> sockets.getFirst().sendText("bye"));
      application.mapWebSocket(
          "/",
          socket -> {
            sockets.add(socket);
            socket.receiveMessage();
          });
      try (TestHost host = TestHost.start(application)) {
        TestWebSocket client = host.webSocket("/").connect();
        host.awaitIdle();
        host.stop();
        client.expectText("bye").expectClose(1001, "the server is stopping");
      }
    }

    @Test
    void lastMessagesToAGroupArriveBeforeTheClose() {
      Group group = new Group();
      application.onStopping(() -> group.sendText("bye"));
      application.mapWebSocket(
          "/",
          socket -> {
            group.join(socket);
            socket.receiveMessage();
          });
      try (TestHost host = TestHost.start(application)) {
        TestWebSocket one = host.webSocket("/").connect();
        TestWebSocket two = host.webSocket("/").connect();
        host.awaitIdle();
        host.stop();
        one.expectText("bye").expectClose(1001, "the server is stopping");
        two.expectText("bye").expectClose(1001, "the server is stopping");
      }
    }

    @Test
    void aFailureIsReportedAndKeepsNeitherTasksNorSocketsFromTheirEnd() {
      application.onStopping(() -> {
        throw new IllegalStateException("no luck");
      });
      application.onStopping(() -> run.add("two"));
      application.mapWebSocket("/", socket -> socket.receiveMessage());
      try (TestHost host = TestHost.start(application)) {
        TestWebSocket client = host.webSocket("/").connect();
        host.stop();
        client.expectClose(1001, "the server is stopping");
        assertThat(run).containsExactly("two");
        assertThat(host.expectFailure()).hasMessage("no luck");
        assertThat(logged(Level.ERROR)).containsExactly("a task failed (onStopping)");
      }
    }

    @Test
    void aTaskThatHangsHoldsTheSocketsForFiveSeconds() {
      CountDownLatch hang = new CountDownLatch(1);
      application.onStopping(() -> await(hang));
      application.mapWebSocket("/", socket -> socket.receiveMessage());
      try (TestHost host = TestHost.start(application)) {
        TestWebSocket client = host.webSocket("/").connect();
        CompletableFuture<Void> stopped = application.beginStop();
        host.clock().advance(Duration.ofSeconds(5).minusNanos(1));
        client.expectNothing();
        host.clock().advance(Duration.ofNanos(1));
        client.expectClose(1001, "the server is stopping");
        assertThat(logged(Level.WARN))
            .containsExactly("the last tasks did not end within PT5S: sockets are closed now");
        assertThat(stopped).isNotDone();
        hang.countDown();
        assertThat(stopped).succeedsWithin(Duration.ofSeconds(10));
      }
    }

    @Test
    void aSecondStopWaitsForTheTasksOfTheFirst() {
      CountDownLatch hang = new CountDownLatch(1);
      application.onStopping(() -> {
        await(hang);
        run.add("last");
      });
      application.mapWebSocket("/", socket -> socket.receiveMessage());
      try (TestHost host = TestHost.start(application)) {
        TestWebSocket client = host.webSocket("/").connect();
        CompletableFuture<Void> first = application.beginStop();
        CompletableFuture<Void> second = application.beginStop();
        client.expectNothing();
        assertThat(first).isNotDone();
        assertThat(second).isNotDone();
        hang.countDown();
        client.expectClose(1001, "the server is stopping");
        assertThat(first).succeedsWithin(Duration.ofSeconds(10));
        assertThat(second).succeedsWithin(Duration.ofSeconds(10));
        assertThat(run).containsExactly("last");
      }
    }

    @Test
    void comesTooLateAfterTheStopHasBegun() {
      try (TestHost host = TestHost.start(application)) {
        host.stop();
        assertThatIllegalStateException()
            .isThrownBy(() -> application.onStopping(() -> {}))
            .withMessage("the application is already stopping");
      }
    }

    @Test
    void eventsHearWhatFailed() {
      application.events(
          new Events() {
            @Override
            public void taskFailed(Throwable failure) {
              run.add(String.valueOf(failure.getMessage()));
            }
          });
      application.onStopping(() -> {
        throw new IllegalStateException("no luck");
      });
      try (TestHost host = TestHost.start(application)) {
        host.allowFailures();
        host.stop();
        assertThat(run).containsExactly("no luck");
      }
    }
  }

  @BeforeEach
  void clearLog() {
    CapturedLog.clear();
  }

  private static List<String> logged(Level level) {
    return CapturedLog.lines(level).stream().map(CapturedLog.Line::text).toList();
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
