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
 * EventSource} (HTML Living Standard 9.2). It goes on after its handler has returned and holds no
 * thread; any thread may send, and nothing here blocks.
 *
 * <pre>{@code
 * app.mapGet("/ticks", context -> {
 *   EventStream stream = EventStream.open(context);
 *   subscribers.add(stream);
 *   stream.ended().thenRun(() -> subscribers.remove(stream));
 * });
 * }</pre>
 *
 * <p>While nothing else is sent, a comment goes out every 15 s, which keeps proxies from cutting
 * the connection and finds a client that is gone. When the application begins to stop, its streams
 * are ended, after what was sent by then: {@code EventSource} comes back, to whom it is sent then.
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
   * As {@link #open(HttpContext)}.
   *
   * @param keepAlive how long the stream may be quiet before a comment is sent; positive
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
      // it has just ended
    }
  }

  /**
   * Returns the id of the last event that the client has seen, which it says when it comes back.
   */
  public @Nullable String lastEventId() {
    return lastEventId;
  }

  // ---- Sending

  /**
   * Sends an event of the type {@code message}.
   *
   * @return whether there is room for more; if not, {@link #onWritable} tells when there is
   * @throws IOException if the stream has ended, or the client is gone
   * @throws IllegalStateException if there was no room, which the call before has said
   */
  public boolean send(String data) throws IOException {
    return send(null, null, data);
  }

  /** Sends an event of type {@code event}; else as {@link #send(String)}. */
  public boolean send(String event, String data) throws IOException {
    return send(Objects.requireNonNull(event), null, data);
  }

  /**
   * Sends an event; else as {@link #send(String)}.
   *
   * @param event its type, {@code message} if null; one line
   * @param id what the client says in {@code Last-Event-ID} when it comes back; one line
   * @param data any number of lines
   * @throws IllegalArgumentException if {@code event} or {@code id} has several lines, or a NUL
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
   * Tells the client how long to wait before it comes back after it has lost the connection.
   *
   * @throws IllegalArgumentException if {@code delay} is negative
   */
  public boolean retry(Duration delay) throws IOException {
    if (delay.isNegative()) {
      throw new IllegalArgumentException("retry delay " + delay + " is negative");
    }
    return send(new StringBuilder("retry: ").append(delay.toMillis()).append("\n\n"));
  }

  /** Sends a comment, which clients ignore; one line. */
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

  // ---- Ending

  /** Runs {@code action}, on the connection's loop, each time there is room again. */
  public void onWritable(Runnable action) {
    response.onWritable(action);
  }

  /** Returns the bytes that wait for the client. */
  public long bufferedAmount() {
    return response.bufferedAmount();
  }

  /** Ends the stream; browsers come back after a while, unless they are answered 204 then. */
  public void close() {
    response.end();
  }

  /** Returns whether neither side has ended the stream. */
  public boolean isOpen() {
    return response.isOpen();
  }

  /** Returns what completes, never exceptionally, when the stream has ended, however it has. */
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
