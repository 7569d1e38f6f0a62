package dev.windhover.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.protocol.CloseReason;
import dev.windhover.protocol.Opcode;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Keep-alive over a socket's life, with the defaults unless said otherwise; spec 4.9. */
class KeepAliveTest {
  private static final Duration INTERVAL = Duration.ofMinutes(2);
  private static final Duration TIMEOUT = Duration.ofSeconds(20);
  private static final Duration NANO = Duration.ofNanos(1);

  @RegisterExtension final SocketFixture server = new SocketFixture();

  /** The counter of the reference: 8 bytes, big-endian, from 1. */
  private static Frame ping(long count) {
    return new Frame(Opcode.PING, true, ByteBuffer.allocate(8).putLong(0, count));
  }

  @ParameterizedTest
  @EnumSource
  void aQuietPeerIsPingedAfterTheInterval(Form form) {
    TestFrames client = server.echo(form);
    server.advance(INTERVAL.minus(NANO));
    client.expectNothing();
    server.advance(NANO);
    assertThat(client.receive()).isEqualTo(ping(1));
    client.send(Opcode.PONG, true, ping(1).payload());
    server.advance(INTERVAL);
    assertThat(client.receive()).isEqualTo(ping(2));
    client.close();
  }

  @ParameterizedTest
  @EnumSource
  void aPingThatIsNotAnsweredAbortsAndTheReasonSaysSo(Form form) {
    TestFrames client = server.echo(form);
    server.advance(INTERVAL);
    assertThat(client.receive()).isEqualTo(ping(1));
    server.advance(TIMEOUT.minus(NANO));
    client.expectNothing();
    server.advance(NANO);
    client.expectReset();
    assertThat(server.ending())
        .isEqualTo(
            new Ending(
                Ending.By.SERVER,
                CloseReason.of(1006),
                "no sign of life within PT20S after a ping"));
    assertThat(server.events()).contains("limit keep-alive");
  }

  @Test
  void anyBytesPutThePingOff() {
    TestFrames client = server.hold();
    server.advance(INTERVAL.minus(NANO));
    client.sendHex("81"); // half of a header
    server.advance(INTERVAL.minus(NANO));
    client.expectNothing();
    server.advance(NANO);
    assertThat(client.receive()).isEqualTo(ping(1));
    client.reset();
  }

  @Test
  void anyBytesClearAnOutstandingPing() {
    TestFrames client = server.hold();
    server.advance(INTERVAL);
    assertThat(client.receive()).isEqualTo(ping(1));
    server.advance(TIMEOUT.minus(NANO));
    client.sendHex("81"); // half of a header
    server.advance(TIMEOUT);
    client.expectNothing();
    server.advance(INTERVAL.minus(TIMEOUT));
    assertThat(client.receive()).isEqualTo(ping(2));
    client.reset();
  }

  @Test
  void pongsAreSeenWhileTheApplicationDoesNotRead() {
    TestFrames client = server.hold();
    client.sendText("unread");
    server.advance(INTERVAL);
    client.send(Opcode.PONG, true, client.receive().payload());
    server.advance(TIMEOUT);
    client.expectNothing();
    server.release();
    client.answerClose();
  }

  @Test
  void theClockStandsStillWhileWeDoNotRead() throws Exception {
    server.options(o -> o.limits(l -> l.inboundBytes(1024)));
    TestFrames client = server.hold();
    client.sendBinary(new byte[2000]);
    assertThat(client.isServerReading()).isFalse();
    server.advance(INTERVAL);
    assertThat(client.receive()).isEqualTo(ping(1));
    client.send(Opcode.PONG, true, ping(1).payload()); // we do not see it
    server.advance(Duration.ofHours(1));
    client.expectNothing();
    server.socket().receiveMessage();
    server.host().awaitIdle();
    server.advance(TIMEOUT); // seen now
    client.expectNothing();
    server.release();
    client.answerClose();
  }

  @Test
  void theClockGoesOnWhenWeReadAgain() throws Exception {
    server.options(o -> o.limits(l -> l.inboundBytes(1024)));
    TestFrames client = server.hold();
    client.sendBinary(new byte[2000]);
    server.advance(INTERVAL);
    assertThat(client.receive()).isEqualTo(ping(1));
    server.advance(Duration.ofHours(1));
    server.socket().receiveMessage();
    server.host().awaitIdle();
    server.advance(TIMEOUT.minus(NANO));
    client.expectNothing();
    server.advance(NANO);
    client.expectReset();
  }

