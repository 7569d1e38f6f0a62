package dev.windhover.hubs.redis;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Payloads that are sent just before Redis is lost, and come too late to be published. */
class PublishingTest {
  private final Inbound inbound = new Inbound(1_000);
  private final Tally tally = new Tally();
  private final CountDownLatch delivered = new CountDownLatch(1);

  @AfterEach
  void close() {
    inbound.close();
  }

  private Publishing addWhileAway(WhenAway whenAway, Outgoing outgoing) {
    RedisOptions options = new RedisOptions().whenAway(whenAway);
    Publishing publishing = new Publishing(options, inbound, tally, Runnable::run);
    publishing.announce(outgoing);
    publishing.add(outgoing, false);
    return publishing;
  }

  @Test
  void whatIsOfNoUseLaterDoesNotWait() throws Exception {
    CompletableFuture<Boolean> isPublished = new CompletableFuture<>();
    Outgoing question =
        Outgoing.urgent(
            "channel",
            new byte[10],
            new Outgoing.Reply() {
              @Override
              public void published(long receivers) {
                isPublished.complete(true);
              }

              @Override
              public void failed() {
                isPublished.complete(false);
              }
            });
    Publishing publishing = addWhileAway(new WhenAway.DropOldest(), question);
    assertThat(publishing.waiting()).isZero();
    assertThat(isPublished.get(5, TimeUnit.SECONDS)).isFalse();
  }

  @Test
  void whatIsRefusedWhileRedisIsAwayDoesNotWait() throws Exception {
    Outgoing message = Outgoing.message(1, "channel", new byte[10], delivered::countDown);
    Publishing publishing = addWhileAway(new WhenAway.Refuse(), message);
    assertThat(publishing.waiting()).isZero();
    assertThat(tally.counts().dropped()).isEqualTo(1);
    assertThat(delivered.await(5, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void otherMessagesWaitAndAreDeliveredHere() throws Exception {
    Outgoing message = Outgoing.message(1, "channel", new byte[10], delivered::countDown);
    Publishing publishing = addWhileAway(new WhenAway.DropOldest(), message);
    assertThat(publishing.waiting()).isEqualTo(1);
    assertThat(tally.counts().dropped()).isZero();
    assertThat(delivered.await(5, TimeUnit.SECONDS)).isTrue();
  }
}
