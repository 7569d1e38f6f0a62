package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.app.WebApplication;
import dev.windhover.http.Events;
import dev.windhover.http.Handler;
import dev.windhover.http.HttpContext;
import dev.windhover.http.files.StaticFiles;
import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.server.ServerOptions;
import dev.windhover.verification.EchoApplication.Form;
import dev.windhover.verification.logs.Logs;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Http2Wire;
import dev.windhover.verification.wire.Peer;
import dev.windhover.verification.wire.Response;
import dev.windhover.verification.wire.Wire;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.event.Level;

/** A graceful stop: it tells every client, and waits for none too long. */
@ExtendWith(StrictLogs.class)
class StopTest {
  @TempDir Path folder = Path.of("");

  private static final Duration SOON = Duration.ofSeconds(4);

  /** Less than a client is given to end its side. */
  private static final Duration AT_ONCE = Duration.ofMillis(900);

  /** A connection of HTTP/2 lets its client end it for 1 s; the sockets' own limit is longer. */
  private static final Duration AFTER_HTTP_2 = Duration.ofMillis(2_300);

  @ParameterizedTest
  @EnumSource(Form.class)
  void socketsAreClosedWith1001(Form form) throws Exception {
    EchoApplication server = new EchoApplication(form, app -> {});
    try (Wire echo = Wire.open(server.port(), "/echo/a");
        Wire silent = Wire.open(server.port(), "/silent/b")) {
      echo.send(Frame.text("open"));
      assertThat(echo.frame()).isEqualTo(Frame.text("open"));
      Thread stop = Thread.ofVirtual().start(server::close);
      for (Wire wire : new Wire[] {echo, silent}) {
        assertThat(wire.frame()).isEqualTo(Frame.close(1001, "the server is stopping"));
        wire.send(Frame.close(1001, ""));
        wire.expectEnd();
        wire.close();
      }
      assertThat(stop.join(SOON)).isTrue();
    }
    assertThat(server.running()).isZero();
  }

  @ParameterizedTest
  @EnumSource(Form.class)
  void socketThatHasJustOpenedIsClosedWith1001(Form form) throws Exception {
    for (int i = 0; i < 40; i++) { // the stop meets the handshake at different moments
      EchoApplication server = new EchoApplication(form, app -> {});
      try (Wire wire = Wire.open(server.port(), "/echo/a")) {
        Thread stop = Thread.ofVirtual().start(server::close);
        assertThat(wire.frame()).isEqualTo(Frame.close(1001, "the server is stopping"));
        wire.send(Frame.close(1001, ""));
        wire.expectEnd();
        wire.endOutput();
        assertThat(stop.join(SOON)).isTrue();
      }
    }
  }

