package dev.windhover.hubs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.hubs.HubFixture.Client;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class HubLifeTest {
  private final List<String> log = new CopyOnWriteArrayList<>();
  private final CompletableFuture<Void> mayEnd = new CompletableFuture<>();
  private final CountDownLatch mayConnect = new CountDownLatch(1);
  private volatile @Nullable RuntimeException atConstruction;
  private volatile @Nullable RuntimeException atConnection;
  private volatile boolean waitsToConnect;

  public final class Life extends Hub<Void> implements AutoCloseable {
    Life() {
      RuntimeException failure = atConstruction;
      if (failure != null) {
        throw failure;
      }
    }

    @Override
    public void onConnected() throws Exception {
      if (waitsToConnect) {
        mayConnect.await();
      }
      log.add("connected");
      RuntimeException failure = atConnection;
      if (failure != null) {
        throw failure;
      }
    }

    @Override
    public void onDisconnected(@Nullable Throwable error) {
      log.add("disconnected " + (error == null ? null : error.getClass().getSimpleName()));
    }

    public void note(String text) {
      log.add(text);
    }

    public void abort() {
      context().abort();
    }

    public @Nullable String user() {
      return context().userIdentifier();
    }

    public void until(Cancellation cancellation) {
      CompletableFuture<Void> cancelled = new CompletableFuture<>();
      cancellation.onCancelled(() -> cancelled.complete(null));
      log.add("waits");
      cancelled.join();
      log.add("cancelled");
      mayEnd.join();
    }

    @Override
    public void close() {
      log.add("closed");
    }
  }

  private final HubFixture hub =
      HubFixture.of(Life.class, Life::new, options -> options.enableDetailedErrors(true));

  @AfterEach
  void end() {
    hub.close();
  }

  @Test
  void eachCallHasAnInstanceThatIsClosedAfterIt() {
    Client client = hub.connect();
    client.call("1", "note", "'one'").expectResult("1", "null");
    client.close();
    hub.host().awaitIdle();
    assertThat(log)
        .containsExactly("connected", "closed", "one", "closed", "disconnected null", "closed");
  }

  @Test
  void noCallBeginsBeforeTheHubKnowsOfTheConnection() {
    waitsToConnect = true;
    Client client = hub.connect();
    client.call("1", "note", "'call'");
    hub.host().awaitIdle();
    assertThat(log).isEmpty();
    mayConnect.countDown();
    client.expectResult("1", "null");
    assertThat(log).startsWith("connected", "closed", "call");
  }

  @Test
  void aHubThatThrowsAtTheBeginningEndsTheConnectionForGood() {
    atConnection = new IllegalStateException("not today");
    hub.connect()
        .expectClosed("Connection closed with an error. IllegalStateException: not today", false);
    hub.host().awaitIdle();
    assertThat(log).containsExactly("connected", "closed");
  }

  @Test
  void aHubThatCannotBeConstructedEndsTheConnectionForGood() {
    atConstruction = new IllegalStateException("no such hub");
    hub.connect()
        .expectClosed("Connection closed with an error. IllegalStateException: no such hub", false);
  }

  @Test
  void aHubThatCannotBeConstructedLaterEndsTheConnection() {
    Client client = hub.connect();
    client.call("0", "note", "'one'").expectResult("0", "null");
    atConstruction = new IllegalStateException("no such hub");
    client
        .call("1", "note", "'two'")
        .expectClosed("Connection closed with an error. IllegalStateException: no such hub", true);
  }

  @Test
  void anAbortedConnectionHearsACloseAndNothingElse() {
    Client client = hub.connect();
    client.call("1", "abort").expect("{'type':7}").socket.expectClose(1000, "");
  }

  @Test
  void aClientsCloseIsAnswered() {
    Client client = hub.connect();
    client.send("{'type':7}").expect("{'type':7}").socket.expectClose(1000, "");
    hub.host().awaitIdle();
    assertThat(log).contains("disconnected null");
  }

  @Test
  void aClientsErrorIsToldToTheHub() {
    Client client = hub.connect();
    client.send("{'type':7,'error':'x'}").expect("{'type':7}").socket.expectClose(1000, "");
    hub.host().awaitIdle();
    assertThat(log).contains("disconnected HubException");
  }

  @Test
  void aHubIsToldOfTheEndAfterItsCallsHaveEnded() {
    Client client = hub.connect();
    client.call("1", "until");
    hub.host().awaitIdle();
    client.close();
    hub.host().awaitIdle();
    assertThat(log).containsExactly("connected", "closed", "waits", "cancelled");
    mayEnd.complete(null);
    hub.host().awaitIdle();
    assertThat(log)
        .containsExactly(
            "connected", "closed", "waits", "cancelled", "closed", "disconnected null", "closed");
  }

  @Test
  void orAfterFiveSeconds() {
    Client client = hub.connect();
    client.call("1", "until");
    hub.host().awaitIdle();
    client.close();
    hub.advance(Duration.ofSeconds(5));
    assertThat(log).endsWith("cancelled", "disconnected null", "closed");
    mayEnd.complete(null);
  }

  @Test
  void theUserIsTheOneOfTheRequest() {
    hub.connectAs("ann").call("1", "user").expectResult("1", "'ann'");
    hub.connect().call("1", "user").expectResult("1", "null");
  }

  @Test
  void anInstanceServesOneCallOnly() {
    Life only = new Life();
    try (HubFixture shared =
        HubFixture.of(Life.class, () -> only, options -> options.enableDetailedErrors(true))) {
      shared
          .connect()
          .call("1", "note", "'x'")
          .expectError(
              "1",
              "An unexpected error occurred invoking 'note' on the server. IllegalStateException:"
                  + " this instance of "
                  + Life.class.getName()
                  + " has served a call before: its supplier must return a new one for each");
    }
  }
}
