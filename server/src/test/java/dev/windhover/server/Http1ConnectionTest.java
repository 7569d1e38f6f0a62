package dev.windhover.server;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.Headers;
import dev.windhover.server.http2.Http2Connection;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class Http1ConnectionTest {
  private static final String REQUEST = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

  private final ServerOptions options = new ServerOptions();
  private final EmbeddedChannel channel = new EmbeddedChannel();
  private int handled;

  @BeforeEach
  void begin() {
    channel.freezeTime();
    options.limits().idleTimeout(Duration.ofSeconds(1)).headersTimeout(Duration.ofSeconds(1));
    Server server =
        new Server(
            options,
            exchange -> {
              handled++;
              exchange.respond(204, new Headers(), -1).end();
            });
    server
        .negotiation(ListenAddress.parse("http://localhost"), new AddressOptions())
        .initChannel(channel);
    channel.pipeline().fireChannelActive();
  }

  @AfterEach
  void end() {
    channel.finishAndReleaseAll();
  }

  private void read(String text) {
    channel.writeInbound(Unpooled.copiedBuffer(text, US_ASCII));
    channel.runPendingTasks();
  }

  /** Makes it look as if the client took nothing, or all again. */
  private void clientTakes(boolean all) {
    ChannelOutboundBuffer output = Objects.requireNonNull(channel.unsafe().outboundBuffer());
    output.setUserDefinedWritability(1, all);
    channel.runPendingTasks();
  }

  @Test
  void nextRequestWaitsUntilTheClientTakesTheAnswersBeforeIt() {
    clientTakes(false);
    read(REQUEST.repeat(3));
    assertThat(handled).isEqualTo(1);
    clientTakes(true);
    assertThat(handled).isEqualTo(3);
  }

  @Test
  void clientThatTakesAnAnswerIsNotIdle() {
    clientTakes(false);
    read(REQUEST);
    channel.advanceTimeBy(2, TimeUnit.SECONDS);
    channel.runPendingTasks();
    assertThat(channel.isOpen()).isTrue();
    clientTakes(true);
    read(REQUEST);
    assertThat(handled).isEqualTo(2);
  }

  @Test
  void whatWaitsIsServedThoughTheClientHasEndedItsSide() {
    clientTakes(false);
    read(REQUEST.repeat(2));
    channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
    channel.runPendingTasks();
    assertThat(channel.isOpen()).isTrue();
    clientTakes(true);
    assertThat(handled).isEqualTo(2);
    assertThat(channel.isOpen()).isFalse();
  }

  @Test
  void prefaceOfHttp2ThatComesAfterTheTimeLimitIsIgnored() {
    read("PRI * HTTP/2.0\r\n");
    channel.advanceTimeBy(1, TimeUnit.SECONDS);
    channel.runPendingTasks();
    read("\r\nSM\r\n\r\n");
    assertThat(channel.pipeline().get(Http2Connection.class)).isNull();
  }
}
