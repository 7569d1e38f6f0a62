package dev.windhover.hubs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.hubs.HubFixture.Client;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Flow;
import java.util.concurrent.SubmissionPublisher;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HubStreamsTest {
  private final AtomicInteger made = new AtomicInteger();
  private final CountDownLatch closed = new CountDownLatch(1);

  public final class Streams extends Hub<Void> {
    public IntStream intStream(int n) {
      return IntStream.range(0, n);
    }

    public LongStream longStream(int n) {
      return LongStream.range(0, n);
    }

    public DoubleStream doubleStream(int n) {
      return IntStream.range(0, n).asDoubleStream();
    }

    public Stream<Integer> stream(int n) {
      return IntStream.range(0, n).boxed();
    }

    public Iterable<Integer> iterable(int n) {
      return IntStream.range(0, n).boxed().toList();
    }

    public Iterator<Integer> iterator(int n) {
      return IntStream.range(0, n).iterator();
    }

    public Flow.Publisher<Integer> publisher(int n) {
      return subscriber -> {
        SubmissionPublisher<Integer> publisher = new SubmissionPublisher<>(Runnable::run, 256);
        publisher.subscribe(subscriber);
        IntStream.range(0, n).forEach(publisher::submit);
        publisher.close();
      };
    }

    public CompletionStage<Stream<Integer>> later(int n) {
      return CompletableFuture.supplyAsync(() -> IntStream.range(0, n).boxed());
    }

    public List<Integer> list(int n) {
      return IntStream.range(0, n).boxed().toList();
    }

    public Stream<String> endless() {
      return Stream.generate(() -> "x".repeat(1000) + made.incrementAndGet())
          .onClose(closed::countDown);
    }

    public Stream<Integer> waiting(Cancellation cancellation) {
      CompletableFuture<Void> cancelled = new CompletableFuture<>();
      cancellation.onCancelled(() -> cancelled.complete(null));
      return Stream.iterate(
              0,
              i -> {
                cancelled.join();
                return i + 1;
              })
          .onClose(closed::countDown);
    }

    public Flow.Publisher<Integer> silent() {
      return subscriber ->
          subscriber.onSubscribe(
              new Flow.Subscription() {
                @Override
                public void request(long n) {}

                @Override
                public void cancel() {
                  closed.countDown();
                }
              });
    }

    public Stream<Integer> failing() {
      return Stream.of(1, 0)
          .map(i -> {
            if (i == 0) {
              throw new HubException("boom");
            }
            return i;
          })
          .onClose(closed::countDown);
    }

    public Stream<Integer> throwing() {
      throw new HubException("boom");
    }

    public @Nullable Stream<Integer> none() {
      return null;
    }

    public String echo(String text) {
      return text;
    }
  }

  private final HubFixture hub =
      HubFixture.of(Streams.class, Streams::new, options -> options.maximumStreamsPerClient(3));
  private final Client client = hub.connect();

  @AfterEach
  void end() {
    hub.close();
  }

  private void expectItems(String id, String... items) {
    for (String item : items) {
      client.expect("{'type':2,'invocationId':'%s','item':%s}".formatted(id, item));
    }
  }

  private void expectEnd(String id) {
    client.expect("{'type':3,'invocationId':'%s'}".formatted(id));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"intStream", "longStream", "stream", "iterable", "iterator", "publisher", "later"})
  void everyFormOfAStreamIsSentItemByItem(String form) {
    client.stream("s", form, "3");
    expectItems("s", "0", "1", "2");
    expectEnd("s");
    client.stream("t", form, "0");
    expectEnd("t");
  }

  @Test
  void aStreamOfDoublesIsOne() {
    client.stream("s", "doubleStream", "2");
    expectItems("s", "0.0", "1.0");
    expectEnd("s");
  }

  @Test
  void aListIsAValue() {
    client.call("1", "list", "2").expectResult("1", "[0,1]");
  }

  @Test
  void aStreamMustBeAskedForAsOne() {
    client
        .call("1", "stream", "1")
        .expectError(
            "1",
            "The client attempted to invoke the streaming 'stream' method with a non-streaming"
                + " invocation.");
    client.stream("2", "echo", "'x'")
        .expectError(
            "2",
            "The client attempted to invoke the non-streaming 'echo' method with a streaming"
                + " invocation.");
  }

  @Test
  void aStreamThatFailsEndsWithAnErrorAndIsClosed() throws InterruptedException {
    client.stream("s", "failing");
    expectItems("s", "1");
    client.expectError(
        "s", "An error occurred on the server while streaming results. HubException: boom");
    closed.await();
  }

  @Test
  void aMethodThatFailsBeforeItsStreamIsAFailedCall() {
    client.stream("s", "throwing")
        .expectError(
            "s",
            "An unexpected error occurred invoking 'throwing' on the server. HubException: boom");
  }

  @Test
  void aStreamThatIsNullIsAnError() {
    client.stream("s", "none")
        .expectError(
            "s",
            "The value returned by the streaming method 'none' is not a ChannelReader<> or"
                + " IAsyncEnumerable<>.");
  }

  @Test
  void aCancelledStreamEndsWithoutAnError() throws InterruptedException {
    client.stream("s", "waiting");
    expectItems("s", "0");
    client.send("{'type':5,'invocationId':'s'}");
    expectEnd("s");
    closed.await();
  }

  @Test
  void aPublisherThatIsSilentCanBeCancelled() throws InterruptedException {
    client.stream("s", "silent").send("{'type':5,'invocationId':'s'}");
    expectEnd("s");
    closed.await();
  }

  @Test
  void aStreamEndsWithItsConnection() throws InterruptedException {
    client.stream("s", "waiting");
    expectItems("s", "0");
    client.close();
    closed.await();
  }

  @Test
  void aStreamIsMadeAsFastAsTheClientTakesIt() throws InterruptedException {
    client.socket.stopTaking();
    client.stream("s", "endless");
    hub.host().awaitIdle();
    int ahead = made.get();
    assertThat(ahead).isBetween(1, 2_000);
    client.socket.takeAll();
    for (int i = 0; i < ahead + 100; i++) {
      assertThat(client.socket.receiveText()).contains("x" + (i + 1) + "\"");
    }
    client.send("{'type':5,'invocationId':'s'}");
    closed.await();
    hub.host().allowLeftOvers();
  }

  @Test
  void anIdServesOneStreamAtATime() {
    client.stream("s", "waiting");
    expectItems("s", "0");
    client.stream("s", "stream", "1");
    client.expectError("s", "Invocation ID 's' is already in use.");
    client.send("{'type':5,'invocationId':'s'}");
    expectEnd("s");
    hub.host().awaitIdle();
    client.stream("s", "stream", "1");
    expectItems("s", "0");
    expectEnd("s");
  }

  @Test
  void oneClientHasALimitedNumberOfStreams() {
    for (String id : List.of("a", "b", "c")) {
      client.stream(id, "waiting");
      expectItems(id, "0");
    }
    client.stream("d", "stream", "1");
    client.expectError(
        "d",
        "An unexpected error occurred invoking 'stream' on the server. HubException: The client has"
            + " more than 3 streams.");
    client.send("{'type':5,'invocationId':'b'}");
    expectEnd("b");
    hub.host().awaitIdle();
    client.stream("d", "stream", "1");
    expectItems("d", "0");
    expectEnd("d");
    client.send("{'type':5,'invocationId':'a'}", "{'type':5,'invocationId':'c'}");
    hub.host().allowLeftOvers();
  }

  @Test
  void aCancellationOfNothingIsIgnored() {
    client.send("{'type':5,'invocationId':'x'}").call("1", "echo", "'y'").expectResult("1", "'y'");
  }
}
