package dev.windhover.hubs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.hubs.BareHub.Connection;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Asking clients, and what they answer. */
class ClientResultsTest {
  abstract static class AskHub extends Hub<AskHub.Client> {
    interface Client {
      int number();

      List<String> words(int most);

      int interruptible() throws InterruptedException;

      int checked() throws IOException;

      CompletableFuture<String> later();

      @Nullable Void done();

      int cancellable(String question, Cancellation cancellation);
    }
  }

  private final HubOptions options = new HubOptions().maximumClientResultsPerClient(3);

  @RegisterExtension final BareHub<AskHub.Client> fixture = new BareHub<>(AskHub.class, options);

  private AskHub.Client client(Connection connection) {
    return fixture.hub().context().clients().client(connection.id());
  }

  /** Runs on a virtual thread, as a hub method does. */
  private static <T extends @Nullable Object> FutureTask<T> start(Callable<T> call) {
    FutureTask<T> task = new FutureTask<>(call);
    Thread.ofVirtual().start(task);
    return task;
  }

  private static Throwable failureOf(FutureTask<?> task) throws InterruptedException {
    try {
      throw new AssertionError("no failure but " + task.get());
    } catch (ExecutionException e) {
      return Objects.requireNonNull(e.getCause());
    }
  }

  private int awaited() {
    return fixture.hub().results().size();
  }

  // ---- Results

  @Test
  void aResultIsReturned() throws Exception {
    Connection ann = fixture.connect();
    FutureTask<Integer> asked = start(() -> client(ann).number());
    String id = ann.isAsked("number");
    assertThat(id).isEqualTo("s1");
    ann.answers(id, "5");
    assertThat(asked.get()).isEqualTo(5);
    assertThat(awaited()).isZero();
  }

  @Test
  void aResultMayBeOfAGenericType() throws Exception {
    Connection ann = fixture.connect();
    FutureTask<List<String>> asked = start(() -> client(ann).words(2));
    ann.answers(ann.isAsked("words", "2"), "[\"a\",\"b\"]");
    assertThat(asked.get()).containsExactly("a", "b");
  }

  @Test
  void aResultMayComeLater() throws Exception {
    Connection ann = fixture.connect();
    CompletableFuture<String> asked = client(ann).later();
    CompletableFuture<Boolean> onVirtual = asked.thenApply(_ -> Thread.currentThread().isVirtual());
    ann.answers(ann.isAsked("later"), "\"now\"");
    assertThat(onVirtual.get()).isTrue(); // first: whoever gets a future may run what depends on it
    assertThat(asked.get()).isEqualTo("now");
  }

  @Test
  void aCallMayWaitForAnAnswerWithoutResult() throws Exception {
    Connection ann = fixture.connect();
    FutureTask<@Nullable Void> asked = start(() -> client(ann).done());
    ann.says("{\"type\":3,\"invocationId\":\"%s\"}".formatted(ann.isAsked("done")));
    assertThat(asked.get()).isNull();
  }

  @Test
  void aClientIsAskedByTheNameOfItsMethod() throws Exception {
    Connection ann = fixture.connect();
    SingleClientProxy client = fixture.clientsOf(ann).untyped().caller();
    FutureTask<@Nullable Integer> asked =
        start(() -> client.invoke(Integer.class, "Result", "a", 1));
    ann.answers(ann.isAsked("Result", "\"a\"", "1"), "5");
    assertThat(asked.get()).isEqualTo(5);
    CompletionStage<@Nullable Integer> later = client.invokeAsync(Integer.class, "Result");
    ann.answers(ann.isAsked("Result"), "6");
    assertThat(later.toCompletableFuture().get()).isEqualTo(6);
  }

  @Test
  void aWaitingCallLetsOthersBegin() throws Exception {
    Connection ann = fixture.connect();
    FutureTask<Integer> asked = start(() -> fixture.clientsOf(ann).caller().number());
    String id = ann.isAsked("number");
    assertThat(ann.released).hasValue(1);
    ann.answers(id, "5");
    assertThat(asked.get()).isEqualTo(5);
    fixture.clientsOf(ann).caller().later();
    assertThat(ann.released).hasValue(2);
    ann.isAsked("later");
  }

  // ---- Failures

  @Test
  void aClientsErrorIsThrownInItsWords() throws Exception {
    Connection ann = fixture.connect();
    FutureTask<Integer> asked = start(() -> client(ann).number());
    ann.says(
        "{\"type\":3,\"invocationId\":\"%s\",\"error\":\"no answer\"}"
            .formatted(ann.isAsked("number")));
    assertThat(failureOf(asked)).isInstanceOf(HubException.class).hasMessage("no answer");
  }

