package dev.windhover.verification;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.windhover.app.WebApplication;
import dev.windhover.http.EventStream;
import dev.windhover.http.Handler;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Http2Wire;
import dev.windhover.verification.wire.Wire;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Streams of events over every kind of connection. */
@ExtendWith(StrictLogs.class)
class EventStreamsTest {
  private static final int SMALL_BUFFER = 8 * 1024;
  private static final int HIGH_MARK = 64 * 1024;
  private static final String KILOBYTE = "x".repeat(1000);
  private static final Duration SOON = Duration.ofSeconds(4);

  /** What the stream's connection is. */
  enum Over {
    HTTP_1_1,
    HTTP_1_1_TLS,
    HTTP_2,
    HTTP_2_TLS
  }

  /** One client, whose kernel and windows hold little. */
  private record Client(InputStream body, Closer closer) implements AutoCloseable {
    interface Closer {
      void close() throws IOException;
    }

    void expect(String text) throws IOException {
      assertThat(new String(body.readNBytes(text.length()), UTF_8)).isEqualTo(text);
    }

    void expectEnd() throws IOException {
      assertThat(body.read()).isEqualTo(-1);
    }

    @Override
    public void close() throws IOException {
      closer.close();
    }
  }

  private final WebApplication app = WebApplication.create();
  private final BlockingQueue<EventStream> opened = new LinkedBlockingQueue<>();

  @BeforeEach
  void start(@TempDir Path folder) throws IOException {
    Path certificate = Certificate.USUAL.writePkcs12(folder.resolve("c.p12"));
    app.server(options -> {
      options.urls("http://127.0.0.1:0", "https://127.0.0.1:0").stopTimeout(Duration.ofSeconds(20));
      options.tls().certificate(certificate).password(Certificate.PASSWORD);
      options.limits().minResponseRate(10_000_000, Duration.ofSeconds(2));
    });
    app.mapGet("/events", context -> opened.add(EventStream.open(context)));
    app.mapGet("/loop", Handler.nonBlocking(context -> opened.add(EventStream.open(context))));
    app.start();
  }

  @AfterEach
  void stop() {
    app.stop();
  }

  private int port(boolean secure) {
    return URI.create(app.urls().get(secure ? 1 : 0)).getPort();
  }

  private Client open(Over over, String path) throws IOException {
    return switch (over) {
      case HTTP_1_1 -> get(narrow(false), path);
      case HTTP_1_1_TLS -> get(narrow(true).secure(), path);
      case HTTP_2 -> get(Http2Wire.connect(port(false), SMALL_BUFFER), path);
      case HTTP_2_TLS -> get(Http2Wire.connectSecure(port(true), SMALL_BUFFER), path);
    };
  }

