package dev.windhover.http;

import dev.windhover.http.host.Exchange;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The answer. Status and headers may change until the response has started: with the first {@link
 * #flush()}, with more body than fits the buffer of 8 KiB, or when the handler returns. Used by one
 * thread at a time.
 */
public final class HttpResponse {
  private static final int BUFFER_BYTES = 8192;

  private final Exchange exchange;
  private final Headers headers = new Headers();
  private final List<Runnable> onStarting = new ArrayList<>(1);
  private final List<Runnable> onCompleted = new ArrayList<>(1);

  private int status = 200;
  private boolean statusSet;
  private boolean started;
  private boolean upgraded;
  private boolean ended;
  private @Nullable ByteBuffer buffer;

  private final OutputStream body =
      new OutputStream() {
        @Override
        public void write(int b) throws IOException {
          HttpResponse.this.write(ByteBuffer.wrap(new byte[] {(byte) b}));
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
          HttpResponse.this.write(ByteBuffer.wrap(bytes, offset, length));
        }

        @Override
        public void flush() throws IOException {
          HttpResponse.this.flush();
        }
      };

  HttpResponse(Exchange exchange) {
    this.exchange = exchange;
  }

  /** Returns the status, 200 unless set. */
  public int status() {
    return status;
  }

  /**
   * Sets the status.
   *
   * @throws IllegalArgumentException outside 200–599
   * @throws IllegalStateException if the response has started
   */
  public HttpResponse status(int status) {
    if (status < 200 || status > 599) {
      throw new IllegalArgumentException("status " + status + " is not within 200-599");
    }
    requireNotStarted();
    this.status = status;
    statusSet = true;
    return this;
  }

  /** Returns the headers; what is changed after the response has started has no effect. */
  public Headers headers() {
    return headers;
  }

  /** Sets the header {@code Content-Type}. */
  public HttpResponse contentType(String type) {
    requireNotStarted();
    headers.set("Content-Type", type);
    return this;
  }

  /** Returns the body as a stream; writing blocks while the client is slow. */
  public OutputStream body() {
    return body;
  }

  /** Writes text as UTF-8, {@code text/plain} unless a content type was set. */
  public HttpResponse write(String text) throws IOException {
    if (!started && !headers.contains("Content-Type")) {
      headers.set("Content-Type", "text/plain; charset=utf-8");
    }
    write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
    return this;
  }

  /** Writes bytes of the body. */
  public void write(ByteBuffer bytes) throws IOException {
    requireBody();
    ByteBuffer gathered = buffer;
    if (!started) {
      if (gathered == null) {
        gathered = ByteBuffer.allocate(BUFFER_BYTES);
        buffer = gathered;
      }
      if (bytes.remaining() <= gathered.remaining()) {
        gathered.put(bytes);
        return;
      }
      start(-1);
    }
    send(bytes);
  }

  /**
   * Writes part of a file as the body, without holding it in memory.
   *
   * @param position the first byte
   * @param count the number of bytes
   */
  public void writeFile(Path file, long position, long count) throws IOException {
    requireBody();
    if (!started) {
      start(buffer == null ? count : -1);
    }
    exchange.writeFile(file, position, count);
  }

  /** Starts the response and sends what was written so far. */
  public void flush() throws IOException {
    requireBody();
    if (!started) {
      start(-1);
    }
    exchange.flush();
  }

  /** Answers 302 with {@code location}, which must not come from the client unchecked. */
  public void redirect(String location) {
    status(302);
    headers.set("Location", location);
  }

  /** Returns whether status and headers are on their way. */
  public boolean hasStarted() {
    return started;
  }

  /** Returns whether nobody has set a status, a header or a byte of the body. */
  boolean isUntouched() {
    return !started && !statusSet && buffer == null && headers.size() == 0;
  }

  /** Runs {@code task} just before status and headers are sent; it may still change them. */
  public void onStarting(Runnable task) {
    requireNotStarted();
    onStarting.add(task);
  }

  /** Runs {@code task} when the request is over: the response sent, or the socket ended. */
  public void onCompleted(Runnable task) {
    onCompleted.add(task);
  }

  // ---- The pipeline's side -----------------------------------------------------------------------

  /** Forgets what was set; the response must not have started. */
  void reset() {
    headers.clear();
    status = 200;
    statusSet = false;
    buffer = null;
  }

  /** Sends what is left and ends the response. */
  void end() throws IOException {
    if (ended || upgraded) {
      return;
    }
    ended = true;
    if (!started) {
      start(buffer == null ? 0 : buffer.position());
    }
    exchange.end();
  }

  /** The response is a 101 (or its like) that the upgrade sends itself. */
  void upgraded() {
    requireNotStarted();
    runOnStarting();
    started = true;
    upgraded = true;
  }

  void runOnCompleted() {
    onCompleted.forEach(Runnable::run);
    onCompleted.clear();
  }

  private void start(long length) throws IOException {
    runOnStarting();
    started = true;
    exchange.respond(status, headers, length);
    ByteBuffer gathered = buffer;
    buffer = null;
    if (gathered != null && gathered.position() > 0) {
      send(gathered.flip());
    }
  }

  private void send(ByteBuffer bytes) throws IOException {
    try {
      exchange.write(bytes);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while the client was slow");
    }
  }

  private void runOnStarting() {
    onStarting.forEach(Runnable::run);
    onStarting.clear();
  }

  private void requireBody() {
    if (upgraded) {
      throw new IllegalStateException("the request was upgraded and has no response body");
    }
    if (ended) {
      throw new IllegalStateException("the response has ended");
    }
  }

  private void requireNotStarted() {
    if (started) {
      throw new IllegalStateException("the response has started");
    }
  }
}
