package dev.windhover.hubs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.hubs.HubFixture.Client;
import java.util.Iterator;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HubUploadsTest {
  private final CountDownLatch mayRead = new CountDownLatch(1);
  private final CompletableFuture<String> failure = new CompletableFuture<>();
  private final AtomicInteger read = new AtomicInteger();

  public final class Uploads extends Hub<Void> {
    public int intStream(IntStream numbers) {
      return numbers.sum();
    }

    public long longStream(LongStream numbers) {
      return numbers.sum();
    }

    public int doubleStream(DoubleStream numbers) {
      return (int) numbers.sum();
    }

    public int stream(Stream<Integer> numbers) {
      return numbers.mapToInt(Integer::intValue).sum();
    }

    public int iterable(Iterable<Integer> numbers) {
      int sum = 0;
      for (int number : numbers) {
        sum += number;
      }
      return sum;
    }

    public int iterator(Iterator<Integer> numbers) {
      int sum = 0;
      while (numbers.hasNext()) {
        sum += numbers.next();
      }
      return sum;
    }

    public CompletableFuture<Integer> publisher(Flow.Publisher<Integer> numbers) {
      CompletableFuture<Integer> sum = new CompletableFuture<>();
      numbers.subscribe(
          new Flow.Subscriber<>() {
            private Flow.@Nullable Subscription subscription;
            private int soFar;

            @Override
            public void onSubscribe(Flow.Subscription subscription) {
              this.subscription = subscription;
              subscription.request(1);
            }

            @Override
            public void onNext(Integer number) {
              soFar += number;
              Objects.requireNonNull(subscription).request(1);
            }

            @Override
            public void onError(Throwable error) {
              sum.completeExceptionally(error);
            }

            @Override
            public void onComplete() {
              sum.complete(soFar);
            }
          });
      return sum;
    }

    /** Asks for nothing. */
    public String unwanted(Flow.Publisher<Integer> numbers) {
      CompletableFuture<String> end = new CompletableFuture<>();
      numbers.subscribe(
          new Flow.Subscriber<>() {
            @Override
            public void onSubscribe(Flow.Subscription subscription) {}

            @Override
            public void onNext(Integer number) {}

            @Override
            public void onError(Throwable error) {
              end.complete(error.getClass().getSimpleName());
            }

            @Override
            public void onComplete() {
              end.complete("complete");
            }
          });
      return end.join();
    }

    public String concat(Stream<String> first, String separator, Stream<String> second) {
      return Stream.concat(first, second).collect(Collectors.joining(separator));
    }

    public Stream<String> upper(Stream<String> words) {
      return words.map(String::toUpperCase);
    }

    public int slowly(Iterator<Integer> numbers) throws InterruptedException {
      mayRead.await();
      int count = 0;
      for (; numbers.hasNext(); numbers.next()) {
        count = read.incrementAndGet();
      }
      return count;
    }

    public @Nullable Integer first(Iterator<Integer> numbers) {
      return numbers.next();
    }

    public void untilTheEnd(Stream<Integer> numbers) {
      try {
        numbers.forEach(_ -> {});
        failure.complete("none");
      } catch (RuntimeException e) {
        failure.complete(e.getClass().getSimpleName() + ": " + e.getMessage());
      }
    }

    public String echo(String text) {
      return text;
    }
  }

  private final HubFixture hub = HubFixture.of(Uploads.class, Uploads::new);
  private final Client client = hub.connect();

  @AfterEach
  void end() {
    hub.close();
  }

  private void upload(String target, String arguments, String... streamIds) {
    client.send(
        "{'type':1,'invocationId':'1','target':'%s','arguments':[%s],'streamIds':[%s]}"
            .formatted(
                target,
                arguments,
                Stream.of(streamIds).map(id -> "'" + id + "'").collect(Collectors.joining(","))));
  }

  private void item(String id, String item) {
    client.send("{'type':2,'invocationId':'%s','item':%s}".formatted(id, item));
  }

  private void complete(String id) {
    client.send("{'type':3,'invocationId':'%s'}".formatted(id));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "intStream",
        "longStream",
        "doubleStream",
        "stream",
        "iterable",
        "iterator",
        "publisher"
      })
  void everyFormReadsWhatTheClientUploads(String form) {
    upload(form, "", "u");
    item("u", "1");
    item("u", "2");
    hub.host().awaitIdle();
    item("u", "3");
    complete("u");
    client.expectResult("1", "6");
  }

  @Test
  void aSubscriberThatAsksForNothingHearsOfTheEnd() {
    upload("unwanted", "", "u");
    complete("u");
    client.expectResult("1", "'complete'");
    upload("unwanted", "", "u");
    client.send("{'type':3,'invocationId':'u','error':'broken'}");
    client.expectResult("1", "'HubException'");
    upload("unwanted", "", "u");
    hub.host().awaitIdle();
    client.close(); // the fixture fails if a thread goes on
  }

  @Test
  void streamsHaveTheOrderOfTheirParameters() {
    upload("concat", "'-'", "a", "b");
    item("b", "'x'");
    complete("b");
    item("a", "'y'");
    item("a", "'z'");
    complete("a");
    client.expectResult("1", "'y-z-x'");
  }

  @Test
  void aMethodMayStreamBothWays() {
    client.send("{'type':4,'invocationId':'1','target':'upper','arguments':[],'streamIds':['u']}");
    item("u", "'a'");
    client.expect("{'type':2,'invocationId':'1','item':'A'}");
    item("u", "'b'");
    complete("u");
    client.expect("{'type':2,'invocationId':'1','item':'B'}", "{'type':3,'invocationId':'1'}");
  }

  @Test
  void aClientsErrorReachesTheReader() throws Exception {
    upload("untilTheEnd", "", "u");
    client.send("{'type':3,'invocationId':'u','error':'broken'}").expectResult("1", "null");
    assertThat(failure.get()).isEqualTo("HubException: broken");
  }

  @Test
  void anItemOfAnotherTypeEndsItsStreamOnly() throws Exception {
    upload("untilTheEnd", "", "u");
    item("u", "'x'");
    client.expectResult("1", "null");
    assertThat(failure.get()).startsWith("HubException: Failed to bind Stream message.");
    client.call("2", "echo", "'still here'").expectResult("2", "'still here'");
  }

  @Test
  void theEndOfTheConnectionReachesTheReader() throws Exception {
    upload("untilTheEnd", "", "u");
    hub.host().awaitIdle();
    client.close();
    assertThat(failure.get()).startsWith("CancellationException");
  }

  @Test
  void theNumberOfStreamsMustBeRight() {
    upload("stream", "");
    expectWrongStreams("stream", 0, 1);
    upload("stream", "", "a", "b");
    expectWrongStreams("stream", 2, 1);
    upload("echo", "'x'", "a");
    expectWrongStreams("echo", 1, 0);
    item("a", "1"); // of no stream
    client.call("2", "echo", "'still here'").expectResult("2", "'still here'");
  }

  private void expectWrongStreams(String target, int sent, int expected) {
    client.expectError(
        "1",
        "An unexpected error occurred invoking '%s' on the server. HubException: Client sent %d stream(s), Hub method expects %d."
            .formatted(target, sent, expected));
  }

  @Test
  void whatComesAfterTheMethodHasReturnedIsIgnored() {
    upload("first", "", "u");
    item("u", "7");
    client.expectResult("1", "7");
    for (int i = 0; i < 100; i++) {
      item("u", "8");
    }
    complete("u");
    client.call("2", "echo", "'x'").expectResult("2", "'x'");
  }

  @Test
  void aMethodThatReadsSlowlyHoldsUpItsClient() {
    upload("slowly", "", "u");
    for (int i = 0; i < 50; i++) {
      item("u", "1");
    }
    complete("u");
    client.call("2", "noSuch"); // would be answered at once, if it was read
    hub.host().awaitIdle();
    client.socket.expectNothing();
    mayRead.countDown();
    expectBoth();
  }

  private void expectBoth() {
    String[] answers = {client.socket.receiveText(), client.socket.receiveText()};
    assertThat(answers)
        .anyMatch(text -> text.contains("\"result\":50"))
        .anyMatch(text -> text.contains("Method does not exist."));
  }

  @Test
  void aStreamThatSomebodyElseReadsCannotBeReadAgain() {
    upload("slowly", "", "u");
    upload("slowly", "", "u");
    client.expectError(
        "1",
        "An unexpected error occurred invoking 'slowly' on the server. HubException: Invocation ID"
            + " 'u' is already in use.");
    mayRead.countDown();
    complete("u");
    client.expectResult("1", "0");
  }
}
