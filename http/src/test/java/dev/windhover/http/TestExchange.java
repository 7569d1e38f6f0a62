package dev.windhover.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.host.ConnectionBuilder;
import dev.windhover.http.host.Exchange;
import dev.windhover.http.host.Loop;
import dev.windhover.http.host.Sink;
import dev.windhover.http.host.Upgrade;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * A host with one request. It records the response and any misuse of the host; both are checked
 * when the request is over.
 */
public final class TestExchange implements Exchange {
  private final String method;
  private final String target;
  private final Headers requestHeaders = new Headers();
  private final HandLoop loop = new HandLoop();
  private final CompletableFuture<Void> aborted = new CompletableFuture<>();
  private final List<String> misuse = new CopyOnWriteArrayList<>();
  private final ByteArrayOutputStream body = new ByteArrayOutputStream();
  private final Headers headers = new Headers();
  private final Sink sink = new Body();

  private SocketAddress remote = InetSocketAddress.createUnresolved("localhost", 5000);
  private String scheme = "http";
  private @Nullable Thread thread;
  private int status;
  private long contentLength = -1;
  private boolean responded;
  private boolean ended;
  private boolean abortedByUs;
  private volatile boolean writesAreLost;
  private boolean clientTakes = true;
  private volatile long pending;
  private int mark = Integer.MAX_VALUE;
  private Runnable belowAgain = () -> {};
  private int flushes;
  private int filesWritten;

  private TestExchange(String method, String target) {
    this.method = method;
    this.target = target;
  }

  public static TestExchange of(String method, String target) {
    return new TestExchange(method, target);
  }

  public static TestExchange get(String target) {
    return of("GET", target);
  }

  // ---- What a test does

  public TestExchange header(String name, String value) {
    requestHeaders.add(name, value);
    return this;
  }

  /** Sets the client's address. */
  public TestExchange from(SocketAddress address) {
    remote = address;
    return this;
  }

  /** Sets the scheme. */
  public TestExchange scheme(String scheme) {
    this.scheme = scheme;
    return this;
  }

  /** Lets {@code application} handle the request to its end. */
  public TestExchange through(Application application) {
    return begin(application).finish();
  }

  /** Lets {@code application} begin; a handler that blocks has its thread then. */
  public TestExchange begin(Application application) {
    loop.run(() -> application.build().handle(this));
    return this;
  }

