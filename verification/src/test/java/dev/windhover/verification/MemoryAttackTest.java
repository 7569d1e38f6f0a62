package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.verification.SmallHeap.Bystander;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Http2Wire;
import dev.windhover.verification.wire.Wire;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
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
@Timeout(180)
@ExtendWith(StrictLogs.class)
class MemoryAttackTest {
  private static final int MIB = 1 << 20;

  /** How often each client attacks, at most. */
  private static final int TIMES = 10;

  /** How long an attack goes on. */
  private static final Duration TIME = Duration.ofSeconds(6);

  private static @Nullable SmallHeap started;

  @BeforeAll
  static void start() throws Exception {
    started = SmallHeap.start();
    for (Attack each : Attack.values()) { // what is loaded and pooled once is no leak
      SmallHeap.attack(each.client, 3, TIMES, Duration.ofMillis(200));
    }
  }

  @AfterAll
  static void stop() {
    if (started != null) {
      started.close();
    }
  }

  private static int port() {
    return server().port();
  }

  private static SmallHeap server() {
    return Objects.requireNonNull(started);
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
    private final SmallHeap.Client client;

    Attack(int clients, SmallHeap.Client client) {
      this.clients = clients;
      this.client = client;
    }
  }

  @ParameterizedTest
  @EnumSource
  void nobodyElseNotices(Attack attack) throws Exception {
    long heap = server().settledHeap();
    try (Bystander one = bystander("/blocking");
        Bystander other = bystander("/listener")) {
      SmallHeap.attack(attack.client, attack.clients, TIMES, TIME, List.of(one, other));
      one.requireServed();
      other.requireServed();
    }
    server().requireBackAt(heap, attack);
  }

  /** Echoes every second. */
  private static Bystander bystander(String path) throws IOException {
    Wire wire = Wire.open(port(), path);
    Bystander.Call echo =
        () -> {
          Frame hello = Frame.text("hello " + System.nanoTime());
          wire.send(hello.masked());
          assertThat(wire.frame()).isEqualTo(hello);
        };
    return new Bystander(wire::close, echo, Duration.ofSeconds(1));
  }

  /** The figures above mean nothing if the clients do not reach the limit. */
  @Test
  void theBudgetIsReached() throws Exception {
    long before = server().evicted();
    for (int i = 0; i < 5 && server().evicted() == before; i++) { // when busy, more than once
      SmallHeap.attack(Attack.UNFINISHED_MESSAGES.client, 100, TIMES, Duration.ofSeconds(3));
    }
    assertThat(server().evicted()).isGreaterThan(before);
  }

  // ---- The attacks

  private static String path(int number) {
    return number % 2 == 0 ? "/blocking" : "/listener";
  }

  private static Wire connectNarrow() throws IOException {
    return Wire.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port()), 4096);
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
    Wire wire = Wire.connect(port());
    wire.send(Wire.handshake(path(number), "Sec-WebSocket-Extensions: permessage-deflate"));
    wire.response().expectUpgrade();
    wire.send(compressedZeros());
    return wire::close;
  }

  private static Closeable unfinishedOverHttp2(int number) throws IOException {
    Http2Wire wire = Http2Wire.connect(port());
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
    Wire wire = Wire.open(port(), path(number));
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
    Http2Wire wire = Http2Wire.connect(port(), 0);
    for (int i = 0; i < 60; i++) {
      Http2Wire.Stream stream = wire.connectWebSocket(path(i));
      if (stream.status() == 200) {
        stream.sendUntilBlocked(frame(0x82, new byte[50_000]), 1000_000);
      }
    }
    return wire::close;
  }

  private static Closeable slowUpload(int number) throws IOException {
    Wire wire = Wire.connect(port());
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
}
