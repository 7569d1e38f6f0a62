package dev.windhover.benchmarks;

import io.undertow.Undertow;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.websockets.WebSocketConnectionCallback;
import io.undertow.websockets.WebSocketProtocolHandshakeHandler;
import io.undertow.websockets.core.AbstractReceiveListener;
import io.undertow.websockets.core.BufferedBinaryMessage;
import io.undertow.websockets.core.BufferedTextMessage;
import io.undertow.websockets.core.WebSocketCallback;
import io.undertow.websockets.core.WebSocketChannel;
import io.undertow.websockets.core.WebSockets;
import io.undertow.websockets.extensions.PerMessageDeflateHandshake;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import org.xnio.Pooled;

/**
 * Undertow's core, whose listeners run on its I/O threads; a separate thread accepts. It negotiates
 * takeover as the client requests, and ignores the window that a client requests.
 */
final class UndertowEchoServer implements EchoServer {
  @Override
  public boolean agreesTo(Compression compression) {
    return compression.windowBits() == 15;
  }

  @Override
  public int start(Options options) {
    System.setProperty("org.jboss.logging.provider", "slf4j"); // like all others
    WebSocketConnectionCallback connected =
        (_, channel) -> {
          channel.getReceiveSetter().set(new Echo());
          channel.resumeReceives();
        };
    var webSockets = new WebSocketProtocolHandshakeHandler(connected);
    if (options.compression().on()) {
      webSockets.addExtension(new PerMessageDeflateHandshake(false, Compression.LEVEL));
    }
    var server =
        Undertow.builder()
            .addHttpListener(options.port(), "127.0.0.1")
            .setIoThreads(options.loops())
            .setWorkerThreads(1)
            .setHandler(exchange -> {
              if (exchange.getRequestPath().equals(ANSWER_PATH)) {
                answer(exchange);
              } else {
                webSockets.handleRequest(exchange);
              }
            })
            .build();
    server.start();
    var address = (InetSocketAddress) server.getListenerInfo().getFirst().getAddress();
    return address.getPort();
  }

  private static void answer(HttpServerExchange exchange) {
    exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, "text/plain");
    exchange.getResponseSender().send(ByteBuffer.wrap(ANSWER));
  }

  /** Sends every message back. */
  private static final class Echo extends AbstractReceiveListener {
    @Override
    protected void onFullTextMessage(WebSocketChannel channel, BufferedTextMessage message) {
      WebSockets.sendText(message.getData(), channel, null);
    }

    @Override
    @SuppressWarnings("deprecation") // there is no other way to get the bytes
    protected void onFullBinaryMessage(WebSocketChannel channel, BufferedBinaryMessage message) {
      Pooled<ByteBuffer[]> data = message.getData();
      WebSockets.sendBinary(data.getResource(), channel, new Freeing(data));
    }
  }

  /** Releases a message's buffers when it has been sent. */
  @SuppressWarnings("deprecation")
  private record Freeing(Pooled<ByteBuffer[]> data) implements WebSocketCallback<Void> {
    @Override
    public void complete(WebSocketChannel channel, Void context) {
      data.free();
    }

    @Override
    public void onError(WebSocketChannel channel, Void context, Throwable error) {
      data.free();
    }
  }
}
