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
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The answer. Status and headers may change until the response has started: with the first {@link
 * #flush()}, with more body than fits the buffer of 8 KiB, or when the handler returns. Used by one
 * thread at a time.
 *
 * <p>A handler answers HEAD as it answers GET: what it writes is counted and not sent. A response
 * with status 204, 205 or 304 has no body, and a body must be as long as its {@code Content-Length}
 * says, if it has one: a handler that breaks this fails.
 */
public final class HttpResponse {
  /** The most of a body that is gathered before it is sent. */
  private static final int LARGEST_BUFFER = 8192;

  private final Exchange exchange;
  private final boolean isHead;
  private final Headers headers = new Headers();
  private final List<Runnable> onStarting = new ArrayList<>(0);

  /** Tasks that wait for the end of the request; below them may be who waits for such tasks. */
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

  /** Returns the status, 200 unless set; of a request that was upgraded 101, with HTTP/2 200. */
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

  /**
   * Sets the header {@code Content-Length}: the body is then sent as it is written and must be that
   * long. A body that was written when the handler returns, and fits the buffer, needs none.
   */
  public HttpResponse contentLength(long length) {
    if (length < 0) {
      throw new IllegalArgumentException("content length " + length + " is negative");
    }
    requireNotStarted();
    headers.set("Content-Length", Long.toString(length));
    return this;
  }

  /** Returns the body as a stream; writing blocks while the client is slow. */
  public OutputStream body() {
    return body;
  }

  /** Writes text as UTF-8, {@code text/plain} unless a content type was set. */
  public HttpResponse write(String text) throws IOException {
    requireBody();
    if (!started && !headers.contains("Content-Type")) {
      headers.set("Content-Type", "text/plain; charset=utf-8");
    }
    write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
    return this;
  }

  /** Writes bytes of the body. */
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

  /** Keeps the beginning of the body, so that a short one is whole before it is sent. */
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
   * Writes part of a file as the body, without holding it in memory. Say {@link #contentLength}
   * first, or the client is not told how much is to come.
   *
   * @param position the first byte
   * @param count the number of bytes
   */
  public void writeFile(Path file, long position, long count) throws IOException {
    requireBody();
    if (!started) {
      start(-1);
    }
    if (!mayWrite(count)) {
      return;
    }
    // Opened now and not when its turn comes, or a file that takes its place meanwhile is sent.
    OpenFile open = OpenFile.of(file, lastFile);
    lastFile = open;
    try {
      output().writeFile(open, position, count);
    } catch (IOException e) {
      writeFailed = true;
      throw e;
    }
  }

  /** Starts the response and sends what was written so far. */
  public void flush() throws IOException {
    requireOpen();
    if (!started) {
      start(-1);
    }
    output().flush();
  }

  /** As {@link #stream(Duration)}, with a limit of one minute. */
  public ResponseStream stream() {
    return stream(Duration.ofMinutes(1));
  }

  /**
   * Starts the response, and lets it go on after the handler has returned: any thread may send the
   * body through what this returns, until it ends it. What was written before is sent first. From
   * here on this object can only be asked.
   *
   * @param idleTimeout positive; if nothing is sent for so long, while nothing waits for the
   *     client, the response is dropped, with a warning in the log
   * @throws IllegalStateException if the response has started
   */
  public ResponseStream stream(Duration idleTimeout) {
    if (!idleTimeout.isPositive()) {
      throw new IllegalArgumentException("idle timeout " + idleTimeout + " is not positive");
    }
    return stream(idleTimeout, ResponseStream::dropQuiet);
  }

  /**
   * As {@link #stream(Duration)}, but what happens after {@code quiet} is for the caller to say.
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

  /** Answers 302 with {@code location}, which must not come from the client unchecked. */
  public void redirect(String location) {
    status(302);
    headers.set("Location", location);
  }

  /** Returns whether status and headers are on their way. */
  public boolean hasStarted() {
    return started;
  }

  /** Returns how many bytes of body were given to the host so far; none for HEAD. */
  public long bytesWritten() {
    ResponseStream goesOn = stream;
    return isHead ? 0 : goesOn == null ? written : goesOn.written();
  }

  /** Returns whether the connection is being dropped, or could not take what was written. */
  public boolean isAborted() {
    return aborted || writeFailed;
  }

  /** Returns whether nobody has set a status or written a body yet; headers do not count. */
  boolean isUntouched() {
    return !started && !statusSet && buffer == null;
  }

  /**
   * Runs {@code task} just before status and headers are sent; it may still change them. Of
   * several, the last that was added runs first, so that the outermost middleware has the last
   * word. So it does when the handler fails, for the answer that says so, from which the headers
   * that were set before are gone.
   */
  public void onStarting(Runnable task) {
    requireNotStarted();
    onStarting.add(task);
  }

  /**
   * Runs {@code task} when the request is over: the response sent, or the socket ended, which is on
   * a thread of its own. Of several, the last that was added runs first.
   */
  public void onCompleted(Runnable task) {
    Completion before =
        onCompleted.getAndUpdate(
            top -> new Completion(task, false, top != null && top.isWatch ? null : top));
    if (before != null && before.isWatch) {
      before.task.run();
    }
  }

  // ---- The pipeline's side

  /** Returns what goes on with the response after its handler; null if that is nothing. */
  @Nullable ResponseStream streaming() {
    return stream;
  }

  /** Forgets what was set; the response must not have started. */
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

  /** The response is a 101 (or its like) that the upgrade sends itself. */
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
      throw new IllegalStateException("a CONNECT is not accepted with status " + status);
    }
    return status;
  }

  /** The connection is being dropped: there is nothing to end any more. */
  void aborted() {
    aborted = true;
  }

  /** Returns whether the host could not send what was written: the client is gone. */
  boolean writeFailed() {
    return writeFailed;
  }

  /**
   * Runs {@code action} once there is a task that waits for the end of the request: now, or when
   * one is added, as a listener of the socket may do after the handler.
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
   * @param length that of the body, or -1 if it is not known yet
   * @param last whether all of the body was written
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

  /** Fixes status and headers, and returns the length to tell the client. */
  private long prepare(long length) {
    runOnStarting();
    if (buffer != null && buffer.position() > 0) {
      requireStatusWithBody();
    }
    if (headers.contains("Transfer-Encoding")) {
      throw new IllegalStateException("Transfer-Encoding is not for handlers to set");
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

  /** Returns the length to tell the client: the one that was set, else the known one, or -1. */
  private long lengthToPromise(long known) {
    if (status == 204) {
      return -1; // not even 0: RFC 9110 8.6
    }
    String set = headers.get("Content-Length");
    if (set == null) {
      boolean saysNothing = known == 0 && (isHead || status == 304); // about the body of GET
      return saysNothing ? -1 : known;
    }
    try {
      long length = Long.parseLong(set);
      if (length >= 0 && Character.isDigit(set.charAt(0))) { // no sign
        return length;
      }
    } catch (NumberFormatException _) {
      // said below
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
      throw new InterruptedIOException("interrupted while the client was slow");
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
      throw new IllegalStateException("the response goes on as a stream");
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
      throw new IllegalStateException("a CONNECT that is accepted has no response body");
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
