package dev.windhover.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class ResponseStreamTest {
  private static final int HIGH_MARK = 64 * 1024;
  private static final int LOW_MARK = 16 * 1024;

  @RegisterExtension final CapturedLog log = new CapturedLog();

  /** A response whose handler has returned. */
  private record Open(TestExchange exchange, ResponseStream stream) {}

  private static Open open(String method, Handler before) {
    CompletableFuture<ResponseStream> stream = new CompletableFuture<>();
    TestExchange exchange =
        TestExchange.of(method, "/")
            .through(
                new Application()
                    .map(
                        "/",
                        context -> {
                          before.handle(context);
                          stream.complete(context.response().stream());
                        }));
    return new Open(exchange, stream.join());
  }

  private static Open open() {
    return open("GET", context -> {});
  }

  private static Open openWithLength(String method, long length) {
    return open(method, context -> context.response().contentLength(length));
  }

  private static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(text.getBytes(UTF_8));
  }

  private static ByteBuffer bytes(int size) {
    return ByteBuffer.allocate(size);
  }

  @Test
  void goesOnAfterTheHandlerHasReturned() throws IOException {
    Open open = open("GET", context -> context.response().status(202).write("first, "));
    assertThat(open.exchange.sentText()).isEqualTo("first, ");
    assertThat(open.exchange.hasEnded()).isFalse();
    assertThat(open.stream.send(bytes("second, "))).isTrue();
    assertThat(open.stream.send(bytes("last"))).isTrue();
    assertThat(open.exchange.sentText()).isEqualTo("first, second, last");
    open.stream.end();
    assertThat(open.exchange.finish().status()).isEqualTo(202);
    assertThat(open.exchange.scheduled()).as("timers left").isZero();
  }

  @Test
  void mayBeginOnTheLoop() throws IOException {
    CompletableFuture<ResponseStream> stream = new CompletableFuture<>();
    Handler begins = context -> stream.complete(context.response().stream());
    TestExchange exchange =
        TestExchange.get("/").through(new Application().map("/", Handler.nonBlocking(begins)));
    stream.join().send(bytes("hello"));
    stream.join().end();
    assertThat(exchange.finish().status()).isEqualTo(200);
    assertThat(exchange.sentText()).isEqualTo("hello");
    assertThat(exchange.hadThread()).isFalse();
  }

  @Test
  void sendingCopiesAndTakesAllOfTheBuffer() throws IOException {
    Open open = open();
    byte[] array = "-hello-".getBytes(UTF_8);
    ByteBuffer sent = ByteBuffer.wrap(array, 1, 5);
    open.exchange.onLoop(() -> { // so that the loop takes it after this
      send(open.stream, sent);
      array[1] = 'X';
    });
    assertThat(sent.hasRemaining()).isFalse();
    assertThat(open.exchange.finish().sentText()).isEqualTo("hello");
  }

  @Test
  void nothingIsSentAsNothing() throws IOException {
    Open open = open("GET", context -> context.response().write(""));
    assertThat(open.stream.send(bytes(""))).isTrue();
    open.stream.end();
    assertThat(open.exchange.finish().status()).isEqualTo(200); // it checks for empty writes
  }

  @Test
  void whatSeveralThreadsSendStaysInOrderForEach() throws Exception {
    Open open = open();
    int threads = 4;
    int each = 2000;
    List<Thread> senders = new ArrayList<>();
    for (int t = 0; t < threads; t++) {
      char name = (char) ('a' + t);
      senders.add(
          Thread.ofPlatform()
              .start(() -> {
                for (int i = 0; i < each; i++) {
                  send(open.stream, bytes(name + " " + i + "\n"));
                }
              }));
    }
    for (Thread sender : senders) {
      sender.join();
    }
    open.stream.end();
    assertThat(open.exchange.finish().status()).isEqualTo(200);
    List<String> lines = open.exchange.sentText().lines().toList();
    assertThat(lines).hasSize(threads * each);
    for (int t = 0; t < threads; t++) {
      String name = (char) ('a' + t) + " ";
      List<String> expected = new ArrayList<>();
      for (int i = 0; i < each; i++) {
        expected.add(name + i);
      }
      assertThat(lines.stream().filter(line -> line.startsWith(name))).isEqualTo(expected);
    }
  }

  private static void send(ResponseStream stream, ByteBuffer bytes) {
    try {
      stream.send(bytes);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void theHandlersResponseCanOnlyBeAsked() {
    get(context -> {
      ResponseStream stream = context.response().stream();
      assertThat(context.response().hasStarted()).isTrue();
      stream.send(bytes("12345"));
      assertThat(context.response().bytesWritten()).isEqualTo(5);
      assertThatIllegalStateException()
          .isThrownBy(() -> context.response().write("more"))
          .withMessage("the response continues as a stream");
      assertThatIllegalStateException().isThrownBy(() -> context.response().stream());
      stream.end();
    });
  }

  @Test
  void anIdleTimeoutIsPositive() {
    get(context ->
        assertThatIllegalArgumentException()
            .isThrownBy(() -> context.response().stream(Duration.ZERO))
            .withMessage("idle timeout PT0S is not positive"));
  }

  private static TestExchange get(Handler handler) {
    TestExchange exchange = TestExchange.get("/").through(new Application().map("/", handler));
    assertThat(exchange.status()).isEqualTo(200);
    return exchange;
  }

  @Nested
  class BackPressure {
    private final AtomicInteger told = new AtomicInteger();

    private Open slow() {
      Open open = open();
      open.exchange.clientStops();
      open.stream.onWritable(told::incrementAndGet);
      return open;
    }

    @Test
    void thereIsRoomFor64KiB() throws IOException {
      Open open = slow();
      assertThat(open.stream.send(bytes(HIGH_MARK - 1))).isTrue();
      assertThat(open.stream.send(bytes(100_000))).isFalse();
      assertThat(open.stream.bufferedAmount()).isEqualTo(HIGH_MARK - 1 + 100_000);
      assertThat(told).hasValue(0);
    }

    @Test
    void withoutRoomThatWasToldNothingIsSent() throws IOException {
      Open open = slow();
      assertThat(open.stream.send(bytes(HIGH_MARK))).isFalse();
      ByteBuffer more = bytes("more");
      assertThatIllegalStateException()
          .isThrownBy(() -> open.stream.send(more))
          .withMessage(
              "response has no room: 65536 bytes wait for its client; wait for onWritable");
      assertThat(more.remaining()).isEqualTo(4);
      assertThat(open.exchange.sentBytes()).hasSize(HIGH_MARK);
    }

    @Test
    void roomIsToldOnceBelowTheLowMark() throws IOException {
      Open open = slow();
      open.stream.send(bytes(HIGH_MARK));
      open.exchange.clientTakesAllBut(LOW_MARK);
      assertThat(told).hasValue(0);
      open.exchange.clientTakesAllBut(LOW_MARK - 1);
      assertThat(told).hasValue(1);
      open.exchange.clientTakesAllBut(0);
      assertThat(told).hasValue(1);
      assertThat(open.stream.send(bytes(HIGH_MARK))).isFalse();
      open.exchange.clientTakesAllBut(0);
      assertThat(told).hasValue(2);
    }

    @Test
    void whoNeverFilledItIsToldNothing() throws IOException {
      Open open = slow();
      open.stream.send(bytes(HIGH_MARK - 1));
      open.exchange.clientTakesAllBut(0);
      assertThat(told).hasValue(0);
    }

    @Test
    void oneLargePieceIsTakenWhole() throws IOException {
      Open open = slow();
      assertThat(open.stream.send(bytes(1 << 20))).isFalse();
      assertThat(open.exchange.sentBytes()).hasSize(1 << 20);
    }

    /** Its client takes everything at once, so that each refusal races with the room after it. */
    @Test
    void everySenderThatWasToldToWaitIsToldToGoOn() throws Exception {
      Open open = open();
      Semaphore room = new Semaphore(0);
      open.stream.onWritable(room::release);
      int threads = 3;
      CountDownLatch done = new CountDownLatch(threads);
      for (int t = 0; t < threads; t++) {
        Thread.ofPlatform()
            .daemon()
            .start(() -> {
              for (int i = 0; i < 300; i++) {
                if (!sent(open.stream, HIGH_MARK / 2)) {
                  room.acquireUninterruptibly();
                  room.release(); // for the others who wait
                }
              }
              done.countDown();
            });
      }
      assertThat(done.await(20, TimeUnit.SECONDS)).isTrue();
    }

    private static boolean sent(ResponseStream stream, int size) {
      try {
        return stream.send(bytes(size));
      } catch (IllegalStateException full) { // another was told
        return false;
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    }

    @Test
    void aFailureToGoOnDropsTheResponse() throws IOException {
      Open open = slow();
      open.stream.onWritable(() -> {
        throw new IllegalStateException("on purpose");
      });
      open.stream.send(bytes(HIGH_MARK));
      open.exchange.clientTakesAllBut(0);
      assertThat(open.exchange.finish().wasAborted()).isTrue();
      assertThat(log.take())
          .contains("onWritable of request request-7 failed: GET /", "on purpose");
    }
  }

  @Nested
  class End {
    @Test
    void comesAfterWhatWasSent() throws IOException {
      Open open = open();
      open.exchange.onLoop(() -> { // nothing leaves meanwhile
        send(open.stream, bytes("sent"));
        open.stream.end();
        assertThat(open.exchange.sentText()).isEmpty();
        assertThat(open.stream.ended().toCompletableFuture()).isNotDone();
      });
      assertThat(open.exchange.finish().status()).isEqualTo(200);
      assertThat(open.exchange.sentText()).isEqualTo("sent");
      assertThat(open.stream.ended().toCompletableFuture()).isCompleted();
      assertThat(open.stream.bufferedAmount()).isZero();
    }

    @Test
    void comesOnce() {
      Open open = open();
      open.stream.end();
      open.stream.end();
      open.stream.abort();
      assertThat(open.exchange.finish().status()).isEqualTo(200);
      assertThat(open.exchange.wasAborted()).isFalse();
    }

    @Test
    void nothingIsSentAfterIt() {
      Open open = open();
      assertThat(open.stream.isOpen()).isTrue();
      open.stream.end();
      assertThat(open.stream.isOpen()).isFalse();
      assertThatIOException()
          .isThrownBy(() -> open.stream.send(bytes("late")))
          .withMessage("the response has ended");
    }

    @Test
    void ofAnAbortIsNoEndOfTheResponse() throws IOException {
      Open open = open();
      open.stream.send(bytes("half"));
      open.stream.abort();
      open.exchange.finish();
      assertThat(open.exchange.wasAborted()).isTrue();
      assertThat(open.exchange.hasEnded()).isFalse();
      assertThat(open.stream.ended().toCompletableFuture()).isCompleted();
      assertThat(open.exchange.scheduled()).as("timers left").isZero();
      assertThatIOException().isThrownBy(() -> open.stream.send(bytes("late")));
    }

    @Test
    void ofAnAbortOvertakesWhatTheLoopHasToDo() {
      Open open = open();
      open.exchange.onLoop(() -> {
        Thread other =
            Thread.ofPlatform()
                .start(() -> {
                  send(open.stream, bytes("half"));
                  open.stream.abort();
                });
        try {
          other.join();
        } catch (InterruptedException e) {
          throw new AssertionError(e);
        }
      });
      assertThat(open.exchange.finish().wasAborted()).isTrue();
      assertThat(open.exchange.hasEnded()).isFalse();
    }

    @Test
    void isToldWhenTheClientGoes() {
      Open open = open();
      open.exchange.clientGoes();
      assertThat(open.stream.ended().toCompletableFuture()).isCompleted();
      assertThat(open.stream.isOpen()).isFalse();
      assertThatIOException()
          .isThrownBy(() -> open.stream.send(bytes("late")))
          .withMessage("the client ended the connection");
      assertThat(open.exchange.finish().wasAborted()).as("nobody else would end it").isTrue();
      assertThat(open.exchange.scheduled()).as("timers left").isZero();
    }

    @Test
    void isSeenBySendersBeforeTheHostTellsOfIt() {
      Open open = open();
      open.exchange.loseWrites();
      assertThatIOException().isThrownBy(() -> open.stream.send(bytes("late")));
    }

    @Test
    void mayComeBeforeTheResponse() throws IOException {
      CompletableFuture<ResponseStream> stream = new CompletableFuture<>();
      CompletableFuture<Void> gone = new CompletableFuture<>();
      TestExchange exchange =
          TestExchange.get("/")
              .begin(
                  new Application()
                      .map(
                          "/",
                          context -> {
                            gone.join();
                            stream.complete(context.response().stream());
                          }));
      exchange.clientGoes();
      gone.complete(null);
      exchange.finish();
      assertThat(stream.join().ended().toCompletableFuture()).isCompleted();
      assertThat(exchange.scheduled()).as("timers left").isZero();
    }

    @Test
    void canBeCompletedByNobodyElse() {
      Open open = open();
      open.stream.ended().toCompletableFuture().complete(null);
      assertThat(open.stream.isOpen()).isTrue();
    }

    @Test
    void completesTheRequest() throws Exception {
      CountDownLatch completed = new CountDownLatch(1);
      Open open = open("GET", context -> context.response().onCompleted(completed::countDown));
      assertThat(completed.getCount()).as("the handler has returned").isOne();
      open.stream.end();
      assertThat(completed.await(20, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void comesWithAFailureOfTheHandler() {
      CompletableFuture<ResponseStream> stream = new CompletableFuture<>();
      TestExchange exchange =
          TestExchange.get("/")
              .through(
                  new Application()
                      .map(
                          "/",
                          context -> {
                            stream.complete(context.response().stream());
                            throw new IllegalStateException("on purpose");
                          }));
      assertThat(exchange.wasAborted()).isTrue();
      assertThat(exchange.hasEnded()).isFalse();
      assertThat(stream.join().ended().toCompletableFuture()).isCompleted();
      assertThat(log.take()).contains("request request-7 failed", "on purpose");
    }
  }

  @Nested
  class StallTimeout {
    @Test
    void dropsAResponseWhoseClientTakesNothing() throws IOException {
      Open open = open();
      open.stream.stallTimeout(Duration.ofSeconds(10));
      open.exchange.clientStops();
      open.stream.send(bytes(1000));
      open.exchange.advance(Duration.ofSeconds(9));
      open.exchange.clientTakesAllBut(10); // the rest has ten seconds of its own
      open.exchange.advance(Duration.ofSeconds(9));
      assertThat(open.stream.isOpen()).isTrue();
      open.exchange.advance(Duration.ofSeconds(2));
      assertThat(open.exchange.wasAborted()).isTrue();
      assertThat(open.exchange.scheduled()).as("timers left").isZero();
    }

    @Test
    void isNotForAClientForWhomNothingWaits() throws IOException {
      Open open = open();
      open.stream.stallTimeout(Duration.ofSeconds(10));
      for (int i = 0; i < 3; i++) {
        open.exchange.clientStops();
        open.stream.send(bytes(1000));
        open.exchange.advance(Duration.ofSeconds(9));
        open.exchange.clientTakesAllBut(0);
        open.exchange.advance(Duration.ofSeconds(30));
      }
      assertThat(open.stream.isOpen()).isTrue();
      open.stream.end();
      assertThat(open.exchange.finish().scheduled()).isZero();
    }

    @Test
    void mustBePositive() {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> open().stream.stallTimeout(Duration.ZERO))
          .withMessage("stallTimeout PT0S is not positive");
    }
  }

  @Nested
  class IdleTimeout {
    @Test
    void dropsTheResponseWithOneLine() {
      Open open = open();
      open.exchange.advance(Duration.ofSeconds(59));
      assertThat(open.stream.isOpen()).isTrue();
      open.exchange.advance(Duration.ofSeconds(1));
      assertThat(open.exchange.wasAborted()).isTrue();
      assertThat(open.stream.ended().toCompletableFuture()).isCompleted();
      open.exchange.advance(Duration.ofHours(1));
      assertThat(log.take().lines())
          .singleElement()
          .asString()
          .contains("response of request request-7 dropped: nothing was sent for PT1M: GET /");
    }

    @Test
    void countsFromTheLastPiece() throws IOException {
      Open open = open();
      for (int i = 0; i < 10; i++) {
        open.exchange.advance(Duration.ofSeconds(59));
        open.stream.send(bytes("still here"));
      }
      assertThat(open.stream.isOpen()).isTrue();
      open.stream.end();
      assertThat(open.exchange.finish().scheduled()).isZero();
    }

    @Test
    void isNotForWhoWaitsForRoom() throws IOException {
      Open open = open();
      open.exchange.clientStops();
      open.stream.send(bytes(HIGH_MARK));
      open.exchange.advance(Duration.ofMinutes(5));
      assertThat(open.stream.isOpen()).isTrue();
      open.exchange.clientTakesAllBut(0);
      open.exchange.advance(Duration.ofMinutes(2));
      assertThat(open.stream.isOpen()).isFalse();
      assertThat(log.take()).contains("nothing was sent for PT1M");
    }
  }

  @Nested
  class ContentLength {
    @Test
    void isTold() throws IOException {
      Open open = openWithLength("GET", 5);
      open.stream.send(bytes("hello"));
      open.stream.end();
      assertThat(open.exchange.finish().status()).isEqualTo(200);
      assertThat(open.exchange.sentContentLength()).isEqualTo(5);
    }

    @Test
    void mustNotBeExceeded() throws IOException {
      Open open = openWithLength("GET", 5);
      open.stream.send(bytes("hel"));
      assertThatIllegalStateException()
          .isThrownBy(() -> open.stream.send(bytes("lo!")))
          .withMessage("body of 6 bytes exceeds its Content-Length of 5");
      open.stream.send(bytes("lo"));
      open.stream.end();
      assertThat(open.exchange.finish().sentText()).isEqualTo("hello");
    }

    @Test
    void mustBeReached() throws IOException {
      Open open = openWithLength("GET", 5);
      open.stream.send(bytes("hell"));
      open.stream.end();
      open.exchange.finish();
      assertThat(open.exchange.wasAborted()).isTrue();
      assertThat(open.exchange.hasEnded()).isFalse();
      assertThat(log.take())
          .contains("request-7 failed: body of 4 bytes is short of its Content-Length of 5");
    }
  }

  @Nested
  class Head {
    @Test
    void hasEndedAtOnce() throws IOException {
      Open open = openWithLength("HEAD", 5);
      assertThat(open.exchange.status()).isEqualTo(200);
      assertThat(open.exchange.sentContentLength()).isEqualTo(5);
      assertThat(open.stream.ended().toCompletableFuture()).isCompleted();
      assertThat(open.stream.isOpen()).isFalse();
      assertThat(open.exchange.scheduled()).as("timers left").isZero();
    }

    @Test
    void dropsWhatIsSent() throws IOException {
      Open open = openWithLength("HEAD", 5);
      assertThat(open.stream.send(bytes("hello"))).isTrue();
      assertThatIllegalStateException().isThrownBy(() -> open.stream.send(bytes("!")));
      open.stream.end();
      assertThatIOException().isThrownBy(() -> open.stream.send(bytes("")));
      assertThat(open.exchange.finish().sentBytes()).isEmpty();
      assertThat(open.stream.bufferedAmount()).isZero();
    }
  }
}
