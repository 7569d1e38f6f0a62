package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Wire;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Many clients that send almost nothing, each for as long as it is allowed. */
@ExtendWith(StrictLogs.class)
class SlowClientsTest {
  private static final int ATTACKERS = 500;
  private static final int REQUESTS = 200;
  private static final int LEAST_ROUNDS = 3;

  /** Less than the 5 s of grace of {@code ServerLimits}, after which too slow a body is refused. */
  private static final long ATTACK_NANOS = TimeUnit.MILLISECONDS.toNanos(4_500);

  /** An attacker sends one byte a second: half of them of a head, half of a body. */
  private record Attacker(Wire wire, String text) {
    static Attacker at(int port, int number) throws IOException {
      Wire wire = Wire.connect(port, Ports.addressOf(number));
      if (number % 2 == 0) {
        return new Attacker(wire, "GET /hello HTTP/1.1");
      }
      String framing = number % 4 == 1 ? "Content-Length: 50" : "Transfer-Encoding: chunked";
      wire.send("POST /read HTTP/1.1\r\nHost: x\r\n" + framing + "\r\n\r\n");
      return new Attacker(wire, "32\r\n0123456789");
    }

    void send(int second) throws IOException {
      wire.send(text.substring(second, second + 1));
    }
  }

  @Test
  void fiveHundredThatSendAByteASecondDoNotSlowANormalClient() throws Exception {
    WebApplication app = WebApplication.create("--urls=http://127.0.0.1:0");
    app.map("/hello", context -> context.response().write("hello\n"));
    app.mapPost("/read", context -> context.request().body().readAllBytes());
    app.start();
    List<Attacker> attackers = new ArrayList<>();
    long start = System.nanoTime();
    try {
      for (int i = 0; i < ATTACKERS; i++) {
        attackers.add(Attacker.at(Ports.of(app), i));
      }
      List<long[]> rounds = new ArrayList<>();
      // No further than where the first of them are cut.
      while (rounds.size() < LEAST_ROUNDS || System.nanoTime() - start < ATTACK_NANOS) {
        for (Attacker attacker : attackers) {
          attacker.send(rounds.size());
        }
        rounds.add(times(Ports.of(app)));
        LockSupport.parkNanos(start + TimeUnit.SECONDS.toNanos(rounds.size()) - System.nanoTime());
      }
      long[] all = rounds.stream().flatMapToLong(Arrays::stream).sorted().toArray();
      assertThat(percentile(all, 50)).as("median in ms").isLessThan(50);
      // Of the best round only: a server that starves does so in each, a busy machine does not.
      assertThat(rounds.stream().mapToLong(times -> percentile(times, 99)).min().orElseThrow())
          .as("99th percentile in ms")
          .isLessThan(50);
      for (int i = 0; i < ATTACKERS; i++) {
        if (i % 2 == 1) { // a byte a second is below the rate, and the grace ends
          assertThat(attackers.get(i).wire().response().status()).isEqualTo(408);
        }
      }
      assertThat(attackers.getFirst().wire().isQuietFor(1)).isTrue(); // a head has 30 s
    } finally {
      for (Attacker attacker : attackers) {
        attacker.wire().close();
      }
      app.stop();
    }
  }

  /**
   * Returns how long requests take, in nanoseconds, sorted: one connection for each ten of them.
   */
  private static long[] times(int port) throws IOException {
    long[] times = new long[REQUESTS];
    for (int i = 0; i < REQUESTS; ) {
      long start = System.nanoTime();
      try (Wire wire = Wire.connect(port, Ports.addressOf(ATTACKERS + i))) {
        for (int each = 0; each < 10; each++) {
          wire.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
          assertThat(wire.response().body()).isEqualTo("hello\n");
          long now = System.nanoTime();
          times[i++] = now - start; // the first with its connecting
          start = now;
        }
      }
    }
    Arrays.sort(times);
    return times;
  }

  private static long percentile(long[] sorted, int percent) {
    return TimeUnit.NANOSECONDS.toMillis(sorted[sorted.length * percent / 100]);
  }
}
