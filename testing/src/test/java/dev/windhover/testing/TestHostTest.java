package dev.windhover.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import dev.windhover.http.Application;
import dev.windhover.http.Events;
import dev.windhover.http.Handler;
import dev.windhover.http.Headers;
import dev.windhover.http.HttpContext;
import dev.windhover.http.host.Duplex;
import dev.windhover.http.host.HostContext;
import dev.windhover.http.host.Loop;
import dev.windhover.http.host.Takeover;
import dev.windhover.http.websocket.Message;
import dev.windhover.websocket.WebSocketOptions;
import dev.windhover.websocket.WebSockets;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The host in memory itself: requests, time, and the faults that it finds. */
class TestHostTest {
  private static TestHost hostOf(Handler handler) {
    Application application = new Application();
    application.use(new WebSockets(new WebSocketOptions().allowedOrigins("*")));
    application.map("/", handler);
    return TestHost.start(application);
  }

  @Nested
  class Requests {
    @Test
    void areAnsweredWithStatusHeadersAndBody() {
      try (TestHost host =
          hostOf(context -> {
            String body = new String(context.request().body().readAllBytes(), UTF_8);
            context.response().status(201).headers().add("X-Method", context.request().method());
            context.response().write(body + context.request().query().get("q"));
          })) {
        TestResponse response = host.request("PUT", "/?q=1").body("hello").send();
        assertThat(response.status()).isEqualTo(201);
        assertThat(response.headers().get("X-Method")).isEqualTo("PUT");
        assertThat(response.headers().get("Content-Length")).isEqualTo("6");
        assertThat(response.text()).isEqualTo("hello1");
        assertThat(host.get("/nowhere").send().status()).isEqualTo(404);
      }
    }

    @Test
    void haveOneCookieHoweverManyLinesItHas() {
      try (TestHost host =
          hostOf(context ->
              context
                  .response()
                  .write(String.join("|", context.request().headers().all("Cookie"))))) {
        TestResponse response = host.get("/").add("Cookie", "a=1").add("cookie", "b=2; c=3").send();
        assertThat(response.text()).isEqualTo("a=1; b=2; c=3");
      }
    }
  }

  private static final java.nio.charset.Charset UTF_8 = java.nio.charset.StandardCharsets.UTF_8;

  @Nested
  class Time {
    @Test
    void standsStillAndRunsWhatIsDueInOrder() {
      List<String> run = new ArrayList<>(); // on the loop; read while it is idle
      CompletableFuture<Void> ready = new CompletableFuture<>();
      try (TestHost host =
          hostOf(context -> {
            Loop loop = loopOf(context);
            long start = loop.nanoTime();
            for (int seconds : new int[] {3, 1, 2}) {
              loop.schedule(
                  Duration.ofSeconds(seconds),
                  () -> run.add(seconds + " at " + (loop.nanoTime() - start)));
            }
            loop.schedule(
                Duration.ofSeconds(1),
                () -> loop.schedule(Duration.ofSeconds(1), () -> run.add("chained")));
            loop.schedule(Duration.ofSeconds(2), () -> run.add("never")).cancel();
            ready.complete(null);
          })) {
        host.webSocket("/").send();
        ready.join();
        assertThat(run).isEmpty();
        host.clock().advance(Duration.ofSeconds(3).minusNanos(1));
        assertThat(run).containsExactly("1 at 1000000000", "2 at 2000000000", "chained");
        host.clock().advance(Duration.ofNanos(1));
        assertThat(run).last().isEqualTo("3 at 3000000000");
        assertThatThrownBy(() -> host.clock().advance(Duration.ofNanos(-1)))
            .isInstanceOf(IllegalArgumentException.class);
      }
    }

    private Loop loopOf(HttpContext context) {
      CompletableFuture<Loop> loop = new CompletableFuture<>();
      accept(
          context,
          new Receiver() {
            @Override
            public void onOpen(Duplex duplex) {
              super.onOpen(duplex);
              loop.complete(duplex.loop());
            }
          });
      return loop.join();
    }
  }

  @Nested
  class Sockets {
    @Test
    void whatNobodyLookedAtFailsTheTest() {
      TestHost host =
          hostOf(context -> {
            var socket = context.webSockets().accept();
            socket.sendText("unexpected");
            for (Message message : socket) {
              socket.send(message);
            }
          });
      TestFrames client = host.webSocket("/").connect().frames();
      assertThatThrownBy(client::expectEnd)
          .isInstanceOf(AssertionError.class)
          .hasMessageContaining("\"unexpected\" [10 bytes]");
      assertThatThrownBy(client::receiveClose)
          .isInstanceOf(AssertionError.class)
          .hasMessageStartingWith("expected a Close, got TEXT \"unexpected\" [10 bytes]");
      client.sendText("echo");
      client.sendPing("x");
      host.awaitIdle();
      assertThatThrownBy(host::close)
          .isInstanceOf(AssertionError.class)
          .hasMessageStartingWith("left over: [");
    }