  @Test
  void anErrorIsThrownInTheThreadThatAsked() throws Exception {
    Connection ann = fixture.connect();
    FutureTask<Integer> asked = start(() -> client(ann).number());
    ann.says(
        "{\"type\":3,\"invocationId\":\"%s\",\"error\":\"no\"}".formatted(ann.isAsked("number")));
    assertThat(failureOf(asked).getStackTrace())
        .anyMatch(frame -> frame.getMethodName().equals("await"));
  }

  @Test
  void aResultOfAnotherTypeIsRefused() throws Exception {
    Connection ann = fixture.connect();
    FutureTask<Integer> asked = start(() -> client(ann).number());
    ann.answers(ann.isAsked("number"), "\"five\"");
    assertThat(failureOf(asked))
        .isInstanceOf(HubException.class)
        .hasMessageStartingWith("Error trying to deserialize result to int. ");
  }

  @Test
  void aResultThatIsMissingIsRefused() throws Exception {
    Connection ann = fixture.connect();
    FutureTask<Integer> asked = start(() -> client(ann).number());
    ann.says("{\"type\":3,\"invocationId\":\"%s\"}".formatted(ann.isAsked("number")));
    assertThat(failureOf(asked))
        .isInstanceOf(HubException.class)
        .hasMessage("the client has answered without a result");
  }

  @Test
  void aClientThatGoesAnswersNothing() throws Exception {
    Connection ann = fixture.connect();
    FutureTask<Integer> asked = start(() -> client(ann).number());
    FutureTask<Integer> checked = start(() -> client(ann).checked());
    ann.next();
    ann.next();
    CompletableFuture<String> later = client(ann).later();
    ann.isAsked("later");
    ann.client().reset();
    String text = "Connection '%s' disconnected.".formatted(ann.id());
    assertThat(failureOf(asked))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessage(text)
        .hasCauseInstanceOf(IOException.class);
    assertThat(failureOf(checked)).isExactlyInstanceOf(IOException.class).hasMessage(text);
    assertThatThrownBy(later::get).hasCauseInstanceOf(IOException.class);
    assertThat(awaited()).isZero();
  }

  @Test
  void aClientThatIsNotThereIsNotAsked() {
    AskHub.Client nobody = fixture.hub().context().clients().client("nobody");
    assertThatThrownBy(nobody::number)
        .isInstanceOf(UncheckedIOException.class)
        .hasMessage("Connection 'nobody' does not exist.");
    assertThatThrownBy(nobody::checked)
        .isInstanceOf(IOException.class)
        .hasMessage("Connection 'nobody' does not exist.");
    assertThat(nobody.later()).isCompletedExceptionally();
  }

  @Test
  void aResultIsAwaitedForALimitedTime() throws Exception {
    Connection ann = fixture.connect();
    FutureTask<Integer> asked = start(() -> client(ann).number());
    String id = ann.isAsked("number");
    fixture.host().clock().advance(Duration.ofMillis(29_999));
    assertThat(asked).isNotDone();
    fixture.host().clock().advance(Duration.ofMillis(1));
    assertThat(failureOf(asked))
        .isInstanceOf(UncheckedIOException.class)
        .hasCauseInstanceOf(SocketTimeoutException.class)
        .hasMessage("connection '%s' has not answered within PT30S".formatted(ann.id()));
    ann.answers(id, "5"); // nobody waits for it
    fixture.host().awaitIdle();
    assertThat(ann.refused).isEmpty();
  }

  @Test
  void theTimeMayBeGiven() throws Exception {
    Connection ann = fixture.connect();
    HubClients<AskHub.Client> clients = fixture.hub().context().clients();
    FutureTask<Integer> asked =
        start(() -> clients.resultTimeout(Duration.ofSeconds(1)).client(ann.id()).number());
    ann.isAsked("number");
    fixture.host().clock().advance(Duration.ofSeconds(1));
    assertThat(failureOf(asked)).hasCauseInstanceOf(SocketTimeoutException.class);
    assertThatThrownBy(() -> clients.resultTimeout(Duration.ZERO))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("resultTimeout PT0S is not positive");
  }

  @Test
  void aConnectionOwesALimitedNumberOfResults() throws Exception {
    Connection ann = fixture.connect();
    for (int i = 0; i < 3; i++) {
      client(ann).later();
      ann.isAsked("later");
    }
    assertThatThrownBy(() -> client(ann).later())
        .isInstanceOf(IllegalStateException.class)
        .hasMessage(
            "connection '%s' owes 3 results, the most that are allowed".formatted(ann.id()));
    ann.answers("s1", "\"\"");
    fixture.host().awaitIdle();
    client(ann).later();
    ann.isAsked("later");
  }

