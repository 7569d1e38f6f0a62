package dev.windhover.http;

import dev.windhover.http.host.Loop;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Server-sent events: a response of type {@code text/event-stream}, which browsers read with {@code
 * EventSource} (HTML Living Standard 9.2). It continues after its handler has returned and holds no
 * thread. Any thread may call its methods, and none of them blocks.
 *
 * <pre>{@code
 * app.mapGet("/ticks", context -> {
 *   EventStream stream = EventStream.open(context);
 *   subscribers.add(stream);
 *   stream.ended().thenRun(() -> subscribers.remove(stream));
 * });
 * }</pre>
 *
 * <p>Whenever nothing was sent for 15 s, the stream sends a comment. It keeps proxies from cutting
 * the connection and detects a client that is gone. When the application begins to stop, it ends
 * its streams after everything that was sent before; {@code EventSource} then reconnects.
 */
public final class EventStream {
  private static final Duration KEEP_ALIVE = Duration.ofSeconds(15);

  private static final byte[] KEEP_ALIVE_COMMENT = ":\n\n".getBytes(StandardCharsets.UTF_8);

  private final ResponseStream response;
  private final @Nullable String lastEventId;

  private EventStream(ResponseStream response, @Nullable String lastEventId) {
    this.response = response;
    this.lastEventId = lastEventId;
  }

  /**
   * Answers the request with a stream of events.
   *
   * @throws IllegalStateException if the response has started
   */
  public static EventStream open(HttpContext context) {
    return open(context, KEEP_ALIVE);
  }

  /**
   * As {@link #open(HttpContext)}, with another keep-alive interval.
   *
   * @param keepAlive how long the stream may be quiet before it sends a comment; 15 s by default
   * @throws IllegalArgumentException if {@code keepAlive} is not positive
   */
  public static EventStream open(HttpContext context, Duration keepAlive) {
    if (!keepAlive.isPositive()) {
      throw new IllegalArgumentException("keep-alive " + keepAlive + " is not positive");
    }
    HttpResponse response = context.response();
    response.contentType("text/event-stream");
    response.headers().set("Cache-Control", "no-store");
    response.headers().set("X-Accel-Buffering", "no"); // nginx would gather events otherwise
    EventStream stream =
        new EventStream(
            response.stream(keepAlive, EventStream::keepAlive),
            context.request().headers().get("Last-Event-ID"));
    stream.response.onLoop(() -> context.application().opened(stream));
    return stream;
  }

  private static void keepAlive(ResponseStream response) {
    try {
      response.sendOwn(ByteBuffer.wrap(KEEP_ALIVE_COMMENT));
    } catch (IOException e) {
      // the stream has just ended
    }
  }

  /**
   * Returns the id of the last event that the client received before it reconnected ({@code
   * Last-Event-ID}), or null. Clients can send anything here.
   */
  public @Nullable String lastEventId() {
    return lastEventId;
  }

  // ---- Sending

  /**
   * Sends an event of the type {@code message}.
   *
   * @return whether there is room for more; if not, {@link #onWritable} runs when there is
   * @throws IOException if the stream has ended, or the client is gone
   * @throws IllegalStateException if there is no room: an earlier call has returned false, and
   *     {@link #onWritable} has not run since
   */
  public boolean send(String data) throws IOException {
    return send(null, null, data);
  }

  /** Sends an event of the type {@code event}; otherwise as {@link #send(String)}. */
  public boolean send(String event, String data) throws IOException {
    return send(Objects.requireNonNull(event, "event"), null, data);
  }

  /**
   * Sends an event; otherwise as {@link #send(String)}.
   *
   * @param event the event's type, in one line; {@code message} if null
   * @param id what the client sends as {@code Last-Event-ID} when it reconnects, in one line; null
   *     for no id
   * @param data any number of lines
   * @throws IllegalArgumentException if {@code event} or {@code id} contains a line break or a NUL
   */
  public boolean send(@Nullable String event, @Nullable String id, String data) throws IOException {
    StringBuilder text = new StringBuilder(data.length() + 32);
    field(text, "event", event);
    field(text, "id", id);
    lines(text, data);
    return send(text.append('\n'));
  }

  /** Appends a field for each line of {@code data}, however it ends: CR LF, LF or CR. */
  private static void lines(StringBuilder text, String data) {
    int from = 0;
    for (int i = 0; i < data.length(); i++) {
      char c = data.charAt(i);
      if (c == '\n' || c == '\r') {
        text.append("data: ").append(data, from, i).append('\n');
        if (c == '\r' && i + 1 < data.length() && data.charAt(i + 1) == '\n') {
          i++;
        }
        from = i + 1;
      }
    }
    text.append("data: ").append(data, from, data.length()).append('\n');
  }

  /**
   * Tells the client how long to wait before it reconnects after it has lost the connection.
   *
   * <p>Returns and throws as {@link #send(String)}.
   *
   * @param delay sent in milliseconds, without fractions
   * @throws IllegalArgumentException if {@code delay} is negative
   */
  public boolean retry(Duration delay) throws IOException {
    if (delay.isNegative()) {
      throw new IllegalArgumentException("retry delay " + delay + " is negative");
    }
    return send(new StringBuilder("retry: ").append(delay.toMillis()).append("\n\n"));
  }

  /**
   * Sends a comment, which clients ignore. Returns and throws as {@link #send(String)}.
   *
   * @throws IllegalArgumentException if {@code text} contains a line break or a NUL
   */
  public boolean comment(String text) throws IOException {
    return send(new StringBuilder(": ").append(oneLine("comment", text)).append("\n\n"));
  }

  private static void field(StringBuilder text, String name, @Nullable String value) {
    if (value != null) {
      text.append(name).append(": ").append(oneLine(name, value)).append('\n');
    }
  }

  private static String oneLine(String name, String value) {
    if (value.indexOf('\n') >= 0 || value.indexOf('\r') >= 0 || value.indexOf('\0') >= 0) {
      throw new IllegalArgumentException(name + " of an event must be one line, without NUL");
    }
    return value;
  }

  private boolean send(StringBuilder text) throws IOException {
    return response.sendOwn(ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.UTF_8)));
  }

  /**
   * Runs {@code action} on the connection's loop each time there is room again: fewer than 16 KiB
   * wait for the client. A later call replaces the action. If it throws an exception, the stream is
   * aborted, and one error line is logged.
   */
  public void onWritable(Runnable action) {
    response.onWritable(action);
  }

  /** Returns how many bytes wait for the client. */
  public long bufferedAmount() {
    return response.bufferedAmount();
  }

  // ---- Ending

  /** Ends the stream. Browsers reconnect after a while; an answer of 204 keeps them away. */
  public void close() {
    response.end();
  }

  /** Returns whether the stream is open: neither side has ended it. */
  public boolean isOpen() {
    return response.isOpen();
  }

  /**
   * Returns a stage that completes when the stream has ended, for whatever reason. It never
   * completes exceptionally.
   */
  public CompletionStage<Void> ended() {
    return response.ended();
  }

  Loop loop() {
    return response.loop();
  }

  CompletableFuture<Void> over() {
    return response.takeover().ended();
  }
}