    @Test
    void anEndThatNobodyLookedAtFailsTheTest() throws Exception {
      CompletableFuture<Void> aborted = new CompletableFuture<>();
      TestHost host =
          hostOf(context -> {
            context.webSockets().accept().abort();
            aborted.complete(null);
          });
      host.webSocket("/").connect().frames();
      aborted.get();
      assertThatThrownBy(host::close)
          .isInstanceOf(AssertionError.class)
          .hasMessage("left over: a connection that was dropped by the server");
    }

    @Test
    void aRefusedHandshakeIsNoSocket() {
      try (TestHost host = hostOf(context -> context.response().status(401))) {
        assertThatThrownBy(() -> host.webSocket("/").connect())
            .isInstanceOf(AssertionError.class)
            .hasMessageStartingWith("handshake refused with 401");
      }
    }

    @Test
    void norIsOneWithASubprotocolThatWasNotOffered() {
      Headers headers = new Headers().add("Sec-WebSocket-Protocol", "other");
      try (TestHost host = hostOf(context -> accept(context, 200, headers, new Receiver()))) {
        assertThatThrownBy(() -> host.webSocket("/").http2().subprotocols("chat").connect())
            .isInstanceOf(AssertionError.class)
            .hasMessage("the server chose a subprotocol that was not offered: other");
      }
    }
  }

  @Nested
  class Failures {
    private final IllegalStateException failure = new IllegalStateException("no luck");

    private TestHost failing() {
      return hostOf(context -> {
        throw failure;
      });
    }

    @Test
    void ofAHandlerFailTheTest() {
      TestHost host = failing();
      assertThat(host.get("/").send().status()).isEqualTo(500);
      assertThatThrownBy(host::close)
          .isInstanceOf(AssertionError.class)
          .hasMessage("a handler failed: java.lang.IllegalStateException: no luck")
          .satisfies(all -> assertThat(all.getSuppressed()[0]).hasCause(failure));
    }

    @Test
    void thatAreExpectedDoNot() {
      try (TestHost host = failing()) {
        host.get("/").send();
        assertThat(host.expectFailure()).isSameAs(failure);
      }
    }

    @Test
    void mayBeAllowed() {
      try (TestHost host = failing()) {
        host.allowFailures();
        host.get("/").send();
      }
    }

    @Test
    void areNamedWhereAHandshakeIsRefused() {
      try (TestHost host = failing()) {
        assertThatThrownBy(() -> host.webSocket("/").connect())
            .hasMessageStartingWith("handshake refused with 500")
            .hasCause(failure);
        host.expectFailure();
      }
    }

    @Test
    void areToldToTheApplicationsOwnEventsToo() {
      List<Throwable> told = new ArrayList<>();
      Application application = new Application();
      application.events(
          new Events() {
            @Override
            public void handlerFailed(HttpContext context, Throwable failure) {
              told.add(failure);
            }
          });
      application.map(
          "/",
          context -> {
            throw failure;
          });
      try (TestHost host = TestHost.start(application)) {
        host.get("/").send();
        host.expectFailure();
      }
      assertThat(told).containsExactly(failure);
    }
  }

  @Nested
  class Idle {
    /** At any time one of them waits, but never both, until they are done. */
    @ParameterizedTest
    @MethodSource("balls")
    void isNoHandlerThatAnotherIsAboutToWake(Ball ball) {
      var finished = new AtomicInteger();
      Application application = new Application();
      for (int player = 0; player < 2; player++) {
        int self = player;
        application.map(
            "/" + self,
            context -> {
              for (int i = 0; i < 3_000; i++) {
                ball.play(self);
              }
              finished.incrementAndGet();
            });
      }
      try (TestHost host = TestHost.start(application)) {
        host.get("/0").sendAndLeave();
        host.get("/1").sendAndLeave();
        host.awaitIdle();
        assertThat(finished).hasValue(2);
      }
    }

    /** A ball that two handlers throw to each other. */
    interface Ball {
      /** Plays one round; player 0 begins. */
      void play(int player) throws InterruptedException;
    }

    static Stream<Arguments> balls() {
      return Stream.of(
          argumentSet("by a queue", new BallByQueue()), argumentSet("by a lock", new BallByLock()));
    }

    private static final class BallByQueue implements Ball {
      private final SynchronousQueue<Integer> air = new SynchronousQueue<>();

      @Override
      public void play(int player) throws InterruptedException {
        if (player == 0) {
          air.put(0);
          air.take();
        } else {
          air.take();
          air.put(1);
        }
      }
    }

    private static final class BallByLock implements Ball {
      private int at;

      @Override
      public synchronized void play(int player) throws InterruptedException {
        while (at != player) {
          wait();
        }
        at = 1 - player;
        notifyAll();
      }
    }
  }

