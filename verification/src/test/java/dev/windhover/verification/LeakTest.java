package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.windhover.app.WebApplication;
import dev.windhover.http.websocket.Message;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Hex;
import dev.windhover.verification.wire.Http2Wire;
import dev.windhover.verification.wire.Wire;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Clients leave at every stage of a connection, half of them cleanly and half with a reset. Memory,
 * files and threads must then be what they were.
 */
@ExtendWith(StrictLogs.class)
class LeakTest {
  private static final boolean FULL = System.getProperty("full") != null;

  /** At each stage. */
  private static final int CLIENTS = FULL ? 1_000 : 20;

  private static final int AT_ONCE = 8;
  private static final int WARM_UP = 50;

  /** Less than the 5 s for which a client that does not end its side is waited for. */
  private static final Duration SOON = Duration.ofSeconds(4);

  /** For what the collector and timers hold a while longer. */
  private static final Duration LATER = Duration.ofSeconds(15);

  private static final Duration SETTLES = Duration.ofMillis(200);
  private static final int COLLECTIONS = 3;

  private static final String GET = "GET /%s HTTP/1.1\r\nHost: x\r\n";
  private static final String POST = "POST /%s HTTP/1.1\r\nHost: x\r\n";

  /** About 570 bytes for each client of the quick run, and 400 of the full one. */
  private static final long MOST_HEAP = 400_000;

  /** The allocators of Netty take whole mebibytes, and keep some for the next who comes. */
  private static final long MOST_DIRECT = 8 << 20;

  @TempDir private static Path folder = Path.of("");

  private static final WebApplication app =
      WebApplication.create("--urls=http://127.0.0.1:0;https://127.0.0.1:0");
  private static final AtomicInteger clients = new AtomicInteger();

  // What there is before the first test, and what the process needs once.
  private static long files;
  private static long direct;
  private static long threads;

  /** Of ours, when there were least. */
  private static long objects = Long.MAX_VALUE;

  @BeforeAll
  static void start() throws Exception {
    app.useWebSockets(options -> options.allowedOrigins("*"));
    app.map("/hello", context -> context.response().write("hello\n"));
    app.map(
        "/body",
        context -> {
          context.response().flush();
          context.request().body().transferTo(context.response().body());
        });
    app.map(
        "/waits",
        context -> {
          context.response().write("begun");
          context.response().flush();
          context.aborted().join();
        });
    app.map(
        "/large",
        context -> {
          byte[] piece = new byte[100_000];
          for (int i = 0; i < 100; i++) {
            context.response().body().write(piece);
          }
        });
    app.mapWebSocket(
        "/socket",
        socket -> {
          for (Message message : socket) {
            socket.send(message);
          }
        });
    Path certificate = Certificate.USUAL.writePkcs12(folder.resolve("c.p12"));
    app.server(options -> options.tls().certificate(certificate).password(Certificate.PASSWORD));
    app.start();
    for (Stage stage : Stage.values()) {
      visits(stage, WARM_UP);
    }
    files = settled(Http1ChurnTest::openFiles);
    direct = Memory.direct();
    threads = threads();
  }

  @AfterAll
  static void stop() {
    app.stop();
  }

