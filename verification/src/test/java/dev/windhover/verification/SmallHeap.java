package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.verification.wire.Wire;
import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** A {@link SmallHeapServer} in a process of its own, with 128 MiB, and those who attack it. */
final class SmallHeap implements AutoCloseable {
  private static final Duration SETTLES = Duration.ofSeconds(20);

  private final Process process;
  private final int port;

  private SmallHeap(Process process, int port) {
    this.process = process;
    this.port = port;
  }

  static SmallHeap start() throws IOException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "-XX:+ExitOnOutOfMemoryError",
                "--enable-native-access=ALL-UNNAMED",
                "-Dslf4j.provider=dev.windhover.verification.logs.CapturingProvider",
                "-Dslf4j.internal.verbosity=WARN",
                "-cp",
                System.getProperty("java.class.path"),
                SmallHeapServer.class.getName(),
                "--urls=http://127.0.0.1:0")
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    BufferedReader out = process.inputReader(StandardCharsets.UTF_8);
    String line = out.readLine();
    assertThat(line).startsWith("Now listening on: ");
    return new SmallHeap(process, Integer.parseInt(line.substring(line.lastIndexOf(':') + 1)));
  }

  int port() {
    return port;
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }

  // ---- Attacks

  /** One client of an attack, which keeps what it has opened until the end. */
  interface Client {
    /** Does its worst, and returns what is to be closed. */
    Closeable attack(int number) throws IOException;
  }

  /** Lets that many clients attack, each again and again, up to so many times. */
  static void attack(Client client, int clients, int times, Duration time) throws Exception {
    long end = System.nanoTime() + time.toNanos();
    CountDownLatch never = new CountDownLatch(1);
    List<FutureTask<@Nullable Void>> running = new ArrayList<>();
    for (int i = 0; i < clients; i++) {
      int number = i;
      FutureTask<@Nullable Void> task =
          new FutureTask<>(() -> {
            List<Closeable> opened = new ArrayList<>();
            try {
              do {
                opened.add(client.attack(number));
              } while (System.nanoTime() - end < 0 && opened.size() < times);
            } catch (IOException | AssertionError e) {
              // it was refused or dropped
            }
            never.await(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS);
            for (Closeable each : opened) {
              each.close();
            }
            return null;
          });
      running.add(task);
      Thread.ofVirtual().start(task);
    }
    for (FutureTask<@Nullable Void> each : running) {
      try {
        each.get(60, TimeUnit.SECONDS);
      } catch (ExecutionException e) {
        throw new AssertionError(e);
      }
    }
  }

  // ---- Its heap

  /** Returns what is in use after a garbage collection, when that changes no more. */
  long settledHeap() throws IOException {
    long last = heap();
    for (int i = 0; i < 10; i++) {
      long now = heap();
      if (now >= last - last / 50) {
        return now;
      }
      last = now;
    }
    return last;
  }

  /** Requires that soon no more than {@code before} is in use, and a tenth. */
  void requireBackAt(long before, Object after) throws IOException {
    long most = before + before / 10;
    long end = System.nanoTime() + SETTLES.toNanos();
    long left;
    while ((left = heap()) > most && System.nanoTime() - end < 0) {
      LockSupport.parkNanos(200_000_000);
    }
    assertThat(left).as("bytes of heap after %s", after).isLessThanOrEqualTo(most);
  }

  private long heap() throws IOException {
    return ask("/heap");
  }

  /** Returns how many sockets and requests had to go for lack of memory. */
  long evicted() throws IOException {
    return ask("/evicted");
  }

  private long ask(String path) throws IOException {
    try (Wire wire = Wire.connect(port)) {
      wire.send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
      return Long.parseLong(wire.response().body().strip());
    }
  }
}