  /** Waits for the handler's thread, and checks for misuse. */
  public TestExchange finish() {
    Thread handler = thread;
    try {
      assertThat(handler == null || handler.join(Duration.ofSeconds(20))).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    loop.run(() -> {});
    assertThat(misuse).isEmpty();
    return this;
  }

  /** The client has disconnected, but the host does not know yet: writes fail. */
  public void loseWrites() {
    writesAreLost = true;
  }

  /** The client disconnects, and the host knows. */
  public void clientGoes() {
    loop.run(() -> {
      pending = 0;
      belowAgain.run();
      aborted.complete(null);
    });
  }

  /** The client takes nothing of what is sent from now on. */
  public void clientStops() {
    clientTakes = false;
  }

  /** The client takes all but {@code bytes} of what waits for it. */
  public void clientTakesAllBut(long bytes) {
    loop.run(() -> {
      boolean wasAbove = pending >= mark;
      pending = bytes;
      if (wasAbove && pending < mark) {
        belowAgain.run();
      }
    });
  }

  /** Moves the host's clock. */
  public void advance(Duration time) {
    loop.advance(time);
  }

  /** Runs {@code task} on the loop. */
  public void onLoop(Runnable task) {
    loop.run(task);
  }

  /** Returns how many tasks wait for their time. */
  public int scheduled() {
    return loop.scheduled();
  }

  // ---- What a test sees

  /** Returns the status of the response, which must have ended properly. */
  public int status() {
    loop.run(() -> {}); // and what was handed to it
    assertThat(ended).as("the response has ended").isTrue();
    return status;
  }

  /** Returns the headers of the response. */
  public Headers sentHeaders() {
    return headers;
  }

  public @Nullable String sentHeader(String name) {
    return headers.get(name);
  }

  public byte[] sentBytes() {
    return body.toByteArray();
  }

  public String sentText() {
    return body.toString(UTF_8);
  }

  public long sentContentLength() {
    return contentLength;
  }

  public int flushes() {
    return flushes;
  }

  public int filesWritten() {
    return filesWritten;
  }

  public boolean hasResponded() {
    return responded;
  }

  /** Returns whether the response has ended properly. */
  public boolean hasEnded() {
    return ended;
  }

  public boolean wasAborted() {
    return abortedByUs;
  }

  public boolean hadThread() {
    return thread != null;
  }

  // ---- What the application does

  @Override
  public Sink respond(int status, Headers headers, long contentLength) {
    require(loop.inLoop(), "a response off the loop");
    require(!responded, "a second response");
    require(!abortedByUs, "a response after the abort");
    require(!headers.contains("Content-Length"), "Content-Length among the headers");
    require(contentLength >= -1, "content length " + contentLength);
    require(status != 204 || contentLength == -1, "Content-Length of a 204");
    responded = true;
    this.status = status;
    this.contentLength = contentLength;
    headers.forEach(field -> this.headers.add(field.getKey(), field.getValue()));
    return sink;
  }

  /** The body of the response. */
  private final class Body implements Sink {
    private ByteBuffer reserved = ByteBuffer.allocate(0);

    @Override
    public ByteBuffer reserve(int bytes) {
      reserved = ByteBuffer.allocate(bytes);
      return reserved;
    }

    @Override
    public void commit() {
      write(reserved.flip());
    }

    @Override
    public void write(ByteBuffer bytes) {
      byte[] copy = new byte[bytes.remaining()];
      bytes.get(copy);
      take(copy);
    }

    @Override
    public void writeFile(FileChannel file, long position, long count, Runnable release) {
      filesWritten++;
      ByteBuffer bytes = ByteBuffer.allocate((int) count);
      try {
        while (bytes.hasRemaining() && file.read(bytes, position + bytes.position()) >= 0) {
          // until all is there
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      release.run();
      write(bytes.flip());
    }

    private void take(byte[] bytes) {
      require(loop.inLoop(), "a body off the loop");
      require(!ended, "a body after the end");
      require(mayHaveBody(), "a body of " + method + " with status " + status);
      require(bytes.length > 0, "an empty write");
      if (isOpen()) {
        body.writeBytes(bytes);
        pending = clientTakes ? 0 : pending + bytes.length; // by the loop alone
      }
    }

    @Override
    public void flush() {
      require(loop.inLoop(), "a flush off the loop");
      flushes++;
    }

    @Override
    public void mark(int bytes, Runnable action) {
      mark = bytes;
      belowAgain = action;
    }

    @Override
    public long pending() {
      return pending;
    }

    @Override
    public long transmitted() {
      return body.size() - pending;
    }

    @Override
    public boolean isOpen() {
      return !writesAreLost && !aborted.isDone();
    }

    @Override
    public void end() {
      require(loop.inLoop(), "an end off the loop");
      require(!ended, "a second end");
      require(!abortedByUs, "an end after the abort");
      require(
          contentLength < 0 || !mayHaveBody() || body.size() == contentLength,
          "a body of " + body.size() + " bytes instead of " + contentLength);
      ended = true;
    }

    @Override
    public void abort() {
      TestExchange.this.abort();
    }
  }

  @Override
  public void abort() {
    loop.execute(() -> {
      abortedByUs = true;
      aborted.complete(null);
    });
  }

  @Override
  public Thread start(Runnable task) {
    Thread first = thread;
    require(first == null || !first.isAlive(), "a second thread beside the first");
    Thread started = Thread.ofVirtual().start(task);
    thread = started;
    return started;
  }

  private boolean mayHaveBody() {
    return !method.equals("HEAD") && status != 204 && status != 205 && status != 304;
  }

  private void require(boolean condition, String what) {
    if (!condition) {
      misuse.add(what);
    }
  }

  // ---- What the client asked

  @Override
  public String id() {
    return "request-7";
  }

  @Override
  public String method() {
    return method;
  }

  @Override
  public String target() {
    return target;
  }

  @Override
  public String scheme() {
    return scheme;
  }

  @Override
  public HttpVersion version() {
    return HttpVersion.HTTP_1_1;
  }

  @Override
  public Headers headers() {
    return requestHeaders;
  }

  @Override
  public Connection connection() {
    InetSocketAddress local = InetSocketAddress.createUnresolved("localhost", 5000);
    return new ConnectionBuilder("connection-3", remote, local).build();
  }

  @Override
  public InputStream body() {
    return new ByteArrayInputStream(new byte[0]);
  }

  @Override
  public @Nullable Upgrade upgrade() {
    return null;
  }

  @Override
  public CompletableFuture<Void> aborted() {
    return aborted;
  }

  @Override
  public Loop loop() {
    return loop;
  }
}
