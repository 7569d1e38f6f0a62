package dev.windhover.benchmarks;

import dev.windhover.app.WebApplication;
import dev.windhover.http.Handler;
import dev.windhover.http.HttpContext;
import dev.windhover.http.websocket.Message;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketAcceptContext;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.server.Transport;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.time.Duration;

/** Windhover through its public API, in the requested form. */
final class WindhoverEchoServer implements EchoServer {
  /** Sends every message back from the loop, straight from the buffer into which it was read. */
  private static final WebSocketListener ECHO =
      new WebSocketListener() {
        @Override
        public void onMessage(WebSocket socket, MessageType type, ByteBuffer payload)
            throws Exception {
          socket.send(payload, type, true);
        }
      };

  @Override
  public boolean agreesTo(Compression compression) {
    return true;
  }

  @Override
  public int start(Options options) throws Exception {
    WebApplication app = WebApplication.create("--urls", "http://127.0.0.1:" + options.port());
    app.server(server -> {
      server.loops(options.loops()).transport(Transport.valueOf(options.transport().name()));
      server
          .limits()
          .http2()
          .maxStreamsPerConnection(MAX_STREAMS)
          .maxWebSocketsPerConnection(MAX_STREAMS);
    });
    // The load generator does not answer Pings.
    app.useWebSockets(o -> {
      o.allowedOrigins("*").keepAliveInterval(Duration.ZERO);
      // No other contender has a budget, and sockets beyond it would negotiate less.
      o.limits(limits ->
          limits
              .maxMessageSize(MAX_MESSAGE)
              .compressionMemory(4L << 30)
              .compressionMemoryLevel(Compression.MEMORY_LEVEL));
    });
    WebSocketAcceptContext settings = settings(options.compression());
    switch (options.api()) {
      case LISTENER -> {
        app.mapGet(ANSWER_PATH, Handler.nonBlocking(WindhoverEchoServer::answer));
        app.map(
            "/{*path}",
            Handler.nonBlocking(context -> {
              WebSocket _ = context.webSockets().accept(settings, ECHO);
            }));
      }
      case BLOCKING -> {
        app.mapGet(ANSWER_PATH, WindhoverEchoServer::answer);
        app.mapWebSocket(
            "/{*path}",
            settings,
            socket -> {
              for (Message message : socket) {
                socket.send(message);
              }
            });
      }
    }
    app.start();
    return URI.create(app.urls().getFirst()).getPort();
  }

  private static WebSocketAcceptContext settings(Compression compression) {
    return new WebSocketAcceptContext()
        .dangerousEnableCompression(compression.on())
        .disableServerContextTakeover(!compression.takeover())
        .disableClientContextTakeover(!compression.takeover())
        .serverMaxWindowBits(compression.windowBits())
        .clientMaxWindowBits(compression.windowBits())
        .compressionLevel(Compression.LEVEL);
  }

  private static void answer(HttpContext context) throws IOException {
    context.response().contentType("text/plain").contentLength(ANSWER.length);
    context.response().write(ByteBuffer.wrap(ANSWER));
  }
}
