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
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** A {@link SmallHeapServer} in a process of its own, with 128 MiB, and those who attack it. */
final class SmallHeap implements AutoCloseable {
  /** Far above what is needed, for machines that are busy; what is left behind never goes. */
  private static final Duration SETTLES = Duration.ofSeconds(40);

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

  /** Lets that many clients attack for this long. */
  static void attack(Client client, int clients, int times, Duration time) throws Exception {
    attack(client, clients, times, time, List.of());
  }

  /**
   * Lets that many clients attack, each again and again, up to so many times. They hold what they
   * have got until the time is over and all {@code others} were served even then. Fails if there
   * are others, but not a single attack was made to its end: they would prove nothing.
   */
  static void attack(Client client, int clients, int times, Duration time, List<Bystander> others)
      throws Exception {
    long end = System.nanoTime() + time.toNanos();
    CountDownLatch over = new CountDownLatch(1);
    AtomicInteger made = new AtomicInteger();
    AtomicReference<@Nullable Throwable> refusal = new AtomicReference<>();
    List<FutureTask<@Nullable Void>> running = new ArrayList<>();
    for (int i = 0; i < clients; i++) {
      int number = i;
      FutureTask<@Nullable Void> task =
          new FutureTask<>(() -> {
            List<Closeable> opened = new ArrayList<>();
            try {
              do {
                opened.add(client.attack(number));
                made.incrementAndGet();
              } while (System.nanoTime() - end < 0 && opened.size() < times);
            } catch (IOException | AssertionError e) {
              refusal.set(e); // or it was dropped
            }
            over.await();
            for (Closeable each : opened) {
              each.close();
            }
            return null;
          });
      running.add(task);
      Thread.ofVirtual().start(task);
    }
    try {
      TimeUnit.NANOSECONDS.sleep(end - System.nanoTime());
      for (Bystander each : others) {
        each.awaitServed();
      }
    } finally {
      over.countDown();
    }
    for (FutureTask<@Nullable Void> each : running) {
      try {
        each.get(60, TimeUnit.SECONDS);
      } catch (ExecutionException e) {
        throw new AssertionError(e);
      }
    }
    if (made.get() == 0 && !others.isEmpty()) {
      throw new AssertionError("no attack was made to its end", refusal.get());
    }
  }

  // ---- Somebody else

  /** A client that calls again and again, and is to be served whatever others do. */
  static final class Bystander implements AutoCloseable {
    /** A call later than this would be noticed, even while other tests keep the machine busy. */
    private static final Duration PROMPTLY = Duration.ofSeconds(12);

    /** A call whose answer is checked. */
    interface Call {
      void make() throws IOException;
    }

    private final Call call;
    private final Duration pause;
    private final Closeable client;
    private final CountDownLatch over = new CountDownLatch(1);
    private final FutureTask<Duration> task = new FutureTask<>(this::slowestCall);
    private volatile CountDownLatch served = new CountDownLatch(0);

    Bystander(Closeable client, Call call, Duration pause) {
      this.client = client;
      this.call = call;
      this.pause = pause;
      Thread.ofPlatform().name("bystander").start(task);
    }

    private Duration slowestCall() throws Exception {
      long slowest = 0;
      do {
        long began = System.nanoTime();
        call.make();
        slowest = Math.max(slowest, System.nanoTime() - began);
        served.countDown();
      } while (!over.await(pause.toMillis(), TimeUnit.MILLISECONDS));
      return Duration.ofNanos(slowest);
    }

    /** Waits until a call that is made from now on was answered. */
    private void awaitServed() throws Exception {
      CountDownLatch next = new CountDownLatch(2); // one may have been made before
      served = next;
      while (!next.await(100, TimeUnit.MILLISECONDS)) {
        if (task.isDone()) {
          requireServed();
        }
      }
    }

    /** Requires that all calls until now were answered, and promptly. */
    void requireServed() throws Exception {
      over.countDown();
      assertThat(task.get(60, TimeUnit.SECONDS)).as("the slowest call").isLessThan(PROMPTLY);
    }

    @Override
    public void close() throws IOException {
      over.countDown();
      client.close();
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
    long left = least(most(before));
    assertThat(left).as("bytes of heap after %s", after).isLessThanOrEqualTo(most(before));
  }

  /** Returns whether soon no more than {@code before} is in use, and a tenth. */
  boolean isBackAt(long before) throws IOException {
    return least(most(before)) <= most(before);
  }

  private static long most(long before) {
    return before + before / 10;
  }

  /** Returns what is in use as soon as it is at most {@code most}, or what is left in the end. */
  private long least(long most) throws IOException {
    long end = System.nanoTime() + SETTLES.toNanos();
    long left;
    while ((left = heap()) > most && System.nanoTime() - end < 0) {
      LockSupport.parkNanos(200_000_000);
    }
    return left;
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