  private Wire narrow(boolean secure) throws IOException {
    var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port(secure));
    return Wire.connect(address, SMALL_BUFFER);
  }

  private static Client get(Wire wire, String path) throws IOException {
    wire.send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
    var head = wire.responseHead();
    assertThat(head.header("Content-Type")).isEqualTo("text/event-stream");
    return new Client(wire.body(head), wire::close);
  }

  private static Client get(Http2Wire wire, String path) throws IOException {
    Http2Wire.Stream stream = wire.get(path);
    assertThat(stream.responseHeaders()).containsEntry("content-type", "text/event-stream");
    return new Client(stream, wire::close);
  }

  private EventStream opened() throws InterruptedException {
    return Objects.requireNonNull(opened.poll(20, TimeUnit.SECONDS), "no stream was opened");
  }

  private static void awaitEnd(EventStream stream) {
    stream.ended().toCompletableFuture().orTimeout(20, TimeUnit.SECONDS).join();
  }

  // ---- Sending

  @ParameterizedTest
  @EnumSource
  void eventsArriveOneByOneAfterTheHandlerHasReturned(Over over) throws Exception {
    for (String path : List.of("/events", "/loop")) {
      try (Client client = open(over, path)) {
        EventStream stream = opened();
        for (int i = 0; i < 5; i++) {
          stream.send("tick", Integer.toString(i), "zoë".substring(0, 2));
          client.expect("event: tick\nid: " + i + "\ndata: zo\n\n");
        }
        stream.send("last");
        stream.close();
        client.expect("data: last\n\n");
        client.expectEnd();
        awaitEnd(stream);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aSenderThatWaitsForRoomLosesNothing(Over over) throws Exception {
    int count = 6000; // more than kernels hold
    try (Client client = open(over, "/events")) {
      EventStream stream = opened();
      new Pump(stream, count).start();
      for (int i = 0; i < count; i++) {
        client.expect("data: " + i + " " + KILOBYTE + "\n\n");
      }
      client.expectEnd();
    }
  }

  /** Sends numbered events, as fast as the client takes them. */
  private static final class Pump {
    private final EventStream stream;
    private final int count;
    private int next;

    Pump(EventStream stream, int count) {
      this.stream = stream;
      this.count = count;
    }

    void start() throws IOException {
      stream.onWritable(this::run); // on the loop, after a false: never while this one sends
      run();
    }

    private void run() {
      try {
        while (next < count) {
          next++;
          boolean isLast = next == count;
          if (!stream.send(next - 1 + " " + KILOBYTE) && !isLast) {
            return;
          }
        }
        stream.close();
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    }
  }

  @Test
  void theJdksClientReadsThem() throws Exception {
    try (HttpClient http = HttpClient.newBuilder().sslContext(Certificate.USUAL.trust()).build()) {
      for (String url : app.urls()) {
        var request = HttpRequest.newBuilder(URI.create(url + "/events")).build();
        var response = http.send(request, BodyHandlers.ofLines());
        EventStream stream = opened();
        try (Stream<String> body = response.body()) {
          Iterator<String> lines = body.iterator();
          for (int i = 0; i < 3; i++) {
            stream.send("first\nsecond");
            assertThat(lines.next()).isEqualTo("data: first");
            assertThat(lines.next()).isEqualTo("data: second");
            assertThat(lines.next()).isEmpty();
          }
          stream.close();
          assertThat(lines.hasNext()).isFalse();
        }
      }
    }
  }

  // ---- Clients that do not read

  @ParameterizedTest
  @EnumSource
  void aClientThatReadsNothingIsBoundedAndThenDropped(Over over) throws Exception {
    try (Client client = open(over, "/events")) {
      EventStream stream = opened();
      long start = System.nanoTime();
      fill(stream);
      assertThat(stream.bufferedAmount()).isBetween(1L, 2L * HIGH_MARK);
      assertThatIllegalStateException().isThrownBy(() -> stream.send(KILOBYTE));
      awaitEnd(stream);
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(Duration.ofSeconds(1));
      assertThatIOException()
          .isThrownBy(() -> stream.send("late"))
          .withMessage(
              "the response was cut off: its client took less than 10000000 bytes a second");
      assertThat(client).isNotNull();
    }
  }

  /** Sends until there is no room for 200 ms: the kernels take megabytes first. */
  private static void fill(EventStream stream) throws IOException {
    long most = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    for (int refusals = 0; refusals < 20; ) {
      assertThat(System.nanoTime()).as("the end of the time").isLessThan(most);
      try {
        if (stream.send(KILOBYTE)) {
          refusals = 0;
          continue;
        }
      } catch (IllegalStateException full) {
        // as it was told
      }
      refusals++;
      LockSupport.parkNanos(10_000_000);
    }
  }

  @ParameterizedTest
  @EnumSource
  void aFullStreamCanBeEnded(Over over) throws Exception {
    try (Client client = open(over, "/events")) {
      EventStream stream = opened();
      fill(stream);
      stream.close();
      awaitEnd(stream);
      assertThat(client.body.read()).isEqualTo('d');
    }
  }

  // ---- Clients that go

  @ParameterizedTest
  @EnumSource
  void aClientThatGoesEndsTheStream(Over over) throws Exception {
    EventStream stream;
    try (Client client = open(over, "/events")) {
      stream = opened();
      stream.send("hello");
      client.expect("data: hello\n\n");
      assertThat(stream.isOpen()).isTrue();
    }
    awaitEnd(stream);
    assertThatIOException()
        .isThrownBy(() -> stream.send("late"))
        .withMessage("the client ended the connection");
  }

  /** As a closed tab does, whose connection has other streams. */
  @Test
  void aResetEndsTheStream() throws Exception {
    try (Http2Wire wire = Http2Wire.connect(port(false))) {
      Http2Wire.Stream going = wire.get("/events");
      EventStream gone = opened();
      Client stays = get2(wire.get("/events"));
      EventStream stream = opened();
      going.reset(8); // CANCEL
      awaitEnd(gone);
      stream.send("still here");
      stays.expect("data: still here\n\n");
    }
  }

  private static Client get2(Http2Wire.Stream stream) {
    return new Client(stream, () -> {});
  }

  /** It closes its side only, and would be held for ever. */
  @Test
  void aClientThatEndsItsSideEndsTheStream() throws Exception {
    try (Wire wire = Wire.connect(port(false))) {
      wire.send("GET /events HTTP/1.1\r\nHost: x\r\n\r\n");
      wire.responseHead();
      EventStream stream = opened();
      wire.fin();
      awaitEnd(stream);
      wire.expectAbort();
    }
  }

  // ---- HEAD

  @Test
  void headIsAnsweredAndTheConnectionGoesOn() throws Exception {
    try (Wire wire = Wire.connect(port(false))) {
      for (int i = 0; i < 2; i++) {
        wire.send("HEAD /events HTTP/1.1\r\nHost: x\r\n\r\n");
        assertThat(wire.headResponse().status()).isEqualTo(200);
        awaitEnd(opened());
      }
    }
  }

  // ---- Stopping

  @Test
  void aStopEndsOpenStreamsAndWaitsForNone() throws Exception {
    List<Client> clients = new ArrayList<>();
    for (Over over : Over.values()) {
      clients.add(open(over, "/events"));
      opened().send("before");
    }
    Thread stop = Thread.ofVirtual().start(app::stop);
    for (Client client : clients) {
      client.expect("data: before\n\n");
      client.expectEnd();
      client.close();
    }
    assertThat(stop.join(SOON)).isTrue();
  }
}