  @Test
  void aListenerWithoutDemandStopsTheClockToo() {
    server.options(o -> o.limits(l -> l.inboundBytes(1024)));
    TestFrames client =
        server.listen(
            new WebSocketListener() {
              @Override
              public void onOpen(WebSocket socket) {}
            });
    client.sendBinary(new byte[2000]);
    assertThat(client.isServerReading()).isFalse();
    server.advance(INTERVAL.plus(TIMEOUT.multipliedBy(3)));
    assertThat(client.receive()).isEqualTo(ping(1));
    client.expectNothing();
    client.reset();
  }

  @Test
  void anIntervalOfZeroIsOff() {
    server.options(o -> o.keepAliveInterval(Duration.ZERO));
    TestFrames client = server.hold();
    server.advance(Duration.ofDays(1));
    client.expectNothing();
    server.release();
    client.answerClose();
  }

  @Test
  void aTimeoutOfZeroMeansUnsolicitedPongsWhateverComes() {
    server.options(o -> o.keepAliveTimeout(Duration.ZERO));
    TestFrames client = server.hold();
    for (int i = 0; i < 3; i++) {
      server.advance(INTERVAL.minus(NANO));
      client.sendText("alive").expectNothing();
      server.advance(NANO);
      assertThat(client.receive()).isEqualTo(Frame.pong(""));
    }
    server.release();
    client.answerClose();
  }

  @Test
  void aSocketMayHaveSettingsOfItsOwn() {
    server.settings(
        s -> s.keepAliveInterval(Duration.ofSeconds(1)).keepAliveTimeout(Duration.ofSeconds(3)));
    TestFrames client = server.hold();
    server.advance(Duration.ofSeconds(1));
    assertThat(client.receive()).isEqualTo(ping(1));
    server.advance(Duration.ofSeconds(3));
    client.expectReset();
  }

  @Test
  void afterOurCloseTheClosingTimeLimitWatchesAlone() throws Exception {
    server.options(o -> o.keepAliveInterval(Duration.ofSeconds(1)));
    TestFrames client = server.hold();
    server.socket().closeOutput(1000, "");
    client.receiveClose();
    server.advance(Duration.ofSeconds(4));
    client.expectNothing();
    server.advance(Duration.ofSeconds(1));
    client.expectReset();
  }

  /** The other order: the Ping has left, and its Pong comes while a sender is blocked. */
  @Test
  void pongsAreSeenWhileASenderIsBlocked() throws Exception {
    server.options(o -> o.limits(l -> l.sendQueue(1024, 512)));
    TestFrames client = server.hold();
    server.advance(INTERVAL);
    assertThat(client.receive()).isEqualTo(ping(1));
    client.stopTaking();
    var sending = Background.start(() -> server.socket().sendBinary(new byte[5000])).awaitBlocked();
    server.advance(TIMEOUT.minus(NANO));
    client.send(Opcode.PONG, true, ping(1).payload());
    server.advance(NANO);
    client.expectNothing();
    client.takeAll();
    sending.join();
    assertThat(client.receiveBinary()).hasSize(5000);
    server.release();
    client.answerClose();
  }

  @Test
  void aPingsTimeBeginsWhenItHasLeft() throws Exception {
    server.options(o -> o.limits(l -> l.sendQueue(1024, 512)));
    server.options(o -> o.keepAliveInterval(Duration.ofSeconds(20)));
    TestFrames client = server.hold().stopTaking();
    var sending = Background.start(() -> server.socket().sendBinary(new byte[5000])).awaitBlocked();
    for (int i = 0; i < 12; i++) {
      server.advance(Duration.ofSeconds(10));
      client.take(100).expectNothing();
    }
    client.takeAll();
    sending.join();
    assertThat(client.receiveBinary()).hasSize(5000);
    assertThat(client.receive()).isEqualTo(ping(1));
    server.advance(TIMEOUT);
    client.expectNothing();
    server.advance(TIMEOUT.dividedBy(4)); // how often it looks whether the Ping has left
    client.expectReset();
    assertThat(server.ending().why()).isEqualTo("no sign of life within PT20S after a ping");
  }

  @Test
  void aPingGoesBehindTheFrameUnderWay() throws Exception {
    server.options(o -> o.limits(l -> l.sendQueue(1024, 512)));
    server.options(o -> o.keepAliveInterval(Duration.ofSeconds(1)));
    TestFrames client = server.hold().stopTaking();
    var sending = Background.start(() -> server.socket().sendBinary(new byte[5000])).awaitBlocked();
    server.advance(Duration.ofSeconds(1));
    client.takeAll();
    sending.join();
    assertThat(client.receiveBinary()).hasSize(5000);
    assertThat(client.receive()).isEqualTo(ping(1));
    server.release();
    client.answerClose();
  }
}
