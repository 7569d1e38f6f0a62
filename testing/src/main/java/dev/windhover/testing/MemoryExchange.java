package dev.windhover.testing;

import dev.windhover.http.Connection;
import dev.windhover.http.Headers;
import dev.windhover.http.HttpVersion;
import dev.windhover.http.User;
import dev.windhover.http.host.ConnectionBuilder;
import dev.windhover.http.host.CookieLines;
import dev.windhover.http.host.Duplex;
import dev.windhover.http.host.Exchange;
import dev.windhover.http.host.Loop;
import dev.windhover.http.host.MemoryBudget;
import dev.windhover.http.host.Sink;
import dev.windhover.http.host.Upgrade;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** One request in memory, and its response. */
final class MemoryExchange implements Exchange, Upgrade {
  private static final AtomicLong ids = new AtomicLong();
  private static final InetSocketAddress CLIENT =
      InetSocketAddress.createUnresolved("client.test", 50000);
  private static final InetSocketAddress SERVER =
      InetSocketAddress.createUnresolved("server.test", 80);

  private final TestHost host;
  private final TestRequest request;
  private final Wire client;
  private final String id = "test" + ids.incrementAndGet();
  private final Headers headers = new Headers();
  private final InputStream body;
  private final CompletableFuture<Void> aborted = new CompletableFuture<>();
  private final CompletableFuture<TestResponse> answer = new CompletableFuture<>();
  private final @Nullable TestStream stream;
  private final ByteArrayOutputStream written = new ByteArrayOutputStream();
  private final Body response = new Body();

  private int status;
  private @Nullable Headers answerHeaders;
  private volatile boolean accepted;
  private boolean ended;
  private volatile boolean clientGone;

  /**
   * Creates one.
   *
   * @param stream is told of the response while it is being written; null if nobody is
   */
  MemoryExchange(TestHost host, TestRequest request, Wire client, @Nullable TestStream stream) {
    this.host = host;
    this.request = request;
    this.client = client;
    this.stream = stream;
    request.headers().forEach(field -> headers.add(field.getKey(), field.getValue()));
    CookieLines.join(headers);
    this.body = new ByteArrayInputStream(request.body());
  }

  /** Returns a future of the response, which completes when the response is complete. */
  CompletableFuture<TestResponse> answer() {
    return answer;
  }

  /** The client goes away before it is answered, or before the answer is complete. */
  void clientGone() {
    clientGone = true;
    aborted.complete(null);
  }

  // ---- The request

  @Override
  public String id() {
    return id;
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
    return "http";
  }

  @Override
  public HttpVersion version() {
    return request.version();
  }

  @Override
  public Headers headers() {
    return headers;
  }

  @Override
  public Connection connection() {
    return new ConnectionBuilder("c-" + id, CLIENT, SERVER).version(request.version()).build();
  }

  @Override
  public @Nullable User user() {
    return request.user();
  }

  @Override
  public InputStream body() {
    return body;
  }

  // ---- The response

  @Override
  public Sink respond(int status, Headers given, long contentLength) {
    if (!host.loop().inLoop()) {
      throw host.faults().add("a response off the loop, on " + Thread.currentThread());
    }
    requireUnanswered();
    Headers copy = new Headers(given);
    if (contentLength >= 0) {
      copy.set("Content-Length", Long.toString(contentLength));
    }
    this.status = status;
    this.answerHeaders = copy;
    if (stream != null) {
      stream.began(status, copy);
    }
    return response;
  }

  private void requireUnanswered() {
    if (answerHeaders != null) {
      throw host.faults().add("request " + id + " was answered twice");
    }
  }

  /** The response's body. The client takes all of it in one piece, or reads it as a stream. */
  private final class Body implements Sink {
    private @Nullable ByteBuffer reserved;
    private long length;

    @Override
    public ByteBuffer reserve(int bytes) {
      require("reserve");
      ByteBuffer room = ByteBuffer.allocate(bytes);
      reserved = room;
      return room;
    }

