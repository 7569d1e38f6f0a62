package dev.windhover.server;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.Headers;
import dev.windhover.http.host.Duplex;
import dev.windhover.http.host.Upgrade;
import dev.windhover.server.http1.Http1Connection;
import dev.windhover.server.http1.NettyDuplex;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandler;
import io.netty.channel.embedded.EmbeddedChannel;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Collection;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What of HTTP remains on a connection that was upgraded: nothing. */
class Http1UpgradeTest {
  private static final String HANDSHAKE =
      "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

  private final ServerOptions options = new ServerOptions();
  private final Server server =
      new Server(
          options,
          exchange -> {
            Upgrade upgrade = Objects.requireNonNull(exchange.upgrade());
            upgrade.accept(101, new Headers(), new Deaf());
          });
  private final EmbeddedChannel channel = new EmbeddedChannel();

  private static final class Deaf implements Duplex.Receiver {
    @Override
    public void onOpen(Duplex duplex) {}

    @Override
    public void onBytes(ByteBuffer bytes) {
      bytes.position(bytes.limit());
    }

    @Override
    public void onBatchEnd() {}

    @Override
    public void onEnd() {}

    @Override
    public void onLost(String why) {}
  }

  private Collection<ChannelHandler> handlers() {
    return channel.pipeline().toMap().values();
  }

  private void read(String text) {
    channel.writeInbound(Unpooled.copiedBuffer(text, ISO_8859_1));
    channel.runPendingTasks();
  }

  @Test
  void socketIsTheOnlyHandlerLeft() {
    server
        .negotiation(ListenAddress.parse("http://localhost"), new AddressOptions())
        .initChannel(channel);
    assertThat(handlers()).hasAtLeastOneElementOfType(Http1Connection.class);
    read(HANDSHAKE + "bytes behind it");
    assertThat(handlers()).singleElement().isInstanceOf(NettyDuplex.class);
    channel.finishAndReleaseAll();
  }

  @Test
  void noTimeOfHttpRunsOn() {
    options.limits().headersTimeout(Duration.ofSeconds(1)).idleTimeout(Duration.ofSeconds(1));
    channel.freezeTime();
    server
        .negotiation(ListenAddress.parse("http://localhost"), new AddressOptions())
        .initChannel(channel);
    channel.pipeline().fireChannelActive();
    read(HANDSHAKE);
    assertThat(channel.runScheduledPendingTasks()).as("the next one's time").isEqualTo(-1);
    channel.advanceTimeBy(1, TimeUnit.DAYS);
    channel.runPendingTasks();
    assertThat(channel.isOpen()).isTrue();
    channel.finishAndReleaseAll();
  }
}
