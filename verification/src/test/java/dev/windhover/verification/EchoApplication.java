package dev.windhover.verification;

import dev.windhover.app.WebApplication;
import dev.windhover.http.Application;
import dev.windhover.http.Events;
import dev.windhover.http.Handler;
import dev.windhover.http.HttpContext;
import dev.windhover.http.Middleware;
import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.Message;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketAcceptContext;
import dev.windhover.http.websocket.WebSocketClosedException;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.verification.wire.Wire;
import dev.windhover.websocket.WebSockets;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/** The application that the contract talks to, once for each form, and what it saw. */
final class EchoApplication implements Events, AutoCloseable {
  /** Which way its handlers are written. */
  enum Form {
    BLOCKING,
    LISTENER
  }

  /** Sockets under this path are dropped when their peer takes nothing for 3 s. */
  static final String IMPATIENT = "/impatient";

  private static final Duration CLOSE_TIMEOUT = Duration.ofMillis(1_500);
  private static final long BIG = 64 << 20;

  private final WebApplication app;
  private final AtomicLong running = new AtomicLong();
  private final Set<WebSocket> crowd = ConcurrentHashMap.newKeySet();
  private final Map<String, WebSocket> sockets = new ConcurrentHashMap<>();
  private final Map<String, LinkedBlockingQueue<Ending>> endings = new ConcurrentHashMap<>();
  private final Map<WebSocket, CompletableFuture<Optional<Ending>>> noted =
      new ConcurrentHashMap<>();