  @Test
  void anotherConnectionsAnswerIsRefused() throws Exception {
    Connection ann = fixture.connect();
    Connection eve = fixture.connect();
    FutureTask<Integer> asked = start(() -> client(ann).number());
    String id = ann.isAsked("number");
    eve.answers(id, "6");
    fixture.host().awaitIdle();
    assertThat(eve.refused).hasSize(1);
    assertThat(asked).isNotDone();
    ann.answers(id, "5");
    assertThat(asked.get()).isEqualTo(5);
  }

  @Test
  void anAnswerThatNobodyWaitsForIsIgnored() throws Exception {
    Connection ann = fixture.connect();
    ann.answers("s1", "5").answers("x", "5");
    fixture.host().awaitIdle();
    assertThat(ann.refused).isEmpty();
  }

  // ---- Where results cannot be

  @Test
  void manyClientsHaveNoResult() throws InterruptedException {
    Connection ann = fixture.connect();
    HubCallerClients<AskHub.Client> clients = fixture.clientsOf(ann);
    for (AskHub.Client each :
        List.of(
            clients.all(),
            clients.others(),
            clients.clients(ann.id()),
            clients.group("room"),
            clients.user("ann"))) {
      assertThatThrownBy(each::number)
          .isInstanceOf(UnsupportedOperationException.class)
          .hasMessageStartingWith("'number' has a result, and cannot be called on ")
          .hasMessageEndingWith(": only on caller() and client(id)");
    }
  }

  @Test
  void nobodyAnswersWhileOnConnectedRuns() throws InterruptedException {
    Connection ann = fixture.connect();
    ann.inOnConnected(true);
    for (AskHub.Client each :
        List.of(fixture.clientsOf(ann).caller(), fixture.clientsOf(ann).client("other"))) {
      assertThatThrownBy(each::number)
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("Client results inside OnConnectedAsync Hub methods are not allowed.");
    }
  }

  @Test
  void aLoopDoesNotWait() throws Exception {
    Connection ann = fixture.connect();
    var failure = new CompletableFuture<Throwable>();
    ann.connection()
        .loop()
        .execute(() -> {
          try {
            client(ann).number();
          } catch (IllegalStateException e) {
            failure.complete(e);
          }
        });
    assertThat(failure.get())
        .hasMessage(
            "an event loop cannot wait for the result of 'number': call it from a method that may"
                + " block");
    assertThat(awaited()).isZero();
  }

  // ---- Giving up

  @Test
  void anInterruptEndsTheWaitWhereThatIsDeclared() throws Exception {
    Connection ann = fixture.connect();
    var failure = new CompletableFuture<Throwable>();
    Thread asking =
        Thread.ofVirtual()
            .start(() -> {
              try {
                client(ann).interruptible();
              } catch (InterruptedException e) {
                failure.complete(e);
              }
            });
    ann.isAsked("interruptible");
    asking.interrupt();
    assertThat(failure.get()).isInstanceOf(InterruptedException.class);
    asking.join();
    assertThat(awaited()).isZero();
  }

  @Test
  void anInterruptIsKeptForLaterWhereItIsNot() throws Exception {
    Connection ann = fixture.connect();
    var interrupted = new CompletableFuture<Boolean>();
    Thread asking =
        Thread.ofVirtual()
            .start(() -> {
              client(ann).number();
              interrupted.complete(Thread.currentThread().isInterrupted());
            });
    String id = ann.isAsked("number");
    asking.interrupt();
    ann.answers(id, "5");
    assertThat(interrupted.get()).isTrue();
  }

  @Test
  void aCancellationEndsTheWaitAndIsNotSent() throws Exception {
    Connection ann = fixture.connect();
    var cancellation = new Cancellation();
    FutureTask<Integer> asked = start(() -> client(ann).cancellable("now?", cancellation));
    ann.isAsked("cancellable", "\"now?\"");
    cancellation.cancel();
    assertThat(failureOf(asked)).isInstanceOf(CancellationException.class);
    assertThat(awaited()).isZero();
  }

  @Test
  void aFutureMayBeCancelled() throws Exception {
    Connection ann = fixture.connect();
    CompletableFuture<String> later = client(ann).later();
    String id = ann.isAsked("later");
    later.cancel(false);
    assertThat(awaited()).isZero();
    ann.answers(id, "\"late\"");
    fixture.host().awaitIdle();
    assertThat(ann.refused).isEmpty();
  }
}
