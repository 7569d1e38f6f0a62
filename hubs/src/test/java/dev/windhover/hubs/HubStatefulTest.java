package dev.windhover.hubs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.websocket.WhenFull;
import dev.windhover.hubs.HubFixture.Client;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class HubStatefulTest {
  public interface Peer {
    void message(String text);
  }

  private final AtomicInteger made = new AtomicInteger();
  private final List<String> log = new CopyOnWriteArrayList<>();

  public final class Stateful extends Hub<Peer> {
    @Override
    public void onConnected() {
      groups().add("all");
      clients().caller().message("welcome");
    }

    @Override
    public void onDisconnected(@Nullable Throwable error) {
      log.add("disconnected");
    }

    public String echo(String text) {
      log.add(text);
      return text;
    }

    public void toAll(String text) {
      clients().group("all").message(text);
    }

    public void policy(WhenFull policy, String text) {
      clients().whenFull(policy).group("all").message(text);
    }

    public void latest(String text) {
      clients().latest("key").group("all").message(text);
    }

    public Stream<Integer> count(int n) {
      return IntStream.range(0, n).peek(_ -> made.incrementAndGet()).boxed();
    }
  }

  private final HubFixture hub =
      HubFixture.of(
          Stateful.class,
          Stateful::new,
          options ->
              options
                  .enableDetailedErrors(true)
                  .statefulReconnectBufferSize(2_000)
                  .connections(connections -> connections.allowStatefulReconnects(true)));

  private String token = "";

  @AfterEach
  void end() {
    hub.close();
  }

  /** Connects a client that can come back. */
  private Client connect() {
    return connect(2);
  }

  private Client connect(int version) {
    String answer =
        hub.host()
            .request("POST", "/hub/negotiate?negotiateVersion=1&useStatefulReconnect=true")
            .send()
            .text();
    String name = "\"connectionToken\":\"";
    int start = answer.indexOf(name) + name.length();
    token = answer.substring(start, answer.indexOf('"', start));
    return reconnect().send("{'protocol':'json','version':%d}".formatted(version)).expect("{}");
  }

  private Client reconnect() {
    return new Client(hub.host().webSocket("/hub?id=" + token).connect());
  }

  private static final String WELCOME = message("welcome");

  private static String message(String text) {
    return "{'type':1,'target':'message','arguments':['" + text + "']}";
  }

  @Test
  void nothingWithANumberLeavesBeforeTheClientHasSpoken() {
    Client client = connect();
    hub.host().awaitIdle();
    client.send("{'type':6}").expect(WELCOME);
  }

  @Test
  void orBeforeASecondHasPassed() {
    Client client = connect();
    hub.advance(Duration.ofSeconds(1));
    client.expect(WELCOME);
  }

  @Test
  void whatWasReceivedIsAcknowledgedWithinASecond() {
    Client client = connect().send("{'type':6}").expect(WELCOME);
    client.call("1", "echo", "'x'").expectResult("1", "'x'");
    hub.advance(Duration.ofSeconds(1));
    client.expect("{'type':8,'sequenceId':1}");
    client.call("2", "echo", "'x'").expectResult("2", "'x'");
    client.call("3", "echo", "'x'").expectResult("3", "'x'");
    hub.advance(Duration.ofSeconds(1));
    client.expect("{'type':8,'sequenceId':3}");
  }

  @Test
  void aClientThatComesBackGetsWhatItHasNotAcknowledged() {
    Client client = connect().send("{'type':6}").expect(WELCOME);
    client.call("1", "echo", "'x'").expectResult("1", "'x'");
    client.send("{'type':8,'sequenceId':1}");
    client.socket.abort();
    hub.host().awaitIdle();
    Client again = reconnect();
    again.expect("{'type':9,'sequenceId':2}").expectResult("1", "'x'");
    again.send("{'type':9,'sequenceId':2}").call("2", "echo", "'y'").expectResult("2", "'y'");
    assertThat(log).containsExactly("x", "y");
  }

  @Test
  void whatIsSentWhileTheClientIsAwayWaitsForIt() {
    Client other = connect().send("{'type':6}").expect(WELCOME);
    Client client = connect().send("{'type':6}").expect(WELCOME);
    client.send("{'type':8,'sequenceId':1}");
    client.socket.abort();
    hub.host().awaitIdle();
    other.call("1", "toAll", "'a'").expect(message("a")).expectResult("1", "null");
    other.call("2", "toAll", "'b'").expect(message("b")).expectResult("2", "null");
    reconnect().expect("{'type':9,'sequenceId':2}", message("a"), message("b"));
  }

  @Test
  void aCallThatComesTwiceRunsOnce() {
    Client client = connect().send("{'type':6}").expect(WELCOME);
    client.call("1", "echo", "'once'").expectResult("1", "'once'");
    client.socket.abort();
    hub.host().awaitIdle();
    Client again = reconnect();
    again.expect("{'type':9,'sequenceId':1}", WELCOME).expectResult("1", "'once'");
    again.call("0", "echo", "'before the sequence: ignored'");
    again.send("{'type':9,'sequenceId':1}");
    again.call("1", "echo", "'once'").call("2", "echo", "'twice'").expectResult("2", "'twice'");
    assertThat(log).containsExactly("once", "twice");
  }

  @Test
  void aSequenceThatLeavesSomethingOutEndsTheConnection() {
    Client client = connect().send("{'type':6}").expect(WELCOME);
    client.socket.abort();
    hub.host().awaitIdle();
    Client again = reconnect().expect("{'type':9,'sequenceId':1}", WELCOME);
    again
        .send("{'type':9,'sequenceId':5}")
        .expectClosed(
            "Connection closed with an error. InvalidOperationException: Sequence ID greater than"
                + " amount of messages we've received.",
            true);
  }

  @Test
  void tooMuchForAClientThatIsAwayEndsItsConnection() {
    Client other = connect().send("{'type':6}").expect(WELCOME);
    Client client = connect().send("{'type':6}").expect(WELCOME);
    client.socket.abort();
    hub.host().awaitIdle();
    String text = "x".repeat(300);
    for (int i = 0; i < 6; i++) {
      other.call("1", "toAll", "'" + text + "'").expect(message(text)).expectResult("1", "null");
      other.send("{'type':8,'sequenceId':%d}".formatted(1 + 2 * (i + 1)));
    }
    hub.host().awaitIdle();
    assertThat(log).containsExactly("disconnected");
    hub.host().webSocket("/hub?id=" + token).expectStatus(404);
  }

  /** Sends long texts with a policy to a client that is away, and to one that is there. */
  private void sendWhileAway(String call, String... arguments) {
    Client other = connect().send("{'type':6}").expect(WELCOME);
    Client client = connect().send("{'type':6}").expect(WELCOME);
    client.send("{'type':8,'sequenceId':1}");
    client.socket.abort();
    hub.host().awaitIdle();
    for (int i = 0; i < 20; i++) {
      String[] all = Arrays.copyOf(arguments, arguments.length + 1);
      all[arguments.length] = "'" + longText(i) + "'";
      other.call("1", call, all).expect(message(longText(i))).expectResult("1", "null");
      other.send("{'type':8,'sequenceId':%d}".formatted(1 + 2 * (i + 1)));
    }
    hub.host().awaitIdle();
  }

  private static String longText(int i) {
    return i + "x".repeat(300);
  }

  @Test
  void theOldestAreDroppedForAClientThatIsAway() {
    sendWhileAway("policy", "'DROP_OLDEST'");
    Client client = reconnect().expect("{'type':9,'sequenceId':2}");
    for (int i = 16; i < 20; i++) { // as many as have room
      client.expect(message(longText(i)));
    }
    client.send("{'type':9,'sequenceId':1}", "{'type':8,'sequenceId':5}");
    client.call("1", "echo", "'x'").expectResult("1", "'x'");
    client.socket.abort(); // those that were dropped have no numbers
    hub.host().awaitIdle();
    reconnect().expect("{'type':9,'sequenceId':6}").expectResult("1", "'x'");
    assertThat(log).containsExactly("x");
  }

  @Test
  void theNewestAreDroppedForAClientThatIsAway() {
    sendWhileAway("policy", "'DROP_NEWEST'");
    Client client = reconnect().expect("{'type':9,'sequenceId':2}");
    for (int i = 0; i < 4; i++) {
      client.expect(message(longText(i)));
    }
    client.send("{'type':9,'sequenceId':1}");
    client.call("1", "echo", "'x'").expectResult("1", "'x'");
  }

  @Test
  void theLatestReplacesTheOneBeforeForAClientThatIsAway() {
    sendWhileAway("latest");
    Client client = reconnect().expect("{'type':9,'sequenceId':2}", message(longText(19)));
    client.send("{'type':9,'sequenceId':1}");
    client.call("1", "echo", "'x'").expectResult("1", "'x'");
  }

  @Test
  void theLatestReplacesTheOneBeforeForAClientThatIsSlow() {
    Client other = connect().send("{'type':6}").expect(WELCOME);
    Client client = connect().send("{'type':6}").expect(WELCOME);
    client.socket.stopTaking();
    String text = "x".repeat(4_000);
    for (int i = 0; i < 100; i++) { // more than has room in its socket
      other.call("1", "latest", "'" + i + text + "'");
      other.expect(message(i + text)).expectResult("1", "null");
      other.send("{'type':8,'sequenceId':%d}".formatted(1 + 2 * (i + 1)));
    }
    hub.host().awaitIdle();
    client.socket.takeAll();
    for (int i = 0; ; i++) {
      String record = client.socket.receiveText().replace(text, "");
      if (record.contains("99")) {
        assertThat(i).isBetween(15, 40);
        break;
      }
      assertThat(record).contains("[\"" + i + "\"]"); // these had left, and were not replaced
    }
    assertThat(log).isEmpty();
  }

  @Test
  void aClientThatAcknowledgesNothingIsSentEverythingButCannotComeBack() {
    Client client = connect().send("{'type':6}").expect(WELCOME);
    String text = "x".repeat(300);
    for (int i = 0; i < 10; i++) {
      client.send("{'type':1,'target':'toAll','arguments':['" + text + "']}");
      client.expect(message(text));
    }
    client.socket.abort();
    hub.host().awaitIdle();
    assertThat(log).containsExactly("disconnected");
  }

  @Test
  void butOneThatHasAcknowledgedItCan() {
    Client client = connect().send("{'type':6}").expect(WELCOME);
    String text = "x".repeat(300);
    for (int i = 0; i < 10; i++) {
      client.send("{'type':1,'target':'toAll','arguments':['" + text + "']}");
      client.expect(message(text));
    }
    client.send("{'type':8,'sequenceId':11}");
    client.socket.abort();
    hub.host().awaitIdle();
    reconnect().expect("{'type':9,'sequenceId':12}");
  }

  @Test
  void aStreamWaitsForAcknowledgements() {
    Client client = connect().send("{'type':6}").expect(WELCOME);
    client.stream("s", "count", "100");
    hub.host().awaitIdle();
    assertThat(made).hasValueLessThan(50);
    int items = 0;
    int acknowledged = 0;
    while (items < 100) {
      String item = "{'type':2,'invocationId':'s','item':%d}".formatted(items);
      client.expect(item);
      items++;
      if (items - acknowledged == 15) { // far fewer than there is room for
        acknowledged = items;
        client.send("{'type':8,'sequenceId':%d}".formatted(1 + acknowledged));
      }
    }
    client.expect("{'type':3,'invocationId':'s'}");
  }

  @Test
  void aClientOfTheFirstVersionCannotComeBack() {
    Client client = connect(1).expect(WELCOME);
    client.socket.abort();
    hub.host().awaitIdle();
    hub.host().webSocket("/hub?id=" + token).expectStatus(404);
    assertThat(log).containsExactly("disconnected");
  }
}
