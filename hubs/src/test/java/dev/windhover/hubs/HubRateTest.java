package dev.windhover.hubs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.hubs.HubFixture.Client;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class HubRateTest {
  private final AtomicInteger calls = new AtomicInteger();

  public final class Counted extends Hub<Void> {
    public void count() {
      calls.incrementAndGet();
    }
  }

  private void send(Client client, int count) {
    for (int i = 0; i < count; i++) {
      client.send("{'type':1,'target':'count','arguments':[]}");
    }
  }

  @Test
  void aClientThatCallsTooOftenIsReadMoreSlowlyAndLosesNothing() {
    try (HubFixture hub =
        HubFixture.of(Counted.class, Counted::new, options -> options.maximumCallsPerSecond(10))) {
      Client client = hub.connect();
      send(client, 35);
      hub.host().awaitIdle();
      assertThat(calls).hasValue(10);
      hub.advance(Duration.ofMillis(500));
      assertThat(calls).hasValue(15);
      hub.advance(Duration.ofSeconds(1));
      assertThat(calls).hasValue(25);
      hub.advance(Duration.ofSeconds(1));
      assertThat(calls).hasValue(35);
    }
  }

  @Test
  void callsThatCannotBeCountToo() {
    try (HubFixture hub =
        HubFixture.of(Counted.class, Counted::new, options -> options.maximumCallsPerSecond(10))) {
      Client client = hub.connect();
      for (int i = 0; i < 5; i++) {
        client.send(
            "{'type':1,'target':'noSuch','arguments':[]}",
            "{'type':1,'target':'count','arguments':['too many']}");
      }
      send(client, 1);
      hub.host().awaitIdle();
      assertThat(calls).hasValue(0);
      hub.advance(Duration.ofMillis(100));
      assertThat(calls).hasValue(1);
    }
  }

  @Test
  void theConnectionsOfAUserShareALimit() {
    try (HubFixture hub =
        HubFixture.of(
            Counted.class, Counted::new, options -> options.maximumCallsPerSecondOfUser(10))) {
      Client one = hub.connectAs("ann");
      Client two = hub.connectAs("ann");
      Client other = hub.connectAs("bob");
      send(one, 10);
      send(two, 5);
      hub.host().awaitIdle();
      assertThat(calls).hasValue(11); // a call tells that the limit was reached
      send(other, 10);
      hub.host().awaitIdle();
      assertThat(calls).hasValue(21);
      hub.advance(Duration.ofSeconds(1));
      assertThat(calls).hasValue(25);
    }
  }

  @Test
  void aUserWithoutConnectionsLeavesNothing() {
    UserRates users = new UserRates(10);
    CallRate rate = users.join("ann", 0);
    assertThat(users.join("ann", 0)).isSameAs(rate);
    users.leave("ann");
    assertThat(users.size()).isEqualTo(1);
    users.leave("ann");
    assertThat(users.size()).isZero();
  }
}
