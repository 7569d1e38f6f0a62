package dev.windhover.hubs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.hubs.HubFixture.Client;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HubOrderTest {
  private final List<String> begun = new CopyOnWriteArrayList<>();
  private final Map<String, CountDownLatch> latches = new ConcurrentHashMap<>();

  public final class Ordered extends Hub<Void> {
    public String await(String name) throws InterruptedException {
      begun.add(name);
      latch(name).await();
      return name;
    }

    public String note(String name) {
      begun.add(name);
      return name;
    }

    @NonBlocking
    public String noteOnLoop(String name) {
      begun.add(name);
      return name;
    }

    public Stream<String> stream(String name) {
      begun.add(name);
      return Stream.of(name);
    }

    public String results(String name) throws InterruptedException {
      begun.add(name);
      context().releaseSlot(); // as a call that waits for its client does
      latch(name).await();
      return name;
    }
  }

  private CountDownLatch latch(String name) {
    return latches.computeIfAbsent(name, _ -> new CountDownLatch(1));
  }

  private HubFixture hub(int atATime) {
    return HubFixture.of(
        Ordered.class,
        Ordered::new,
        options -> options.maximumParallelInvocationsPerClient(atATime));
  }

  @Test
  void callsRunOneAfterTheOther() {
    try (HubFixture hub = hub(1)) {
      Client client = hub.connect();
      client.call("1", "await", "'a'").call("2", "note", "'b'").call("3", "noteOnLoop", "'c'");
      hub.host().awaitIdle();
      assertThat(begun).containsExactly("a");
      latch("a").countDown();
      client.expectResult("1", "'a'").expectResult("2", "'b'").expectResult("3", "'c'");
      assertThat(begun).containsExactly("a", "b", "c");
    }
  }

  @Test
  void twoAtATimeBeginInOrderAndOverlap() {
    try (HubFixture hub = hub(2)) {
      Client client = hub.connect();
      client.call("1", "await", "'a'").call("2", "await", "'b'").call("3", "note", "'c'");
      hub.host().awaitIdle();
      assertThat(begun).containsExactlyInAnyOrder("a", "b");
      latch("b").countDown();
      client.expectResult("2", "'b'").expectResult("3", "'c'");
      latch("a").countDown();
      client.expectResult("1", "'a'");
    }
  }

  @Test
  void aStreamDoesNotCount() {
    try (HubFixture hub = hub(1)) {
      Client client = hub.connect();
      client.call("1", "await", "'a'").stream("s", "stream", "'b'");
      client.expect("{'type':2,'invocationId':'s','item':'b'}", "{'type':3,'invocationId':'s'}");
      latch("a").countDown();
      client.expectResult("1", "'a'");
    }
  }

  @Test
  void aStreamBeginsAfterTheCallsBeforeIt() {
    try (HubFixture hub = hub(1)) {
      Client client = hub.connect();
      client.call("1", "await", "'a'").call("2", "await", "'b'").stream("s", "stream", "'c'");
      hub.host().awaitIdle();
      assertThat(begun).containsExactly("a");
      latch("a").countDown();
      client.expectResult("1", "'a'");
      client.expect("{'type':2,'invocationId':'s','item':'c'}", "{'type':3,'invocationId':'s'}");
      latch("b").countDown();
      client.expectResult("2", "'b'");
    }
  }

  @Test
  void aCallThatWaitsForItsClientLetsOthersBegin() {
    try (HubFixture hub = hub(1)) {
      Client client = hub.connect();
      client.call("1", "results", "'a'").call("2", "await", "'b'").call("3", "note", "'c'");
      hub.host().awaitIdle();
      assertThat(begun).containsExactly("a", "b");
      latch("a").countDown();
      client.expectResult("1", "'a'");
      hub.host().awaitIdle();
      assertThat(begun).containsExactly("a", "b");
      latch("b").countDown();
      client.expectResult("2", "'b'").expectResult("3", "'c'");
    }
  }

  @Test
  void aClientThatFloodsIsNotReadAheadOfItsCalls() {
    try (HubFixture hub = hub(1)) {
      Client client = hub.connect();
      client.call("first", "await", "'a'");
      String argument = "'" + "x".repeat(1000) + "'";
      int calls = 2_000;
      for (int i = 0; i < calls; i++) {
        client.call(String.valueOf(i), "await", argument);
      }
      client.call("none", "noSuch"); // would be answered at once, if it was read
      hub.host().awaitIdle();
      client.socket.expectNothing();
      assertThat(client.socket.isServerReading()).isFalse();
      latch("x".repeat(1000)).countDown();
      latch("a").countDown();
      client.expectResult("first", "'a'");
      List<String> ids = new ArrayList<>();
      for (int i = 0; i <= calls; i++) {
        String answer = client.socket.receiveText();
        ids.add(answer.substring(answer.indexOf("Id\":\"") + 5, answer.indexOf("\",\"", 20)));
      }
      assertThat(ids.indexOf("none")).isGreaterThan(calls - 100); // so many are read ahead at most
      assertThat(ids).filteredOn(id -> !id.equals("none")).isEqualTo(numbers(calls));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"note", "noteOnLoop"})
  void aClientThatTakesNoAnswersIsNotRead(String method) {
    try (HubFixture hub = hub(1)) {
      Client client = hub.connect();
      hub.host().allowHeldLoop(); // it runs hundreds of calls in a turn, on a busy machine too
      client.socket.stopTaking();
      int calls = 5_000;
      for (int i = 0; i < calls; i++) {
        client.call(String.valueOf(i), method, "'" + "x".repeat(1000) + "'");
      }
      hub.host().awaitIdle();
      assertThat(client.socket.isServerReading()).isFalse();
      assertThat(begun.size()).isLessThan(calls / 2);
      client.socket.takeAll();
      for (int i = 0; i < calls; i++) {
        assertThat(client.socket.receiveText()).contains("\"invocationId\":\"" + i + "\"");
      }
    }
  }

  private static List<String> numbers(int end) {
    return IntStream.range(0, end).mapToObj(String::valueOf).toList();
  }
}
