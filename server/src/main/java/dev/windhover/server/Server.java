package dev.windhover.server;

import dev.windhover.http.host.ExchangeHandler;
import dev.windhover.http.host.MemoryBudget;
import dev.windhover.server.exchange.ConnectionCount;
import dev.windhover.server.http2.Http2Request;
import dev.windhover.server.net.Stoppable;
import dev.windhover.server.tls.BadCertificateException;
import dev.windhover.server.tls.TlsContext;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Listens on its addresses and hands every request to its handler. Each connection lives on one of
 * the event loops; handlers that may block run on virtual threads.
 *
 * <p>Call {@link #start()} and {@link #stop()} once each, from any thread. Both block.
 */
public final class Server {
  private static final Logger log = LoggerFactory.getLogger(Server.class);
  private static final int BACKLOG = 1024;

  private static final ChannelHandler ACCEPT_FAILURES = new AcceptFailures();

  /** How often another port is tried if one is free in one address family only. */
  private static final int PORT_ATTEMPTS = 16;

  private final ServerOptions options;
  private final ExchangeHandler handler;
  private final ChannelGroup listeners = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
  private final ConnectionCount connections;
  private final List<String> urls = new ArrayList<>();
  private @Nullable EventLoopGroup loops;
  private @Nullable TlsContext tls;
  private volatile boolean stopping;

  /** Creates a server that does not listen yet. */
  public Server(ServerOptions options, ExchangeHandler handler) {
    this.options = options;
    this.handler = handler;
    this.connections = new ConnectionCount(options.limits(), handler::connectionDropped);
  }

  /**
   * Begins to listen.
   *
   * @throws ListenException if the server cannot listen on one of its addresses, or cannot use the
   *     certificate; then it listens on none
   * @throws IllegalStateException if the transport or the TLS provider is not available here
   */
  public Server start() throws ListenException {
    Transport transport = options.transport().resolve();
    tls = readCertificate();
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
            .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
    try {
      for (String url : options.urls()) {
        listen(bootstrap, url);
      }
    } catch (ListenException e) {
      listeners.close().awaitUninterruptibly();
      group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
      releaseCertificate();
      throw e;
    }
    if (tls != null) {
      tls.lookEvery(options.tls().reloadInterval(), group);
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
    ServerBootstrap its =
        bootstrap.clone().childHandler(negotiation(address, options.address(url)));
    urls.add(address.toUrl(bind(its, url, sockets, address.port(), PORT_ATTEMPTS)));
  }

  /** Returns what begins the connections of one address. */
  Negotiation negotiation(ListenAddress address, AddressOptions itsOptions) {
    return new Negotiation(
        connections,
        address.isTls() ? tls : null,
        new Http2Request.Rules(address.scheme(), itsOptions, options.limits()),
        handler,
        () -> stopping);
  }

  /** Returns the certificate of the https addresses; null if there are none. */
  private @Nullable TlsContext readCertificate() throws ListenException {
    for (String url : options.urls()) {
      if (ListenAddress.parse(url).isTls()) {
        try {
          return newTlsContext(options.tls());
        } catch (BadCertificateException e) {
          throw new ListenException("cannot listen on " + url + ": " + e.getMessage(), e);
        }
      }
    }
    return null;
  }

  private static TlsContext newTlsContext(TlsOptions tls) throws BadCertificateException {
    return new TlsContext(tls.certificate(), tls.key(), tls.password(), tls.provider().resolve());
  }

  private void releaseCertificate() {
    if (tls != null) {
      tls.release();
    }
  }

  /** Binds all of {@code sockets} to one port, and returns the port. */
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
        listener.pipeline().addLast(ACCEPT_FAILURES);
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
      } // else a machine without IPv6, where localhost has only an IPv4 address
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

  /** Returns the addresses that the server listens on, with their ports. */
  public List<String> urls() {
    return List.copyOf(urls);
  }

  /** Returns the memory budget of all connections; see {@link ServerLimits#memory}. */
  public MemoryBudget memory() {
    return connections.memory();
  }

  /** Stops listening. Open connections close after their current request. */
  public void stopListening() {
    stopping = true;
    listeners.close().awaitUninterruptibly();
    for (Channel channel : connections.channels()) {
      onLoop(channel, Stoppable::stop);
    }
  }

  private static void onLoop(Channel channel, Consumer<Stoppable> how) {
    channel
        .eventLoop()
        .execute(() -> {
          if (channel.pipeline().last() instanceof Stoppable protocol) {
            how.accept(protocol);
          } // else it has ended
        });
  }

  /**
   * Stops: accepts no connections, and ends idle ones at once. Requests and sockets end by
   * themselves, or are dropped with a reset after {@link ServerOptions#stopTimeout()}.
   */
  public void stop() {
    stopListening();
    Duration timeout = options.stopTimeout();
    if (!awaitEnd(timeout)) {
      log.warn(
          "{} connections did not end within {} and are dropped",
          connections.channels().size(),
          timeout);
      for (Channel channel : connections.channels()) {
        onLoop(channel, Stoppable::drop);
      }
      awaitEnd(Duration.ofSeconds(1));
    }
    EventLoopGroup group = loops;
    if (group != null) {
      group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2_000);
    }
    releaseCertificate();
  }

  /** Waits until all open connections have ended; returns whether they have in time. */
  private boolean awaitEnd(Duration timeout) {
    ChannelGroup open = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
    open.addAll(connections.channels());
    return open.newCloseFuture().awaitUninterruptibly(timeout.toMillis());
  }

  /**
   * Logs that a listener cannot accept a connection, for example because the process has no file
   * descriptor left. Netty, before it in the pipeline, then lets the listener rest for a second.
   */
  @Sharable
  private static final class AcceptFailures extends ChannelInboundHandlerAdapter {
    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      log.warn(
          "{} accepts no connection for 1 s: {}", ctx.channel().localAddress(), cause.getMessage());
    }
  }
}
