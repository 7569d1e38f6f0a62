package dev.windhover.benchmarks;

import java.nio.ByteBuffer;
import java.time.Duration;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http2.server.HTTP2CServerConnectionFactory;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.thread.Invocable.InvocationType;
import org.eclipse.jetty.websocket.api.Callback;
import org.eclipse.jetty.websocket.api.Session;
import org.eclipse.jetty.websocket.server.WebSocketUpgradeHandler;
import org.jspecify.annotations.Nullable;

/**
 * Jetty through its own API. The listener is declared non-blocking, so it runs on the thread that
 * reads. The selectors also accept connections. Jetty always accepts compression, at zlib's default
 * level, with takeover as the client requests, and ignores the window that a client requests.
 */
final class JettyEchoServer implements EchoServer {
  @Override
  public boolean agreesTo(Compression compression) {
    return compression.windowBits() == 15;
  }

  @Override
  public int start(Options options) throws Exception {
    var server = new Server();
    var configuration = new HttpConfiguration();
    var http2 = new HTTP2CServerConnectionFactory(configuration);
    http2.setMaxConcurrentStreams(MAX_STREAMS);
    var connector =
        new ServerConnector(
            server, 0, options.loops(), new HttpConnectionFactory(configuration), http2);
    connector.setHost("127.0.0.1");
    connector.setPort(options.port());
    server.addConnector(connector);
    var webSockets =
        WebSocketUpgradeHandler.from(
            server,
            container -> {
              container.setInvocationType(InvocationType.NON_BLOCKING);
              container.setIdleTimeout(Duration.ZERO);
              container.setMaxFrameSize(MAX_MESSAGE);
              container.setMaxTextMessageSize(MAX_MESSAGE);
              container.setMaxBinaryMessageSize(MAX_MESSAGE);
              container.addMapping("/*", (_, _, _) -> new Echo());
            });
    webSockets.setHandler(new Answer());
    server.setHandler(webSockets);
    server.start();
    return connector.getLocalPort();
  }

  /** Answers every request that is not a WebSocket handshake. */
  private static final class Answer extends Handler.Abstract.NonBlocking {
    @Override
    public boolean handle(
        Request request, Response response, org.eclipse.jetty.util.Callback callback) {
      response.getHeaders().put(HttpHeader.CONTENT_TYPE, "text/plain");
      response.getHeaders().put(HttpHeader.CONTENT_LENGTH, ANSWER.length);
      response.write(true, ByteBuffer.wrap(ANSWER), callback);
      return true;
    }
  }

  /** Sends every message back. It is public because Jetty looks up its methods. */
  public static final class Echo implements Session.Listener.AutoDemanding {
    private @Nullable Session session;

    @Override
    public void onWebSocketOpen(Session opened) {
      session = opened;
    }

    @Override
    public void onWebSocketText(String message) {
      session().sendText(message, Callback.NOOP);
    }

    @Override
    public void onWebSocketBinary(ByteBuffer payload, Callback callback) {
      session().sendBinary(payload, callback);
    }

    @Override
    public void onWebSocketError(Throwable cause) {
      // Harmless when the load ends; at any other time, the load generator fails.
    }

    private Session session() {
      Session opened = session;
      if (opened == null) {
        throw new IllegalStateException("message before the socket was open");
      }
      return opened;
    }
  }
}