  @Test
  void peerThatDoesNotAnswerIsNotWaitedForLong() throws Exception {
    EchoApplication server = new EchoApplication(Form.BLOCKING, app -> {});
    try (Wire wire = Wire.open(server.port(), "/echo/a")) {
      wire.send(Frame.ping("open"));
      wire.frame();
      Thread stop = Thread.ofVirtual().start(server::close);
      assertThat(wire.frame()).isEqualTo(Frame.close(1001, "the server is stopping"));
      wire.expectAbort();
      assertThat(stop.join(SOON)).isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource(Form.class)
  void socketIsResetWhenTheStopsTimeIsOver(Form form) throws Exception {
    EchoApplication server =
        new EchoApplication(
            form, app -> app.server(options -> options.stopTimeout(Duration.ofMillis(700))));
    try (Wire wire = Wire.open(server.port(), "/echo/late");
        Logs.Recording log = Logs.record(line -> line.level() == Level.WARN)) {
      Thread stop = Thread.ofVirtual().start(server::close);
      assertThat(wire.frame()).isEqualTo(Frame.close(1001, "the server is stopping"));
      wire.expectAbort();
      assertThat(stop.join(SOON)).isTrue();
      assertThat(log.lines()).hasSize(1); // so it was not the closing handshake's time limit
    }
    Ending ending = server.ending("late");
    assertThat(ending.by()).isEqualTo(Ending.By.SERVER);
    assertThat(ending.reason().code()).isEqualTo(1001);
  }

  @Test
  void aStopWaitsForTenSecondsUnlessToldOtherwise() {
    assertThat(new ServerOptions().stopTimeout()).isEqualTo(Duration.ofSeconds(10));
  }

  @Test
  void idleConnectionDoesNotHoldTheStop() throws Exception {
    // One loop, so that what answers the last of these has read the first.
    EchoApplication server =
        new EchoApplication(Form.BLOCKING, app -> app.server(options -> options.loops(1)));
    try (Wire half = Wire.connect(server.port());
        Wire fresh = Wire.connect(server.port());
        Wire used = Wire.connect(server.port())) {
      half.send("GET /plain HT");
      for (int i = 0; i < 20; i++) { // by and by, the others are accepted and read as well
        used.send("GET /plain HTTP/1.1\r\nHost: x\r\n\r\n");
        assertThat(used.response().status()).isEqualTo(200);
      }
      Thread stop = Thread.ofVirtual().start(server::close);
      used.expectEnd();
      fresh.expectEnd();
      half.expectEnd();
      assertThat(stop.join(AT_ONCE)).isTrue(); // although nobody ends its side
    }
  }

  @Test
  void connectionThatComesWhileTheStopBeginsDoesNotHoldIt() throws Exception {
    for (int i = 0; i < 40; i++) { // it meets the stop at different moments
      EchoApplication server = new EchoApplication(Form.BLOCKING, app -> {});
      int port = server.port(); // a server that has stopped has none
      List<Wire> clients = new ArrayList<>();
      Thread connecting =
          Thread.ofVirtual()
              .start(() -> {
                try {
                  while (clients.size() < 100) { // far more than come in time, if not on one core
                    clients.add(Wire.connect(port));
                  }
                } catch (IOException e) {
                  // the server listens no more
                }
              });
      Thread stop = Thread.ofVirtual().start(server::close);
      assertThat(stop.join(SOON)).isTrue();
      connecting.join();
      for (Wire client : clients) {
        client.close();
      }
    }
  }

  @Test
  void anAnswerThatIsStillGoingOutIsNotCutShort() throws Exception {
    byte[] large = new byte[8 << 20]; // more than the network takes of a client that does not read
    Path file = Files.write(folder.resolve("large.bin"), large);
    WebApplication app = WebApplication.create("--urls=http://127.0.0.1:0");
    app.useStaticFiles(StaticFiles.fromFolder(folder));
    app.start();
    try (Wire wire =
        Wire.connect(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), Ports.of(app)), 4_096)) {
      wire.send("GET /" + file.getFileName() + " HTTP/1.1\r\nHost: x\r\n\r\n");
      assertThat(wire.isQuietFor(Wire.MOST_MILLIS)).isFalse();
      Thread stop = Thread.ofVirtual().start(app::stop);
      assertThat(wire.response().bytes()).hasSize(large.length);
      wire.expectEnd();
      assertThat(stop.join(SOON)).isTrue();
    }
  }

  @Test
  void clientThatDoesNotEndItsSideIsNotWaitedForLong() throws Exception {
    EchoApplication server = new EchoApplication(Form.BLOCKING, app -> {});
    try (Wire told = Wire.connect(server.port());
        Wire sends = Wire.connect(server.port())) {
      told.send("GET /plain HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      assertThat(told.response().status()).isEqualTo(200);
      told.expectEnd();
      sends.send("GET /plain HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n");
      assertThat(sends.response().status()).isEqualTo(200); // and its body is never sent
      Thread stop = Thread.ofVirtual().start(server::close);
      assertThat(stop.join(SOON)).isTrue(); // else each has 5 s
      sends.expectEnd();
    }
  }

  @Test
  void requestUnderWayIsAnsweredAndNewOnesAreNotTaken() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch gate = new CountDownLatch(1);
    WebApplication app = WebApplication.create("--urls=http://127.0.0.1:0");
    app.map(
        "/gate",
        context -> {
          begun.countDown();
          gate.await();
          context.response().write("passed\n");
        });
    app.start();
    int port = Ports.of(app);
    try (Wire wire = Wire.connect(port)) {
      wire.send("GET /gate HTTP/1.1\r\nHost: x\r\n\r\n");
      begun.await();
      Thread stop = Thread.ofVirtual().start(app::stop);
      app.stopping().join();
      awaitRefusal(port);
      gate.countDown();
      Response response = wire.response();
      assertThat(response.body()).isEqualTo("passed\n");
      assertThat(response.header("Connection")).isEqualTo("close");
      wire.expectEnd();
      wire.endOutput();
      assertThat(stop.join(SOON)).isTrue();
    }
  }

