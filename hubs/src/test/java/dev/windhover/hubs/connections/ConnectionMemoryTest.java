package dev.windhover.hubs.connections;

import static dev.windhover.hubs.connections.Recorder.bytes;
import static dev.windhover.hubs.connections.Recorder.post;
import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.host.Burst;
import dev.windhover.http.host.Delivery;
import dev.windhover.http.host.FanOut;
import dev.windhover.http.host.HostContext;
import dev.windhover.http.host.MemoryBudget;
import dev.windhover.http.host.Recipient;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.http.websocket.WhenFull;
import dev.windhover.testing.TestHost;
import dev.windhover.testing.TestWebSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What connections hold counts in the memory budget of their host, here of 1 MiB. */
class ConnectionMemoryTest {
  private static final int MIB = 1 << 20;
  private static final String EVICTED = "the server has no memory left for this connection";

  private final Recorder recorder = Recorder.echoing().notingLimits();
  private volatile @Nullable MemoryBudget budget;

  private TestHost start() {
    TestHost host =
        recorder.start(options ->
            options
                .allowStatefulReconnects(true)
                .onNegotiate(context -> {
                  budget = HostContext.of(context).memory();
                  return null;
                }));
    host.memory(MIB, MIB);
    return host;
  }

  private long used() {
    return Objects.requireNonNull(budget).used();
  }

  private void requireServed(TestHost host, String bystander) {
    post(host, bystander, "still here");
    host.get("/c?id=" + bystander).expectStatus(200).expectText("still here");
  }

  private Stream<String> evicted() {
    return recorder.heard.stream().filter(line -> line.endsWith(EVICTED));
  }

