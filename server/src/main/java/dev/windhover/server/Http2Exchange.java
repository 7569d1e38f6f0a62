package dev.windhover.server;

import dev.windhover.http.Connection;
import dev.windhover.http.Headers;
import dev.windhover.http.HttpException;
import dev.windhover.http.HttpVersion;
import dev.windhover.http.host.Duplex;
import dev.windhover.http.host.Exchange;
import dev.windhover.http.host.Loop;
import dev.windhover.http.host.Upgrade;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Stream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** One stream of HTTP/2: a request and its response, or what becomes a socket. */
final class Http2Exchange implements Exchange, Upgrade, StreamEnd {
  /** As much of a response may wait for the client before a writer off the loop does. */
  private static final int MOST_WAITING = 64 * 1024;

  /** A large body is copied, and a file read, piece by piece. */
  private static final int PIECE_BYTES = 16 * 1024;

  /** The largest body that waits for its end, to leave together with the head. */
  private static final int MOST_HELD = 8 * 1024;

  /** What says how HTTP/1.1 moves a message, and is malformed here (RFC 9113 8.2.2). */
  private static final Set<String> OF_CONNECTION =
      Set.of("connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade");

  private final Http2Connection connection;
  private final Http2Stream stream;
  private final RequestId id;
  private final Http2Request request;
  private final boolean hasBody;
  private final RequestBody body;
  private final CompletableFuture<Void> aborted = new CompletableFuture<>();

  /** Guards {@link #waiting} and the wait of a writer for a slow client. */
  private final Object writable = new Object();

  /** Bytes of the response that the network has not taken. */
  private int waiting;

  private volatile boolean closed;
  private volatile boolean responded;

  /** Status and headers, then a first piece of body: held, so that a short answer leaves whole. */
  private @Nullable Http2Headers heldHead;

  private ByteBuf heldBody = Unpooled.EMPTY_BUFFER;
  private @Nullable FilePart lastPart;

  // Loop only.
  private final Deque<Object> output = new ArrayDeque<>(2); // ByteBuf, FilePart
  private long fileSent; // of the first, if that is a part of a file
  private boolean running = true; // the handler
  private int widened;
  private boolean endDue;
  private boolean ended;
  private boolean inputEnded;
  private long transmitted;
  private @Nullable ByteBuf early; // what came before the upgrade was answered

  Http2Exchange(
      Http2Connection connection,
      Http2Stream stream,
      RequestId id,
      Http2Request request,
      boolean complete) {
    this.connection = connection;
    this.stream = stream;
    this.id = id;
    this.request = request;
    this.inputEnded = complete;
    this.hasBody = !complete && !isExtendedConnect();
    String length = request.headers().get("Content-Length");
    long declared = !hasBody ? 0 : length == null ? -1 : Long.parseLong(length);
    this.body = new RequestBody(id, new Supply(), declared, connection.limits().maxBodySize());
  }

  /** The stream's window. */
  private final class Supply implements RequestBody.Supply {
    @Override
    public void pause() {
      // The client sends no more than it has credit for.
    }

    @Override
    public void resume() {
      // See above.
    }

    @Override
    public void taken(int bytes) {
      connection.loopDo(() -> {
        if (!ended) { // else it may as well wait
          connection.consumed(stream, bytes);
        }
      });
    }

    @Override
    public void awaited() {
      boolean continues = expectsContinue() && body.received() == 0;
      connection.loopDo(() -> connection.bodyIsAwaited(Http2Exchange.this, continues));
    }

    @Override
    public boolean inLoop() {
      return connection.loop().inLoop();
    }
  }

  // ---- The connection's side, on the loop

  Http2Stream stream() {
    return stream;
  }

  RequestBody requestBody() {
    return body;
  }

  @Override
  public boolean hasEnded() {
    return ended;
  }

  /** Returns whether the handler has stopped running with this. */
  boolean stopsRunning() {
    boolean ran = running;
    running = false;
    return ran;
  }

  /** The stream's window is that much larger than others'. */
  void widened(int bytes) {
    widened = bytes;
  }

  int widened() {
    return widened;
  }

  @Override
  public void receive(ByteBuf data) {
    if (isExtendedConnect() && !ended) {
      ByteBuf all = early == null ? Unpooled.buffer(data.readableBytes()) : early;
      early = all.writeBytes(data, data.readerIndex(), data.readableBytes()); // within a window
    } else if (hasBody) {
      body.add(data);
    } else {
      connection.consumed(stream, data.readableBytes());
    }
  }

  @Override
  public void receiveEnd(Iterable<Map.Entry<String, String>> trailers) {
    inputEnded = true;
    connection.narrowed(this);
    if (hasBody) {
      body.end(trailers);
    }
  }

  @Override
  public void connectionEnds() {
    aborted.complete(null); // first: who fails now because of that, is not at fault
    if (!inputEnded) {
      inputEnded = true;
      body.lose("the client ended the connection");
    }
  }

  void bodyIsSlow() {
    body.fail(new HttpException(408, "the request's body comes too slowly"));
  }

  /** Returns how much of the response the network has taken. */
  long transmitted() {
    return transmitted;
  }

