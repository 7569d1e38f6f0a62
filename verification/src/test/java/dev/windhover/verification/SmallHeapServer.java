package dev.windhover.verification;

import dev.windhover.app.WebApplication;
import dev.windhover.http.Events;
import dev.windhover.http.Handler;
import dev.windhover.http.HttpContext;
import dev.windhover.http.Limit;
import dev.windhover.http.websocket.Message;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketAcceptContext;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.hubs.Hubs;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/** What {@link SmallHeap} starts. */
final class SmallHeapServer {
  /** For clients of the hub that say nothing, so that they are forgotten soon. */
  private static final Duration SILENCE = Duration.ofSeconds(5);

  private SmallHeapServer() {}

  static void main(String[] args) {
    AtomicInteger evicted = new AtomicInteger();
    WebApplication app = WebApplication.create(args);
    app.events(
        new Events() {
          @Override
          public void limitReached(HttpContext context, Limit limit) {
            if (limit == Limit.MEMORY) {
              evicted.incrementAndGet();
            }
          }
        });
    app.useWebSockets(options -> options.allowedOrigins("*"));
    WebSocketAcceptContext settings = new WebSocketAcceptContext().dangerousEnableCompression(true);
    app.mapWebSocket(
        "/blocking",
        settings,
        socket -> {
          for (Message message : socket) {
            socket.send(message);
          }
        });
    WebSocketAcceptContext frugal =
        new WebSocketAcceptContext()
            .dangerousEnableCompression(true)
            .disableServerContextTakeover(true)
            .disableClientContextTakeover(true);
    app.map(
        "/listener",
        Handler.nonBlocking(context -> context.webSockets().accept(frugal, new Echo())));
    app.mapPost(
        "/upload",
        context -> {
          int bytes = context.request().body().readAllBytes().length;
          context.response().write(bytes + "\n");
        });
    app.mapPost("/never-read", context -> context.aborted().join());
    Hubs hubs = Hubs.on(app);
    hubs.map("/patient-hub", BusyHub.class, BusyHub::new);
    hubs.map(
        "/hub",
        BusyHub.class,
        BusyHub::new,
        options ->
            options
                .handshakeTimeout(SILENCE)
                .connections(lower -> lower.disconnectTimeout(SILENCE)));
    app.mapGet("/heap", context -> context.response().write(Memory.heap() + "\n"));
    app.mapGet("/evicted", context -> context.response().write(evicted.get() + "\n"));
    app.run();
  }

  /** Returns each message, and takes the next when the queue has room. */
  private static final class Echo implements WebSocketListener {
    private boolean full;

    @Override
    public void onOpen(WebSocket socket) {
      socket.demand(1);
    }

    @Override
    public void onMessage(WebSocket socket, MessageType type, ByteBuffer payload) throws Exception {
      full = !socket.send(payload, type, true);
      if (!full) {
        socket.demand(1);
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
}
