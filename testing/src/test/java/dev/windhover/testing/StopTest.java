package dev.windhover.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.protocol.CloseReason;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.event.Level;

/** What a stop of the server does to sockets. */
class StopTest {
  private static final CloseReason GOING_AWAY = new CloseReason(1001, "the server is stopping");

  @RegisterExtension final SocketFixture server = new SocketFixture();

  @ParameterizedTest
  @EnumSource
  void everySocketIsTold1001AndTheStopWaitsForTheirEnds(Form form) {
    TestFrames one = server.echo(form);
    TestFrames two = server.host().webSocket("/").connect().frames();
    CompletableFuture<Void> stopped = server.host().application().beginStop();
    assertThat(one.answerClose()).isEqualTo(GOING_AWAY);
    assertThat(stopped).isNotDone();
    assertThat(two.answerClose()).isEqualTo(GOING_AWAY);
    assertThat(stopped).succeedsWithin(Duration.ofSeconds(10));
    assertThat(server.ending().by()).isEqualTo(Ending.By.SERVER);
    assertThat(server.ending().why()).isEqualTo("the server is stopping");
  }

  @ParameterizedTest
  @EnumSource
  void aSocketThatDoesNotAnswerIsDroppedAtTheClosingTimeLimit(Form form) {
    TestFrames client = server.echo(form);
    CompletableFuture<Void> stopped = server.host().application().beginStop();
    assertThat(client.receiveClose()).isEqualTo(GOING_AWAY);
    server.advance(Duration.ofSeconds(5).minusNanos(1));
    client.expectNothing();
    server.advance(Duration.ofNanos(1));
    client.expectReset();
    assertThat(stopped).succeedsWithin(Duration.ofSeconds(10));
    assertThat(server.ending())
        .isEqualTo(
            new Ending(
                Ending.By.SERVER,
                GOING_AWAY,
                "the server is stopping; the peer did not answer our close"));
  }

  @Test
  void aHandlerThatIsStillAtWorkSeesTheEnd() throws Exception {
    TestFrames client = server.hold();
    var receiving = Background.start(() -> server.socket().receiveMessage()).awaitBlocked();
    server.host().application().beginStop();
    assertThat(client.answerClose()).isEqualTo(GOING_AWAY);
    assertThat(receiving.join()).isNull();
    assertThat(server.socket().closeStatus()).isEqualTo(1001);
  }

  @Test
  void newSocketsAreRefusedWith503AndRetryAfter() {
    TestHost host = server.startMapped(socket -> {});
    host.application().beginStop();
    TestResponse response = host.webSocket("/").send();
    assertThat(response.status()).isEqualTo(503);
    assertThat(response.text()).isEqualTo("the server is stopping\n");
    assertThat(response.headers().get("Retry-After")).matches("[1-9][0-9]*");
    assertThat(server.events()).containsExactly("refused 503: the server is stopping");
    assertThat(SocketFixture.log(Level.DEBUG))
        .filteredOn(line -> line.endsWith("refused with 503: the server is stopping"))
        .hasSize(1);
  }

  @Test
  void aSocketThatIsAcceptedWhileTheStopBeginsIsTold1001() {
    server.settings(settings ->
        settings.subprotocolSelector(offered -> {
          server.host().application().beginStop();
          return null;
        }));
    TestFrames client = server.echo(Form.LISTENER);
    assertThat(client.answerClose()).isEqualTo(GOING_AWAY);
  }

  /** The third bug of issue 14: over HTTP/2 it was DATA before HEADERS. */
  @ParameterizedTest
  @CsvSource({"BLOCKING, false", "LISTENER, false", "BLOCKING, true", "LISTENER, true"})
  void aStopBetweenTheAcceptanceAndTheAnswerClosesAfterTheAnswer(Form form, boolean http2) {
    CountDownLatch begun = new CountDownLatch(1);
    CompletableFuture<CompletableFuture<Void>> stopped = new CompletableFuture<>();
    TestHost host =
        server.start(context -> {
          server.host().loop().execute(() -> await(begun)); // the answer is queued behind this
          WebSocket socket =
              form == Form.BLOCKING
                  ? context.webSockets().accept()
                  : context.webSockets().accept(new WebSocketListener() {});
          socket.sendText("early");
          stopped.complete(server.host().application().beginStop());
          begun.countDown();
          if (form == Form.BLOCKING) {
            socket.receiveMessage();
          }
        });
    TestRequest request = host.webSocket("/");
    TestFrames client = (http2 ? request.http2() : request).connect().frames();
    assertThat(client.receiveText()).isEqualTo("early");
    assertThat(stopped.join()).isNotDone();
    assertThat(client.answerClose()).isEqualTo(GOING_AWAY);
    assertThat(stopped.join()).succeedsWithin(Duration.ofSeconds(10));
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void stoppingIsToldToTheApplication() {
    TestHost host = server.start(context -> {});
    assertThat(host.application().stopping()).isNotDone();
    host.application().beginStop();
    assertThat(host.application().stopping()).isDone();
  }
}