  EchoApplication(Form form, Consumer<WebApplication> host) {
    app = WebApplication.create();
    app.server(options -> options.urls("http://127.0.0.1:0"));
    host.accept(app);
    app.events(this);
    app.use(new Impatience(webSockets(Duration.ofSeconds(3))));
    app.use(webSockets(Duration.ofMinutes(1))); // a busy machine may take nothing for long
    switch (form) {
      case BLOCKING -> mapBlocking();
      case LISTENER -> mapListener();
    }
    app.mapGet("/plain", context -> context.response().write("plain\n"));
    try {
      app.start();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static WebSockets webSockets(Duration writeStallTimeout) {
    return WebSockets.with(options ->
        options
            .allowedOrigins("*")
            .limits(
                limits -> limits.closeTimeout(CLOSE_TIMEOUT).writeStallTimeout(writeStallTimeout)));
  }

  /** An engine for the sockets under one path alone. */
  private record Impatience(WebSockets engine) implements Middleware {
    @Override
    public void addedTo(Application application) {
      engine.addedTo(application);
    }

    @Override
    public boolean isNonBlocking() {
      return true;
    }

    @Override
    public void handle(HttpContext context, Handler next) throws Exception {
      if (context.request().path().startsWith(IMPATIENT)) {
        engine.handle(context, next);
      } else {
        next.handle(context);
      }
    }
  }

  int port() {
    return Ports.of(app);
  }

  @Override
  public void close() {
    app.stop();
  }

  // ---- The handlers, {id} tells their sockets apart

  private void mapBlocking() {
    app.mapWebSocket("/echo/{id}", this::echoMessages);
    app.mapWebSocket("/watched/{id}", watched(), this::echoMessages);
    app.mapWebSocket(
        "/big/{id}", new WebSocketAcceptContext().maxMessageSize(BIG), this::echoMessages);
    app.mapWebSocket(
        "/shouts/{id}",
        socket -> {
          crowd.add(socket);
          try {
            for (Message message : socket) {
              PreparedMessage prepared = PreparedMessage.of(message);
              shout(prepared);
            }
          } finally {
            crowd.remove(socket);
          }
        });
    app.mapWebSocket("/silent/{id}", socket -> new CountDownLatch(1).await());
    app.mapWebSocket(
        "/closes/{id}",
        socket -> {
          socket.sendText("bye");
          socket.close(4000, "enough");
        });
    app.mapWebSocket(
        "/fails/{id}",
        socket -> {
          socket.receiveMessage();
          throw new IllegalStateException("on purpose");
        });
    app.mapWebSocket(
        "/leaves/{id}",
        socket -> {
          socket.receiveMessage();
          leaveUnfinished(socket);
          socket.sendText("behind");
        });
    app.mapWebSocket(
        "/aborts/{id}",
        socket -> {
          socket.receiveMessage();
          socket.abort();
        });
    app.mapWebSocket("/talks/{id}", EchoApplication::talk);
    app.mapWebSocket(IMPATIENT + "/talks/{id}", EchoApplication::talk);
  }

  /** For clients that never answer a Ping. */
  private static WebSocketAcceptContext watched() {
    return new WebSocketAcceptContext()
        .keepAliveInterval(Duration.ofMillis(100))
        .keepAliveTimeout(Duration.ofMillis(500));
  }

  private void echoMessages(WebSocket socket) throws Exception {
    for (Message message : socket) {
      socket.send(message);
    }
    note(socket);
  }

  private void note(WebSocket socket) {
    CompletableFuture<Optional<Ending>> asked = noted.remove(socket);
    if (asked != null) {
      asked.complete(Optional.ofNullable(socket.ending()));
    }
  }

  /**
   * Begins to wait for the end of an echo: returns how {@code socket} has ended to its handler,
   * right after the loop.
   */
  CompletableFuture<Optional<Ending>> endingAfterLoop(WebSocket socket) {
    return noted
        .computeIfAbsent(socket, _ -> new CompletableFuture<>())
        .orTimeout(Wire.MOST_MILLIS, TimeUnit.MILLISECONDS);
  }

  /** Begins a message on a thread that ends. */
  private static void leaveUnfinished(WebSocket socket) throws InterruptedException {
    Thread thread =
        Thread.ofPlatform()
            .name("gone")
            .start(() -> {
              try {
                socket.send(ByteBuffer.wrap(new byte[] {'h', 'a'}), MessageType.TEXT, false);
              } catch (IOException | InterruptedException e) {
                throw new AssertionError(e);
              }
            });
    thread.join();
  }

  private static void talk(WebSocket socket) throws Exception {
    ByteBuffer piece = ByteBuffer.allocate(16 * 1024);
    while (true) {
      socket.sendBinary(piece.duplicate());
    }
  }

  private void mapListener() {
    WebSocketAcceptContext settings = new WebSocketAcceptContext();
    listen("/echo/{id}", settings, Echo::new);
    listen("/watched/{id}", watched(), Echo::new);
    listen("/big/{id}", new WebSocketAcceptContext().maxMessageSize(BIG), Echo::new);
    listen("/on-demand/{id}", settings, OnDemand::new);
    listen("/shouts/{id}", settings, Shouts::new);
    listen("/silent/{id}", settings, Silent::new);
    listen("/closes/{id}", settings, Closes::new);
    listen("/fails/{id}", settings, Fails::new);
    listen("/leaves/{id}", settings, Leaves::new);
    listen("/aborts/{id}", settings, Aborts::new);
    listen("/talks/{id}", settings, Talks::new);
    listen(IMPATIENT + "/talks/{id}", settings, Talks::new);
  }

  /** As in docs/compression.md: those that lag behind miss the message. */
  private void shout(PreparedMessage message) throws IOException {
    for (WebSocket each : crowd) {
      try {
        each.trySend(message);
      } catch (WebSocketClosedException e) {
        // it has ended meanwhile, and leaves by itself
      }
    }
  }

  private void listen(
      String path,
      WebSocketAcceptContext settings,
      java.util.function.Supplier<WebSocketListener> listener) {
    app.map(
        path,
        Handler.nonBlocking(context -> context.webSockets().accept(settings, listener.get())));
  }

  /** Returns each message, and takes the next when the queue has room. */
  private final class Echo implements WebSocketListener {
    private boolean full;

    @Override
    public void onEnded(WebSocket socket, Ending ending) {
      note(socket);
    }

    @Override
    public void onOpen(WebSocket socket) {
      socket.demand(1);
    }

    @Override
    public void onMessage(WebSocket socket, MessageType type, ByteBuffer payload) throws Exception {
      if (socket.send(payload, type, true)) {
        socket.demand(1);
      } else {
        full = true;
      }
    }

    @Override
    public void onWritable(WebSocket socket) {
      if (full) {
        full = false;
        socket.demand(1);
      }
    }
  }

  private static final class Silent implements WebSocketListener {
    @Override
    public void onOpen(WebSocket socket) {}
  }

  private static final class OnDemand implements WebSocketListener {
    @Override
    public void onOpen(WebSocket socket) {}

    @Override
    public void onMessage(WebSocket socket, MessageType type, ByteBuffer payload) throws Exception {
      socket.send(payload, type, true);
    }
  }

  private static final class Closes implements WebSocketListener {
    @Override
    public void onOpen(WebSocket socket) throws Exception {
      socket.demand(Long.MAX_VALUE);
      socket.sendText("bye");
      socket.close(4000, "enough");
    }
  }

  private static final class Fails implements WebSocketListener {
    @Override
    public void onText(WebSocket socket, String text) {
      throw new IllegalStateException("on purpose");
    }
  }

  private static final class Leaves implements WebSocketListener {
    @Override
    public void onText(WebSocket socket, String text) throws Exception {
      leaveUnfinished(socket);
      socket.sendText("behind");
    }
  }

  private static final class Aborts implements WebSocketListener {
    @Override
    public void onText(WebSocket socket, String text) {
      socket.abort();
    }
  }

  /** Hands each message to every socket on its path, itself included. */
  private final class Shouts implements WebSocketListener {
    @Override
    public void onOpen(WebSocket socket) throws Exception {
      crowd.add(socket);
      WebSocketListener.super.onOpen(socket);
    }

    @Override
    public void onMessage(WebSocket socket, MessageType type, ByteBuffer payload) throws Exception {
      PreparedMessage prepared = PreparedMessage.of(payload, type);
      shout(prepared);
    }

    @Override
    public void onEnded(WebSocket socket, Ending ending) {
      crowd.remove(socket);
    }
  }

  private static final class Talks implements WebSocketListener {
    private final ByteBuffer piece = ByteBuffer.allocate(16 * 1024);

    @Override
    public void onOpen(WebSocket socket) throws Exception {
      socket.demand(Long.MAX_VALUE);
      onWritable(socket);
    }

    @Override
    public void onWritable(WebSocket socket) throws Exception {
      boolean room = true;
      while (room) {
        room = socket.sendBinary(piece.duplicate());
      }
    }
  }

  // ---- What it saw

  @Override
  public void socketOpened(HttpContext context, WebSocket socket) {
    running.incrementAndGet();
    sockets.put(context.request().pathParameter("id"), socket);
  }

  @Override
  public void socketEnded(HttpContext context, WebSocket socket, Ending ending) {
    running.decrementAndGet();
    sockets.remove(context.request().pathParameter("id"), socket);
    endings(context.request().pathParameter("id")).add(ending);
  }

  private LinkedBlockingQueue<Ending> endings(String id) {
    return endings.computeIfAbsent(id, key -> new LinkedBlockingQueue<>());
  }

  /** Waits for the end of the socket that was opened as {@code id}. */
  Ending ending(String id) throws InterruptedException {
    Ending ending = endings(id).poll(Wire.MOST_MILLIS, TimeUnit.MILLISECONDS);
    if (ending == null) {
      throw new AssertionError("socket " + id + " has not ended");
    }
    return ending;
  }

  /** Returns the number of sockets that have begun and not ended. */
  long running() {
    return running.get();
  }

  /** Returns the server's end of the socket that was opened as {@code id}. */
  WebSocket socket(String id) {
    WebSocket socket = sockets.get(id);
    if (socket == null) {
      throw new AssertionError("socket " + id + " was not opened");
    }
    return socket;
  }
}
