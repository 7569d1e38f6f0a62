package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.hubs.HubContext;
import dev.windhover.hubs.Hubs;
import dev.windhover.hubs.protocol.HubMessage;
import dev.windhover.hubs.protocol.HubMessage.CancelInvocation;
import dev.windhover.hubs.protocol.HubMessage.Completion;
import dev.windhover.hubs.protocol.HubMessage.Invocation;
import dev.windhover.hubs.protocol.HubMessage.StreamInvocation;
import dev.windhover.hubs.protocol.HubMessage.StreamItem;
import dev.windhover.verification.HubWire.Way;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Wire;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Clients of a hub come over every transport and in both protocols, call, stream, upload, answer,
 * cancel, and leave, in order or not. Every answer is right, and nothing is left of them: no
 * connection, group, stream, call, result or negotiation.
 */
@Tag("full")
@Timeout(240)
@ExtendWith(StrictLogs.class)
class HubSoakTest {
  private static final int CLIENTS = 100;
  private static final String HUBS = "dev.windhover.hubs.";
  private static final String NEGOTIATED = HUBS + "connections.Negotiated";
  private static final int MOST_NEGOTIATIONS = 1_000;
  private static final Duration WARM_UP = Duration.ofSeconds(2);
  private static final Duration TIME = Duration.ofSeconds(10);

  /** When clients that say nothing are given up; visits are much shorter. */
  private static final Duration SILENCE = Duration.ofSeconds(5);

  /** When the last of those is forgotten. */
  private static final Duration FORGOTTEN = SILENCE.multipliedBy(6);

  /** What the heap has more or less each time, whoever came. */
  private static final long HEAP_NOISE = 500_000;

  /** An object that is left behind has 16 at least, and who leads to it a reference of 4. */
  private static final int MOST_HEAP_PER_VISIT = 8;

  private final WebApplication app = WebApplication.create("--urls=http://127.0.0.1:0");
  private final HubContext<BusyHub.Client> hub;
  private final LongAdder visits = new LongAdder();

  HubSoakTest() {
    app.useWebSockets(options -> options.allowedOrigins("*"));
    Hubs hubs = Hubs.on(app);
    hubs.map(
        "/hub",
        BusyHub.class,
        BusyHub::new,
        options ->
            options
                .handshakeTimeout(SILENCE)
                .connections(lower ->
                    lower.disconnectTimeout(SILENCE).maxUnfinishedNegotiations(MOST_NEGOTIATIONS)));
    hub = hubs.context(BusyHub.class);
  }

  @Test
  void whoeverHasComeLeavesNothing() throws Exception {
    app.start();
    try {
      visit(WARM_UP);
      awaitEmpty();
      awaitAtMost("negotiations", () -> Memory.objects(NEGOTIATED), 0); // remembered until then
      long objects = HubSoakTest.objects();
      long heap = LeakTest.settledHeap();
      long before = visits.sum();
      visit(TIME);
      long more = visits.sum() - before;
      assertThat(more).as("visits").isGreaterThan(CLIENTS);
      awaitEmpty();
      awaitAtMost("objects of hubs", HubSoakTest::objects, objects);
      LeakTest.awaitAtMost("heap", Memory::heap, heap + HEAP_NOISE + more * MOST_HEAP_PER_VISIT);
      requireRoomForNegotiations();
    } finally {
      app.stop();
    }
  }

  private static long objects() {
    return Memory.objects(HUBS);
  }

  private void awaitEmpty() {
    awaitAtMost("connections", () -> hub.connections().count(), 0);
    assertThat(hub.groups().names()).isEmpty();
    assertThat(hub.connections().users()).isEmpty();
  }

  private static void awaitAtMost(String what, LongSupplier count, long most) {
    long end = System.nanoTime() + FORGOTTEN.toNanos();
    while (count.getAsLong() > most) {
      assertThat(System.nanoTime()).as(what).isLessThan(end);
      LockSupport.parkNanos(500_000_000);
    }
  }

  /** As many may negotiate as at the beginning: none of those who have gone is waited for. */
  private void requireRoomForNegotiations() throws IOException {
    try (Wire wire = Wire.connect(Ports.of(app))) {
      long end = System.nanoTime() + FORGOTTEN.toNanos();
      for (int i = 0; i < MOST_NEGOTIATIONS; ) {
        try {
          String _ = HubWire.negotiate(wire, "/hub");
          i++;
        } catch (HubWire.RefusedException e) {
          assertThat(System.nanoTime()).as("time to forget").isLessThan(end);
          assertThat(e.status()).isEqualTo(429);
          LockSupport.parkNanos(100_000_000);
          i = 0;
        }
      }
    }
  }

  /** Lets all clients come and go repeatedly for this long. */
  private void visit(Duration time) throws Exception {
    long end = System.nanoTime() + time.toNanos();
    List<FutureTask<Void>> running = new ArrayList<>();
    for (int i = 0; i < CLIENTS; i++) {
      Visitor visitor = new Visitor(i);
      FutureTask<Void> task =
          new FutureTask<>(() -> {
            for (int made = 0; made == 0 || System.nanoTime() - end < 0; ) {
              made += visitor.hasVisited() ? 1 : 0;
            }
            return null;
          });
      Thread.ofVirtual().name("visitor-" + i).start(task);
      running.add(task);
    }
    for (FutureTask<Void> each : running) {
      try {
        each.get();
      } catch (ExecutionException e) {
        throw new AssertionError(e.getCause());
      }
    }
  }

