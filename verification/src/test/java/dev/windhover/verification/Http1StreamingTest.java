package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.http.HttpContext;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Response;
import dev.windhover.verification.wire.Wire;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.zip.CRC32;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Bodies that are larger than the memory they may use. The receiver stops now and then until the
 * sender is blocked, which is as slow as can be, and then checks the memory of the process.
 */
@ExtendWith(StrictLogs.class)
class Http1StreamingTest {
  private static final int MEBIBYTE = 1 << 20;
  private static final int SOME = 50 * MEBIBYTE;
  private static final int STOPS = 5;

  /** Client and server in one process; the allocators of Netty take whole mebibytes. */
  private static final long MOST_MEMORY = 6 * MEBIBYTE;

  /**
   * The buffers of kernels, which are up to 32 MiB here and there, and ours; less than any body.
   */
  private static final long MOST_UNDER_WAY = 40 * MEBIBYTE;

  private static final int STUCK_MILLIS = 100;

  /** How the end of a body is told. */
  enum Framing {
    LENGTH,
    CHUNKS
  }

  /** What bodies repeat: of no round length, so that what is lost or doubled does not go unseen. */
  private static final byte[] PATTERN = new byte[1_000_003];

  static {
    for (int i = 0; i < PATTERN.length; i++) {
      PATTERN[i] = (byte) (i * 31 + i / 997);
    }
  }

  private final WebApplication app = WebApplication.create("--urls=http://127.0.0.1:0");
  private final AtomicLong sent = new AtomicLong();

  @BeforeEach
  void start() throws IOException {
    app.mapPost(
        "/sum",
        context -> {
          long size = number(context, "size");
          context.request().maxBodySize(Long.MAX_VALUE);
          long sum = readSlowly(context.request().body(), size);
          context.response().write(sum + "\n");
        });
    app.mapGet(
        "/pattern",
        context -> {
          long size = number(context, "size");
          if ("LENGTH".equals(context.request().query().get("framing"))) {
            context.response().contentLength(size);
          }
          write(size, piece -> context.response().write(piece));
        });
    app.mapPost(
        "/echo",
        context -> {
          context.request().maxBodySize(Long.MAX_VALUE);
          context.request().body().transferTo(context.response().body());
        });
    app.start();
  }

  @AfterEach
  void stop() {
    app.stop();
  }

  private static long number(HttpContext context, String name) {
    return Long.parseLong(String.valueOf(context.request().query().get(name)));
  }

  private interface Sink {
    void write(ByteBuffer piece) throws IOException;
  }

  /** Writes so many bytes of the pattern, and counts them. */
  private void write(long bytes, Sink sink) throws IOException {
    long left = bytes;
    int at = 0;
    while (left > 0) {
      int n = (int) Math.min(Math.min(left, 40_000), PATTERN.length - at);
      sink.write(ByteBuffer.wrap(PATTERN, at, n).slice());
      at = (at + n) % PATTERN.length;
      left -= n;
      sent.addAndGet(n);
    }
  }

  private static long sumOf(long bytes) {
    CRC32 sum = new CRC32();
    for (long left = bytes; left > 0; left -= PATTERN.length) {
      sum.update(PATTERN, 0, (int) Math.min(left, PATTERN.length));
    }
    return sum.getValue();
  }

  /** Reads a body of {@code size}, with stops in whose memory is what it was in the first one. */
  private long readSlowly(InputStream body, long size) throws IOException {
    CRC32 sum = new CRC32();
    byte[] piece = new byte[16 * 1024];
    long taken = 0;
    long nextStop = 0;
    long heap = 0;
    long direct = 0;
    for (int n; (n = body.read(piece)) >= 0; ) {
      sum.update(piece, 0, n);
      taken += n;
      if (taken >= nextStop) {
        awaitStuck();
        assertThat(sent.get() - taken).as("bytes under way").isLessThan(MOST_UNDER_WAY);
        if (nextStop == 0) {
          heap = Memory.heap();
          direct = Memory.direct();
        }
        assertThat(Memory.heap() - heap).as("heap").isLessThan(MOST_MEMORY);
        assertThat(Memory.direct() - direct).as("direct memory").isLessThan(MOST_MEMORY);
        nextStop += size / STOPS;
      }
    }
    assertThat(taken).isEqualTo(size);
    return sum.getValue();
  }

