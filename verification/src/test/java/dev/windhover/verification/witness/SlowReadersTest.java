package dev.windhover.verification.witness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.http.HttpContext;
import dev.windhover.http.files.StaticFiles;
import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketClosedException;
import dev.windhover.server.Transport;
import dev.windhover.verification.Certificate;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Http2Wire;
import dev.windhover.verification.wire.Peer;
import dev.windhover.verification.wire.Response;
import dev.windhover.verification.wire.SlowLink;
import dev.windhover.verification.wire.Wire;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * Clients that read slowly and steadily live, and those that take nothing are dropped in time, with
 * limits that are short enough for a test. The cases of a test run side by side.
 */
@Tag("full")
@ExtendWith(StrictLogs.class)
class SlowReadersTest {
  private static final long RUN_NANOS = TimeUnit.SECONDS.toNanos(20);

  private static final int FILE_BYTES = 30_000_000;
  private static final int MESSAGE_BYTES = 22_000_000;
  private static final int PIECE_BYTES = 64 * 1024;

  /** Of a socket; a response has 5 s, and the time of 16 KiB at the rate. */
  private static final Duration STALL = Duration.ofSeconds(8);

  private static final String HOST = " HTTP/1.1\r\nHost: x\r\n\r\n";

  private enum Over {
    HTTP_1_1,
    HTTP_2,
    HTTP_1_1_TLS,
    HTTP_2_TLS;

    boolean isSecure() {
      return this == HTTP_1_1_TLS || this == HTTP_2_TLS;
    }
  }

  private enum Content {
    /** A file of 30 MB. */
    FILE,
    /** A response that a handler writes, on and on. */
    ENDLESS,
    /** One message of 22 MB, with Pings queued after it. */
    MESSAGE,
    /** Message after message, with Pings between them. */
    MESSAGES,
    /** A message of 300 kB, and a Close after it, which may be answered when it has arrived. */
    CLOSE;

    boolean isResponse() {
      return this == FILE || this == ENDLESS;
    }
  }

  /** One slow client, which says how many bytes it got. */
  private interface Client {
    long readUntil(long nanos) throws IOException;
  }

  @TempDir private Path folder = Path.of("");

  private final WebApplication app = WebApplication.create();
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final List<AutoCloseable> closing = new ArrayList<>();
  private final Map<String, Callable<@Nullable String>> cases = new LinkedHashMap<>();

  /** Why senders were told that there is no more to do, and when. */
  private final BlockingQueue<Cut> cuts = new LinkedBlockingQueue<>();

  /** How long a socket may give no sign of life. */
  private Duration patience = Duration.ofSeconds(3);

  private record Cut(String why, long nanos) {}

  private void start(int bytesPerSecond, Duration grace) throws Exception {
    Path files = Files.createDirectory(folder.resolve("www"));
    Files.write(files.resolve("file"), new byte[FILE_BYTES]);
    Path certificate = Certificate.USUAL.writePkcs12(folder.resolve("c.p12"));
    app.server(options -> {
      options.urls("http://0.0.0.0:0", "https://127.0.0.1:0");
      options.limits().minResponseRate(bytesPerSecond, grace);
      options.tls().certificate(certificate).password(Certificate.PASSWORD);
    });
    app.useWebSockets(options ->
        options
            .allowedOrigins("*")
            .keepAliveInterval(Duration.ofSeconds(1))
            .keepAliveTimeout(patience)
            .limits(limits -> limits.writeStallTimeout(STALL)));
    app.useStaticFiles(StaticFiles.fromFolder(files));
    app.mapGet("/endless", this::respond);
    app.mapWebSocket("/message", socket -> send(socket, MESSAGE_BYTES));
    app.mapWebSocket("/messages", socket -> send(socket, PIECE_BYTES));
    app.mapWebSocket(
        "/close", socket -> socket.send(ByteBuffer.allocate(300_000), MessageType.BINARY, true));
    app.start();
  }

  private void respond(HttpContext context) throws Exception {
    try {
      while (true) {
        context.response().write(ByteBuffer.allocate(PIECE_BYTES));
      }
    } catch (IOException e) {
      cuts.add(new Cut(String.valueOf(e.getMessage()), System.nanoTime()));
      throw e;
    }
  }