  @Test
  void whatWaitsForPollsCounts() {
    try (TestHost host = start()) {
      String bystander = Recorder.poll(host);
      recorder.connection();
      List<String> slow = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        slow.add(Recorder.poll(host));
        ConnectionContext connection = recorder.connection();
        for (int sent = 0; sent < 30; sent++) {
          connection.send(bytes("x".repeat(10_000)));
        }
        host.awaitIdle();
        requireServed(host, bystander);
      }
      assertThat(used()).isLessThanOrEqualTo(MIB);
      assertThat(evicted()).hasSizeBetween(1, 4); // which ones depends on who moved last
      assertThat(recorder.heard.stream().filter("limit memory"::equals))
          .hasSameSizeAs(evicted().toList());
      assertThat(slow.stream().filter(token -> host.get("/c?id=" + token).send().status() == 204))
          .hasSameSizeAs(evicted().toList());
    }
  }

  @Test
  void whatIsPostedBeforeATransportCounts() {
    try (TestHost host = start()) {
      String bystander = Recorder.poll(host);
      for (int i = 0; i < 20; i++) {
        post(host, Recorder.negotiate(host), "x".repeat(64_000));
        host.awaitIdle();
        assertThat(used()).isLessThanOrEqualTo(MIB);
        requireServed(host, bystander);
      }
      assertThat(recorder.heard).contains("limit memory");
    }
  }

  @Test
  void whatTheListenerLeavesOrKeepsCounts() {
    recorder.onBytes((_, bytes) -> bytes.position(bytes.position() + 1)).keepingBytes(100_000);
    try (TestHost host = start()) {
      String token = Recorder.poll(host);
      post(host, token, "x".repeat(50_001));
      host.awaitIdle();
      assertThat(used()).isBetween(150_000L, 160_000L);
      recorder.connection().abort();
      host.awaitIdle();
      host.get("/c?id=" + token).expectStatus(204);
      host.awaitIdle();
      assertThat(used()).isZero();
    }
  }

  @Test
  void whatAClientMayBeSentAgainCounts() {
    recorder.keepingSent();
    try (TestHost host = start()) {
      String token = Recorder.negotiate(host, "&useStatefulReconnect=true");
      TestWebSocket client = host.webSocket("/c?id=" + token).connect();
      ConnectionContext connection = recorder.connection();
      for (int i = 0; i < 10; i++) {
        connection.send(bytes("x".repeat(10_000)));
        client.expectText("x".repeat(10_000));
      }
      host.awaitIdle();
      assertThat(used()).isBetween(100_000L, 110_000L);
      client.close();
      host.awaitIdle();
      assertThat(used()).isZero();
    }
  }

  @Test
  void clientsThatAreAwayGoFirst() {
    recorder.keepingSent();
    try (TestHost host = start()) {
      String bystander = Recorder.poll(host);
      recorder.connection();
      for (int i = 0; i < 5; i++) {
        String token = Recorder.negotiate(host, "&useStatefulReconnect=true");
        host.webSocket("/c?id=" + token).connect().abort();
        ConnectionContext connection = recorder.connection();
        host.awaitIdle();
        for (int sent = 0; sent < 30; sent++) {
          connection.send(bytes("x".repeat(10_000)));
        }
        host.awaitIdle();
        requireServed(host, bystander);
      }
      assertThat(used()).isLessThanOrEqualTo(MIB);
      assertThat(evicted()).hasSizeBetween(1, 4);
    }
  }

  /** A message to a group, of 300,000 bytes. */
  private Delivery delivery() {
    PreparedMessage message = PreparedMessage.text("x".repeat(300_000));
    return new Delivery(message, WhenFull.DISCONNECT, this);
  }

  private static void deliver(Delivery delivery, ConnectionContext connection) {
    Recipient recipient = connection.recipient();
    recipient
        .fanOut()
        .execute(
            new FanOut.Task() {
              @Override
              protected boolean run() {
                recipient.deliver(new Burst(delivery), WhenFull.DISCONNECT);
                return true;
              }
            });
  }

  @Test
  void clientsThatAreOnlySentWhatManyAreMayGo() {
    try (TestHost host = start()) {
      String bystander = Recorder.poll(host);
      recorder.connection();
      for (int i = 0; i < 5; i++) {
        Recorder.poll(host);
        deliver(delivery(), recorder.connection());
        host.awaitIdle();
        requireServed(host, bystander);
      }
      assertThat(used()).isLessThanOrEqualTo(MIB);
      assertThat(evicted()).hasSizeBetween(1, 4);
    }
  }

  /** Their polls might come for a while, and get what waits. */
  @Test
  void clientsWhoseConnectionIsClosedLoseWhatWaits() {
    try (TestHost host = start()) {
      String bystander = Recorder.poll(host);
      recorder.connection();
      List<String> closed = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        closed.add(Recorder.poll(host));
        ConnectionContext connection = recorder.connection();
        for (int sent = 0; sent < 30; sent++) {
          connection.send(bytes("x".repeat(10_000)));
        }
        connection.close();
        host.awaitIdle();
        requireServed(host, bystander);
      }
      assertThat(used()).isLessThanOrEqualTo(MIB);
      assertThat(recorder.heard.stream().filter("limit memory"::equals)).hasSizeBetween(1, 4);
      assertThat(closed.stream().filter(token -> host.get("/c?id=" + token).send().status() == 204))
          .hasSameSizeAs(recorder.heard.stream().filter("limit memory"::equals).toList());
    }
  }

  @Test
  void whatOvertakesOthersCounts() {
    recorder.onBytes((connection, bytes) -> {
      bytes.position(bytes.limit());
      connection.sendAhead(bytes("x".repeat(100_000)));
    });
    try (TestHost host = start()) {
      String token = Recorder.poll(host);
      post(host, token, "!");
      host.awaitIdle();
      assertThat(used()).isBetween(100_000L, 110_000L);
      host.get("/c?id=" + token).expectStatus(200);
      host.awaitIdle();
      assertThat(used()).isZero();
    }
  }

  @Test
  void whatManyAreSentCountsOnce() {
    try (TestHost host = start()) {
      List<String> tokens = new ArrayList<>();
      Delivery delivery = delivery();
      for (int i = 0; i < 5; i++) {
        tokens.add(Recorder.poll(host));
        deliver(delivery, recorder.connection());
      }
      host.awaitIdle();
      assertThat(used()).isBetween(300_000L, 325_000L); // each has something of its own, too
      for (String token : tokens) {
        host.get("/c?id=" + token).expectStatus(200);
      }
      host.awaitIdle();
      assertThat(used()).isLessThanOrEqualTo(5 * 4096); // what each keeps in reserve
      assertThat(evicted()).isEmpty();
    }
  }

  @Test
  void connectionsThatHoldLittleAreNotCounted() {
    try (TestHost host = start()) {
      String token = Recorder.poll(host);
      for (int i = 0; i < 100; i++) {
        requireServed(host, token);
      }
      assertThat(used()).isZero();
    }
  }
}
