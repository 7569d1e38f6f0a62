package dev.windhover.server;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.windhover.http.Application;
import dev.windhover.http.Handler;
import dev.windhover.http.host.ExchangeHandler;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketAcceptContext;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.verification.fuzz.Input;
import dev.windhover.websocket.WebSockets;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelPromise;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.ReferenceCountUtil;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Any bytes to a connection, most often of HTTP/2, with sockets and plain requests behind it:
 * nothing is thrown, every buffer comes back, and the connection can be closed.
 */
class Http2FuzzTest {
  private static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(US_ASCII);
  private static final byte[] SETTINGS = {0, 0, 0, 4, 0, 0, 0, 0, 0};

  private static final ExchangeHandler APPLICATION = application();

  @FuzzTest
  void fuzz(byte[] bytes) {
    Input input = new Input(bytes);
    int choices = input.choice();
    byte[] rest = input.rest();
    List<byte[]> pieces = new ArrayList<>();
    if (choices % 8 != 7) {
      pieces.add(PREFACE);
      pieces.add(SETTINGS);
    }
    pieces.addAll(choices % 2 == 0 ? List.of(rest) : Input.pieces(rest, 1 + choices, choices));
    play(pieces, choices % 3);
  }

  private static void play(List<byte[]> pieces, int end) {
    UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false, true);
    EmbeddedChannel channel = new MemoryChannel();
    channel.freezeTime();
    channel.config().setAllocator(allocator);
    Server server = new Server(new ServerOptions(), APPLICATION);
    server
        .negotiation(ListenAddress.parse("http://localhost"), new AddressOptions())
        .initChannel(channel);
    channel.pipeline().fireChannelActive();
    long sent = 0;
    for (byte[] piece : pieces) {
      if (!channel.isOpen()) {
        break;
      }
      channel.writeInbound(allocator.buffer(Math.max(1, piece.length)).writeBytes(piece));
      channel.runPendingTasks();
      sent += taken(channel);
    }
    switch (end) {
      case 0 -> channel.close();
      case 1 -> channel.disconnect();
      default -> {}
    }
    for (int i = 0; i < 40 && channel.isOpen(); i++) { // more than any time limit
      channel.advanceTimeBy(10, TimeUnit.SECONDS);
      channel.runPendingTasks();
      sent += taken(channel);
    }
    channel.checkException();
    channel.close(); // a socket's limits go by a clock that nobody moves here
    channel.runPendingTasks();
    channel.finishAndReleaseAll();
    assertThat(sent).as("bytes sent").isLessThan(1 << 20);
    assertThat(allocator.metric().usedHeapMemory() + allocator.metric().usedDirectMemory())
        .as("bytes of buffers that were not released")
        .isZero();
  }

  private static long taken(EmbeddedChannel channel) {
    long bytes = 0;
    for (Object each; (each = channel.readOutbound()) != null; ) {
      bytes += each instanceof ByteBuf buffer ? buffer.readableBytes() : 0;
      ReferenceCountUtil.release(each);
    }
    return bytes;
  }

  private static ExchangeHandler application() {
    Application app = new Application();
    app.use(
        WebSockets.with(o ->
            o.allowedOrigins("*")
                .keepAliveTimeout(Duration.ofSeconds(10))
                .limits(l -> l.maxMessageSize(4096))));
    app.map(
        "/",
        Handler.nonBlocking(context -> {
          if (context.webSockets().isWebSocketRequest()) {
            WebSocket _ =
                context
                    .webSockets()
                    .accept(
                        new WebSocketAcceptContext().dangerousEnableCompression(true), new Echo());
          } else {
            context.response().write("hello");
          }
        }));
    return app.build();
  }

  /** One whose output can end alone, as a socket's; which here changes nothing. */
  private static final class MemoryChannel extends EmbeddedChannel implements DuplexChannel {
    private boolean outputEnded;

    @Override
    public boolean isInputShutdown() {
      return !isActive();
    }

    @Override
    public ChannelFuture shutdownInput() {
      return newSucceededFuture();
    }

    @Override
    public ChannelFuture shutdownInput(ChannelPromise promise) {
      return promise.setSuccess();
    }

    @Override
    public boolean isOutputShutdown() {
      return outputEnded || !isActive();
    }

    @Override
    public ChannelFuture shutdownOutput() {
      return shutdownOutput(newPromise());
    }

    @Override
    public ChannelFuture shutdownOutput(ChannelPromise promise) {
      outputEnded = true;
      return promise.setSuccess();
    }

    @Override
    public boolean isShutdown() {
      return !isActive();
    }

    @Override
    public ChannelFuture shutdown() {
      return close();
    }

    @Override
    public ChannelFuture shutdown(ChannelPromise promise) {
      return close(promise);
    }
  }

  private static final class Echo implements WebSocketListener {
    @Override
    public void onMessage(WebSocket socket, MessageType type, ByteBuffer payload) throws Exception {
      socket.send(payload, type, true);
    }
  }
}
