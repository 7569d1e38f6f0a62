package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.verification.HubWire.Way;
import dev.windhover.verification.logs.StrictLogs;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Five thousand clients of a hub come back in the same second, as after a restart, to a server with
 * a heap of 128 MiB; and lose their connections in the same moment, too.
 */
@Tag("full")
@Timeout(240)
@ExtendWith(StrictLogs.class)
class HubReturnTest {
  private static final int CLIENTS = 5_000;
  private static final int WARM_UP = 100;

  /** A reply later than this would be noticed, unless the machine is busy with other tests. */
  private static final Duration PROMPTLY = Duration.ofSeconds(5);

  /** On such a machine: whoever had to wait for all the others would wait for all of the time. */
  private static final double PART_OF_THE_TIME = 0.75;

  /** The server gives up who says nothing for so long; on a busy machine, it may be our fault. */
  private static final Duration SILENCE = Duration.ofSeconds(15);

  /** An answer that takes longer was lost, however busy the machine is. */
  private static final int MOST_MILLIS = 60_000;

  /** Enough for everybody. */
  private static final int MOST_TRIES = 60;

  @Test
  void allAreServedOrToldWhenToComeAgain() throws Exception {
    try (SmallHeap server = SmallHeap.start()) {
      for (HubWire each : comeAtOnce(server, WARM_UP)) { // what is loaded once is no leak
        each.close();
      }
      long heap = server.settledHeap();
      CountDownLatch over = new CountDownLatch(1);
      FutureTask<Duration> bystander = new FutureTask<>(() -> slowestCall(server, over));
      Thread.ofPlatform().name("bystander").start(bystander); // the others share theirs
      long began = System.nanoTime();
      List<HubWire> clients = comeAtOnce(server, CLIENTS);
      Duration taken = Duration.ofNanos(System.nanoTime() - began);
      for (HubWire each : clients) {
        each.abort();
      }
      over.countDown();
      Duration most = Duration.ofNanos((long) (taken.toNanos() * PART_OF_THE_TIME));
      assertThat(bystander.get(60, TimeUnit.SECONDS))
          .as("slowest call, while others came for %s", taken)
          .isLessThan(most.compareTo(PROMPTLY) > 0 ? most : PROMPTLY);
      server.requireBackAt(heap, CLIENTS + " clients");
    }
  }

  private static <T> Future<T> start(Callable<T> task) {
    FutureTask<T> future = new FutureTask<>(task);
    Thread.ofVirtual().start(future);
    return future;
  }

  private static HubWire connect(SmallHeap server, int client) throws IOException {
    return HubWire.connect(
        server.port(), Ports.addressOf(client), "/patient-hub", Way.of(client), MOST_MILLIS);
  }

  /** Returns that many clients, who have connected at the same time and were served. */
  private static List<HubWire> comeAtOnce(SmallHeap server, int count) throws Exception {
    List<Future<HubWire>> coming = new ArrayList<>();
    CountDownLatch now = new CountDownLatch(1);
    for (int i = 0; i < count; i++) {
      int client = i;
      coming.add(
          start(() -> {
            now.await();
            return comeUntilServed(server, client);
          }));
    }
    now.countDown();
    List<HubWire> served = new ArrayList<>();
    for (Future<HubWire> each : coming) {
      try {
        served.add(each.get(150, TimeUnit.SECONDS));
      } catch (ExecutionException e) {
        throw new AssertionError(e.getCause());
      }
    }
    return served;
  }

  private static HubWire comeUntilServed(SmallHeap server, int client) throws IOException {
    SplittableRandom random = new SplittableRandom(client);
    for (int tries = 0; tries < MOST_TRIES; tries++) {
      long began = System.nanoTime();
      HubWire connected = null;
      try {
        connected = connect(server, client);
        assertThat(connected.invoke("echo", "back")).isEqualTo("back");
        return connected;
      } catch (IOException | AssertionError e) {
        if (connected != null) {
          connected.close();
        }
        boolean wasSilent = System.nanoTime() - began > SILENCE.toNanos();
        if (!isTold(e) && !(wasSilent && HubWire.isGivenUp(e))) {
          throw e;
        }
        LockSupport.parkNanos(random.nextLong(5_000_000_000L)); // as it is told
      }
    }
    throw new AssertionError("refused " + MOST_TRIES + " times");
  }

  /** Returns whether the server has said that and when to come again. */
  private static boolean isTold(Throwable failure) {
    return failure instanceof HubWire.RefusedException refused
        && (refused.status() == 429 || refused.status() == 503)
        && refused.saysWhen();
  }

  /** Calls until it is over, and returns how long the slowest call took. */
  private static Duration slowestCall(SmallHeap server, CountDownLatch over) throws Exception {
    long slowest = 0;
    try (HubWire client = connect(server, 0)) {
      InputStream _ = client.wire().patientInput(); // how long it takes is judged at the end
      do {
        long began = System.nanoTime();
        assertThat(client.invoke("echo", "still here")).isEqualTo("still here");
        slowest = Math.max(slowest, System.nanoTime() - began);
      } while (!over.await(100, TimeUnit.MILLISECONDS));
    }
    return Duration.ofNanos(slowest);
  }
}
