package dev.windhover.testing;

import dev.windhover.http.Connection;
import dev.windhover.http.Headers;
import dev.windhover.http.HttpVersion;
import dev.windhover.http.host.ConnectionBuilder;
import dev.windhover.http.host.Duplex;
import dev.windhover.http.host.Exchange;
import dev.windhover.http.host.Loop;
import dev.windhover.http.host.Upgrade;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** One request in memory, and what is answered to it. */
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
  private final ByteArrayOutputStream written = new ByteArrayOutputStream();

  private int status;
  private @Nullable Headers answerHeaders;
  private boolean ended;
  private boolean clientGone;

  MemoryExchange(TestHost host, TestRequest request, Wire client) {
    this.host = host;
    this.request = request;
    this.client = client;
    request.headers().forEach(field -> headers.add(field.getKey(), field.getValue()));
    this.body = new ByteArrayInputStream(request.body());
  }

  /** Returns what is answered, once it is complete. */
  CompletableFuture<TestResponse> answer() {
    return answer;
  }

  /** The client goes away before it was answered. */
  synchronized void clientGone() {
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
  public InputStream body() {
    return body;
  }

  // ---- The response

  @Override
  public synchronized void respond(int status, Headers given, long contentLength) {
    requireUnanswered();
    if (clientGone) {
      return;
    }
    Headers copy = new Headers();
    given.forEach(field -> copy.add(field.getKey(), field.getValue()));
    if (contentLength >= 0) {
      copy.set("Content-Length", Long.toString(contentLength));
    }
    this.status = status;
    this.answerHeaders = copy;
  }

  private void requireUnanswered() {
    if (answerHeaders != null) {
      throw host.faults().add("request " + id + " was answered twice");
    }
  }

  @Override
  public synchronized void write(ByteBuffer bytes) throws IOException {
    if (clientGone) {
      throw new IOException("the client is gone");
    }
    if (answerHeaders == null || ended) {
      throw host.faults().add("a body outside of the response of request " + id);
    }
    while (bytes.hasRemaining()) {
      written.write(bytes.get());
    }
  }

  @Override
  public void writeFile(Path file, long position, long count) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      ByteBuffer content = ByteBuffer.allocate((int) count);
      while (content.hasRemaining() && channel.read(content, position + content.position()) >= 0) {
        // until all is there
      }
      write(content.flip());
    }
  }

  @Override
  public void flush() {}

  @Override
  public synchronized void end() {
    if (clientGone) {
      return;
    }
    Headers given = answerHeaders;
    if (given == null || ended) {
      throw host.faults().add("the end of a response of request " + id + " that is not under way");
    }
    ended = true;
    answer.complete(new TestResponse(status, given, written.toByteArray()));
  }

  @Override
  public void abort() {
    answer.completeExceptionally(new IOException("the server dropped the connection"));
  }

  @Override
  public CompletableFuture<Void> aborted() {
    return aborted;
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
  public void accept(int status, Supplier<Headers> headers, Duplex.Receiver receiver) {
    synchronized (this) {
      if (answerHeaders != null) {
        throw new IllegalStateException("the response has started");
      }
    }
    Headers given = headers.get();
    String extension = given.get("Sec-WebSocket-Extensions");
    if (extension != null) {
      client.agreed(extension);
    }
    respond(status, given, -1);
    Runnable open = () -> open(receiver);
    if (host.loop().inLoop()) {
      open.run();
    } else {
      host.loop().execute(open);
    }
  }

  private void open(Duplex.Receiver receiver) {
    boolean gone;
    synchronized (this) {
      gone = clientGone;
    }
    if (gone) {
      aborted.complete(null);
      receiver.onLost("the connection was lost before it was upgraded");
      return;
    }
    MemoryDuplex duplex =
        new MemoryDuplex(
            id, host.loop(), host.faults(), client, () -> aborted.complete(null), receiver);
    client.opened(duplex);
    end();
    duplex.open();
  }
}