  /** Returns whether some of the response is waiting for the client. */
  boolean isWaiting() {
    synchronized (writable) {
      return waiting > 0;
    }
  }

  @Override
  public void closed(String why) {
    closed = true;
    connection.exchangeClosed(this);
    dropOutput();
    if (!ended) {
      aborted.complete(null); // first: who fails now because of that, is not at fault
    }
    body.lose("the client ended the request");
    if (ended) {
      body.discard();
    }
    synchronized (writable) {
      writable.notifyAll();
    }
  }

  private void dropOutput() {
    for (Object piece; (piece = output.poll()) != null; ) {
      release(piece);
    }
    if (early != null) {
      early.release();
      early = null;
    }
  }

  private static void release(Object piece) {
    if (piece instanceof ByteBuf bytes) {
      bytes.release();
    } else {
      ((FilePart) piece).release();
    }
  }

  // ---- The request

  @Override
  public String id() {
    return id.toString();
  }

  @Override
  public String method() {
    return request.method();
  }

  @Override
  public String target() {
    return request.target();
  }

  @Override
  public String scheme() {
    return request.scheme();
  }

  @Override
  public HttpVersion version() {
    return HttpVersion.HTTP_2;
  }

  @Override
  public Headers headers() {
    return request.headers();
  }

  @Override
  public Connection connection() {
    return connection.facts();
  }

  @Override
  public InputStream body() {
    return body;
  }

  @Override
  public void maxBodySize(long bytes) {
    body.limit(bytes);
  }

  @Override
  public long maxBodySize() {
    return body.limit();
  }

  @Override
  public Headers trailers() {
    return body.trailers();
  }

  private boolean expectsContinue() {
    return !responded && request.headers().hasToken("Expect", "100-continue");
  }

  // ---- The response

  @Override
  public void respond(int status, Headers answer, long contentLength) {
    if (responded) {
      throw new IllegalStateException("the response has started");
    }
    responded = true;
    Http2Headers head = headOf(status, answer);
    if (contentLength >= 0 && !answer.contains("Content-Length")) {
      head.add("content-length", Long.toString(contentLength));
    }
    heldHead = head;
  }

  /** What comes from {@link Headers} is not looked at again. */
  private static Http2Headers headOf(int status, Headers answer) {
    Http2Headers head = new DefaultHttp2Headers(false);
    head.status(Integer.toString(status));
    for (Map.Entry<String, String> field : answer) {
      String name = field.getKey().toLowerCase(Locale.ROOT);
      if (!OF_CONNECTION.contains(name)) {
        head.add(name, field.getValue());
      }
    }
    if (!head.contains("date")) {
      head.add("date", HttpDate.now());
    }
    return head;
  }

  /** Hands over what was held, since more is to come before the end. */
  private void writeHeld() {
    Http2Headers head = heldHead;
    if (head == null) {
      return;
    }
    heldHead = null;
    ByteBuf first = takeHeldBody();
    connection.loopDo(() -> {
      connection.sendHead(stream, head, false, () -> {});
      enqueue(first);
    });
  }

  private ByteBuf takeHeldBody() {
    ByteBuf first = heldBody;
    heldBody = Unpooled.EMPTY_BUFFER;
    addWaiting(first.readableBytes());
    return first;
  }

  private void addWaiting(int bytes) {
    synchronized (writable) {
      waiting += bytes;
    }
  }

  @Override
  public void write(ByteBuffer bytes) throws IOException, InterruptedException {
    if (heldHead != null && !heldBody.isReadable() && bytes.remaining() <= MOST_HELD) {
      requireOpen();
      heldBody = Unpooled.copiedBuffer(bytes);
      bytes.position(bytes.limit());
      return;
    }
    writeHeld();
    while (bytes.hasRemaining()) {
      awaitWritable();
      int size = Math.min(bytes.remaining(), PIECE_BYTES);
      ByteBuf piece = Unpooled.copiedBuffer(bytes.slice(bytes.position(), size));
      bytes.position(bytes.position() + size);
      addWaiting(size);
      connection.loopDo(() -> enqueue(piece));
    }
  }

  private void awaitWritable() throws IOException, InterruptedException {
    if (!connection.loop().inLoop()) {
      synchronized (writable) {
        while (waiting >= MOST_WAITING && !closed) {
          writable.wait();
        }
      }
    }
    requireOpen();
  }

  private void requireOpen() throws IOException {
    if (closed) {
      throw new IOException("the client ended the request");
    }
  }

  @Override
  public void writeFile(Path file, long position, long count) throws IOException {
    requireOpen();
    writeHeld();
    if (count > 0 && !request.method().equals("HEAD")) {
      // Opened now and not when its turn comes, or a file that takes its place meanwhile is sent.
      FilePart part = FilePart.of(file, position, count, lastPart);
      lastPart = part;
      connection.loopDo(() -> enqueue(part));
    }
  }

  @Override
  public void flush() {
    writeHeld(); // the loop flushes whatever comes
  }

  @Override
  public void end() {
    Http2Headers head = heldHead;
    heldHead = null;
    ByteBuf first = takeHeldBody();
    connection.loopDo(() -> end(head, first));
  }

