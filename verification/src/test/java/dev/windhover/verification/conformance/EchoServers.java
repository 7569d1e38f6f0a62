package dev.windhover.verification.conformance;

import io.undertow.Handlers;
import io.undertow.Undertow;
import io.undertow.websockets.core.AbstractReceiveListener;
import io.undertow.websockets.core.BufferedBinaryMessage;
import io.undertow.websockets.core.BufferedTextMessage;
import io.undertow.websockets.core.WebSocketChannel;
import io.undertow.websockets.core.WebSockets;
import io.undertow.websockets.extensions.PerMessageDeflateHandshake;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.websocket.api.Callback;
import org.eclipse.jetty.websocket.api.Session;
import org.eclipse.jetty.websocket.server.WebSocketUpgradeHandler;

/** Servers of others that echo every message, as their documentation shows. */
final class EchoServers {
  private static final int MAX_MESSAGE = 64 << 20;

  private EchoServers() {}

  /** A server that listens. */
  interface Running extends AutoCloseable {
    int port();

    @Override
    void close();
  }

  static Running jetty() throws Exception {
    Server server = new Server();
    ServerConnector connector = new ServerConnector(server);
    connector.setHost("127.0.0.1");
    server.addConnector(connector);
    server.setHandler(
        WebSocketUpgradeHandler.from(
            server,
            container -> {
              container.setMaxTextMessageSize(MAX_MESSAGE);
              container.setMaxBinaryMessageSize(MAX_MESSAGE);
              container.addMapping("/", (request, response, callback) -> new JettyEcho());
            }));
    server.start();
    return new Running() {
      @Override
      public int port() {
        return connector.getLocalPort();
      }

      @Override
      public void close() {
        try {
          server.stop();
        } catch (Exception e) {
          throw new AssertionError(e);
        }
      }
    };
  }

  /** Made by Jetty's reflection, so it is public. */
  public static final class JettyEcho implements Session.Listener.AutoDemanding {
    private @org.jspecify.annotations.Nullable Session session;

    @Override
    public void onWebSocketOpen(Session opened) {
      session = opened;
    }

    @Override
    public void onWebSocketText(String message) {
      if (session != null) {
        session.sendText(message, Callback.NOOP);
      }
    }

    @Override
    public void onWebSocketBinary(ByteBuffer payload, Callback callback) {
      if (session != null) {
        session.sendBinary(payload, callback);
      }
    }
  }

  static Running undertow() {
    Undertow server =
        Undertow.builder()
            .addHttpListener(0, "127.0.0.1")
            .setHandler(
                Handlers.websocket(
                        (exchange, channel) -> {
                          channel.getReceiveSetter().set(new UndertowEcho());
                          channel.resumeReceives();
                        })
                    .addExtension(new PerMessageDeflateHandshake()))
            .build();
    server.start();
    return new Running() {
      @Override
      public int port() {
        var address = (InetSocketAddress) server.getListenerInfo().getFirst().getAddress();
        return address.getPort();
      }

      @Override
      public void close() {
        server.stop();
      }
    };
  }

  private static final class UndertowEcho extends AbstractReceiveListener {
    @Override
    protected void onFullTextMessage(WebSocketChannel channel, BufferedTextMessage message) {
      WebSockets.sendText(message.getData(), channel, null);
    }

    @Override
    protected void onFullBinaryMessage(WebSocketChannel channel, BufferedBinaryMessage message) {
      var data = message.getData();
      ByteBuffer[] buffers = data.getResource();
      WebSockets.sendBinary(WebSockets.mergeBuffers(buffers), channel, null);
      data.free();
    }
  }
}
