package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Http2Wire;
import dev.windhover.verification.wire.Wire;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.zip.Deflater;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Clients that try to use up the memory of a server with a heap of 128 MiB, while somebody else
 * echoes every second and never notices.
 */
@Tag("full")
@Timeout(120)
@ExtendWith(StrictLogs.class)
class MemoryAttackTest {
  private static final int MIB = 1 << 20;

  /** How long an attack goes on. */
  private static final Duration TIME = Duration.ofSeconds(6);

  /** A reply later than this would be noticed, even while other tests keep the machine busy. */
  private static final Duration PROMPTLY = Duration.ofSeconds(5);

  private static @Nullable Process server;
  private static int port;

  @BeforeAll
  static void start() throws Exception {
    Process started =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-XX:+ExitOnOutOfMemoryError",
                "--enable-native-access=ALL-UNNAMED",
                "-Dslf4j.provider=dev.windhover.verification.logs.CapturingProvider",
                "-Dslf4j.internal.verbosity=WARN",
                "-cp",
                System.getProperty("java.class.path"),
                SmallHeapServer.class.getName(),
                "--urls=http://127.0.0.1:0")
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    server = started;
    BufferedReader out = started.inputReader(StandardCharsets.UTF_8);
    String line = out.readLine();
    assertThat(line).startsWith("Now listening on: ");
    port = Integer.parseInt(line.substring(line.lastIndexOf(':') + 1));
    for (Attack each : Attack.values()) { // what is loaded and pooled once is no leak
      run(each, 3, Duration.ofMillis(200));
    }
  }

  @AfterAll
  static void stop() {
    if (server != null) {
      server.destroyForcibly();
    }
  }

  /** One client of an attack, which keeps what it has opened until the end. */
  private interface Client {
    /** Does its worst, and returns what is to be closed. */
    Closeable attack(int number) throws IOException;
  }

  enum Attack {
    UNFINISHED_COMPRESSED_MESSAGES(100, MemoryAttackTest::unfinishedCompressed),
    UNFINISHED_COMPRESSED_MESSAGES_OVER_HTTP2(5, MemoryAttackTest::unfinishedOverHttp2),
    UNFINISHED_MESSAGES(100, MemoryAttackTest::unfinished),
    ECHOES_THAT_NOBODY_READS(100, MemoryAttackTest::unreadEchoes),
    WINDOWS_OF_0(10, MemoryAttackTest::windowsOf0),
    SLOW_UPLOADS(300, MemoryAttackTest::slowUpload),
    PINGS_WHOSE_REPLIES_NOBODY_READS(100, MemoryAttackTest::unreadPongs);

    private final int clients;

    @SuppressWarnings("ImmutableEnumChecker") // a method
    private final Client client;

    Attack(int clients, Client client) {
      this.clients = clients;
      this.client = client;
    }
  }

  @ParameterizedTest
  @EnumSource
  void nobodyElseNotices(Attack attack) throws Exception {
    long heap = settledHeap();
    try (Bystander one = new Bystander("/blocking");
        Bystander other = new Bystander("/listener")) {
      run(attack, attack.clients, TIME);
      one.requireServed();
      other.requireServed();
    }
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(15);
    long left;
    do {
      left = heap();
    } while (left > heap + heap / 10 && System.nanoTime() - end < 0);
    assertThat(left).as("bytes of heap after %s", attack).isLessThanOrEqualTo(heap + heap / 10);
  }

  /** The figures above mean nothing if the clients do not reach the limit. */
  @Test
  void theBudgetIsReached() throws Exception {
    long before = ask("/evicted");
    for (int i = 0; i < 5 && ask("/evicted") == before; i++) { // on a busy machine more than once
      run(Attack.UNFINISHED_MESSAGES, 100, Duration.ofSeconds(3));
    }
    assertThat(ask("/evicted")).isGreaterThan(before);
  }

  /** Lets that many clients attack, each again and again. */
  private static void run(Attack attack, int clients, Duration time) throws Exception {
    long end = System.nanoTime() + time.toNanos();
    CountDownLatch ended = new CountDownLatch(1);
    List<FutureTask<@Nullable Void>> running = new ArrayList<>();
    for (int i = 0; i < clients; i++) {
      int number = i;
      FutureTask<@Nullable Void> task =
          new FutureTask<>(() -> {
            List<Closeable> opened = new ArrayList<>();
            try {
              do {
                opened.add(attack.client.attack(number));
              } while (System.nanoTime() - end < 0 && opened.size() < 10);
            } catch (IOException | AssertionError e) {
              // it was refused or dropped
            }
            ended.await(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS);
            for (Closeable each : opened) {
              each.close();
            }
            return null;
          });
      running.add(task);
      Thread.ofVirtual().start(task);
    }
    for (FutureTask<@Nullable Void> each : running) {
      try {
        each.get(60, TimeUnit.SECONDS);
      } catch (ExecutionException e) {
        throw new AssertionError(e);
      }
    }
  }

  // ---- The attacks

  private static String path(int number) {
    return number % 2 == 0 ? "/blocking" : "/listener";
  }

  private static Wire connectNarrow() throws IOException {
    return Wire.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 4096);
  }

  /** Returns the begin of a message of 1 MiB, in 1 KiB. */
  private static byte[] compressedZeros() {
    Deflater deflater = new Deflater(Deflater.BEST_COMPRESSION, true);
    deflater.setInput(new byte[MIB - 100]);
    byte[] zeros = new byte[4096];
    int n = deflater.deflate(zeros, 0, zeros.length, Deflater.SYNC_FLUSH);
    deflater.end();
    return frame(0x42, Arrays.copyOf(zeros, n)); // RSV1, not the last fragment
  }

  /** Returns a frame whose key is 0. */
  private static byte[] frame(int first, byte[] payload) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    byte[] header = Frame.header(first, payload.length);
    Arrays.fill(header, header.length - 4, header.length, (byte) 0);
    out.writeBytes(header);
    out.writeBytes(payload);
    return out.toByteArray();
  }

  private static Closeable unfinishedCompressed(int number) throws IOException {
    Wire wire = Wire.connect(port);
    wire.send(Wire.handshake(path(number), "Sec-WebSocket-Extensions: permessage-deflate"));
    wire.response().expectUpgrade();
    wire.send(compressedZeros());
    return wire::close;
  }

  private static Closeable unfinishedOverHttp2(int number) throws IOException {
    Http2Wire wire = Http2Wire.connect(port);
    List<Http2Wire.Stream> streams = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      streams.add(wire.connectWebSocket(path(i), "sec-websocket-extensions: permessage-deflate"));
    }
    for (Http2Wire.Stream each : streams) {
      if (each.status() == 200) {
        each.data(false, compressedZeros());
      }
    }
    return wire::close;
  }

  private static Closeable unfinished(int number) throws IOException {
    Wire wire = Wire.open(port, path(number));
    byte[] most = frame(0x02, new byte[MIB - 100]);
    wire.sendUntilBlocked(most, most.length);
    return wire::close;
  }

  private static Closeable unreadEchoes(int number) throws IOException {
    Wire wire = connectNarrow().upgrade(path(number));
    wire.sendUntilBlocked(frame(0x82, new byte[MIB]), 4L * MIB);
    return wire::close;
  }

  private static Closeable windowsOf0(int number) throws IOException {
    Http2Wire wire = Http2Wire.connect(port, 0);
    for (int i = 0; i < 60; i++) {
      Http2Wire.Stream stream = wire.connectWebSocket(path(i));
      if (stream.status() == 200) {
        stream.sendUntilBlocked(frame(0x82, new byte[50_000]), 1000_000);
      }
    }
    return wire::close;
  }

  private static Closeable slowUpload(int number) throws IOException {
    Wire wire = Wire.connect(port);
    String target = number % 50 == 0 ? "/upload" : "/never-read"; // the former keeps what it reads
    wire.send("POST " + target + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n");
    wire.send(new byte[70_000]);
    return wire::close;
  }

  private static Closeable unreadPongs(int number) throws IOException {
    Wire wire = connectNarrow().upgrade(path(number));
    wire.sendUntilBlocked(Frame.ping("x".repeat(125)).masked(), 1_000_000);
    return wire::close;
  }

  // ---- Somebody else

  /** Echoes every second. */
  private static final class Bystander implements AutoCloseable {
    private final Wire wire;
    private final CountDownLatch over = new CountDownLatch(1);
    private final FutureTask<Integer> task = new FutureTask<>(this::echo);

    Bystander(String path) throws IOException {
      wire = Wire.open(port, path);
      Thread.ofPlatform().name("bystander").start(task);
    }

    private int echo() throws Exception {
      int echoes = 0;
      do {
        long began = System.nanoTime();
        Frame hello = Frame.text("hello " + echoes);
        wire.send(hello.masked());
        assertThat(wire.frame()).isEqualTo(hello);
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(PROMPTLY);
        echoes++;
      } while (!over.await(1, TimeUnit.SECONDS));
      return echoes;
    }

    void requireServed() throws Exception {
      over.countDown();
      assertThat(task.get(30, TimeUnit.SECONDS)).isGreaterThanOrEqualTo(3);
    }

    @Override
    public void close() throws IOException {
      over.countDown();
      wire.close();
    }
  }

  // ---- The server's heap

  private static long settledHeap() throws IOException {
    long last = heap();
    for (int i = 0; i < 10; i++) {
      long now = heap();
      if (now >= last - last / 50) {
        return now;
      }
      last = now;
    }
    return last;
  }

  /** Returns what is in use after a garbage collection. */
  private static long heap() throws IOException {
    return ask("/heap");
  }

  private static long ask(String path) throws IOException {
    try (Wire wire = Wire.connect(port)) {
      wire.send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
      return Long.parseLong(wire.response().body().strip());
    }
  }
}
