package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.verification.EchoApplication.Form;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Wire;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Clients that come and go at every stage of a connection leave nothing behind. */
@ExtendWith(StrictLogs.class)
class Http1ChurnTest {
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
    awaitAtMost(Http1ChurnTest::loopThreads, 0);
  }

  private static void visit(int port, int stage) throws IOException {
    String id = "/echo/churn-" + stage;
    try (Wire wire = Wire.connect(port)) {
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
  private static void awaitAtMost(LongSupplier count, long most) {
    long start = System.nanoTime();
    while (count.getAsLong() > most) {
      if (System.nanoTime() - start > Wire.MOST_MILLIS * 1_000_000L) {
        assertThat(count.getAsLong()).isLessThanOrEqualTo(most);
      }
      Thread.onSpinWait();
    }
  }

  private static long openFiles() {
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
