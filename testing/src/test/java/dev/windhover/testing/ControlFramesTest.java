package dev.windhover.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.protocol.CloseReason;
import dev.windhover.protocol.Opcode;
import dev.windhover.websocket.WebSocketLimits;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A peer's Pings and Pongs are limited: 20 a second, 100 at once, unless said otherwise. */
class ControlFramesTest {
  private static final CloseReason TOO_MANY =
      new CloseReason(1008, "more than 20 control frames a second");

  @RegisterExtension final SocketFixture server = new SocketFixture();

  private static void ping(TestFrames client, int count) {
    ByteBuffer[] pings = new ByteBuffer[count];
    for (int i = 0; i < count; i++) {
      pings[i] = client.frame(Opcode.PING, true, Frame.utf8("p" + i));
    }
    client.send(pings); // one read
  }

  private static void expectPongs(TestFrames client, int count) {
    for (int i = 0; i < count; i++) {
      client.expect(Frame.pong("p" + i));
    }
  }

  private TestFrames connectOverHttp2() {
    return server.host().webSocket("/").http2().connect().frames();
  }

  @ParameterizedTest
  @EnumSource
  void aFloodOfPingsFailsTheSocket(Form form) {
    TestFrames client = server.echo(form);
    ping(client, 101);
    expectPongs(client, 100);
    assertThat(client.answerClose()).isEqualTo(TOO_MANY);
    assertThat(server.events()).containsOnlyOnce("limit control frames");
  }

  @ParameterizedTest
  @EnumSource
  void overHttp2Too(Form form) {
    server.echo(form).close();
    TestFrames client = connectOverHttp2();
    ping(client, 101);
    expectPongs(client, 100);
    assertThat(client.answerClose()).isEqualTo(TOO_MANY);
    assertThat(server.events()).containsOnlyOnce("limit control frames");
  }

  @ParameterizedTest
  @EnumSource
  void unsolicitedPongsCountToo(Form form) {
    TestFrames client = server.echo(form);
    for (int i = 0; i < 100; i++) {
      client.send(Frame.pong(""));
    }
    client.expectNothing().send(Frame.pong(""));
    assertThat(client.answerClose()).isEqualTo(TOO_MANY);
  }

  @ParameterizedTest
  @EnumSource
  void aHundredAtOnceAreFineAndTwentyMoreEachSecond(Form form) {
    TestFrames client = server.echo(form);
    ping(client, 100);
    expectPongs(client, 100);
    for (int second = 0; second < 3; second++) {
      server.advance(Duration.ofSeconds(1));
      ping(client, 20);
      expectPongs(client, 20);
    }
    ping(client, 1);
    assertThat(client.answerClose()).isEqualTo(TOO_MANY);
  }

  @ParameterizedTest
  @EnumSource
  void messagesAmongThemDoNotCount(Form form) {
    TestFrames client = server.echo(form);
    for (int i = 0; i < 200; i++) {
      client.sendText("m" + i);
      client.expect(Frame.text("m" + i));
    }
    ping(client, 100);
    expectPongs(client, 100);
    client.close();
  }

  @ParameterizedTest
  @EnumSource
  void theLimitIsAnOption(Form form) {
    server.options(o -> o.limits(l -> l.controlFrames(2, 5)));
    TestFrames client = server.echo(form);
    ping(client, 5);
    expectPongs(client, 5);
    server.advance(Duration.ofSeconds(1));
    ping(client, 3);
    expectPongs(client, 2);
    assertThat(client.answerClose())
        .isEqualTo(new CloseReason(1008, "more than 2 control frames a second"));
  }

  /** A blocking handler is told in its turn, and at the latest after 5 seconds. */
  @Test
  void aHandlerThatDoesNotReceiveDoesNotKeepTheSocketOpen() {
    TestFrames client = server.hold();
    ping(client, 200);
    expectPongs(client, 100);
    client.expectNothing();
    server.advance(Duration.ofSeconds(5));
    assertThat(client.answerClose()).isEqualTo(TOO_MANY);
  }

  /** What is kept of them does not grow while the peer takes nothing. */
  @Test
  void pongsForAPeerThatTakesNothingAreKeptOnce() throws Exception {
    server.options(o -> o.limits(l -> l.sendQueue(1024, 512)));
    TestFrames client = server.hold().stopTaking();
    server.socket().sendBinary(new byte[400]); // more than the transport's share
    server.host().awaitIdle();
    long before = client.pending();
    ping(client, 100);
    server.host().awaitIdle();
    assertThat(client.pending()).isEqualTo(before);
    client.takeAll();
    assertThat(client.receiveBinary()).hasSize(400);
    client.expect(Frame.pong("p99")).expectNothing();
    server.release();
    client.answerClose();
  }

  @Test
  void aLimitThatIsNoneIsRefused() {
    assertThatThrownBy(() -> new WebSocketLimits().controlFrames(0, 100))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("control frames of 0 a second, in bursts of 100: both must be at least 1");
    assertThatThrownBy(() -> new WebSocketLimits().controlFrames(20, 0))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
