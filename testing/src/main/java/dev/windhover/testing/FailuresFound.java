package dev.windhover.testing;

import dev.windhover.http.Ending;
import dev.windhover.http.Events;
import dev.windhover.http.HttpContext;
import dev.windhover.http.MessageType;
import dev.windhover.http.WebSocket;
import java.util.function.Consumer;

/**
 * Reports handlers that fail to the test host, and passes all events on to the application's own.
 */
record FailuresFound(Events told, Consumer<Throwable> found) implements Events {
  @Override
  public void handlerFailed(HttpContext context, Throwable failure) {
    found.accept(failure);
    told.handlerFailed(context, failure);
  }

  @Override
  public void handshakeRefused(HttpContext context, int status, String cause) {
    told.handshakeRefused(context, status, cause);
  }

  @Override
  public void socketOpened(HttpContext context, WebSocket socket) {
    told.socketOpened(context, socket);
  }

  @Override
  public void socketEnded(HttpContext context, WebSocket socket, Ending ending) {
    told.socketEnded(context, socket, ending);
  }

  @Override
  public void messageReceived(HttpContext context, MessageType type, long bytes) {
    told.messageReceived(context, type, bytes);
  }

  @Override
  public void messageSent(HttpContext context, MessageType type, long bytes) {
    told.messageSent(context, type, bytes);
  }

  @Override
  public void limitReached(HttpContext context, String limit) {
    told.limitReached(context, limit);
  }
}