  private void end(@Nullable Http2Headers head, ByteBuf first) {
    endDue = true;
    connection.exchangeEnded(this);
    if (closed) {
      first.release();
      body.discard();
      return;
    }
    if (head == null) {
      pump();
    } else if (first.isReadable()) {
      connection.sendHead(stream, head, false, () -> {});
      enqueue(first);
    } else {
      ended = true;
      connection.sendHead(stream, head, true, this::endSent);
    }
    if (hasBody) {
      body.discard();
    }
  }

  /** Sends a piece of the response in its turn. */
  private void enqueue(Object piece) {
    if (closed || (piece instanceof ByteBuf bytes && !bytes.isReadable())) {
      release(piece);
      return;
    }
    output.add(piece);
    pump();
  }

  /** Sends what there is, and of a file as much as the client takes for now. */
  private void pump() {
    while (!closed && !ended) {
      Object next = output.peek();
      if (next == null) {
        if (endDue) {
          sendLast(Unpooled.EMPTY_BUFFER);
        }
        return;
      }
      if (next instanceof FilePart part) {
        if (isAboveMost() || !sendFilePiece(part)) {
          return;
        }
      } else {
        output.remove();
        ByteBuf bytes = (ByteBuf) next;
        if (endDue && output.isEmpty()) {
          sendLast(bytes);
        } else {
          send(bytes);
        }
      }
    }
  }

  private boolean isAboveMost() {
    synchronized (writable) {
      return waiting >= MOST_WAITING;
    }
  }

  /** Returns whether a piece was there: a file may turn out to be too short. */
  private boolean sendFilePiece(FilePart part) {
    int size = (int) Math.min(PIECE_BYTES, part.count() - fileSent);
    ByteBuf piece = connection.allocate(size);
    try {
      while (piece.readableBytes() < size) {
        int read = piece.readableBytes();
        if (part.read(piece, fileSent + read, size - read) < 0) {
          throw new IOException("the file is shorter than it was");
        }
      }
    } catch (IOException e) {
      piece.release();
      connection.fileFailed(this, e);
      return false;
    }
    addWaiting(size);
    fileSent += size;
    if (fileSent == part.count()) {
      fileSent = 0;
      output.remove();
      part.release();
    }
    if (endDue && output.isEmpty()) {
      sendLast(piece);
    } else {
      send(piece);
    }
    return true;
  }

  private void send(ByteBuf bytes) {
    int size = bytes.readableBytes();
    connection.send(stream, bytes, false, () -> sent(size));
    connection.outputWaits(this);
  }

  private void sendLast(ByteBuf bytes) {
    int size = bytes.readableBytes();
    ended = true;
    connection.send(
        stream,
        bytes,
        true,
        () -> {
          sent(size);
          endSent();
        });
    connection.outputWaits(this);
  }

  private void sent(int size) {
    transmitted += size;
    synchronized (writable) {
      waiting -= size;
      if (waiting < MOST_WAITING) {
        writable.notifyAll();
      }
    }
    pump();
  }

  private void endSent() {
    if (!inputEnded && !closed) { // nobody wants the rest of the request (RFC 9113 8.1)
      connection.resetSoon(stream);
    }
  }

  @Override
  public void abort() {
    connection.loopDo(() -> {
      connection.exchangeEnded(this);
      body.discard();
      connection.reset(stream, Http2Error.INTERNAL_ERROR);
    });
  }

  @Override
  public CompletableFuture<Void> aborted() {
    return aborted;
  }

  @Override
  public Loop loop() {
    return connection.loop();
  }

  @Override
  public Thread start(Runnable task) {
    return Thread.ofVirtual().name("request-" + id).start(task);
  }

  // ---- The upgrade

  @Override
  public @Nullable Upgrade upgrade() {
    return isExtendedConnect() ? this : null;
  }

  @Override
  public boolean isExtendedConnect() {
    return request.protocol() != null;
  }

  @Override
  public void accept(int status, Supplier<Headers> headers, Duplex.Receiver receiver) {
    if (responded) {
      throw new IllegalStateException("the response has started");
    }
    connection.requireRoomForSocket();
    Headers answer;
    try {
      answer = headers.get();
    } catch (RuntimeException e) {
      connection.socketEnded();
      throw e;
    }
    responded = true;
    Http2Headers head = headOf(status, answer);
    connection.loopDo(() -> open(head, receiver));
  }

  private void open(Http2Headers head, Duplex.Receiver receiver) {
    connection.exchangeEnded(this);
    if (closed) {
      connection.socketEnded();
      receiver.onLost("the stream was closed before it was upgraded");
      aborted.complete(null);
      return;
    }
    Http2Duplex socket = new Http2Duplex(connection, stream, id, aborted, receiver);
    connection.becomes(stream, socket);
    connection.sendHead(stream, head, false, () -> {});
    socket.open();
    ByteBuf held = early;
    if (held != null) {
      early = null;
      socket.receive(held);
      held.release();
    }
    if (inputEnded) {
      socket.peerEnded();
    }
  }
}