  private void send(WebSocket socket, int bytes) throws Exception {
    Thread reading =
        Thread.ofVirtual()
            .start(() -> {
              try {
                while (socket.receiveMessage() != null) {
                  // Pongs are answers enough
                }
              } catch (Exception e) {
                // the sender hears of it
              }
            });
    try {
      while (true) {
        socket.send(ByteBuffer.allocate(bytes), MessageType.BINARY, true);
      }
    } catch (WebSocketClosedException e) {
      reading.join();
      Ending ending = socket.ending();
      cuts.add(new Cut(ending == null ? "" : ending.why(), System.nanoTime()));
    }
  }

  @AfterEach
  void stop() throws Exception {
    threads.shutdownNow();
    for (AutoCloseable each : closing.reversed()) {
      each.close();
    }
    app.stop();
  }

  private int port(boolean secure) {
    return URI.create(app.urls().get(secure ? 1 : 0)).getPort();
  }

  // ---- Those that live

  @Test
  void clientThatReadsSteadilyLives() throws Exception {
    start(240, Duration.ofSeconds(5)); // the defaults
    lives(Over.HTTP_1_1, Content.FILE, 1_000);
    lives(Over.HTTP_1_1, Content.MESSAGES, 1_000);
    lives(Over.HTTP_2, Content.FILE, 2_000); // whose reader gets frames of 16 KiB whole
    lives(Over.HTTP_2, Content.MESSAGES, 2_000);
    lives(Over.HTTP_1_1, Content.FILE, 25_000);
    lives(Over.HTTP_1_1, Content.MESSAGES, 25_000);
    lives(Over.HTTP_1_1, Content.MESSAGE, 25_000);
    lives(Over.HTTP_2, Content.FILE, 25_000);
    lives(Over.HTTP_2, Content.MESSAGES, 25_000);
    lives(Over.HTTP_1_1_TLS, Content.FILE, 25_000);
    lives(Over.HTTP_1_1_TLS, Content.MESSAGES, 25_000);
    lives(Over.HTTP_2_TLS, Content.MESSAGE, 25_000);
    lives(Over.HTTP_1_1, Content.CLOSE, 25_000);
    lives(Over.HTTP_2, Content.CLOSE, 25_000);
    lives(Over.HTTP_1_1, Content.FILE, 125_000);
    lives(Over.HTTP_2_TLS, Content.FILE, 125_000);
    lives(Over.HTTP_1_1, Content.MESSAGE, 150_000);
    lives(Over.HTTP_1_1, Content.MESSAGES, 1_000_000);
    lives(Over.HTTP_2, Content.FILE, 1_000_000);
    run();
  }

  /** The system tells only what it has taken, so the limits must be longer than its buffer. */
  @Test
  void clientThatReadsSteadilyLivesWithoutTcpInfo() throws Exception {
    patience = Duration.ofSeconds(12);
    app.server(options -> options.transport(Transport.NIO));
    start(240, Duration.ofSeconds(5));
    for (Over over : Over.values()) {
      lives(over, Content.FILE, 25_000);
      lives(over, Content.MESSAGES, 25_000);
    }
    run();
  }

  @Test
  void clientBehindNginxThatReadsSteadilyLives() throws Exception {
    start(240, Duration.ofSeconds(5));
    Nginx nginx = Nginx.start(folder, CONFIGURATION.replace("OURS", "" + port(false)));
    closing.add(nginx);
    lives(nginx.port(), Over.HTTP_1_1, Content.FILE, 25_000, "file through nginx");
    lives(nginx.secondPort(), Over.HTTP_1_1, Content.MESSAGES, 25_000, "socket through nginx");
    run();
  }

  @Test
  void clientOfSmallPacketsThatReadsSteadilyLives() throws Exception {
    start(240, Duration.ofSeconds(5));
    SmallPackets network = SmallPackets.require();
    closing.add(network::remove);
    for (Content content : new Content[] {Content.FILE, Content.MESSAGES}) {
      InetSocketAddress link = network.startLink(port(false), 25_000, closing);
      cases.put(content + " in small packets", () -> outcome(http1(link, false, content), 25_000));
    }
    run();
  }

  private void lives(Over over, Content content, int rate) throws IOException {
    String name = "%s over %s at %,d bytes/s".formatted(content, over, rate);
    lives(port(over.isSecure()), over, content, rate, name);
  }

