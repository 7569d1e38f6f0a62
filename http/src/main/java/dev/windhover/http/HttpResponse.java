package dev.windhover.http;

import dev.windhover.http.host.Exchange;
import dev.windhover.http.host.Upgrade;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The response to a request. Its status and headers can change until it starts: at the first {@link
 * #flush()}, when the body no longer fits the buffer of 8 KiB, or when the handler returns. Only
 * one thread may use it at a time.
 *
 * <p>A handler answers HEAD in the same way as GET: the body that it writes is counted but not sent
 * (RFC 9110 9.3.2). A response with status 204, 205 or 304 has no body (15.3.5, 15.3.6, 15.4.5). If
 * a response has a {@code Content-Length}, its body must have exactly that length. A handler that
 * breaks these rules fails with {@link IllegalStateException}.
 *
 * <p>On the handler's thread, a method that sends blocks while the client is slow: at most 64 KiB
 * wait for it. On the connection's loop nothing blocks, and what the client has not taken waits in
 * memory. If the client is gone, these methods throw {@link IOException}.
 */
public final class HttpResponse {
  /** How many bytes of the body are gathered at most before the response starts. */
  private static final int LARGEST_BUFFER = 8192;

  private final Exchange exchange;
  private final boolean isHead;
  private final Headers headers = new Headers();
  private final List<Runnable> onStarting = new ArrayList<>(0);

  /**
   * The tasks for the end of the request, the latest on top; or, as long as there are none, a watch
   * that runs when the first one is added.
   */
  private final AtomicReference<@Nullable Completion> onCompleted = new AtomicReference<>();

  private record Completion(Runnable task, boolean isWatch, @Nullable Completion below) {}

  private int status = 200;
  private boolean statusSet;
  private boolean started;
  private boolean upgraded;
  private boolean ended;
  private boolean writeFailed;
  private volatile boolean aborted;
  private @Nullable ByteBuffer buffer;
  private volatile @Nullable ResponseStream stream;
  private @Nullable DeferredResponse deferred;
  private @Nullable ResponseOutput output; // once it has started
  private @Nullable OpenFile lastFile;
  private long promised = -1; // bytes of body, when the response started; -1 if not said
  private long written; // of the body, since then

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
    this.isHead = exchange.method().equals("HEAD");
  }

  /** Returns the status: 200 unless set, or 101 after an upgrade over HTTP/1.1. */
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

  /** Returns the headers. Changes after the response has started have no effect. */
  public Headers headers() {
    return headers;
  }

  /**
   * Sets the header {@code Content-Type}.
   *
   * @throws IllegalStateException if the response has started
   */
  public HttpResponse contentType(String type) {
    requireNotStarted();
    headers.set("Content-Type", type);
    return this;
  }

  /**
   * Sets the header {@code Content-Length}. The body must then have exactly this length. You need
   * not set it for a body that fits the buffer of 8 KiB and is complete when the handler returns.
   *
   * @param length in bytes
   * @throws IllegalArgumentException if {@code length} is negative
   * @throws IllegalStateException if the response has started
   */
  public HttpResponse contentLength(long length) {
    if (length < 0) {
      throw new IllegalArgumentException("content length " + length + " is negative");
    }
    requireNotStarted();
    headers.set("Content-Length", Long.toString(length));
    return this;
  }

  /** Returns the body as a stream. Closing the stream has no effect. */
  public OutputStream body() {
    return body;
  }

  /** Writes {@code text} in UTF-8, as {@code text/plain} unless a content type was set. */
  public HttpResponse write(String text) throws IOException {
    requireBody();
    if (!started && !headers.contains("Content-Type")) {
      headers.set("Content-Type", "text/plain; charset=utf-8");
    }
    write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
    return this;
  }

  /** Writes bytes of the body; {@code bytes} is the caller's again when this returns. */
  public void write(ByteBuffer bytes) throws IOException {
    requireBody();
    if (!started) {
      if (gather(bytes)) {
        return;
      }
      start(-1);
    }
    send(bytes);
  }

  /** Keeps the beginning of the body, so that a short body is complete before it is sent. */
  private boolean gather(ByteBuffer bytes) {
    ByteBuffer gathered = buffer;
    int held = gathered == null ? 0 : gathered.position();
    if (bytes.remaining() > LARGEST_BUFFER - held) {
      return false;
    }
    int needed = held + bytes.remaining();
    if (gathered == null || gathered.capacity() < needed) {
      int size = Math.min(LARGEST_BUFFER, Math.max(needed, 2 * held));
      ByteBuffer larger = ByteBuffer.allocate(size);
      gathered = gathered == null ? larger : larger.put(gathered.flip());
      buffer = gathered;
    }
    gathered.put(bytes);
    return true;
  }

  /**
   * Writes part of a file as the body, without holding it in memory. Call {@link #contentLength}
   * first; otherwise the client is not told how long the body is. If the file turns out to be
   * shorter, the connection is dropped.
   *
   * @param position the index of the first byte
   * @param count the number of bytes
   * @throws IOException if the file cannot be opened, or the client is gone
   */
  public void writeFile(Path file, long position, long count) throws IOException {
    Objects.requireNonNull(file, "file");
    requireBody();
    if (!started) {
      start(-1);
    }
    if (!mayWrite(count)) {
      return;
    }
    // Opened now and not when its turn comes, because another file might take its name until then.
    OpenFile open = OpenFile.of(file, lastFile);
    lastFile = open;
    try {
      output().writeFile(open, position, count);
    } catch (IOException e) {
      writeFailed = true;
      throw e;
    }
  }

  /** Starts the response, if it has not started, and sends what was written so far. */
  public void flush() throws IOException {
    requireOpen();
    if (!started) {
      start(-1);
    }
    output().flush();
  }

  /** As {@link #stream(Duration)}, with an idle timeout of one minute. */
  public ResponseStream stream() {
    return stream(Duration.ofMinutes(1));
  }

  /**
   * Starts the response and lets it continue after the handler has returned. Any thread may send
   * the body through the stream that this returns, until {@link ResponseStream#end()}. What was
   * written before is sent first. From now on, this object can be read but not changed.
   *
   * @param idleTimeout if nothing is sent for this long, and nothing waits for the client, the
   *     response is dropped and a warning is logged
   * @throws IllegalArgumentException if {@code idleTimeout} is not positive
   * @throws IllegalStateException if the response has started
   */
  public ResponseStream stream(Duration idleTimeout) {
    if (!idleTimeout.isPositive()) {
      throw new IllegalArgumentException("idle timeout " + idleTimeout + " is not positive");
    }
    return stream(idleTimeout, ResponseStream::dropQuiet);
  }

  /**
   * As {@link #stream(Duration)}, but {@code whenQuiet} decides what happens after {@code quiet}.
   */
  ResponseStream stream(Duration quiet, Consumer<ResponseStream> whenQuiet) {
    requireBody();
    requireNotStarted();
    long length = prepare(-1);
    ByteBuffer gathered = buffer;
    buffer = null;
    ResponseStream begun = new ResponseStream(exchange, quiet, whenQuiet, length);
    stream = begun;
    begun.begin(status, headers, gathered == null ? null : gathered.flip());
    return begun;
  }

  /**
   * Lets another thread, or the loop, answer this request after the handler has returned, for
   * example when there is something to say to a client that polls. What was set by then is kept,
   * and nobody else may use this object until the answer is given. Nothing limits how long that
   * takes: do so yourself.
   *
   * @throws IllegalStateException if the response has started, or was deferred already
   */
  public DeferredResponse defer() {
    requireOpen();
    requireNotStarted();
    if (deferred != null) {
      throw new IllegalStateException("the response is deferred already");
    }
    DeferredResponse begun = new DeferredResponse(exchange);
    deferred = begun;
    return begun;
  }

  /**
   * Redirects the client to {@code location} with 302. Never pass on an unchecked location from a
   * request: an attacker could send your users to a site of their own.
   */
  public void redirect(String location) {
    status(302);
    headers.set("Location", location);
  }

  /** Returns whether the response has started: its status and headers can no longer change. */
  public boolean hasStarted() {
    return started;
  }

  /** Returns how many bytes of the body were handed to the host so far; 0 for HEAD. */
  public long bytesWritten() {
    ResponseStream goesOn = stream;
    return isHead ? 0 : goesOn == null ? written : goesOn.written();
  }

  /** Returns whether the response was aborted, or could not be sent because the client is gone. */
  public boolean isAborted() {
    return aborted || writeFailed;
  }

  /** Returns whether no status was set and no body was written yet; headers do not count. */
  boolean isUntouched() {
    return !started && !statusSet && buffer == null && deferred == null;
  }

  /**
   * Runs {@code task} just before status and headers are sent; it may still change them. If there
   * are several tasks, the last one that was added runs first, so that the outermost middleware has
   * the last word. If the handler fails, all headers that were set are removed, and the tasks run
   * for the response to the failure.
   *
   * @throws IllegalStateException if the response has started
   */
  public void onStarting(Runnable task) {
    Objects.requireNonNull(task, "task");
    requireNotStarted();
    onStarting.add(task);
  }

  /**
   * Runs {@code task} when the request is over. If the handler has written the response, that is
   * when the response was handed to the host, on the handler's thread. If the request became a
   * socket or a stream, that is when the socket or stream has ended, on a new thread. If there are
   * several tasks, the last one that was added runs first. An exception is logged as an error.
   */
  public void onCompleted(Runnable task) {
    Objects.requireNonNull(task, "task");
    Completion before =
        onCompleted.getAndUpdate(
            top -> new Completion(task, false, top != null && top.isWatch ? null : top));
    if (before != null && before.isWatch) {
      before.task.run();
    }
  }

  // ---- The pipeline's side

  /** Returns what will answer after the handler, or null. */
  @Nullable DeferredResponse deferred() {
    return deferred;
  }

  /** Returns the stream that continues the response after its handler, or null. */
  @Nullable ResponseStream streaming() {
    return stream;
  }

  /** Discards what was set and written; the response must not have started. */
  void reset() {
    headers.clear();
    status = 200;
    statusSet = false;
    buffer = null;
  }

  /** Sends what is left and ends the response. */
  void end() throws IOException {
    if (ended || upgraded || aborted) {
      return;
    }
    if (!started) {
      start(buffer == null ? 0 : buffer.position(), true);
      ended = true;
      return;
    }
    requireWholeBody();
    ended = true;
    output().end();
  }

  private void requireWholeBody() {
    boolean bodyIsDue = !isHead && status != 304;
    if (bodyIsDue && written < promised) {
      throw new IllegalStateException(
          "body of %d bytes is short of its Content-Length of %d".formatted(written, promised));
    }
  }

  /** Records that the upgrade itself sends the response: 101, or 2xx for an extended CONNECT. */
  void upgraded(int status) {
    requireNotStarted();
    if (buffer != null) {
      throw new IllegalStateException("a body was written, so the request cannot be upgraded");
    }
    this.status = status;
    runOnStarting();
    started = true;
    upgraded = true;
  }

  /** Returns the status that accepts a CONNECT. */
  int connectStatus() {
    if (status > 299) {
      throw new IllegalStateException("status " + status + " does not accept a CONNECT");
    }
    return status;
  }

  /** Records that the connection is being dropped: nothing is left to end. */
  void aborted() {
    aborted = true;
  }

  /** Returns whether the host could not send what was written: the client is gone. */
  boolean writeFailed() {
    return writeFailed;
  }

  /**
   * Runs {@code action} as soon as a task waits for the end of the request: now, or when one is
   * added, which a socket's listener may do after the handler has returned.
   */
  void whenCompletionMatters(Runnable action) {
    if (!onCompleted.compareAndSet(null, new Completion(action, true, null))) {
      action.run();
    }
  }

  /** Takes the next task that waits for the end of the request, or returns null. */
  @Nullable Runnable nextOnCompleted() {
    Completion top =
        onCompleted.getAndUpdate(known -> known == null || known.isWatch ? known : known.below);
    return top == null || top.isWatch ? null : top.task;
  }

  private void start(long length) {
    start(length, false);
  }

  /**
   * Starts the response.
   *
   * @param length the length of the body, or -1 if it is not known yet
   * @param last whether the body is complete
   */
  private void start(long length, boolean last) {
    promised = prepare(length);
    ByteBuffer gathered = buffer;
    buffer = null;
    boolean sends = gathered != null && mayWrite(gathered.flip().remaining());
    if (last) {
      requireWholeBody();
    }
    ResponseOutput begun = new ResponseOutput(exchange);
    output = begun;
    begun.begin(status, headers, promised, sends ? gathered : null, last);
  }

  /** Fixes status and headers, and returns the body's length for the client, or -1. */
  private long prepare(long length) {
    runOnStarting();
    if (buffer != null && buffer.position() > 0) {
      requireStatusWithBody();
    }
    if (headers.contains("Transfer-Encoding")) {
      throw new IllegalStateException("handlers must not set Transfer-Encoding");
    }
    long promise = lengthToPromise(length);
    headers.remove("Content-Length");
    started = true;
    return promise;
  }

  private ResponseOutput output() {
    ResponseOutput begun = output;
    if (begun == null) {
      throw new IllegalStateException("the response has not started");
    }
    return begun;
  }

  /**
   * Returns the body's length for the client: the one that was set, or else the known one, or -1.
   */
  private long lengthToPromise(long known) {
    if (status == 204) {
      return -1; // not even 0: RFC 9110 8.6
    }
    String set = headers.get("Content-Length");
    if (set == null) {
      boolean saysNothing = known == 0 && (isHead || status == 304); // about GET's body
      return saysNothing ? -1 : known;
    }
    try {
      long length = Long.parseLong(set);
      if (length >= 0 && Character.isDigit(set.charAt(0))) { // no sign
        return length;
      }
    } catch (NumberFormatException _) {
      // thrown below
    }
    throw new IllegalStateException("Content-Length \"" + set + "\" is not a number");
  }

  private void send(ByteBuffer bytes) throws IOException {
    if (!mayWrite(bytes.remaining())) {
      return;
    }
    try {
      output().write(bytes);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while waiting for a slow client");
    } catch (IOException e) {
      writeFailed = true;
      throw e;
    }
  }

  /** Counts {@code bytes} of the body and returns whether there is something to send. */
  private boolean mayWrite(long bytes) {
    if (promised >= 0 && bytes > promised - written) {
      throw new IllegalStateException(
          "body of %d bytes exceeds its Content-Length of %d".formatted(written + bytes, promised));
    }
    written += bytes;
    return bytes > 0 && !isHead;
  }

  private void runOnStarting() {
    while (!onStarting.isEmpty()) {
      onStarting.removeLast().run();
    }
  }

  private void requireOpen() {
    if (stream != null) {
      throw new IllegalStateException("the response continues as a stream");
    }
    if (upgraded) {
      throw new IllegalStateException("the request was upgraded and has no response body");
    }
    if (ended) {
      throw new IllegalStateException("the response has ended");
    }
  }

  private void requireBody() {
    requireOpen();
    requireStatusWithBody();
    if (!started && acceptsConnect()) {
      throw new IllegalStateException("a response that accepts a CONNECT has no body");
    }
  }

  /** Returns whether the status would accept a CONNECT (RFC 9110 9.3.6). */
  private boolean acceptsConnect() {
    Upgrade upgrade = status <= 299 ? exchange.upgrade() : null;
    return upgrade != null && upgrade.isExtendedConnect();
  }

  private void requireStatusWithBody() {
    if (status == 204 || status == 205 || status == 304) {
      throw new IllegalStateException("a response with status " + status + " has no body");
    }
  }

  private void requireNotStarted() {
    if (started) {
      throw new IllegalStateException("the response has started");
    }
  }
}
