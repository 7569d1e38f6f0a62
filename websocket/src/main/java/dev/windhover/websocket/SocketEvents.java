package dev.windhover.websocket;

import dev.windhover.http.Events;
import dev.windhover.http.HttpContext;
import dev.windhover.http.Limit;
import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.WebSocket;
import org.jspecify.annotations.Nullable;

/**
 * Tells the application's {@link Events} what happens to one socket. Keeps the request for that,
 * and so for as long as the socket lives, only where somebody listens. Any thread.
 */
final class SocketEvents {
  private static final SocketEvents NONE = new SocketEvents(Events.NONE, null);

  private final Events events;
  private final @Nullable HttpContext context;

  private SocketEvents(Events events, @Nullable HttpContext context) {
    this.events = events;
    this.context = context;
  }

  /** Returns those of a request's socket. */
  static SocketEvents of(HttpContext context) {
    Events events = context.application().events();
    return Events.NONE.equals(events) ? NONE : new SocketEvents(events, context);
  }

  void opened(WebSocket socket) {
    if (context != null) {
      events.socketOpened(context, socket);
    }
  }

  void ended(WebSocket socket, Ending ending) {
    if (context != null) {
      events.socketEnded(context, socket, ending);
    }
  }

  void received(MessageType type, long bytes) {
    if (context != null) {
      events.messageReceived(context, type, bytes);
    }
  }

  void sent(MessageType type, long bytes) {
    if (context != null) {
      events.messageSent(context, type, bytes);
    }
  }

  void failed(Throwable failure) {
    if (context != null) {
      events.handlerFailed(context, failure);
    }
  }

  void limitReached(Limit limit) {
    if (context != null) {
      events.limitReached(context, limit);
    }
  }
}
