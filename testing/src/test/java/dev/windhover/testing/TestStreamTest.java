package dev.windhover.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.http.Application;
import dev.windhover.http.EventStream;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Responses that are read while they are being written. */
class TestStreamTest {
  private final BlockingQueue<EventStream> opened = new LinkedBlockingQueue<>();
  private final CompletableFuture<Void> gone = new CompletableFuture<>();
  private final TestHost host =
      TestHost.start(
          new Application()
              .mapGet("/events", context -> opened.add(EventStream.open(context)))
              .mapGet(
                  "/wait",
                  context -> {
                    CompletionStage<Void> _ =
                        context.response().defer().ended().thenRun(() -> gone.complete(null));
                  }));

  @AfterEach
  void close() {
    host.close();
  }

  private EventStream server() throws InterruptedException {
    EventStream stream = opened.poll(10, TimeUnit.SECONDS);
    assertThat(stream).isNotNull();
    return stream;
  }

  @Test
  void whatIsWrittenComesAtOnce() throws Exception {
    TestStream events = host.get("/events").openStream();
    assertThat(events.status()).isEqualTo(200);
    assertThat(events.headers().get("Content-Type")).isEqualTo("text/event-stream");
    EventStream server = server();
    server.send("one");
    server.send("two");
    events.expectText("data: one\n\n").expectText("data: two\n\n");
    host.clock().advance(Duration.ofSeconds(15));
    events.expectText(":\n\n");
    assertThat(events.received().hasRemaining()).isFalse();
    server.close();
    events.expectEnd();
    assertThat(events.isOpen()).isFalse();
    assertThat(events.receive()).isNull();
  }

  @Test
  void otherTextFails() throws Exception {
    TestStream events = host.get("/events").openStream();
    server().send("one");
    assertThatThrownBy(() -> events.expectText("data: two"))
        .isInstanceOf(AssertionError.class)
        .hasMessage("expected \"data: two\"\n but got \"data: one\n\n\"");
    assertThatThrownBy(events::expectEnd)
        .isInstanceOf(AssertionError.class)
        .hasMessage("expected the end\n but got \"data: one\n\n\"");
  }

  @Test
  void theServerHearsThatTheClientHasGone() throws Exception {
    TestStream events = host.get("/events").openStream();
    EventStream server = server();
    CompletableFuture<Void> ended = server.ended().toCompletableFuture();
    assertThat(ended).isNotDone();
    events.disconnect();
    ended.get(10, TimeUnit.SECONDS);
  }

  @Test
  void aCancelledRequestIsGone() throws Exception {
    CompletableFuture<TestResponse> asked = host.get("/wait").sendAsync();
    host.awaitIdle();
    assertThat(gone).isNotDone();
    asked.cancel(true);
    gone.get(10, TimeUnit.SECONDS);
  }
}
