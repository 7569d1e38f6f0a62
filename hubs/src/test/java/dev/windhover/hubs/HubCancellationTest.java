package dev.windhover.hubs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.hubs.HubFixture.Client;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class HubCancellationTest {
  private final List<String> log = new CopyOnWriteArrayList<>();
  private final CountDownLatch never = new CountDownLatch(1);
  private final CompletableFuture<Void> goOn = new CompletableFuture<>();

  public final class Cancelled extends Hub<Void> {
    public String told(Cancellation cancellation) {
      CompletableFuture<Void> told = new CompletableFuture<>();
      cancellation.onCancelled(() -> told.complete(null));
      log.add("began");
      told.join();
      return "cancelled " + cancellation.isCancelled();
    }

    public String interrupted() throws InterruptedException {
      log.add("began");
      try {
        never.await();
      } catch (InterruptedException e) {
        log.add("interrupted");
        throw e;
      }
      return "never";
    }

    public String deaf() {
      log.add("began");
      goOn.join();
      log.add("interrupted " + Thread.currentThread().isInterrupted());
      return "done";
    }

    /** May be interrupted, but does not notice. */
    public String busy() throws InterruptedException {
      log.add("began");
      goOn.join();
      return "done";
    }

    public String isInterrupted() {
      return "interrupted " + Thread.currentThread().isInterrupted();
    }

    public void untilAborted() {
      CompletableFuture<Void> told = new CompletableFuture<>();
      context().connectionAborted().onCancelled(() -> told.complete(null));
      log.add("began");
      told.join();
      log.add("aborted");
    }
  }

  private final HubFixture hub = HubFixture.of(Cancelled.class, Cancelled::new);
  private final Client client = hub.connect();

  @AfterEach
  void end() {
    hub.close();
  }

  private void cancelOnceBegun(String id) {
    hub.host().awaitIdle();
    assertThat(log).contains("began");
    client.send("{'type':5,'invocationId':'" + id + "'}");
  }

  @Test
  void aCancellationIsToldWhoAsksForIt() {
    client.call("1", "told");
    cancelOnceBegun("1");
    client.expectResult("1", "'cancelled true'");
  }

  @Test
  void aMethodThatDeclaresItIsInterrupted() {
    client.call("1", "interrupted");
    cancelOnceBegun("1");
    client.expectError("1", "An unexpected error occurred invoking 'interrupted' on the server.");
    assertThat(log).containsExactly("began", "interrupted");
    client.call("2", "isInterrupted").expectResult("2", "'interrupted false'");
  }

  @Test
  void anInterruptDoesNotReachTheNextCallOfTheThread() {
    client.call("1", "busy").call("2", "isInterrupted");
    cancelOnceBegun("1");
    hub.host().awaitIdle();
    goOn.complete(null);
    client.expectResult("1", "'done'").expectResult("2", "'interrupted false'");
  }

  @Test
  void anotherIsLeftAlone() {
    client.call("1", "deaf");
    cancelOnceBegun("1");
    hub.host().awaitIdle();
    goOn.complete(null);
    client.expectResult("1", "'done'");
    assertThat(log).containsExactly("began", "interrupted false");
  }

  @Test
  void aCallThatHasNotBegunIsCancelledBeforeItDoes() {
    client.call("1", "deaf").call("2", "told").call("3", "interrupted");
    hub.host().awaitIdle();
    client.send("{'type':5,'invocationId':'2'}", "{'type':5,'invocationId':'3'}");
    hub.host().awaitIdle();
    goOn.complete(null);
    client.expectResult("1", "'done'").expectResult("2", "'cancelled true'");
    client.expectError("3", "An unexpected error occurred invoking 'interrupted' on the server.");
    assertThat(log).doesNotContain("interrupted");
  }

  @Test
  void theEndOfTheConnectionCancelsItsCalls() {
    client.call("1", "untilAborted");
    hub.host().awaitIdle();
    client.close();
    hub.host().awaitIdle();
    assertThat(log).containsExactly("began", "aborted");
  }
}
