package dev.windhover.hubs.connections;

import static dev.windhover.hubs.connections.Recorder.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.host.Burst;
import dev.windhover.http.host.Delivery;
import dev.windhover.http.host.FanOut;
import dev.windhover.http.host.Recipient;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.http.websocket.WhenFull;
import dev.windhover.testing.TestHost;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** What is sent to many, one of whom is a client that polls. */
class OutgoingQueueTest {
  private static final String LARGE = "x".repeat(300 * 1024); // three fit

  private final Recorder recorder = new Recorder();
  private final TestHost host = recorder.start();
  private final String token = Recorder.poll(host);
  private final ConnectionContext connection = recorder.connection();

  private static final class Task extends FanOut.Task {
    private final Runnable task;

    Task(Runnable task) {
      this.task = task;
    }

    @Override
    protected boolean run() {
      task.run();
      return true;
    }
  }

  private void deliver(String text, WhenFull whenFull, Object key) {
    Recipient recipient = connection.recipient();
    Burst burst = new Burst(new Delivery(PreparedMessage.text(text), null, key));
    recipient.fanOut().execute(new Task(() -> recipient.deliver(burst, whenFull)));
  }

  private String fetch() {
    return host.get("/c?id=" + token).expectStatus(200).text().replace(LARGE, "L");
  }

  @Test
  void oneThreadsMessagesKeepTheirOrder() {
    try (host) {
      for (int i = 0; i < 100; i++) {
        if (i % 3 == 0) {
          connection.send(bytes(i + " "));
        } else {
          deliver(i + " ", WhenFull.DISCONNECT, this);
        }
      }
      host.awaitIdle();
      String[] all = fetch().split(" ", -1);
      for (int i = 0; i < 100; i++) {
        assertThat(all[i]).isEqualTo(String.valueOf(i));
      }
    }
  }

  @Test
  void theOldestAreDroppedForTheNewest() {
    try (host) {
      connection.send(bytes("own "));
      for (int i = 0; i < 6; i++) {
        deliver(i + LARGE, WhenFull.DROP_OLDEST, this);
      }
      host.awaitIdle();
      assertThat(fetch()).isEqualTo("own 3L4L5L");
    }
  }

  @Test
  void theNewestAreDropped() {
    try (host) {
      for (int i = 0; i < 6; i++) {
        deliver(i + LARGE, WhenFull.DROP_NEWEST, this);
      }
      host.awaitIdle();
      assertThat(fetch()).isEqualTo("0L1L2L");
    }
  }

  @Test
  void theLatestReplacesTheOneBeforeInItsPlace() {
    try (host) {
      deliver("a1 ", WhenFull.KEEP_LATEST, "a");
      deliver("b1 ", WhenFull.KEEP_LATEST, "b");
      deliver("x ", WhenFull.DISCONNECT, this);
      deliver("a2 ", WhenFull.KEEP_LATEST, "a");
      deliver("b2 ", WhenFull.KEEP_LATEST, "b");
      deliver("b3 ", WhenFull.KEEP_LATEST, "b");
      host.awaitIdle();
      assertThat(fetch()).isEqualTo("a2 b3 x ");
      deliver("a3 ", WhenFull.KEEP_LATEST, "a");
      host.awaitIdle();
      assertThat(fetch()).isEqualTo("a3 ");
    }
  }

  @Test
  void whoFallsBehindIsDisconnected() {
    try (host) {
      for (int i = 0; i < 4; i++) {
        deliver(i + LARGE, WhenFull.DISCONNECT, this);
      }
      host.awaitIdle();
      assertThat(recorder.heard.getLast()).contains("client reads too slowly");
      host.get("/c?id=" + token).expectStatus(204);
    }
  }

  @Test
  void anEndedConnectionLeavesItsGroups() {
    try (host) {
      AtomicBoolean ended = new AtomicBoolean();
      Object group = new Object();
      Recipient.Membership membership =
          new Recipient.Membership() {
            @Override
            public Object group() {
              return group;
            }

            @Override
            public boolean hasEnded() {
              return ended.get();
            }

            @Override
            public void ended() {
              ended.set(true);
            }
          };
      Recipient recipient = connection.recipient();
      assertThat(recipient.add(membership)).isTrue();
      assertThat(recipient.add(membership)).isFalse();
      connection.close();
      host.awaitIdle();
      assertThat(ended).isTrue();
      assertThat(recipient.add(membership)).isFalse();
    }
  }
}