  @Nested
  class Ends {
    @Test
    void stopTheApplication() {
      List<String> run = new CopyOnWriteArrayList<>(); // the task and the handler at once
      Application application = new Application();
      application.endOnStop(() -> CompletableFuture.runAsync(() -> run.add("stopped")));
      application.map(
          "/",
          context -> {
            application.stopping().join(); // as a handler that serves events
            run.add("handler ended");
          });
      try (TestHost host = TestHost.start(application)) {
        host.get("/").sendAndLeave();
        host.awaitIdle();
      }
      assertThat(run).contains("handler ended", "stopped");
    }

    @Test
    void failWithTheStop() {
      TestHost host = hostOf(context -> {});
      IllegalStateException failure = new IllegalStateException("stuck");
      host.application().endOnStop(() -> CompletableFuture.failedFuture(failure));
      assertThatThrownBy(host::close)
          .hasMessage("the stop failed: java.lang.IllegalStateException: stuck");
    }
  }

  /** A receiver that does one thing wrong. */
  private static class Receiver implements Duplex.Receiver, Takeover {
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private final CompletableFuture<Void> openedOnce = new CompletableFuture<>();
    private volatile @Nullable Duplex duplex;

    Duplex duplex() {
      return Objects.requireNonNull(duplex);
    }

    @Override
    public void onOpen(Duplex opened) {
      duplex = opened;
      openedOnce.complete(null);
    }

    @Override
    public void onBytes(ByteBuffer bytes) {
      bytes.position(bytes.limit());
    }

    @Override
    public void onBatchEnd() {}

    @Override
    public void onEnd() {}

    @Override
    public void onLost(String why) {
      ended.complete(null);
    }

    @Override
    public void handlerEnded(@Nullable Throwable failure) {}

    @Override
    public CompletableFuture<Void> ended() {
      return ended;
    }
  }

  private static void accept(HttpContext context, Receiver receiver) {
    accept(context, 101, new Headers(), receiver);
  }

  private static void accept(HttpContext context, int status, Headers headers, Receiver receiver) {
    HostContext host = HostContext.of(context);
    host.takeOver(receiver);
    Objects.requireNonNull(host.upgrade()).accept(status, headers, receiver);
  }

  private static Stream<Arguments> breaches() {
    return Stream.of(
        breach("receiver left 1 of the delivered bytes", (duplex, bytes) -> {}),
        breach(
            "credit for 2 bytes, but only 1 came",
            (duplex, bytes) -> duplex.consumed(2 + used(bytes))),
        breach("commit without a reserve", (duplex, bytes) -> duplex.commit()),
        breach(
            "flush between reserve and commit",
            (duplex, bytes) -> {
              duplex.reserve(4 + used(bytes));
              duplex.flush();
            }),
        breach(
            "write after end",
            (duplex, bytes) -> {
              duplex.end();
              duplex.write(bytes);
            }),
        breach(
            "reserve after abort",
            (duplex, bytes) -> {
              duplex.abort();
              duplex.reserve(1 + used(bytes));
            }));
  }

  private static int used(ByteBuffer bytes) {
    bytes.position(bytes.limit());
    return 0;
  }

  private static Arguments breach(String fault, BiConsumer<Duplex, ByteBuffer> doing) {
    return argumentSet(fault, fault, doing);
  }

  @ParameterizedTest
  @MethodSource("breaches")
  void aBreachOfTheSeamFailsTheTest(String fault, BiConsumer<Duplex, ByteBuffer> doing) {
    TestHost host =
        hostOf(context ->
            accept(
                context,
                new Receiver() {
                  @Override
                  public void onBytes(ByteBuffer bytes) {
                    doing.accept(duplex(), bytes);
                  }
                }));
    TestRequest handshake = host.webSocket("/").followedBy("00");
    host.allowLeftOvers();
    handshake.send();
    host.awaitIdle();
    assertThatThrownBy(host::close).isInstanceOf(AssertionError.class).hasMessageContaining(fault);
  }

  @Test
  void theSeamBelongsToItsLoop() {
    TestHost host =
        hostOf(context -> {
          Receiver receiver = new Receiver();
          accept(context, receiver);
          receiver.openedOnce.join();
          receiver.duplex().flush();
        });
    host.webSocket("/").send();
    assertThatThrownBy(host::close)
        .isInstanceOf(AssertionError.class)
        .hasMessageStartingWith("flush off the loop");
  }

  @Test
  void whatIsLentIsPoisonedAfterwards() throws Exception {
    CompletableFuture<ByteBuffer> kept = new CompletableFuture<>();
    try (TestHost host =
        hostOf(context ->
            accept(
                context,
                new Receiver() {
                  @Override
                  public void onBytes(ByteBuffer bytes) {
                    kept.complete(bytes.duplicate());
                    super.onBytes(bytes);
                  }
                }))) {
      host.webSocket("/").followedBy("2a").send();
      host.awaitIdle();
      assertThat(kept.get().get()).isEqualTo((byte) 0xDD);
    }
  }
}