    @Override
    public void commit() {
      ByteBuffer room = reserved;
      reserved = null;
      if (room == null) {
        throw host.faults().add("commit without a reserve");
      }
      write(room.flip());
    }

    @Override
    public void write(ByteBuffer bytes) {
      require("write");
      byte[] copy = new byte[bytes.remaining()];
      bytes.get(copy);
      if (stream == null) {
        written.writeBytes(copy);
      } else {
        stream.came(copy);
      }
      length += copy.length;
    }

    @Override
    public void writeFile(FileChannel file, long position, long count, Runnable release) {
      require("writeFile");
      ByteBuffer content = ByteBuffer.allocate((int) count);
      try {
        while (content.hasRemaining() && file.read(content, position + content.position()) >= 0) {
          // until all is there
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } finally {
        release.run();
      }
      write(content.flip());
    }

    @Override
    public void flush() {
      require("flush");
    }

    @Override
    public void mark(int bytes, Runnable belowAgain) {
      require("mark"); // the mark is never reached
    }

    @Override
    public long pending() {
      return 0;
    }

    @Override
    public long transmitted() {
      return length;
    }

    @Override
    public boolean isOpen() {
      return !clientGone;
    }

    @Override
    public void end() {
      require("end");
      ended = true;
      if (isOpen()) {
        answer();
      }
    }

    private void answer() {
      Headers given = Objects.requireNonNull(answerHeaders);
      answer.complete(new TestResponse(status, given, written.toByteArray()));
      if (stream != null) {
        stream.ended(true);
      }
    }

    @Override
    public void abort() {
      MemoryExchange.this.abort();
    }

    private void require(String call) {
      if (!host.loop().inLoop()) {
        throw host.faults().add(call + " off the loop, on " + Thread.currentThread());
      }
      if (ended) {
        throw host.faults().add(call + " after the end of the response of request " + id);
      }
      if (reserved != null) {
        throw host.faults().add(call + " between reserve and commit");
      }
    }
  }

  @Override
  public void abort() {
    answer.completeExceptionally(new IOException("the server dropped the connection"));
    if (stream != null) {
      stream.ended(false);
    }
  }

  @Override
  public CompletableFuture<Void> aborted() {
    return aborted;
  }

  @Override
  public MemoryBudget memory() {
    return host.memory();
  }

  @Override
  public Loop loop() {
    return host.loop();
  }

  @Override
  public Thread start(Runnable task) {
    return host.startHandler(id, task);
  }

  // ---- The upgrade

  @Override
  public @Nullable Upgrade upgrade() {
    boolean asked =
        isExtendedConnect()
            || (version() == HttpVersion.HTTP_1_1
                && request.body().length == 0
                && headers.contains("Upgrade")
                && headers.hasToken("Connection", "Upgrade"));
    return asked ? this : null;
  }

  @Override
  public boolean isExtendedConnect() {
    return version() == HttpVersion.HTTP_2 && method().equals("CONNECT");
  }

  @Override
  public void accept(int status, Headers given, Duplex.Receiver receiver) {
    if (accepted || answerHeaders != null) {
      throw new IllegalStateException("the response has started");
    }
    accepted = true;
    String extension = given.get("Sec-WebSocket-Extensions");
    if (extension != null) {
      client.agreed(extension);
    }
    Runnable open = () -> open(receiver, status, given);
    if (host.loop().inLoop()) {
      open.run();
    } else {
      host.loop().execute(open);
    }
  }

  private void open(Duplex.Receiver receiver, int status, Headers given) {
    if (clientGone) {
      aborted.complete(null);
      receiver.onLost("the connection was lost before it was upgraded");
      return;
    }
    Sink head = respond(status, given, -1);
    MemoryDuplex duplex =
        new MemoryDuplex(
            id, host.loop(), host.faults(), client, () -> aborted.complete(null), receiver);
    client.opened(duplex);
    head.end();
    duplex.open();
  }
}
