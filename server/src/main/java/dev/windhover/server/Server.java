package dev.windhover.server;

import dev.windhover.http.Headers;
import dev.windhover.http.host.Exchange;
import dev.windhover.http.host.ExchangeHandler;
import dev.windhover.http.host.Sink;
import dev.windhover.server.exchange.ConnectionCount;
import dev.windhover.server.http1.Http1Connection;
import dev.windhover.server.http1.NettyDuplex;
import dev.windhover.server.http2.Http2Connection;
import dev.windhover.server.http2.Http2Preface;
import dev.windhover.server.http2.Http2Request;
import dev.windhover.server.net.Link;
import dev.windhover.server.tls.BadCertificateException;
import dev.windhover.server.tls.FirstByte;
import dev.windhover.server.tls.TlsContext;
import dev.windhover.server.tls.TlsLink;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
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

  private static final ChannelHandler ACCEPT_FAILURES = new AcceptFailures();

  /** How often a port is chosen anew that turns out to be taken in the other family. */
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
    this.connections = new ConnectionCount(options.limits());
  }

  /**
   * Begins to listen.
   *
   * @throws ListenException if an address cannot be listened on, or the certificate not be used;
   *     then none is
   * @throws IllegalStateException if the transport, or who speaks TLS, is not available here
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
    lookForCertificates(group);
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
    TlsContext context = address.isTls() ? tls : null;
    Http2Request.Rules rules =
        new Http2Request.Rules(
            address.isTls() ? "https" : "http", options.address(url), options.limits());
    ServerBootstrap its =
        bootstrap
            .clone()
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    initialize(channel, context, rules);
                  }
                });
    urls.add(address.toUrl(bind(its, url, sockets, address.port(), PORT_ATTEMPTS)));
  }

  /** Returns what the https addresses need; null if there are none. */
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

  private void lookForCertificates(EventLoopGroup group) {
    TlsContext context = tls;
    if (context != null) {
      long nanos = options.tls().reloadInterval().toNanos();
      Semaphore one = new Semaphore(1); // files may be far away, and slow
      group
          .next()
          .scheduleWithFixedDelay(
              () -> {
                if (one.tryAcquire()) {
                  Thread.ofVirtual()
                      .name("certificate")
                      .start(() -> {
                        try {
                          context.look();
                        } catch (RuntimeException e) {
                          log.warn("looking for a new certificate failed: {}", e.toString());
                        } finally {
                          one.release();
                        }
                      });
                }
              },
              nanos,
              nanos,
              TimeUnit.NANOSECONDS);
    }
  }

  private void releaseCertificate() {
    if (tls != null) {
      tls.release();
    }
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

  /** Takes a new connection in, or closes it; {@code context} is null without TLS. */
  void initialize(Channel channel, @Nullable TlsContext context, Http2Request.Rules rules) {
    ConnectionCount.Place place = connections.enter(channel);
    if (place == null) {
      channel.close();
      return;
    }
    if (context == null) {
      Http1Connection http1 = speakHttp1(channel, Link.TCP, place, handler);
      Http2Preface preface =
          new Http2Preface(() -> {
            if (http1.leave()) {
              speakHttp2(channel, Link.TCP, place, rules);
            }
          });
      channel.pipeline().addFirst(preface);
    } else {
      speakTls(channel, context, place, rules);
    }
  }

  /** Begins with TLS; what comes then, the client and we agree upon. */
  private void speakTls(
      Channel channel, TlsContext context, ConnectionCount.Place place, Http2Request.Rules rules) {
    SslHandler ssl = context.newHandler(channel.alloc(), options.limits());
    TlsLink link =
        new TlsLink(ssl, (done, protocol) -> speak(protocol, channel, done, place, rules));
    FirstByte firstByte =
        new FirstByte(() -> {
          log.debug("{} does not speak TLS", channel.remoteAddress());
          channel.pipeline().remove(link);
          channel.pipeline().remove(ssl);
          speakHttp1(channel, Link.TCP, place, Server::refusePlain).opened();
        });
    channel.pipeline().addLast(firstByte, ssl, link);
  }

  /** What a browser shows to somebody who typed in http for https. */
  private static void refusePlain(Exchange exchange) {
    byte[] text = "this port speaks HTTPS: use https://\n".getBytes(StandardCharsets.US_ASCII);
    Headers headers = new Headers();
    headers.set("Content-Type", "text/plain; charset=utf-8").set("Connection", "close");
    Sink sink = exchange.respond(400, headers, text.length);
    sink.write(ByteBuffer.wrap(text));
    sink.end();
  }

  /**
   * Makes a connection one of the protocol that was agreed upon (RFC 7301), on its loop; what is
   * spoken here is what {@link TlsContext} offers.
   */
  private void speak(
      String protocol,
      Channel channel,
      Link link,
      ConnectionCount.Place place,
      Http2Request.Rules rules) {
    switch (protocol) {
      case ApplicationProtocolNames.HTTP_2 -> speakHttp2(channel, link, place, rules);
      case ApplicationProtocolNames.HTTP_1_1 -> speakHttp1(channel, link, place, handler).opened();
      default -> throw new IllegalStateException("nobody offered " + protocol);
    }
  }

  private Http1Connection speakHttp1(
      Channel channel, Link link, ConnectionCount.Place place, ExchangeHandler handler) {
    Http1Connection connection =
        Http1Connection.begin(channel, link, place, options.limits(), handler);
    if (stopping) { // accepted while the listeners were closing, and perhaps told by nobody
      channel.eventLoop().execute(connection::stop);
    }
    return connection;
  }

  private void speakHttp2(
      Channel channel, Link link, ConnectionCount.Place place, Http2Request.Rules rules) {
    Http2Connection connection = Http2Connection.begin(channel, link, place, rules, handler);
    if (stopping) {
      channel.eventLoop().execute(connection::stop);
    }
  }

  /** Returns the addresses listened on, with the ports that were bound. */
  public List<String> urls() {
    return List.copyOf(urls);
  }

  ServerLimits limits() {
    return options.limits();
  }

  /** Stops listening; connections live on, and each closes after the request it is at. */
  public void stopListening() {
    stopping = true;
    listeners.close().awaitUninterruptibly();
    for (Channel channel : connections.channels()) {
      channel.eventLoop().execute(() -> stop(channel));
    }
  }

  private static void stop(Channel channel) {
    Http1Connection http1 = channel.pipeline().get(Http1Connection.class);
    Http2Connection http2 = channel.pipeline().get(Http2Connection.class);
    TlsLink link = channel.pipeline().get(TlsLink.class);
    if (http1 != null) {
      http1.stop();
    } else if (http2 != null) {
      http2.stop();
    } else if (link != null) {
      link.stop();
    }
  }

  /**
   * Stops: no new connections, and idle ones end at once; requests and sockets end by themselves,
   * or are dropped with a reset when {@link ServerOptions#stopTimeout()} is over.
   */
  public void stop() {
    stopListening();
    Duration timeout = options.stopTimeout();
    if (!awaitEnd(timeout)) {
      log.warn(
          "{} connections did not end within {} and are dropped",
          connections.channels().size(),
          timeout);
      connections.channels().forEach(channel -> channel.eventLoop().execute(() -> drop(channel)));
      awaitEnd(Duration.ofSeconds(1));
    }
    EventLoopGroup group = loops;
    if (group != null) {
      group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2_000);
    }
    releaseCertificate();
  }

  /** Waits for the end of the connections there are; returns whether they have ended in time. */
  private boolean awaitEnd(Duration timeout) {
    ChannelGroup open = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
    open.addAll(connections.channels());
    return open.newCloseFuture().awaitUninterruptibly(timeout.toMillis());
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

  /**
   * Logs that a listener cannot accept a connection, for example because the process has no file
   * descriptor left. Netty, before it in the pipeline, then lets the listener rest for a second.
   */
  @Sharable
  private static final class AcceptFailures extends ChannelInboundHandlerAdapter {
    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      log.warn(
          "{} takes no connection for 1 s: {}", ctx.channel().localAddress(), cause.getMessage());
    }
  }
}
