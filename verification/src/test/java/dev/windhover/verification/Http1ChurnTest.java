package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.verification.EchoApplication.Form;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Wire;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Clients that come and go at every stage of a connection leave nothing behind. */
@ExtendWith(StrictLogs.class)
class Http1ChurnTest {
  private static final long MOMENT_NANOS = 1_000_000;

  @ParameterizedTest
  @EnumSource(Form.class)
  void oneHundredClientsLeaveNothing(Form form) throws IOException {
    churn(form, 100);
  }

  @Tag("full")
  @ParameterizedTest
  @EnumSource(Form.class)
  void twoThousandClientsLeaveNothing(Form form) throws IOException {
    churn(form, 2_000);
  }

  private static void churn(Form form, int clients) throws IOException {
    long loops = loopThreads();
    try (EchoApplication server = new EchoApplication(form, app -> {})) {
      visit(server.port(), 0);
      awaitAtMost(server::running, 0);
      long files = openFiles(); // a channel is one
      for (int i = 0; i < clients; i++) {
        visit(server.port(), i);
      }
      awaitAtMost(Http1ChurnTest::openFiles, files + 2);
      awaitAtMost(server::running, 0);
    }
    awaitAtMost(Http1ChurnTest::loopThreads, loops);
  }

  @Test
  void handshakesThatStopAtEveryByteLeaveNothing() throws IOException {
    try (EchoApplication server = new EchoApplication(Form.BLOCKING, app -> {})) {
      visit(server.port(), 0);
      long files = openFiles();
      byte[] handshake = Wire.handshake("/echo/cut").getBytes(StandardCharsets.US_ASCII);
      int requestLine = "GET /echo/cut HTTP/1.1\r\n".length();
      for (int cut = 0; cut < handshake.length; cut++) {
        try (Wire wire = Wire.connect(server.port())) {
          wire.send(Arrays.copyOf(handshake, cut));
          wire.endOutput();
          if (cut >= requestLine) { // an error may be told (RFC 9112 8)
            assertThat(wire.response().status()).isEqualTo(400);
          }
          wire.expectEnd();
        }
        try (Wire wire = Wire.connect(server.port())) {
          wire.send(Arrays.copyOf(handshake, cut));
          wire.abort();
        }
      }
      awaitAtMost(Http1ChurnTest::openFiles, files + 2);
      try (Wire wire = Wire.open(server.port(), "/echo/whole")) {
        wire.send(Frame.text("still here"));
        assertThat(wire.frame()).isEqualTo(Frame.text("still here"));
        assertThat(server.running()).isEqualTo(1);
      }
      awaitAtMost(server::running, 0);
    }
  }

  private static void visit(int port, int stage) throws IOException {
    String id = "/echo/churn-" + stage;
    try (Wire wire = Wire.connect(port, Ports.addressOf(stage))) {
      switch (stage % 10) {
        case 0 -> {} // connects, and ends
        case 1 -> wire.abort();
        case 2 -> wire.send("GET /echo/x HT");
        case 3 -> {
          wire.send("GET /plain HTTP/1.1\r\nHost: x\r\n\r\n");
          wire.response();
        }
        case 4 -> {
          wire.send(Wire.handshake(id));
          wire.abort(); // perhaps before the 101
        }
        case 5 -> wire.upgrade(id);
        case 6 -> {
          wire.upgrade(id).send(Frame.header(0x82, 60_000));
          wire.send(new byte[10_000]);
          wire.abort();
        }
        case 7 -> {
          wire.upgrade(id).send(Frame.text("x"), Frame.close(1000, ""));
          wire.frame();
          wire.frame();
          wire.expectEnd();
        }
        case 8 -> {
          wire.upgrade(id).send(Frame.binary(new byte[50_000]), Frame.binary(new byte[50_000]));
          wire.abort(); // while the echo is on its way
        }
        default -> {
          wire.send("POST /plain HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
          wire.send(new byte[1_000]);
        }
      }
    }
  }

  /** Waits, without a pause longer than a moment, and not for long. */
  static void awaitAtMost(LongSupplier count, long most) {
    long start = System.nanoTime();
    while (count.getAsLong() > most) {
      if (System.nanoTime() - start > Wire.MOST_MILLIS * 1_000_000L) {
        assertThat(count.getAsLong()).isLessThanOrEqualTo(most);
      }
      LockSupport.parkNanos(MOMENT_NANOS);
    }
  }

  static long openFiles() {
    if (Files.notExists(Path.of("/proc/self/fd"))) {
      return 0; // not Linux
    }
    try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
      return files.count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static long loopThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("windhover-"))
        .filter(Thread::isAlive)
        .count();
  }
}
