package dev.windhover.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EventStreamTest {
  @RegisterExtension final CapturedLog log = new CapturedLog();

  /** A stream whose handler has returned. */
  private record Open(Application application, TestExchange exchange, EventStream stream) {
    String sent() {
      return exchange.finish().sentText();
    }
  }

  private static Open open(TestExchange exchange) {
    CompletableFuture<EventStream> stream = new CompletableFuture<>();
    Application application =
        new Application().mapGet("/", context -> stream.complete(EventStream.open(context)));
    exchange.through(application);
    return new Open(application, exchange, stream.join());
  }

  private static Open open() {
    return open(TestExchange.get("/"));
  }

  @Test
  void theHeadSaysWhatItIs() {
    Open open = open();
    assertThat(open.exchange.hasResponded()).isTrue();
    assertThat(open.exchange.sentHeader("Content-Type")).isEqualTo("text/event-stream");
    assertThat(open.exchange.sentHeader("Cache-Control")).isEqualTo("no-store");
    assertThat(open.exchange.sentHeader("X-Accel-Buffering")).isEqualTo("no");
    assertThat(open.exchange.sentContentLength()).isEqualTo(-1);
    assertThat(open.exchange.flushes()).as("flushes, so that the client sees it open").isOne();
    open.stream.close();
    assertThat(open.exchange.finish().status()).isEqualTo(200);
  }

  @Test
  void theLastEventIdIsTheClients() {
    assertThat(open().stream.lastEventId()).isNull();
    assertThat(open(TestExchange.get("/").header("Last-Event-ID", "41")).stream.lastEventId())
        .isEqualTo("41");
  }

  @Test
  void headHasEndedAtOnceAndTheHandlerDoesNotFail() throws IOException {
    Open open = open(TestExchange.of("HEAD", "/"));
    assertThat(open.exchange.status()).isEqualTo(200);
    assertThat(open.stream.send("nobody sees this")).isTrue();
    assertThat(open.sent()).isEmpty();
    assertThat(open.stream.ended().toCompletableFuture()).isCompleted();
  }

  @Nested
  class Events {
    @Test
    void areFieldsAndAnEmptyLine() throws IOException {
      Open open = open();
      open.stream.send("hello");
      open.stream.send("tick", "1");
      open.stream.send(null, "7", "");
      open.stream.send("tick", "8", "zoë");
      assertThat(open.sent())
          .isEqualTo(
              """
              data: hello

              event: tick
              data: 1

              id: 7
              data:\s

              event: tick
              id: 8
              data: zoë

              """);
    }

    @ParameterizedTest
    @CsvSource(
        textBlock =
            """
            a\\nb,     data: a|data: b||
            a\\rb,     data: a|data: b||
            a\\r\\nb,   data: a|data: b||
            a\\n\\rb,   data: a|data: |data: b||
            a\\n,      data: a|data: ||
            a\\r\\n,    data: a|data: ||
            \\n,       data: |data: ||
            a\\r,      data: a|data: ||
            ' a',     data:  a||
            """)
    void haveAFieldForEachLineOfData(String data, String expected) throws IOException {
      Open open = open();
      open.stream.send(data.translateEscapes());
      assertThat(open.sent().replace('\n', '|')).isEqualTo(expected);
    }

    @Test
    void mayBeCommentsAndDelays() throws IOException {
      Open open = open();
      open.stream.comment("hello");
      open.stream.retry(Duration.ofSeconds(2));
      open.stream.retry(Duration.ZERO);
      assertThat(open.sent()).isEqualTo(": hello\n\nretry: 2000\n\nretry: 0\n\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\nb", "a\rb", "a\r\n", "\0"})
    void haveNamesOfOneLine(String several) {
      Open open = open();
      assertThatIllegalArgumentException()
          .isThrownBy(() -> open.stream.send(several, "data"))
          .withMessage("event of an event must be one line, without NUL");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> open.stream.send(null, several, "data"))
          .withMessage("id of an event must be one line, without NUL");
      assertThatIllegalArgumentException().isThrownBy(() -> open.stream.comment(several));
      assertThat(open.sent()).isEmpty();
    }

    @Test
    void comeBackAfterNoNegativeDelay() {
      Open open = open();
      assertThatIllegalArgumentException()
          .isThrownBy(() -> open.stream.retry(Duration.ofSeconds(-1)))
          .withMessage("retry delay PT-1S is negative");
    }
  }

  @Nested
  class KeepAlive {
    @Test
    void isACommentAfter15Seconds() throws IOException {
      Open open = open();
      open.exchange.advance(Duration.ofSeconds(14));
      assertThat(open.sent()).isEmpty();
      open.exchange.advance(Duration.ofSeconds(1));
      assertThat(open.sent()).isEqualTo(":\n\n");
      open.exchange.advance(Duration.ofSeconds(10));
      open.stream.send("x");
      open.exchange.advance(Duration.ofSeconds(14));
      assertThat(open.sent()).isEqualTo(":\n\ndata: x\n\n");
      open.exchange.advance(Duration.ofSeconds(1));
      assertThat(open.sent()).isEqualTo(":\n\ndata: x\n\n:\n\n");
    }

    @Test
    void holdsAStreamOpenForDays() {
      Open open = open();
      open.exchange.advance(Duration.ofDays(1));
      assertThat(open.stream.isOpen()).isTrue();
      assertThat(open.sent()).hasSize(3 * 24 * 60 * 4);
    }

    @Test
    void isNotQueuedForASlowClient() throws IOException {
      Open open = open();
      open.exchange.clientStops();
      open.stream.send("x");
      open.exchange.advance(Duration.ofHours(1));
      assertThat(open.sent()).isEqualTo("data: x\n\n");
    }

    @Test
    void endsWithTheStream() {
      Open open = open();
      open.stream.close();
      assertThat(open.exchange.scheduled()).as("timers left").isZero();
    }

    @Test
    void isPositive() {
      TestExchange.get("/")
          .through(
              new Application()
                  .mapGet(
                      "/",
                      context ->
                          assertThatIllegalArgumentException()
                              .isThrownBy(() -> EventStream.open(context, Duration.ZERO))
                              .withMessage("keep-alive PT0S is not positive")))
          .status();
    }
  }

  @Nested
  class Stop {
    @Test
    void endsOpenStreamsAfterWhatWasSent() {
      Open open = open();
      open.application.endOnStop(() -> {
        try {
          open.stream.send("goodbye");
        } catch (IOException e) {
          return CompletableFuture.failedFuture(e);
        }
        return CompletableFuture.completedFuture(null);
      });
      assertThat(open.application.beginStop()).isCompleted();
      assertThat(open.exchange.finish().status()).isEqualTo(200);
      assertThat(open.sent()).isEqualTo("data: goodbye\n\n");
      assertThatIOException().isThrownBy(() -> open.stream.send("late"));
    }

    @Test
    void endsWhatIsOpenedLater() {
      CompletableFuture<EventStream> stream = new CompletableFuture<>();
      Application application =
          new Application().mapGet("/", context -> stream.complete(EventStream.open(context)));
      application.beginStop();
      assertThat(TestExchange.get("/").through(application).status()).isEqualTo(200);
      assertThat(stream.join().ended().toCompletableFuture()).isCompleted();
    }

    @Test
    void findsNoStreamThatHasEnded() {
      Open closed = open();
      closed.stream.close();
      closed.exchange.finish();
      assertThat(closed.application.openEventStreams()).isZero();
      Open gone = open();
      assertThat(gone.application.openEventStreams()).isOne();
      gone.exchange.clientGoes();
      assertThat(gone.application.openEventStreams()).isZero();
      assertThat(gone.application.beginStop()).isCompleted();
    }
  }
}