  /** A client that comes again and again. */
  private final class Visitor {
    private final int slot;
    private final SplittableRandom random;

    Visitor(int slot) {
      this.slot = slot;
      this.random = new SplittableRandom(slot);
    }

    /** Visits; returns false if the machine is so busy that nothing was said for too long. */
    boolean hasVisited() throws IOException {
      long began = System.nanoTime();
      try {
        visit();
        visits.increment();
        return true;
      } catch (IOException | AssertionError e) {
        if (System.nanoTime() - began < SILENCE.toNanos()) {
          throw e;
        }
        return false;
      }
    }

    private void visit() throws IOException {
      int port = Ports.of(app);
      InetAddress from = Ports.addressOf(slot);
      Way way = Way.of(random.nextInt(1_000));
      switch (random.nextInt(20)) {
        case 0 -> {
          String _ = HubWire.negotiate(port, from, "/hub"); // and nothing more
        }
        case 1 -> {
          try (HubWire client = HubWire.open(port, from, "/hub", way)) {
            client.sendRaw("{\"protocol\":\"js".getBytes(StandardCharsets.UTF_8));
          }
        }
        default -> {
          try (HubWire client = HubWire.connect(port, from, "/hub", way)) {
            for (int i = random.nextInt(1, 5); i > 0; i--) {
              act(client);
            }
            if (random.nextInt(5) == 0) {
              leaveWork(client);
            }
            leave(client);
          }
        }
      }
    }

    private void act(HubWire client) throws IOException {
      switch (random.nextInt(7)) {
        case 0, 1 -> {
          String text = "x".repeat(random.nextInt(random.nextInt(10) == 0 ? 20_000 : 100));
          assertThat(client.invoke("echo", text)).isEqualTo(text);
        }
        case 2 -> {
          String group = "group of " + slot;
          assertThat(client.invoke("join", group)).isNull();
          client.send(new Invocation("g", "toGroup", List.of(group, "hello")));
          assertThat(client.receive()).isEqualTo(new Invocation(null, "message", List.of("hello")));
          assertThat(client.expectResult("g")).isNull();
        }
        case 3 -> {
          client.send(new Invocation("a", "ask", List.of("why?")));
          String id = Objects.requireNonNull(((Invocation) client.receive()).invocationId());
          client.send(Completion.of(id, "because"));
          assertThat(client.expectResult("a")).isEqualTo("because");
        }
        case 4 -> {
          int n = random.nextInt(50);
          client.send(new StreamInvocation(Map.of(), "s", "count", List.of(n), List.of()));
          for (int i = 0; i < n; i++) {
            assertThat(((StreamItem) client.receive()).item()).hasToString("" + i);
          }
          assertThat(client.receive()).isEqualTo(Completion.empty("s"));
        }
        case 5 -> {
          int n = random.nextInt(30);
          List<HubMessage> upload = new ArrayList<>();
          upload.add(new Invocation(Map.of(), "u", "sum", List.of(), List.of("up")));
          for (int i = 0; i < n; i++) {
            upload.add(new StreamItem("up", i));
          }
          upload.add(Completion.empty("up"));
          client.send(upload.toArray(HubMessage[]::new));
          assertThat(client.expectResult("u")).hasToString("" + n * (n - 1) / 2);
        }
        default -> {
          client.send(new StreamInvocation(Map.of(), "c", "count", List.of(1_000_000), List.of()));
          assertThat(client.receive()).isInstanceOf(StreamItem.class);
          client.send(new CancelInvocation("c"));
          HubMessage last;
          do {
            last = client.receive();
          } while (last instanceof StreamItem);
          assertThat(last).isEqualTo(Completion.empty("c"));
        }
      }
    }

    /** Begins what only its leaving ends. */
    private void leaveWork(HubWire client) throws IOException {
      switch (random.nextInt(4)) {
        case 0 -> client.send(new Invocation("w", "untilCancelled", List.of()));
        case 1 -> {
          HubMessage[] upload = new HubMessage[13]; // with more items than may wait
          Arrays.setAll(upload, i -> new StreamItem("up", i));
          upload[0] = new Invocation(Map.of(), "w", "upload", List.of(), List.of("up"));
          client.send(upload);
        }
        case 2 -> client.send(new Invocation("w", "ask", List.of("who never answers?")));
        default ->
            client.send(
                new StreamInvocation(Map.of(), "w", "count", List.of(1_000_000), List.of()));
      }
    }

    private void leave(HubWire client) throws IOException {
      switch (random.nextInt(4)) {
        case 0 -> client.leave();
        case 1 -> client.abort();
        case 2 -> client.send(new HubMessage.Close(null, false));
        default -> client.close(); // and a client that polls says nothing
      }
    }
  }
}
