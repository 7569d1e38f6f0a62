package dev.windhover.hubs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.hubs.HubFixture.Client;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What hubs keep of their clients' messages counts in the memory budget, here of 1 MiB. */
class HubMemoryTest {
  private static final int MIB = 1 << 20;

  private final Semaphore permits = new Semaphore(0);
  private final AtomicInteger disconnected = new AtomicInteger();

  public final class Holding extends Hub<Void> {
    public String echo(String text) {
      return text;
    }

    public void upload(Stream<String> items) throws InterruptedException {
      permits.acquire();
      items.forEach(_ -> {});
    }

    public Stream<Integer> stream(String argument) throws InterruptedException {
      permits.acquire();
      return Stream.of(argument.length());
    }

    @Override
    public void onDisconnected(@Nullable Throwable error) {
      disconnected.incrementAndGet();
    }
  }

  private final HubFixture hub = HubFixture.of(Holding.class, Holding::new);

  @BeforeEach
  void limit() {
    hub.host().memory(MIB, MIB);
  }

  @AfterEach
  void end() {
    permits.release(10_000);
    hub.host().allowLeftOvers(); // the Closes of those who had to go
    hub.close();
  }

  /** One client after the other does its worst; some go, and a bystander does not notice. */
  private void attack(int clients, Consumer<Client> attack) {
    Client bystander = hub.connect();
    for (int i = 0; i < clients; i++) {
      attack.accept(hub.connect());
      hub.host().awaitIdle();
      bystander.call("1", "echo", "'x'").expectResult("1", "'x'");
    }
    permits.release(10_000);
    hub.host().awaitIdle();
    assertThat(disconnected.get()).isBetween(1, clients - 1);
  }

  @Test
  void halfOfAMessageCounts() {
    attack(50, client -> client.socket.sendText("{" + "x".repeat(30_000)));
  }

  @Test
  void uploadedItemsThatNobodyReadsCount() {
    attack(
        8,
        client -> {
          client.send(
              "{'type':1,'invocationId':'1','target':'upload','arguments':[],'streamIds':['s']}");
          for (int i = 0; i < 10; i++) { // as many as may wait
            client.send("{'type':2,'invocationId':'s','item':'" + "x".repeat(30_000) + "'}");
          }
        });
  }

  @Test
  void argumentsOfStreamsCount() {
    attack(
        8,
        client -> {
          for (int i = 0; i < 10; i++) {
            client.stream("" + i, "stream", "'" + "x".repeat(30_000) + "'");
          }
        });
  }
}