  @Test
  void requestsBehindTheOneUnderWayAreDropped() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch gate = new CountDownLatch(1);
    AtomicInteger served = new AtomicInteger();
    WebApplication app = WebApplication.create("--urls=http://127.0.0.1:0");
    app.map(
        "/gate",
        context -> {
          served.incrementAndGet();
          begun.countDown();
          gate.await();
          context.response().write("passed\n");
        });
    app.start();
    int port = Ports.of(app);
    try (Wire wire = Wire.connect(port)) {
      wire.send("GET /gate HTTP/1.1\r\nHost: x\r\n\r\n".repeat(3));
      begun.await();
      Thread stop = Thread.ofVirtual().start(app::stop);
      app.stopping().join();
      awaitRefusal(port);
      gate.countDown();
      Response response = wire.response();
      assertThat(response.body()).isEqualTo("passed\n");
      assertThat(response.header("Connection")).isEqualTo("close"); // so they may be sent again
      wire.expectEnd();
      wire.endOutput();
      assertThat(stop.join(SOON)).isTrue();
    }
    assertThat(served).hasValue(1);
  }

  private static void awaitRefusal(int port) {
    assertThatThrownBy(
            () -> {
              while (true) {
                Wire.connect(port).close();
              }
            })
        .isInstanceOf(ConnectException.class);
  }

  @Test
  void handlerThatNeverEndsIsDroppedInTimeAndInSilence() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch gate = new CountDownLatch(1);
    CountDownLatch over = new CountDownLatch(1);
    WebApplication app = WebApplication.create("--urls=http://127.0.0.1:0");
    app.server(options -> options.stopTimeout(Duration.ofMillis(300)));
    app.map(
        "/stuck",
        context -> {
          begun.countDown();
          gate.await();
          context.response().onCompleted(over::countDown);
          context.response().write("too late\n");
        });
    app.start();
    try (Wire wire = Wire.connect(Ports.of(app));
        Logs.Recording log = Logs.record(line -> line.level() == Level.WARN)) {
      wire.send("GET /stuck HTTP/1.1\r\nHost: x\r\n\r\n");
      begun.await();
      Thread stop = Thread.ofVirtual().start(app::stop);
      assertThat(stop.join(SOON)).isTrue();
      assertThat(log.lines()).hasSize(1);
      assertThat(log.lines().getFirst().text())
          .isEqualTo("1 connections did not end within PT0.3S and are dropped");
      gate.countDown(); // it answers a server that is no more
      over.await();
    }
  }

  /** Who waits on a loop, where nobody may. */
  enum Held {
    HANDLER {
      @Override
      Handler by(Runnable wait) {
        return Handler.nonBlocking(context -> wait.run());
      }
    },
    LISTENER {
      @Override
      Handler by(Runnable wait) {
        WebSocketListener listener =
            new WebSocketListener() {
              @Override
              public void onOpen(WebSocket socket) {
                wait.run();
              }
            };
        return Handler.nonBlocking(context -> context.webSockets().accept(listener));
      }
    },
    TASK {
      @Override
      Handler by(Runnable wait) {
        return context -> {
          context.application().stopping().thenRun(wait);
          context.response().write("the stop will hang\n");
        };
      }
    };

    abstract Handler by(Runnable wait);
  }

  @ParameterizedTest
  @EnumSource(Held.class)
  void whateverHangsTheStopKeepsItsTimeLimit(Held held) throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch gate = new CountDownLatch(1);
    CountDownLatch over = new CountDownLatch(1);
    Runnable wait =
        () -> {
          begun.countDown();
          try {
            gate.await();
          } catch (InterruptedException e) {
            throw new AssertionError(e);
          } finally {
            over.countDown();
          }
        };
    WebApplication app = WebApplication.create("--urls=http://127.0.0.1:0");
    app.server(options -> options.loops(1).stopTimeout(Duration.ofMillis(300)));
    app.useWebSockets(options -> options.allowedOrigins("*"));
    app.map("/held", held.by(wait));
    app.start();
    try (Wire wire = Wire.connect(Ports.of(app));
        Logs.Recording log = Logs.record(line -> line.level() == Level.WARN)) {
      if (held == Held.TASK) {
        wire.send("GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
        assertThat(wire.response().status()).isEqualTo(200);
      } else {
        wire.send(Wire.handshake("/held"));
        begun.await();
      }
      long start = System.nanoTime();
      Thread stop = Thread.ofVirtual().start(app::stop);
      assertThat(stop.join(SOON)).isTrue();
      assertThat(System.nanoTime() - start).isGreaterThan(250_000_000L);
      assertThat(log.lines()).hasSize(1);
      assertThat(log.lines().getFirst().text())
          .isEqualTo(
              held == Held.TASK
                  ? "the tasks of the stop did not end in time"
                  : "1 connections did not end within PT0.3S and are dropped");
    }
    gate.countDown();
    over.await();
  }

  /** Over which transport a client answers our Close, and then keeps its connection. */
  enum Kept {
    PLAIN {
      @Override
      Peer open(int port) throws IOException {
        return Wire.open(port, "/echo/a");
      }
    },
    TLS {
      @Override
      Peer open(int port) throws IOException {
        return Wire.connect(port).secure().upgrade("/echo/a");
      }
    },
    HTTP_2 {
      @Override
      Peer open(int port) throws IOException {
        return Http2Wire.connect(port).open("/echo/a");
      }
    };

    abstract Peer open(int port) throws IOException;
  }

  @ParameterizedTest
  @EnumSource(Kept.class)
  void clientThatAnsweredOurCloseIsNotWaitedFor(Kept transport) throws Exception {
    Path certificate = Certificate.USUAL.writePkcs12(folder.resolve("c.p12"));
    for (Form form : Form.values()) {
      EchoApplication server =
          new EchoApplication(
              form,
              app -> {
                if (transport == Kept.TLS) {
                  app.server(options -> {
                    options.urls("https://127.0.0.1:0");
                    options.tls().certificate(certificate).password(Certificate.PASSWORD);
                  });
                }
              });
      try (Peer peer = transport.open(server.port())) {
        peer.send(Frame.text("open"));
        assertThat(peer.frame()).isEqualTo(Frame.text("open"));
        Thread stop = Thread.ofVirtual().start(server::close);
        assertThat(peer.frame()).isEqualTo(Frame.close(1001, "the server is stopping"));
        peer.send(Frame.close(1001, ""));
        assertThat(stop.join(transport == Kept.HTTP_2 ? AFTER_HTTP_2 : AT_ONCE)).isTrue();
        assertThat(server.ending("a").why()).isEqualTo("the server is stopping");
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Kept.class,
      names = {"PLAIN", "HTTP_2"})
  void lastMessagesOfTheApplicationArriveBeforeTheClose(Kept transport) throws Exception {
    Set<WebSocket> open = ConcurrentHashMap.newKeySet();
    CountDownLatch ticked = new CountDownLatch(2);
    EchoApplication server =
        new EchoApplication(
            Form.LISTENER,
            app -> {
              app.events(
                  new Events() {
                    @Override
                    public void socketOpened(HttpContext context, WebSocket socket) {
                      open.add(socket);
                    }
                  });
              app.every(Duration.ofMillis(1), ticked::countDown);
              app.onStopping(() -> {
                for (WebSocket socket : open) {
                  socket.sendText("bye");
                }
              });
            });
    ticked.await();
    try (Peer peer = transport.open(server.port())) {
      peer.send(Frame.text("open"));
      assertThat(peer.frame()).isEqualTo(Frame.text("open"));
      Thread stop = Thread.ofVirtual().start(server::close);
      assertThat(peer.frame()).isEqualTo(Frame.text("bye"));
      assertThat(peer.frame()).isEqualTo(Frame.close(1001, "the server is stopping"));
      peer.send(Frame.close(1001, ""));
      assertThat(stop.join(transport == Kept.HTTP_2 ? AFTER_HTTP_2 : AT_ONCE)).isTrue();
    }
  }

  /** Half of the time of a stop is for the application's tasks, and the other for the rest. */
  @Test
  void aTaskThatHangsKeepsNoSocketFromItsClose() throws Exception {
    CountDownLatch hang = new CountDownLatch(1);
    EchoApplication server =
        new EchoApplication(
            Form.BLOCKING,
            app ->
                app.onStopping(hang::await)
                    .server(options -> options.stopTimeout(Duration.ofMillis(600))));
    try (Wire wire = Wire.open(server.port(), "/echo/a");
        Logs.Recording log = Logs.record(line -> line.level() == Level.WARN)) {
      Thread stop = Thread.ofVirtual().start(server::close);
      assertThat(wire.frame()).isEqualTo(Frame.close(1001, "the server is stopping"));
      wire.send(Frame.close(1001, ""));
      wire.expectEnd();
      assertThat(stop.join(SOON)).isTrue();
      assertThat(log.lines().stream().map(Logs.Line::text))
          .containsExactly(
              "the last tasks did not end within PT0.3S: sockets are closed now",
              "the tasks of the stop did not end in time");
    } finally {
      hang.countDown();
    }
  }

  @Test
  void theStopWaitsForWhatTheApplicationDoesThen() throws Exception {
    CompletableFuture<Void> done = new CompletableFuture<>();
    WebApplication app = WebApplication.create("--urls=http://127.0.0.1:0");
    app.endOnStop(() -> done);
    app.start();
    int port = Ports.of(app);
    Thread stop = Thread.ofVirtual().start(app::stop);
    app.stopping().join();
    awaitRefusal(port);
    assertThat(stop.join(Duration.ofMillis(100))).isFalse();
    done.complete(null);
    assertThat(stop.join(SOON)).isTrue();
  }

  @Test
  void serverMayStartAgainOnItsPort() throws IOException {
    EchoApplication first = new EchoApplication(Form.BLOCKING, app -> {});
    int port = first.port();
    try (Wire wire = Wire.open(port, "/echo/a")) {
      wire.send(Frame.close(1000, ""));
      wire.frame();
      wire.expectEnd();
    }
    first.close();
    WebApplication second = WebApplication.create("--urls", "http://127.0.0.1:" + port);
    second.start();
    second.stop();
  }
}
