package dev.windhover.testing;

import dev.windhover.http.Events;
import dev.windhover.http.HttpContext;
import dev.windhover.http.Limit;
import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.HandshakeRefusal;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.WebSocket;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/** Keeps the events of one test, as lines. */
final class Recorder implements Events {
  private final List<String> lines = new CopyOnWriteArrayList<>();
  private final List<HandshakeRefusal> refusals = new CopyOnWriteArrayList<>();
  private final CompletableFuture<WebSocket> opened = new CompletableFuture<>();
  private final CompletableFuture<Ending> ended = new CompletableFuture<>();

  /** Returns what happened, without message counts. */
  List<String> lines() {
    return lines;
  }

  /** Returns the causes of the handshakes that were refused. */
  List<HandshakeRefusal> refusals() {
    return refusals;
  }

  /** Returns the first socket that was opened. */
  WebSocket socket() {
    return opened.orTimeout(10, TimeUnit.SECONDS).join();
  }

  /** Returns how the first socket ended. */
  Ending ending() {
    return ended.orTimeout(10, TimeUnit.SECONDS).join();
  }

  @Override
  public void handshakeRefused(
      HttpContext context, HandshakeRefusal cause, int status, String text) {
    refusals.add(cause);
    lines.add("refused " + status + ": " + text);
  }

  @Override
  public void socketOpened(HttpContext context, WebSocket socket) {
    lines.add("opened");
    opened.complete(socket);
  }

  @Override
  public void socketEnded(HttpContext context, WebSocket socket, Ending ending) {
    lines.add("ended");
    ended.complete(ending);
  }

  @Override
  public void handlerFailed(HttpContext context, Throwable failure) {
    lines.add("failed " + failure.getMessage());
  }

  @Override
  public void messageReceived(HttpContext context, MessageType type, long bytes) {
    lines.add("received " + type + " " + bytes);
  }

  @Override
  public void messageSent(HttpContext context, MessageType type, long bytes) {
    lines.add("sent " + type + " " + bytes);
  }

  @Override
  public void limitReached(HttpContext context, Limit limit) {
    lines.add("limit " + limit);
  }
}