  /** How far a client gets. */
  enum Stage {
    CONNECTED {
      @Override
      void reach(Wire wire) {}
    },
    WITHIN_THE_REQUEST_LINE {
      @Override
      void reach(Wire wire) throws IOException {
        wire.send("GET /hello HT");
      }
    },
    WITHIN_THE_HEADERS {
      @Override
      void reach(Wire wire) throws IOException {
        wire.send(GET.formatted("hello") + "X-Some: he");
      }
    },
    WITHIN_A_BODY_THAT_IS_READ {
      @Override
      void reach(Wire wire) throws IOException {
        wire.send(POST.formatted("body") + "Content-Length: 30000\r\n\r\n");
        wire.send(new byte[10_000]);
        wire.responseHead(); // the handler waits for more
      }
    },
    WITHIN_A_BODY_THAT_IS_NOT_READ {
      @Override
      void reach(Wire wire) throws IOException {
        wire.send(POST.formatted("waits") + "Content-Length: 30000\r\n\r\n");
        wire.send(new byte[10_000]);
      }
    },
    WITHIN_A_BODY_THAT_IS_DROPPED {
      @Override
      void reach(Wire wire) throws IOException {
        wire.send(POST.formatted("hello") + "Content-Length: 30000\r\n\r\n");
        wire.response();
        wire.send(new byte[10_000]);
      }
    },
    WITHIN_A_CHUNK {
      @Override
      void reach(Wire wire) throws IOException {
        wire.send(POST.formatted("body") + "Transfer-Encoding: chunked\r\n\r\n4000\r\n");
        wire.send(new byte[10_000]);
        wire.responseHead();
      }
    },
    WITHIN_A_CHUNK_SIZE {
      @Override
      void reach(Wire wire) throws IOException {
        wire.send(POST.formatted("body") + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n40");
      }
    },
    WHILE_THE_HANDLER_RUNS {
      @Override
      void reach(Wire wire) throws IOException {
        wire.send(GET.formatted("waits") + "\r\n");
        wire.responseHead();
      }
    },
    WITH_REQUESTS_WAITING {
      @Override
      void reach(Wire wire) throws IOException {
        wire.send((GET.formatted("waits") + "\r\n").repeat(20));
        wire.responseHead();
      }
    },
    WITHIN_THE_RESPONSE {
      @Override
      void reach(Wire wire) throws IOException {
        wire.send(GET.formatted("large") + "\r\n");
        wire.responseHead();
      }
    },
    IDLE {
      @Override
      void reach(Wire wire) throws IOException {
        wire.send(GET.formatted("hello") + "\r\n");
        wire.response();
      }
    },
    CLOSED_BY_THE_SERVER {
      @Override
      void reach(Wire wire) throws IOException {
        wire.send(GET.formatted("hello") + "Connection: close\r\n\r\n");
        wire.response();
        wire.expectEnd();
      }
    },
    REFUSED {
      @Override
      void reach(Wire wire) throws IOException {
        wire.send("no request\r\n\r\n");
        wire.response();
        wire.expectEnd();
      }
    },
    WITHIN_THE_UPGRADE {
      @Override
      void reach(Wire wire) throws IOException {
        wire.send(Wire.handshake("/socket"));
      }
    },
    SOCKET {
      @Override
      void reach(Wire wire) throws IOException {
        wire.upgrade("/socket").send(Frame.text("x"));
        wire.frame();
      }
    },
    WITHIN_A_MESSAGE {
      @Override
      void reach(Wire wire) throws IOException {
        wire.upgrade("/socket").send(Frame.header(0x82, 60_000));
        wire.send(new byte[10_000]);
      }
    },
    TLS_CONNECTED {
      @Override
      void reach(Wire wire) {}
    },
    TLS_WITHIN_THE_CLIENT_HELLO {
      @Override
      void reach(Wire wire) throws IOException {
        wire.sendRaw(Arrays.copyOf(Wire.clientHello(), 100));
      }
    },
    TLS_BEHIND_THE_CLIENT_HELLO {
      @Override
      void reach(Wire wire) throws IOException {
        wire.sendRaw(Wire.clientHello());
        assertThat(wire.isQuietFor(Wire.MOST_MILLIS)).isFalse();
      }
    },
    TLS_REFUSED {
      @Override
      void reach(Wire wire) throws IOException {
        wire.send(GET.formatted("hello") + "\r\n");
        wire.response();
      }
    },
    TLS_IDLE {
      @Override
      void reach(Wire wire) throws IOException {
        wire.secure().send(GET.formatted("hello") + "\r\n");
        wire.response();
      }
    },
    TLS_BEHIND_CLOSE_NOTIFY {
      @Override
      void reach(Wire wire) throws IOException {
        wire.secure().send(GET.formatted("waits") + "\r\n");
        wire.responseHead();
        wire.closeNotify();
      }
    },
    TLS_WITHIN_A_RECORD {
      @Override
      void reach(Wire wire) throws IOException {
        wire.secure().upgrade("/socket").sendRaw(Hex.bytes("17 0303 1000 00 01 02 03"));
      }
    },
    TLS_WITHIN_THE_RESPONSE {
      @Override
      void reach(Wire wire) throws IOException {
        wire.secure().send(GET.formatted("large") + "\r\n");
        wire.responseHead();
      }
    },
    TLS_SOCKET {
      @Override
      void reach(Wire wire) throws IOException {
        wire.secure().upgrade("/socket").send(Frame.text("x"));
        wire.frame();
      }
    },
    HTTP2_WITHIN_THE_PREFACE {
      @Override
      void reach(Wire wire) throws IOException {
        wire.send("PRI * HTTP/2.0\r\n\r\nSM");
      }
    },
    HTTP2_CONNECTED {
      @Override
      void reach(Wire wire) throws IOException {
        http2(wire);
        await(wire, Http2Wire.SETTINGS);
      }
    },
    HTTP2_WITHIN_THE_HEADERS {
      @Override
      void reach(Wire wire) throws IOException {
        byte[] block = Http2Wire.block(Http2Wire.head("GET", "/hello"));
        byte[] half = Arrays.copyOf(block, 20);
        http2(wire, Http2Wire.bytes(Http2Wire.HEADERS, Http2Wire.END_STREAM, 1, half));
        await(wire, Http2Wire.SETTINGS);
      }
    },
    HTTP2_WITHIN_A_BODY {
      @Override
      void reach(Wire wire) throws IOException {
        http2(
            wire,
            head(1, false, Http2Wire.head("POST", "/body")),
            Http2Wire.bytes(Http2Wire.DATA, 0, 1, new byte[10_000]));
        await(wire, Http2Wire.DATA);
      }
    },
    HTTP2_WITHIN_BODIES_THAT_ARE_NOT_READ {
      @Override
      void reach(Wire wire) throws IOException {
        http2(
            wire,
            head(1, false, Http2Wire.head("POST", "/waits")),
            Http2Wire.bytes(Http2Wire.DATA, 0, 1, new byte[10_000]),
            head(3, false, Http2Wire.head("POST", "/waits")),
            Http2Wire.bytes(Http2Wire.DATA, 0, 3, new byte[100]));
        await(wire, Http2Wire.HEADERS);
      }
    },
    HTTP2_WITHIN_RESPONSES {
      @Override
      void reach(Wire wire) throws IOException {
        http2(
            wire,
            head(1, true, Http2Wire.head("GET", "/large")),
            head(3, true, Http2Wire.head("GET", "/waits")));
        await(wire, Http2Wire.DATA);
      }
    },
    HTTP2_GIVEN_UP {
      @Override
      void reach(Wire wire) throws IOException {
        http2(
            wire,
            head(1, true, Http2Wire.head("GET", "/waits")),
            Http2Wire.bytes(Http2Wire.RST_STREAM, 0, 1, (byte) 0, (byte) 0, (byte) 0, (byte) 8),
            head(3, true, Http2Wire.head("GET", "/hello")));
        await(wire, Http2Wire.HEADERS);
      }
    },
    HTTP2_FAILED {
      @Override
      void reach(Wire wire) throws IOException {
        http2(
            wire,
            connect(1),
            Http2Wire.bytes(Http2Wire.PING, 0, 1, new byte[8])); // which belongs to no stream
        await(wire, Http2Wire.GOAWAY);
      }
    },
    HTTP2_SOCKETS {
      @Override
      void reach(Wire wire) throws IOException {
        http2(
            wire,
            connect(1),
            connect(3),
            Http2Wire.bytes(Http2Wire.DATA, 0, 1, Frame.text("x").masked()),
            Http2Wire.bytes(Http2Wire.DATA, 0, 3, Frame.header(0x82, 60_000)),
            Http2Wire.bytes(Http2Wire.DATA, 0, 3, new byte[10_000]));
        await(wire, Http2Wire.DATA);
      }
    };

    private static void http2(Wire wire, byte[]... frames) throws IOException {
      byte[] settings = Http2Wire.bytes(Http2Wire.SETTINGS, 0, 0);
      wire.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
      wire.send(Http2Wire.concat(settings, Http2Wire.concat(frames)));
    }

    private static byte[] head(int stream, boolean end, String... fields) {
      int flags = Http2Wire.END_HEADERS | (end ? Http2Wire.END_STREAM : 0);
      return Http2Wire.bytes(Http2Wire.HEADERS, flags, stream, Http2Wire.block(fields));
    }

    private static byte[] connect(int stream) {
      return head(
          stream,
          false,
          Http2Wire.head(
              "CONNECT", "/socket", ":protocol: websocket", "sec-websocket-version: 13"));
    }

    /** Reads frames until one of that type. */
    private static void await(Wire wire, int type) throws IOException {
      byte[] head = new byte[9];
      do {
        wire.read(head, head.length);
        int length = ByteBuffer.wrap(head).getInt() >>> 8;
        wire.read(new byte[length], length);
      } while (head[3] != type);
    }

    abstract void reach(Wire wire) throws IOException;

    int port() {
      String url = name().startsWith("TLS") ? app.urls().getLast() : app.urls().getFirst();
      return URI.create(url).getPort();
    }
  }

