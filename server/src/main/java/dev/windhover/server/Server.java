package dev.windhover.server;

import dev.windhover.http.host.Background;
import dev.windhover.http.host.Durations;
import dev.windhover.http.host.ExchangeHandler;
import dev.windhover.http.host.Loggers;
import dev.windhover.http.host.LoopWatch;
import dev.windhover.http.host.MemoryBudget;
import dev.windhover.server.exchange.ConnectionCount;
import dev.windhover.server.http2.Http2Request;
import dev.windhover.server.net.LoopBackground;
import dev.windhover.server.net.Loops;
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
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * Listens on its addresses and hands every request to its handler. Each connection lives on one of
 * the event loops; handlers that may block run on virtual threads.
 *
 * <p>Call {@link #start()} and {@link #stop()} once each, from any thread but its own loops. Both
 * block.
 */
public final class Server {
  private static final Logger log = Loggers.get(Server.class);
  private static final int BACKLOG = 1024;

  /** How long what was dropped may take to end, and then the loops. */
  private static final Duration GRACE = Duration.ofMillis(500);

  private static final int FIRST_FREE_PORT = 1024;

  /** What Netty puts before the system's words: {@code bind(..) failed with error(-98): }. */
  private static final Pattern SYSTEM_CALL =
      Pattern.compile("^\\w+\\(\\.\\.\\) failed(?: with error\\(-?\\d+\\))?: ");

  private static final ChannelHandler ACCEPT_FAILURES = new AcceptFailures();

  /** How often another port is tried if one is free in one address family only. */
  private static final int PORT_ATTEMPTS = 16;

  private final ServerOptions options;
  private final ExchangeHandler handler;
  private final ChannelGroup listeners = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
  private final ConnectionCount connections;
  private final List<String> urls = new ArrayList<>();
  private final AtomicBoolean started = new AtomicBoolean();
  private Consumer<Throwable> onLoopEnded = _ -> {};
  private volatile @Nullable Loops loops;
  private @Nullable LoopWatch watch;
  private @Nullable TlsContext tls;
  private volatile boolean stopping;

  /** Creates a server that does not listen yet. */
  public Server(ServerOptions options, ExchangeHandler handler) {
    this.options = options;
    this.handler = handler;
    this.connections = new ConnectionCount(options.limits(), handler::connectionDropped);
  }

  /**
   * Sets what happens when the server cannot go on, because an error has ended one of its event
   * loops: its connections are lost, and new ones would never be answered. By default nothing
   * happens, except for a line in the log.
   *
   * @param task called with the error, on the loop's thread; memory may be exhausted, so it must
   *     not need any
   */
  public Server onLoopEnded(Consumer<Throwable> task) {
    onLoopEnded = Objects.requireNonNull(task, "task");
    return this;
  }

  /**
   * Begins to listen.
   *
   * @throws ListenException if the server cannot listen on one of its addresses, or cannot use the
   *     certificate; then it listens on none
   * @throws IllegalStateException if the transport or the TLS provider is not available here, or if
   *     the server was started before
   */
  public Server start() throws ListenException {
    if (!started.compareAndSet(false, true)) {
      throw new IllegalStateException("the server was started before");
    }
    Transport transport = options.transport().resolve();
    tls = readCertificate();
    Loops group = new Loops(options.loops(), transport.handlers(), onLoopEnded);
    loops = group;
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(group.acceptor(), group)
            .channel(transport.serverChannel())
            .option(ChannelOption.SO_BACKLOG, BACKLOG)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
    transport.boundOutput(bootstrap, options.sendBuffer());
    boolean listens = false;
    try {
      watch(group.start());
      for (String url : options.urls()) {
        listen(bootstrap, url);
      }
      listens = true;
    } finally {
      if (!listens) {
        listeners.close().awaitUninterruptibly(GRACE.toMillis());
        end(group, Duration.ZERO);
      }
    }
    if (tls != null) {
      tls.lookEvery(options.tls().reloadInterval(), group);
    }
    log.debug("{} event loops on {}", options.loops(), transport);
    return this;
  }

  private void watch(List<LoopWatch.Loop> watched) {
    Duration threshold = options.heldLoopThreshold();
    if (threshold != null && threshold.isPositive()) {
      watch =
          LoopWatch.start(
              threshold,
              watched,
              className -> false,
              held ->
                  log.warn(
                      "an event loop was held for more than {} ms by {}",
                      Durations.millis(threshold),
                      held.place(),
                      held.where()));
    }
  }

  private void listen(ServerBootstrap bootstrap, String url) throws ListenException {
    ListenAddress address = ListenAddress.parse(url);
    List<InetSocketAddress> sockets;
    try {
      sockets = address.toSocketAddresses();
    } catch (UnknownHostException e) {
      throw new ListenException(
          "cannot listen on "
              + url
              + ": unknown host; name an address of this machine, or * for all, with --urls",
          e);
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
          throw new ListenException("cannot listen on " + url + ": " + e.messageWithAdvice(), e);
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
            "cannot listen on " + url + ": " + reason(future.cause(), wanted), future.cause());
      } // else a machine without IPv6, where localhost has only an IPv4 address
    }
    return port;
  }

  private static boolean isInUse(Throwable cause) {
    return String.valueOf(cause.getMessage()).contains("in use");
  }

  /** Returns what is wrong and what to do, without the numbers of the system. */
  private static String reason(Throwable cause, int port) {
    String message = String.valueOf(cause.getMessage());
    if (isInUse(cause)) {
      return "the address is in use; stop the program that listens there, or name another port with"
          + " --urls";
    }
    if (message.contains("ermission denied")) {
      return port < FIRST_FREE_PORT
          ? "this user may not use ports below 1024; name a higher one with --urls, or grant the"
              + " right (CAP_NET_BIND_SERVICE on Linux)"
          : "this user may not use the address; name another one with --urls";
    }
    if (message.contains("ssign requested address")) {
      return "this machine does not have the address; name one of its own, or * for all, with"
          + " --urls";
    }
    return SYSTEM_CALL.matcher(message).replaceFirst("");
  }

  /** Returns the addresses that the server listens on, with their ports. */
  public List<String> urls() {
    return List.copyOf(urls);
  }

  /** Returns the memory budget of all connections; see {@link ServerLimits#memory}. */
  public MemoryBudget memory() {
    return connections.memory();
  }

  /** Returns what an application's own tasks run with. Timers run only while the server runs. */
  public Background background() {
    return new LoopBackground(() -> {
      Loops running = loops;
      return running == null ? null : running.acceptor();
    });
  }

  /** Stops listening. Open connections close after their current request. */
  public void stopListening() {
    stopping = true;
    listeners.close().awaitUninterruptibly(GRACE.toMillis()); // their loop is never held
    tellAll(Stoppable::stop);
  }

  private void tellAll(Consumer<Stoppable> how) {
    for (Channel channel : connections.channels()) {
      try {
        channel.eventLoop().execute(() -> tell(channel, how));
      } catch (RejectedExecutionException e) {
        // its loop has ended, and the connection with it
      }
    }
  }

  private static void tell(Channel channel, Consumer<Stoppable> how) {
    if (channel.pipeline().last() instanceof Stoppable protocol) {
      how.accept(protocol);
    } // else it has ended
  }

  /** As {@link #stop(CompletionStage)}, for an application that has nothing to do at a stop. */
  public void stop() {
    stop(CompletableFuture.completedFuture(null));
  }

  /**
   * Stops: accepts no connections, and ends idle ones at once. Requests and sockets end by
   * themselves, or are dropped with a reset after {@link ServerOptions#stopTimeout()}. Returns at
   * most a second after that, even if a handler holds a loop and never returns.
   *
   * @param application completes when the application has done what it does at a stop
   */
  public void stop(CompletionStage<?> application) {
    long deadline = System.nanoTime() + Durations.nanos(options.stopTimeout());
    stopListening();
    if (awaitEnd(deadline)) {
      awaitDone(application.toCompletableFuture(), deadline);
    } else {
      log.warn(
          "{} connections did not end within {} and are dropped",
          connections.channels().size(),
          options.stopTimeout());
      tellAll(Stoppable::drop);
      awaitEnd(System.nanoTime() + GRACE.toNanos());
    }
    Loops group = loops;
    if (group != null) {
      end(group, GRACE);
    }
  }

  private void end(Loops group, Duration atMost) {
    if (watch != null) {
      watch.stop();
    }
    group.end(atMost.toNanos());
    releaseCertificate();
  }

  /**
   * Waits until all handlers have returned, also those whose connections have ended; after a stop.
   *
   * @return whether they have within that time
   */
  public boolean awaitHandlers(Duration atMost) {
    Loops group = loops;
    if (group == null) {
      return true;
    }
    long deadline = System.nanoTime() + Durations.nanos(atMost);
    while (group.runningHandlers() > 0 && left(deadline) > 0) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5)); // at the end, who would wake us?
    }
    return group.runningHandlers() == 0 && group.end(left(deadline));
  }

  /** Waits until all open connections have ended; returns whether they have in time. */
  private boolean awaitEnd(long deadline) {
    ChannelGroup open = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
    open.addAll(connections.channels());
    return open.newCloseFuture().awaitUninterruptibly(left(deadline), TimeUnit.NANOSECONDS);
  }

  private static void awaitDone(CompletableFuture<?> application, long deadline) {
    try {
      application.get(left(deadline), TimeUnit.NANOSECONDS);
    } catch (ExecutionException e) {
      log.error("a task of the stop failed", e.getCause());
    } catch (TimeoutException e) {
      log.warn("the tasks of the stop did not end in time");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static long left(long deadline) {
    return Math.max(deadline - System.nanoTime(), 0);
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
