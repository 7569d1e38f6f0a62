package dev.windhover.benchmarks;

import dev.windhover.http.Application;
import dev.windhover.http.Connection;
import dev.windhover.http.Handler;
import dev.windhover.http.Headers;
import dev.windhover.http.HttpVersion;
import dev.windhover.http.host.ConnectionBuilder;
import dev.windhover.http.host.Duplex;
import dev.windhover.http.host.Exchange;
import dev.windhover.http.host.Loop;
import dev.windhover.http.host.Sink;
import dev.windhover.http.host.Upgrade;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.protocol.FrameWriter;
import dev.windhover.protocol.Opcode;
import dev.windhover.websocket.WebSockets;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.time.Duration;
import java.time.Instant;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Windhover's own cost for each message: a socket in the listener form, over a host that consists
 * of two direct buffers. A batch of frames is read, and each message is echoed into the output.
 * {@link #copy} is the least that any echo does.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 8, time = 1)
@Fork(
    value = 1,
    jvmArgsAppend = {"-XX:+UseCompactObjectHeaders", "--enable-native-access=ALL-UNNAMED"})
public class SessionBenchmark {
  private static final int BATCH = 8;

  /** The payload of each message in bytes. */
  @Param({"64", "1024", "16384"})
  public int size;

  /** The messages' type. */
  @Param({"BINARY", "TEXT"})
  public Opcode type = Opcode.BINARY;

  private final Host host = new Host();
  private ByteBuffer wire = ByteBuffer.allocate(0);
  private ByteBuffer input = ByteBuffer.allocate(0);

  /** Opens a socket and prepares a batch of masked frames. */
  @Setup
  public void open() {
    Application app = new Application();
    app.use(WebSockets.with(o -> o.allowedOrigins("*")));
    app.map(
        "/",
        Handler.nonBlocking(context -> {
          WebSocket _ =
              context
                  .webSockets()
                  .accept(
                      new WebSocketListener() {
                        @Override
                        public void onMessage(
                            WebSocket socket, MessageType type, ByteBuffer payload)
                            throws Exception {
                          socket.send(payload, type, true);
                        }
                      });
        }));
    app.build().handle(host);

    ByteBuffer frames = ByteBuffer.allocate(BATCH * (size + FrameWriter.MAX_HEADER_BYTES));
    FrameWriter client = FrameWriter.client(new Random(1));
    for (int i = 0; i < BATCH; i++) {
      ByteBuffer payload = ByteBuffer.allocate(size);
      while (payload.hasRemaining()) {
        payload.put((byte) ('a' + payload.position() % 26));
      }
      client.frame(frames, type, true, payload.flip());
    }
    wire = ByteBuffer.allocateDirect(frames.position()).put(frames.flip()).flip();
    input = ByteBuffer.allocateDirect(wire.capacity());
    host.output = ByteBuffer.allocateDirect(2 * wire.capacity());
  }

  /** Reads a batch and echoes it. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public ByteBuffer echo() {
    host.output.clear();
    input.clear().put(0, wire, 0, wire.capacity());
    host.receiver().onBytes(input);
    host.receiver().onBatchEnd();
    if (host.output.position() < BATCH * size) {
      throw new IllegalStateException("echoed " + host.output.position() + " bytes");
    }
    return host.output;
  }

  /** Copies the batch in, and out. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public ByteBuffer copy() {
    input.clear().put(0, wire, 0, wire.capacity());
    return host.output.clear().put(0, input, 0, input.capacity());
  }

  /** A host of one exchange on one thread. */
  private static final class Host implements Exchange, Upgrade, Duplex, Loop {
    private final CompletableFuture<Void> aborted = new CompletableFuture<>();
    private ByteBuffer output = ByteBuffer.allocate(0);
    private @Nullable Receiver receiver;

    private Receiver receiver() {
      Receiver open = receiver;
      if (open == null) {
        throw new IllegalStateException("the handshake was refused");
      }
      return open;
    }

    @Override
    public void accept(int status, Headers headers, Receiver attached) {
      receiver = attached;
      attached.onOpen(this);
    }

    @Override
    public boolean isExtendedConnect() {
      return false;
    }

    @Override
    public Loop loop() {
      return this;
    }

    @Override
    public void execute(Runnable task) {
      task.run();
    }

    @Override
    public boolean inLoop() {
      return true;
    }

    @Override
    public long nanoTime() {
      return System.nanoTime();
    }

    @Override
    public Instant now() {
      return Instant.now();
    }

    @Override
    public Timer schedule(Duration delay, Runnable task) {
      return () -> {};
    }

    @Override
    public ByteBuffer reserve(int bytes) {
      return output;
    }

    @Override
    public void commit() {}

    @Override
    public void write(ByteBuffer bytes) {
      output.put(bytes);
    }

    @Override
    public void writeFile(FileChannel file, long position, long count, Runnable release) {}

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void pause() {}

    @Override
    public void resume() {}

    @Override
    public void consumed(int bytes) {}

    @Override
    public void flush() {}

    @Override
    public long pending() {
      return 0;
    }

    @Override
    public void mark(int bytes, Runnable belowAgain) {}

    @Override
    public long transmitted() {
      return 0;
    }

    @Override
    public void end() {}

    @Override
    public void abort() {}

    @Override
    public String id() {
      return "1";
    }

    @Override
    public String method() {
      return "GET";
    }

    @Override
    public String target() {
      return "/";
    }

    @Override
    public String scheme() {
      return "http";
    }

    @Override
    public HttpVersion version() {
      return HttpVersion.HTTP_1_1;
    }

    @Override
    public Headers headers() {
      return new Headers()
          .add("Connection", "Upgrade")
          .add("Upgrade", "websocket")
          .add("Sec-WebSocket-Version", "13")
          .add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    }

    @Override
    public Connection connection() {
      SocketAddress nowhere = InetSocketAddress.createUnresolved("memory", 1);
      return new ConnectionBuilder("1", nowhere, nowhere).build();
    }

    @Override
    public InputStream body() {
      return InputStream.nullInputStream();
    }

    @Override
    public Upgrade upgrade() {
      return this;
    }

    @Override
    public Sink respond(int status, Headers headers, long contentLength) {
      throw new IllegalStateException("the handshake was refused with " + status);
    }

    @Override
    public CompletableFuture<Void> aborted() {
      return aborted;
    }

    @Override
    public Thread start(Runnable task) {
      return Thread.startVirtualThread(task);
    }
  }
}
