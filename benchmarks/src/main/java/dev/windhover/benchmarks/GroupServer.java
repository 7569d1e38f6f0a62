package dev.windhover.benchmarks;

import dev.windhover.app.WebApplication;
import dev.windhover.http.Handler;
import dev.windhover.http.websocket.Group;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketAcceptContext;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.http.websocket.WhenFull;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.ChannelMatchers;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * A server on one loop that sends to all its sockets: {@code group}, {@code send} (a loop of send
 * over all of them) or {@code netty} (a {@link ChannelGroup} of connections that get frames made
 * beforehand). Whoever connects to its second port writes a line with two numbers, how many
 * messages to send and their size, and gets the number of sockets in a line when they were sent.
 * Prints {@code ready on ports N and M}.
 */
final class GroupServer {
  private GroupServer() {}

  /** A way to send to all. */
  private interface Sender {
    /** Listens, and returns the port. */
    int start() throws Exception;

    void send(int count, int size) throws Exception;

    int sockets();
  }

  static void main(String[] args) {
    Arguments.run("group-server", args, GroupServer::run);
  }

  private static void run(Arguments arguments) throws Exception {
    String name = arguments.word("group, send or netty");
    arguments.end();
    Sender sender =
        switch (name) {
          case "group" -> new OfGroup();
          case "send" -> new OfLoop();
          case "netty" -> new OfNetty();
          default ->
              throw new Arguments.UsageException(
                  "unknown sender " + name + ", expected group, send or netty");
        };
    int port = sender.start();
    try (var orders = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      System.out.println("ready on ports " + port + " and " + orders.getLocalPort());
      serve(orders.accept(), sender);
    }
  }

  private static void serve(Socket orders, Sender sender) throws Exception {
    orders.setTcpNoDelay(true);
    var in =
        new BufferedReader(
            new InputStreamReader(orders.getInputStream(), StandardCharsets.US_ASCII));
    for (String line; (line = in.readLine()) != null; ) {
      String[] numbers = line.split(" ", -1);
      sender.send(Integer.parseInt(numbers[0]), Integer.parseInt(numbers[1]));
      orders.getOutputStream().write((sender.sockets() + "\n").getBytes(StandardCharsets.US_ASCII));
    }
  }

  /** What both ways of Windhover have in common. */
  private abstract static class Windhover implements Sender {
    abstract WebSocketListener listener();

    @Override
    public int start() throws IOException {
      WebApplication app = WebApplication.create("--urls", "http://127.0.0.1:0");
      app.server(server -> {
        server.loops(1);
        server.limits().maxConnections(100_000);
      });
      app.useWebSockets(o -> o.allowedOrigins("*").keepAliveInterval(Duration.ZERO));
      WebSocketAcceptContext settings = new WebSocketAcceptContext();
      app.map(
          "/",
          Handler.nonBlocking(context -> {
            WebSocket _ = context.webSockets().accept(settings, listener());
          }));
      app.start();
      return URI.create(app.urls().getFirst()).getPort();
    }
  }

  private static final class OfGroup extends Windhover {
    private final Group group = new Group();

    @Override
    WebSocketListener listener() {
      return new WebSocketListener() {
        @Override
        public void onOpen(WebSocket socket) {
          group.join(socket, WhenFull.DROP_OLDEST);
        }
      };
    }

    @Override
    public void send(int count, int size) {
      PreparedMessage message = PreparedMessage.binary(new byte[size]);
      for (int i = 0; i < count; i++) {
        group.send(message);
      }
    }

    @Override
    public int sockets() {
      return group.size();
    }
  }

  private static final class OfLoop extends Windhover {
    private final Queue<WebSocket> sockets = new ConcurrentLinkedQueue<>();

    @Override
    WebSocketListener listener() {
      return new WebSocketListener() {
        @Override
        public void onOpen(WebSocket socket) {
          sockets.add(socket);
        }
      };
    }

    @Override
    public void send(int count, int size) throws Exception {
      PreparedMessage message = PreparedMessage.binary(new byte[size]);
      for (int i = 0; i < count; i++) {
        for (WebSocket socket : sockets) {
          socket.send(message);
        }
      }
    }

    @Override
    public int sockets() {
      return sockets.size();
    }
  }

  /** Without an engine: no state, no bound, no policy. */
  private static final class OfNetty implements Sender {
    private final ChannelGroup group = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);

    @Override
    public int start() throws Exception {
      var options =
          new EchoServer.Options(
              EchoServer.Api.LISTENER, 0, 1, NettyTransport.preferred(), Compression.OFF);
      return NettyTransport.preferred()
          .bind(options, () -> new ChannelHandler[] {NettyRawEchoServer.handshake(this::opened)});
    }

    private void opened(Channel channel) {
      group.add(channel);
    }

    @Override
    public void send(int count, int size) {
      ByteBuf frame = Unpooled.directBuffer().writeByte(0x82);
      if (size < 126) {
        frame.writeByte(size);
      } else {
        frame.writeByte(126).writeShort(size);
      }
      frame.writeZero(size);
      for (int i = 1; i < count; i++) {
        var _ = group.write(frame.retainedDuplicate(), ChannelMatchers.all(), true);
      }
      var _ = group.writeAndFlush(frame, ChannelMatchers.all(), true);
    }

    @Override
    public int sockets() {
      return group.size();
    }
  }
}