  @Timeout(value = 3, unit = TimeUnit.MINUTES)
  @ParameterizedTest
  @MethodSource
  void clientsThatLeaveLeaveNothing(List<Stage> stages) throws Exception {
    objects = Math.min(objects, Memory.ownObjects()); // some of the last who went may be left
    long heap = settledHeap(); // here, since the JVM adds to its own until the first test
    visits(stages);
    awaitAtMost("files", Http1ChurnTest::openFiles, files + 2);
    if (!comesTo(Memory::heap, heap + MOST_HEAP, LATER)) {
      // What others keep for the next who come may have grown, with more there at once than ever:
      // it does so once and has nothing of ours.
      awaitAtMost("objects of ours", Memory::ownObjects, objects + stages.size() * CLIENTS / 10);
      heap = settledHeap();
      visits(stages);
      awaitAtMost("heap", Memory::heap, heap + MOST_HEAP, LATER);
    }
    awaitAtMost("direct memory", Memory::direct, direct + MOST_DIRECT);
    awaitAtMost("threads", LeakTest::threads, threads + 2);
  }

  /** Each stage by itself; the quick run looks once, after all of them. */
  static Stream<List<Stage>> clientsThatLeaveLeaveNothing() {
    return FULL ? Stream.of(Stage.values()).map(List::of) : Stream.of(List.of(Stage.values()));
  }

