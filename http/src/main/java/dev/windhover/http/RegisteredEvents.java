package dev.windhover.http;

import dev.windhover.http.host.Loggers;
import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.HandshakeRefusal;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.WebSocket;
import java.net.SocketAddress;
import java.util.List;
import java.util.function.Consumer;
import org.slf4j.Logger;

/**
 * Calls all registered {@code Events} in the order of registration. If one throws an exception, it
 * is logged; the others are still called, and the caller continues.
 */
record RegisteredEvents(List<Events> all) implements Events {
  private static final Logger log = Loggers.get(Events.class);

  @Override
  public void handshakeRefused(
      HttpContext context, HandshakeRefusal cause, int status, String text) {
    tell(each -> each.handshakeRefused(context, cause, status, text));
  }

  @Override
  public void socketOpened(HttpContext context, WebSocket socket) {
    tell(each -> each.socketOpened(context, socket));
  }

  @Override
  public void socketEnded(HttpContext context, WebSocket socket, Ending ending) {
    tell(each -> each.socketEnded(context, socket, ending));
  }

  @Override
  public void handlerFailed(HttpContext context, Throwable failure) {
    tell(each -> each.handlerFailed(context, failure));
  }

  @Override
  public void taskFailed(Throwable failure) {
    tell(each -> each.taskFailed(failure));
  }

  @Override
  public void messageReceived(HttpContext context, MessageType type, long bytes) {
    tell(each -> each.messageReceived(context, type, bytes));
  }

  @Override
  public void messageSent(HttpContext context, MessageType type, long bytes) {
    tell(each -> each.messageSent(context, type, bytes));
  }

  @Override
  public void limitReached(HttpContext context, Limit limit) {
    tell(each -> each.limitReached(context, limit));
  }

  @Override
  public void connectionDropped(SocketAddress remote, Limit limit) {
    tell(each -> each.connectionDropped(remote, limit));
  }

  private void tell(Consumer<Events> event) {
    for (Events each : all) {
      try {
        event.accept(each);
      } catch (Throwable failure) {
        log.error("{} failed to handle an event", each.getClass().getName(), failure);
      }
    }
  }
}