  /** Connects; what the kernels may hold does not grow with what the client's takes for it. */
  private Wire connect() throws IOException {
    return Wire.connect(
        new InetSocketAddress(InetAddress.getLoopbackAddress(), Ports.of(app)), 256 * 1024);
  }

  /** Waits until the sender sends nothing any more: it is blocked, or at its end. */
  private void awaitStuck() {
    long last = -1;
    for (long now; (now = sent.get()) != last; last = now) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(STUCK_MILLIS));
    }
  }

  // ---- Uploads

  @ParameterizedTest
  @EnumSource(Framing.class)
  void uploadToASlowHandlerIsNotHeldInMemory(Framing framing) throws IOException {
    upload(SOME, framing);
  }

  @Tag("full")
  @ParameterizedTest
  @EnumSource(Framing.class)
  void uploadOf1GibToASlowHandlerIsNotHeldInMemory(Framing framing) throws IOException {
    upload(1L << 30, framing);
  }

  private void upload(long size, Framing framing) throws IOException {
    try (Wire wire = connect()) {
      send(wire, "/sum?size=" + size, size, framing);
      assertThat(wire.response().body()).isEqualTo(sumOf(size) + "\n");
    }
  }

  private void send(Wire wire, String target, long size, Framing framing) throws IOException {
    wire.send("POST " + target + " HTTP/1.1\r\nHost: x\r\n");
    if (framing == Framing.LENGTH) {
      wire.send("Content-Length: " + size + "\r\n\r\n");
      write(size, wire::send);
    } else {
      wire.send("Transfer-Encoding: chunked\r\n\r\n");
      write(
          size,
          piece -> {
            wire.send(Integer.toHexString(piece.remaining()) + "\r\n");
            wire.send(piece);
            wire.send("\r\n");
          });
      wire.send("0\r\n\r\n");
    }
  }

  // ---- Downloads

  @ParameterizedTest
  @EnumSource(Framing.class)
  void downloadToASlowClientIsNotHeldInMemory(Framing framing) throws IOException {
    download(SOME, framing);
  }

  @Tag("full")
  @ParameterizedTest
  @EnumSource(Framing.class)
  void downloadOf1GibToASlowClientIsNotHeldInMemory(Framing framing) throws IOException {
    download(1L << 30, framing);
  }

  private void download(long size, Framing framing) throws IOException {
    try (Wire wire = connect()) {
      String query = "?size=" + size + "&framing=" + framing;
      wire.send("GET /pattern" + query + " HTTP/1.1\r\nHost: x\r\n\r\n");
      Response head = wire.responseHead();
      assertThat(head.header("Transfer-Encoding"))
          .isEqualTo(framing == Framing.CHUNKS ? "chunked" : null);
      assertThat(readSlowly(wire.body(head), size)).isEqualTo(sumOf(size));
    }
  }

  // ---- Both at once

  @ParameterizedTest
  @EnumSource(Framing.class)
  void echoToASlowClientIsNotHeldInMemory(Framing framing) throws Exception {
    echo(SOME, framing);
  }

  @Tag("full")
  @ParameterizedTest
  @EnumSource(Framing.class)
  void echoOf1GibToASlowClientIsNotHeldInMemory(Framing framing) throws Exception {
    echo(1L << 30, framing);
  }

  private void echo(long size, Framing framing) throws Exception {
    try (Wire wire = connect()) {
      FutureTask<Void> sending =
          new FutureTask<>(() -> {
            send(wire, "/echo", size, framing);
            return null;
          });
      Thread.ofVirtual().start(sending);
      assertThat(readSlowly(wire.body(wire.responseHead()), size)).isEqualTo(sumOf(size));
      sending.get();
      wire.send("GET /pattern?size=3&framing=LENGTH HTTP/1.1\r\nHost: x\r\n\r\n");
      assertThat(wire.response().bytes()).hasSize(3); // and nothing lies between
    }
  }
}