  private static void visits(List<Stage> stages) throws Exception {
    for (Stage stage : stages) {
      visits(stage, CLIENTS);
    }
  }

  private static long threads() {
    return Thread.getAllStackTraces().size();
  }

  private static void visits(Stage stage, int number) throws Exception {
    List<FutureTask<Void>> tasks = new ArrayList<>();
    AtomicInteger left = new AtomicInteger(number);
    for (int i = 0; i < AT_ONCE; i++) {
      FutureTask<Void> task =
          new FutureTask<>(() -> {
            while (left.getAndDecrement() > 0) {
              visit(stage, clients.getAndIncrement());
            }
            return null;
          });
      tasks.add(task);
      Thread.ofVirtual().start(task);
    }
    for (FutureTask<Void> task : tasks) {
      task.get();
    }
  }

  private static void visit(Stage stage, int client) throws IOException {
    try (Wire wire = Wire.connect(stage.port(), Ports.addressOf(client))) {
      stage.reach(wire);
      if (client % 2 == 0) {
        wire.abort();
      }
    }
  }

  /** Returns the least of what is counted, which falls until all have gone. */
  static long settled(LongSupplier count) {
    long start = System.nanoTime();
    long least = Long.MAX_VALUE;
    while (System.nanoTime() - start < SETTLES.toNanos()) {
      least = Math.min(least, count.getAsLong());
    }
    return least;
  }

  /** Returns what is in use when the collector has been there more than once. */
  static long settledHeap() {
    return LongStream.generate(Memory::heap).limit(COLLECTIONS).min().orElseThrow();
  }

  /** Waits a little until there is no more of it. */
  static void awaitAtMost(String what, LongSupplier count, long most) {
    awaitAtMost(what, count, most, SOON);
  }

  private static void awaitAtMost(String what, LongSupplier count, long most, Duration limit) {
    if (!comesTo(count, most, limit)) {
      long now = count.getAsLong();
      fail("%s: after %s, %d is %d too many", what, limit, now, now - most);
    }
  }

  private static boolean comesTo(LongSupplier count, long most, Duration limit) {
    long end = System.nanoTime() + limit.toNanos();
    while (count.getAsLong() > most) {
      if (System.nanoTime() - end > 0) {
        return false;
      }
    }
    return true;
  }
}