  private void lives(int port, Over over, Content content, int rate, String name)
      throws IOException {
    SlowLink link = new SlowLink(port, rate);
    closing.add(link);
    cases.put(name, () -> outcome(connect(link, over, content), rate));
  }

  /** Runs all cases side by side, and says of each what went wrong. */
  private void run() throws InterruptedException {
    Map<String, Future<@Nullable String>> running = new LinkedHashMap<>();
    cases.forEach((name, body) -> running.put(name, threads.submit(body)));
    Map<String, String> wrong = new LinkedHashMap<>();
    for (Map.Entry<String, Future<@Nullable String>> each : running.entrySet()) {
      try {
        String outcome = each.getValue().get();
        if (outcome != null) {
          wrong.put(each.getKey(), outcome);
        }
      } catch (ExecutionException e) {
        wrong.put(each.getKey(), String.valueOf(e.getCause()));
      }
    }
    assertThat(wrong).isEmpty();
  }

  /** Reads for the whole time; returns what went wrong, or null. */
  private static @Nullable String outcome(Client client, int rate) {
    long start = System.nanoTime();
    long got;
    try {
      got = client.readUntil(start + RUN_NANOS);
    } catch (IOException | AssertionError e) {
      return "after %,d ms: %s".formatted((System.nanoTime() - start) / 1_000_000, e.getMessage());
    }
    long due = Math.min(FILE_BYTES, rate * TimeUnit.NANOSECONDS.toSeconds(RUN_NANOS) / 2);
    return got >= due ? null : "only %,d bytes of %,d".formatted(got, due);
  }

  // ---- Those that take nothing

  @Test
  void clientThatTakesNothingIsDroppedInTheStatedTimeAndItsSenderHearsWhy() throws Exception {
    start(10_000, Duration.ofSeconds(2));
    long allTook = System.nanoTime();
    for (Over over : Over.values()) {
      for (Content content : new Content[] {Content.ENDLESS, Content.MESSAGES}) {
        SlowLink link = new SlowLink(port(over.isSecure()), 1_000_000);
        closing.add(link);
        Client client = connect(link, over, content);
        Future<Long> _ = threads.submit(() -> client.readUntil(Long.MAX_VALUE));
        link.stopTaking();
      }
    }
    long noneTook = System.nanoTime();
    for (int i = 0; i < 2 * Over.values().length; i++) {
      Cut cut = Objects.requireNonNull(cuts.poll(15, TimeUnit.SECONDS), "only " + i + " were cut");
      long most = (cut.nanos() - allTook) / 1_000_000;
      long least = (cut.nanos() - noneTook) / 1_000_000;
      if (cut.why().equals("peer took no data for PT8S")) {
        assertThat(most).isGreaterThan(7_000);
        assertThat(least).isLessThan(10_000);
      } else {
        assertThat(cut.why())
            .isEqualTo("the response was cut off: its client took less than 10000 bytes a second");
        assertThat(most).isGreaterThan(1_500);
        assertThat(least).isLessThan(8_000); // 2 s, 1.6 s for 16 KiB, and looks
      }
    }
  }

  // ---- Clients

  private Client connect(SlowLink link, Over over, Content content) throws IOException {
    if (over == Over.HTTP_1_1 || over == Over.HTTP_1_1_TLS) {
      InetSocketAddress address =
          new InetSocketAddress(InetAddress.getLoopbackAddress(), link.port());
      return http1(address, over.isSecure(), content);
    }
    Http2Wire wire =
        over.isSecure()
            ? Http2Wire.connectSecure(link.port(), PIECE_BYTES)
            : Http2Wire.connect(link.port(), PIECE_BYTES);
    if (content.isResponse()) {
      var stream = wire.get(path(content));
      assertThat(stream.status()).isEqualTo(200);
      return until -> readBody(stream, until);
    }
    var stream = wire.open(path(content));
    return until -> readFrames(stream, stream, until);
  }

  private static Client http1(InetSocketAddress address, boolean secure, Content content)
      throws IOException {
    Wire wire = Wire.connect(address, 0);
    if (secure) {
      wire.secure();
    }
    if (content.isResponse()) {
      Response head = wire.send("GET " + path(content) + HOST).responseHead();
      assertThat(head.status()).isEqualTo(200);
      return until -> readBody(wire.body(head), until);
    }
    Response head = wire.send(Wire.handshake(path(content))).responseHead();
    assertThat(head.status()).isEqualTo(101);
    return until -> readFrames(wire, wire.patientInput(), until);
  }

