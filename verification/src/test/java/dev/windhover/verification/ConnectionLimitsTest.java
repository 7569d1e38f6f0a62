package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.http.EventStream;
import dev.windhover.http.Events;
import dev.windhover.http.HttpContext;
import dev.windhover.http.Limit;
import dev.windhover.http.websocket.HandshakeRefusal;
import dev.windhover.http.websocket.Message;
import dev.windhover.server.ServerLimits;
import dev.windhover.verification.logs.Logs;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Http2Wire;
import dev.windhover.verification.wire.Http2Wire.Stream;
import dev.windhover.verification.wire.Response;
import dev.windhover.verification.wire.Wire;
import java.io.IOException;
import java.net.InetAddress;
import java.net.SocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.event.Level;

/** No client can take the room of all others. */
@ExtendWith(StrictLogs.class)
class ConnectionLimitsTest {
  private static final String HELLO = "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n";
  private static final InetAddress OTHER = InetAddress.ofLiteral("127.0.0.2");

  @TempDir private Path folder = Path.of("");

  private final Semaphore gate = new Semaphore(0);
  private final Semaphore waiting = new Semaphore(0);
  private final List<String> events = new CopyOnWriteArrayList<>();
  private final Logs.Recording log =
      Logs.record(line -> line.level() == Level.WARN && line.text().startsWith("more than"));
  private final WebApplication app = WebApplication.create();

  @AfterEach
  void stop() {
    gate.release(1_000);
    app.stop();
    log.close();
  }

