package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.app.WebApplication;
import dev.windhover.http.files.StaticFiles;
import dev.windhover.http.websocket.Ending;
import dev.windhover.server.ServerOptions;
import dev.windhover.verification.EchoApplication.Form;
import dev.windhover.verification.logs.Logs;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Frame;
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