  private static String path(Content content) {
    return "/" + content.name().toLowerCase(Locale.ROOT);
  }

  private static long readBody(InputStream body, long until) throws IOException {
    byte[] piece = new byte[1_000];
    long got = 0;
    while (System.nanoTime() < until) {
      int n = body.read(piece);
      if (n < 0) {
        return got;
      }
      got += n;
    }
    return got;
  }

  /** Answers each Ping when it comes. */
  private static long readFrames(Peer peer, InputStream in, long until) throws IOException {
    byte[] piece = new byte[1_000];
    long got = 0;
    while (System.nanoTime() < until) {
      int first = in.read();
      if (first < 0) {
        throw new IOException("the socket ended");
      }
      long length = length(in);
      if (first == 0x88) {
        peer.send(Frame.close(1000, ""));
        return got;
      }
      if (first == 0x89) {
        peer.send(Frame.pong(new String(in.readNBytes((int) length), StandardCharsets.ISO_8859_1)));
        continue;
      }
      for (long left = length; left > 0 && System.nanoTime() < until; ) {
        int n = in.read(piece, 0, (int) Math.min(piece.length, left));
        if (n < 0) {
          throw new IOException("the socket ended within a message");
        }
        left -= n;
        got += n;
      }
    }
    return got;
  }

  private static long length(InputStream in) throws IOException {
    int length = in.read();
    int more = length < 126 ? 0 : length == 126 ? 2 : 8;
    long sum = more == 0 ? length : 0;
    for (byte each : in.readNBytes(more)) {
      sum = (sum << 8) | (each & 0xFF);
    }
    return sum;
  }

  // ---- nginx

  /** Without buffering; on its second port, its system holds little of a response. */
  private static final String CONFIGURATION =
      """
      map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
      server {
        listen 127.0.0.1:ITS;
        listen 127.0.0.1:SECOND sndbuf=32k;
        location / {
          proxy_pass http://127.0.0.1:OURS;
          proxy_http_version 1.1;
          proxy_buffering off;
          proxy_set_header Upgrade $http_upgrade;
          proxy_set_header Connection $connection_upgrade;
        }
      }
      """;

  // ---- Small packets

  /** A network namespace of its own, behind a link whose packets are small. */
  private record SmallPackets(Program ip, String name) {
    private static final String OURS = "10.213.77.1";
    private static final String ITS = "10.213.77.2";

    static SmallPackets require() throws Exception {
      Program ip = Program.require("ip");
      SmallPackets made = new SmallPackets(ip, "wh" + ProcessHandle.current().pid());
      Program.Result added = ip.run("netns", "add", made.name);
      Program.requireThat(added.exitCode() == 0, "no network namespace: " + added.output());
      made.ip("link", "add", made.name, "type", "veth", "peer", "name", "eth0", "netns", made.name);
      made.ip("addr", "add", OURS + "/30", "dev", made.name);
      made.ip("link", "set", made.name, "mtu", "576", "up");
      made.ip("-n", made.name, "addr", "add", ITS + "/30", "dev", "eth0");
      made.ip("-n", made.name, "link", "set", "eth0", "mtu", "576", "up");
      return made;
    }

    private void ip(String... args) throws Exception {
      Program.Result result = ip.run(args);
      if (result.exitCode() != 0) {
        remove();
        Program.requireThat(false, "no link into a network namespace: " + result.output());
      }
    }

    /** Starts a slow link there, to a port of ours, and returns its address. */
    InetSocketAddress startLink(int port, int rate, List<AutoCloseable> closing)
        throws IOException {
      String classes = SlowLink.class.getProtectionDomain().getCodeSource().getLocation().getPath();
      Process process =
          new ProcessBuilder(
                  ip.path().toString(),
                  "netns",
                  "exec",
                  name,
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-XX:TieredStopAtLevel=1",
                  "-cp",
                  classes,
                  SlowLink.class.getName(),
                  ITS,
                  OURS,
                  "" + port,
                  "" + rate)
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      closing.add(() -> {
        process.getOutputStream().close();
        process.waitFor();
      });
      BufferedReader output = process.inputReader();
      return new InetSocketAddress(ITS, Integer.parseInt(output.readLine()));
    }

    void remove() throws Exception {
      Program.Result _ = ip.run("netns", "delete", name);
    }
  }
}