  private int start(Consumer<ServerLimits> change) throws IOException {
    app.server(options -> {
      if (options.tls().certificate() == null) {
        options.urls("http://127.0.0.1:0");
      }
      options.loops(1); // so that the order in which they count is that in which they connect
      change.accept(options.limits());
    });
    app.useWebSockets(options -> options.allowedOrigins("*"));
    app.events(
        new Events() {
          @Override
          public void connectionDropped(SocketAddress remote, Limit limit) {
            events.add("dropped: " + limit);
          }

          @Override
          public void limitReached(HttpContext context, Limit limit) {
            events.add("reached: " + limit);
          }

          @Override
          public void handshakeRefused(
              HttpContext context, HandshakeRefusal cause, int status, String text) {
            events.add("refused: " + cause);
          }
        });
    app.map("/hello", context -> context.response().write("hello"));
    app.map(
        "/gate",
        context -> {
          waiting.release();
          assertThat(gate.tryAcquire(Wire.MOST_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
          context.response().write("through");
        });
    app.mapWebSocket(
        "/echo",
        socket -> {
          for (Message message : socket) {
            socket.send(message);
          }
        });
    app.start();
    return Ports.of(app);
  }

  private void expectLogged(String... lines) {
    assertThat(log.lines()).extracting(Logs.Line::text).containsExactly(lines);
  }

  private static String hello(Wire wire) throws IOException {
    return wire.send(HELLO).response().body();
  }

  /** Asks until the server has seen that another connection has ended. */
  private static Wire connectWhenThereIsRoom(int port) throws IOException {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(Wire.MOST_MILLIS);
    while (true) {
      Wire wire = Wire.connect(port);
      try {
        assertThat(hello(wire)).isEqualTo("hello");
        return wire;
      } catch (IOException | AssertionError e) { // closed before or while it was asked
        wire.close();
        if (System.nanoTime() > end) {
          throw e;
        }
      }
    }
  }

  /** As if 127.0.0.1 were any address of the internet. */
  private static ServerLimits countAll(ServerLimits limits) {
    return limits.exemptAddresses(address -> false);
  }

  @Test
  void theAddressesOfThisMachineHaveNoLimitOfTheirOwnByDefault() throws IOException {
    int port = start(limits -> limits.maxConnectionsPerAddress(1));
    try (Wire first = Wire.connect(port);
        Wire second = Wire.connect(port)) {
      assertThat(hello(first)).isEqualTo(hello(second));
    }
  }

  @Nested
  class OneAddress {
    @Test
    void cannotTakeTheConnectionsOfOthers() throws IOException {
      int port = start(limits -> countAll(limits).maxConnectionsPerAddress(2));
      try (Wire first = Wire.connect(port);
          Wire second = Wire.connect(port)) {
        assertThat(hello(first)).isEqualTo(hello(second));
        for (int i = 0; i < 3; i++) { // and the log is not for clients to fill
          try (Wire refused = Wire.connect(port)) {
            refused.expectEnd();
          }
        }
        assertThat(log.lines()).hasSize(1);
        assertThat(log.lines().getFirst().text())
            .matches(
                "more than 2 connections from /127\\.0\\.0\\.1:\\d+; these are closed unread"
                    + " \\(ServerLimits\\.maxConnectionsPerAddress\\)");
        assertThat(events).hasSize(3).containsOnly("dropped: connections per address");
        try (Wire other = Wire.connect(port, OTHER)) {
          assertThat(hello(other)).isEqualTo("hello");
        }
      }
      connectWhenThereIsRoom(port).close();
    }

    @Test
    void canHaveMoreAfterAnUpgradeOrTheEndOfOne() throws IOException {
      int port = start(limits -> countAll(limits).maxConnectionsPerAddress(1));
      try (Wire socket = Wire.open(port, "/echo");
          Wire plain = Wire.connect(port)) {
        assertThat(hello(plain)).isEqualTo("hello");
        socket.send(Frame.close(1000, ""));
        socket.frame();
        socket.expectEnd();
      }
      connectWhenThereIsRoom(port).close();
    }

    @Test
    void cannotTakeTheSocketsOfOthers() throws IOException {
      int port = start(limits -> countAll(limits).maxUpgradedConnectionsPerAddress(2));
      try (Wire first = Wire.open(port, "/echo");
          Http2Wire second = Http2Wire.connect(port)) {
        Stream stream = second.open("/echo");
        try (Wire refused = Wire.connect(port)) {
          Response response = refused.send(Wire.handshake("/echo")).response();
          assertThat(response.status()).isEqualTo(503);
          assertThat(response.header("Retry-After")).isEqualTo("5");
          assertThat(response.body())
              .isEqualTo("upgraded connections of one address are limited to 2\n");
          assertThat(second.connectWebSocket("/echo").status()).isEqualTo(503);
          expectLogged(
              "more than 2 upgraded connections from one address; these are refused with 503"
                  + " (ServerLimits.maxUpgradedConnectionsPerAddress)");
          assertThat(events).hasSize(2).containsOnly("refused: NO_ROOM");
          stream.send(Frame.close(1000, ""));
          stream.endOutput();
          stream.frame();
          second.ping();
          assertThat(second.open("/echo").status()).isEqualTo(200);
        }
        try (Wire other = Wire.connect(port, OTHER)) {
          other.upgrade("/echo");
        }
        first.send(Frame.text("undisturbed"));
        assertThat(first.frame()).isEqualTo(Frame.text("undisturbed"));
      }
    }
  }

  @Nested
  class BehindAKnownProxy {
    private static final String CLIENT = "X-Forwarded-For: 203.0.113.7";
    private static final String OTHER_CLIENT = "X-Forwarded-For: 203.0.113.8";

    private Wire ask(int port, String path, String client) throws IOException {
      return Wire.connect(port)
          .send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + client + "\r\n\r\n");
    }

    @BeforeEach
    void knowTheProxy() {
      app.useForwardedHeaders(); // of loopback
    }

    @Test
    void requestsInProgressCountForTheirClient() throws Exception {
      int port = start(limits -> countAll(limits).maxConnectionsPerAddress(2));
      try (Wire first = ask(port, "/gate", CLIENT);
          Http2Wire second = Http2Wire.connect(port)) {
        Stream stream = second.get("/gate", "x-forwarded-for: 203.0.113.7");
        assertThat(waiting.tryAcquire(2, Wire.MOST_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
        try (Wire refused = ask(port, "/hello", CLIENT)) {
          Response response = refused.response();
          assertThat(response.status()).isEqualTo(503);
          assertThat(response.header("Retry-After")).isEqualTo("5");
          assertThat(response.body())
              .isEqualTo("requests of one address at once are limited to 2\n");
        }
        expectLogged(
            "more than 2 requests from /203.0.113.7 at once; these are refused with 503"
                + " (ServerLimits.maxConnectionsPerAddress)");
        assertThat(events).containsExactly("reached: connections per address");
        try (Wire other = ask(port, "/hello", OTHER_CLIENT)) {
          assertThat(other.response().status()).isEqualTo(200);
        }
        gate.release(2);
        assertThat(first.response().body()).isEqualTo("through");
        assertThat(stream.body()).asString().isEqualTo("through");
        for (int i = 0; i < 5; i++) { // each has ended before the next one
          try (Wire next = ask(port, "/hello", CLIENT)) {
            assertThat(next.response().status()).isEqualTo(200);
          }
        }
      }
    }

    @Test
    void requestsWhoseClientsLeftDoNotCount() throws Exception {
      app.map("/stream", context -> EventStream.open(context).send("begun"));
      int port = start(limits -> countAll(limits).maxConnectionsPerAddress(2));
      try (Wire first = ask(port, "/stream", CLIENT);
          Http2Wire second = Http2Wire.connect(port)) {
        Stream stream = second.get("/stream", "x-forwarded-for: 203.0.113.7");
        assertThat(first.responseHead().status()).isEqualTo(200);
        assertThat(stream.status()).isEqualTo(200);
        try (Wire refused = ask(port, "/stream", CLIENT)) {
          assertThat(refused.response().status()).isEqualTo(503);
        }
        first.abort();
        stream.reset(Http2Wire.CANCEL);
        int status;
        do { // the server sees their ends soon
          Stream next = second.get("/stream", "x-forwarded-for: 203.0.113.7");
          Stream another = second.get("/stream", "x-forwarded-for: 203.0.113.7");
          status = Math.max(next.status(), another.status());
          next.reset(Http2Wire.CANCEL);
          another.reset(Http2Wire.CANCEL);
        } while (status == 503);
        assertThat(status).isEqualTo(200);
      }
    }

    @Test
    void socketsCountForTheirClient() throws IOException {
      int port =
          start(limits ->
              countAll(limits).maxConnectionsPerAddress(1).maxUpgradedConnectionsPerAddress(2));
      try (Wire first = Wire.connect(port);
          Http2Wire second = Http2Wire.connect(port);
          Wire third = Wire.connect(port)) {
        assertThat(first.send(Wire.handshake("/echo", CLIENT)).responseHead().status())
            .isEqualTo(101);
        Stream stream = second.connectWebSocket("/echo", "x-forwarded-for: 203.0.113.7");
        assertThat(stream.status()).isEqualTo(200);
        assertThat(third.send(Wire.handshake("/echo", CLIENT)).response().status()).isEqualTo(503);
        assertThat(third.send(Wire.handshake("/echo", OTHER_CLIENT)).responseHead().status())
            .isEqualTo(101);
        expectLogged(
            "more than 2 upgraded connections from one address; these are refused with 503"
                + " (ServerLimits.maxUpgradedConnectionsPerAddress)");
        first.send(Frame.close(1000, ""));
        first.frame();
        first.expectEnd();
      }
      int status;
      do { // the server sees the end of the first one soon
        try (Wire next = Wire.connect(port)) {
          status = next.send(Wire.handshake("/echo", CLIENT)).responseHead().status();
        }
      } while (status == 503);
      assertThat(status).isEqualTo(101);
    }
  }

  @Nested
  class WhenAllRoomIsTaken {
    private static final String MADE_ROOM =
        "more than 3 connections; the oldest that have not sent a request are closed"
            + " (ServerLimits.maxConnections)";

    @Test
    void theOldestConnectionWithoutARequestMakesRoom() throws IOException {
      int port = start(limits -> limits.maxConnections(3));
      try (Wire silent = Wire.connect(port);
          Wire served = Wire.connect(port);
          Wire begun = Wire.connect(port)) {
        begun.send("GET /hello HT"); // no request yet
        assertThat(hello(served)).isEqualTo("hello");
        try (Wire next = Wire.connect(port)) {
          assertThat(hello(next)).isEqualTo("hello");
          silent.expectEnd();
          try (Wire another = Wire.connect(port)) {
            assertThat(hello(another)).isEqualTo("hello");
            begun.expectEnd();
            assertThat(hello(served)).isEqualTo(hello(next));
          }
        }
      }
      expectLogged(MADE_ROOM);
      assertThat(events).containsExactly("dropped: connections", "dropped: connections");
    }

    @Test
    void theNewOneIsClosedIfAllOthersHaveSentARequest() throws IOException {
      int port = start(limits -> limits.maxConnections(3));
      List<Wire> wires = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        Wire wire = Wire.connect(port);
        wires.add(wire);
        assertThat(hello(wire)).isEqualTo("hello");
      }
      try (Wire refused = Wire.connect(port)) {
        refused.expectEnd();
      }
      for (Wire wire : wires) {
        assertThat(hello(wire)).isEqualTo("hello");
        wire.close();
      }
      expectLogged(
          "more than 3 connections; these are closed unread (ServerLimits.maxConnections)");
      assertThat(events).containsExactly("dropped: connections");
    }

    @Test
    void handshakesOfTlsAndPrefacesOfHttp2AreNoRequests() throws Exception {
      Path certificate = Certificate.USUAL.writePkcs12(folder.resolve("c.p12"));
      app.server(options -> {
        options.urls("https://127.0.0.1:0");
        options.tls().certificate(certificate).password(Certificate.PASSWORD);
      });
      int port = start(limits -> limits.maxConnections(3));
      try (Wire unshaken = Wire.connect(port);
          Wire shaken = Wire.connect(port).secure();
          Http2Wire preface = Http2Wire.connectSecure(port, 65_535)) {
        preface.awaitSettings();
        List<Wire> served = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
          Wire next = Wire.connect(port).secure();
          served.add(next);
          assertThat(hello(next)).isEqualTo("hello");
        }
        unshaken.expectEnd();
        shaken.expectEnd();
        preface.end();
        for (Wire each : served) {
          assertThat(hello(each)).isEqualTo("hello");
          each.close();
        }
      }
      expectLogged(MADE_ROOM);
    }

    @Test
    void aCrowdOfSilentConnectionsKeepsNobodyOut() throws IOException {
      int port = start(limits -> limits.maxConnections(20));
      List<Wire> crowd = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        crowd.add(Wire.connect(port));
        if (i % 20 == 0) {
          try (Wire client = Wire.connect(port)) {
            assertThat(hello(client)).isEqualTo("hello");
          }
        }
      }
      for (Wire wire : crowd) {
        wire.close();
      }
      assertThat(log.lines()).hasSize(1);
    }
  }
}
