package dev.windhover.server;

import dev.windhover.http.host.ExchangeHandler;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.uring.IoUringSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Listens on its addresses and hands every request to its handler. Each connection lives on one of
 * the event loops; handlers that may block run on virtual threads.
 *
 * <p>{@link #start()} once, {@link #stop()} once; both from any thread, both block.
 */
public final class Server {
  private static final Logger log = LoggerFactory.getLogger(Server.class);
  private static final int BACKLOG = 1024;

  /** How often a port is chosen anew that turns out to be taken in the other family. */
  private static final int PORT_ATTEMPTS = 16;

  private final ServerOptions options;
  private final ExchangeHandler handler;
  private final ChannelGroup listeners = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
  private final ChannelGroup connections =
      new DefaultChannelGroup("connections", GlobalEventExecutor.INSTANCE, true);
  private final ConnectionCount count;
  private final List<String> urls = new ArrayList<>();
  private @Nullable EventLoopGroup loops;
  private volatile boolean stopping;

  /** Creates a server that does not listen yet. */
  public Server(ServerOptions options, ExchangeHandler handler) {
    this.options = options;
    this.handler = handler;
    this.count = new ConnectionCount(options.limits());
  }

  /**
   * Begins to listen.
   *
   * @throws ListenException if an address cannot be listened on; then none is
   * @throws IllegalStateException if the transport is not available here
   */
  public Server start() throws ListenException {
    Transport transport = options.transport().resolve();
    EventLoopGroup group =
        new MultiThreadIoEventLoopGroup(
            options.loops(), new DefaultThreadFactory("windhover"), transport.handlers());
    loops = group;
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(group)
            .channel(transport.serverChannel())
            .option(ChannelOption.SO_BACKLOG, BACKLOG)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    initialize(channel);
                  }
                });
    try {
      for (String url : options.urls()) {
        listen(bootstrap, url);
      }
    } catch (ListenException e) {
      listeners.close().awaitUninterruptibly();
      group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
      throw e;
    }
    log.debug("{} event loops on {}", options.loops(), transport);
    return this;
  }

  private void listen(ServerBootstrap bootstrap, String url) throws ListenException {
    ListenAddress address = ListenAddress.parse(url);
    List<InetSocketAddress> sockets;
    try {
      sockets = address.toSocketAddresses();
    } catch (UnknownHostException e) {
      throw new ListenException("cannot listen on " + url + ": unknown host", e);
    }
    urls.add(address.toUrl(bind(bootstrap, url, sockets, address.port(), PORT_ATTEMPTS)));
  }

  /** Binds all of {@code sockets} to one port, and returns which. */
  private int bind(
      ServerBootstrap bootstrap,
      String url,
      List<InetSocketAddress> sockets,
      int wanted,
      int attempts)
      throws ListenException {
    List<Channel> bound = new ArrayList<>(sockets.size());
    int port = wanted;
    for (InetSocketAddress socket : sockets) {
      var future =
          bootstrap.bind(new InetSocketAddress(socket.getAddress(), port)).awaitUninterruptibly();
      if (future.isSuccess()) {
        Channel listener = future.channel();
        listeners.add(listener);
        bound.add(listener);
        port = ((InetSocketAddress) listener.localAddress()).getPort();
      } else if (bound.isEmpty() || isInUse(future.cause())) {
        if (wanted == 0 && !bound.isEmpty() && attempts > 1) {
          bound.forEach(listener -> listener.close().awaitUninterruptibly());
          return bind(bootstrap, url, sockets, 0, attempts - 1); // free in one family only
        }
        throw new ListenException(
            "cannot listen on " + url + ": " + reason(future.cause()), future.cause());
      } // else a machine without IPv6, which listens on localhost's IPv4 alone
    }
    return port;
  }

  private static boolean isInUse(Throwable cause) {
    return String.valueOf(cause.getMessage()).contains("in use");
  }

  private static String reason(Throwable cause) {
    String message = String.valueOf(cause.getMessage());
    if (isInUse(cause)) {
      return "the address is in use";
    }
    return message.contains("ermission denied") ? "permission denied" : message;
  }

  /** Takes a new connection in, or closes it. */
  void initialize(Channel channel) {
    ConnectionCount.Place place = count.enter();
    if (place == null) {
      channel.close();
      return;
    }
    channel.closeFuture().addListener(closed -> place.leave());
    connections.add(channel);
    speakHttp1(channel, place);
  }

  /** Makes a connection one of HTTP/1.1, or of HTTP/2 if its first bytes say so; on its loop. */
  private void speakHttp1(Channel channel, ConnectionCount.Place place) {
    ReadBuffers buffers = new ReadBuffers();
    if (!(channel instanceof IoUringSocketChannel)) { // io_uring holds a buffer while it waits
      channel.config().setRecvByteBufAllocator(buffers);
    }
    Http1Output output = new Http1Output(channel);
    Http1Decoder decoder = new Http1Decoder(options.limits());
    Http1Encoder encoder = new Http1Encoder();
    Http1Connection connection =
        new Http1Connection(this, handler, channel, place, buffers, output, decoder, encoder);
    Http2Preface preface =
        new Http2Preface(() -> {
          connection.leave();
          speakHttp2(channel, place, output);
        });
    channel.pipeline().addLast(output, preface, decoder, encoder, connection);
    if (stopping) { // accepted while the listeners were closing, and perhaps told by nobody
      channel.eventLoop().execute(connection::stop);
    }
  }

  /** Makes a connection one of HTTP/2; on its loop. */
  private void speakHttp2(Channel channel, ConnectionCount.Place place, Http1Output output) {
    Http2Request.Rules rules = new Http2Request.Rules("http", true, options.limits());
    Http2Connection connection =
        Http2Connection.create(handler, channel, place, output, rules, null);
    channel.pipeline().addLast(connection);
    if (stopping) {
      channel.eventLoop().execute(connection::stop);
    }
  }

  /** Returns the addresses listened on, with the ports that were bound. */
  public List<String> urls() {
    return List.copyOf(urls);
  }

  boolean isStopping() {
    return stopping;
  }

  ServerLimits limits() {
    return options.limits();
  }

  /** Stops listening; connections live on, and each closes after the request it is at. */
  public void stopListening() {
    stopping = true;
    listeners.close().awaitUninterruptibly();
    for (Channel channel : connections) {
      channel.eventLoop().execute(() -> stop(channel));
    }
  }

  private static void stop(Channel channel) {
    Http1Connection http1 = channel.pipeline().get(Http1Connection.class);
    Http2Connection http2 = channel.pipeline().get(Http2Connection.class);
    if (http1 != null) {
      http1.stop();
    } else if (http2 != null) {
      http2.stop();
    }
  }

  /**
   * Stops: no new connections, and idle ones end at once; requests and sockets end by themselves,
   * or are dropped with a reset when {@link ServerOptions#stopTimeout()} is over.
   */
  public void stop() {
    stopListening();
    Duration timeout = options.stopTimeout();
    if (!connections.newCloseFuture().awaitUninterruptibly(timeout.toMillis())) {
      log.warn("{} connections did not end within {} and are dropped", connections.size(), timeout);
      connections.forEach(channel -> channel.eventLoop().execute(() -> drop(channel)));
      connections.newCloseFuture().awaitUninterruptibly(1_000);
    }
    EventLoopGroup group = loops;
    if (group != null) {
      group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2_000);
    }
  }

  /** Resets, so that nobody takes this for a response's end, or a closing handshake's. */
  private static void drop(Channel channel) {
    NettyDuplex socket = channel.pipeline().get(NettyDuplex.class);
    Http1Connection http1 = channel.pipeline().get(Http1Connection.class);
    Http2Connection http2 = channel.pipeline().get(Http2Connection.class);
    if (socket != null) {
      socket.abort();
    } else if (http1 != null) {
      http1.drop();
    } else if (http2 != null) {
      http2.abort();
    } else {
      channel.close();
    }
  }
}
