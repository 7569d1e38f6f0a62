package dev.windhover.hubs.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.http.Application;
import dev.windhover.hubs.Hub;
import dev.windhover.hubs.HubException;
import dev.windhover.hubs.Hubs;
import dev.windhover.hubs.protocol.HubProtocol;
import dev.windhover.hubs.protocol.JsonHubProtocol;
import dev.windhover.hubs.protocol.MessagePackHubProtocol;
import dev.windhover.hubs.protocol.ValueOptions;
import dev.windhover.testing.TestHost;
import dev.windhover.websocket.WebSocketOptions;
import dev.windhover.websocket.WebSockets;
import java.time.Duration;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The kit's hub client against a hub, in both protocols. */
class TestHubClientTest {
  public interface Client {
    void message(String from, String text);

    boolean confirm(String question);
  }

  /** What the client meets. */
  public static final class TalkHub extends Hub<Client> {
    /** Says something to all. */
    public void say(String text) {
      clients().all().message(String.valueOf(context().userIdentifier()), text);
    }

    public int add(int a, int b) {
      return a + b;
    }

    public String fail(String why) {
      throw new HubException(why);
    }

    public IntStream count(int n) {
      return IntStream.range(0, n);
    }

    public int sum(Stream<Integer> numbers) {
      return numbers.mapToInt(Integer::intValue).sum();
    }

    public String ask() {
      return clients().caller().confirm("really?") ? "yes" : "no";
    }

    public void leave() {
      context().abort();
    }
  }

  private final TestHost host = start();

  private static TestHost start() {
    var application =
        new Application().use(new WebSockets(new WebSocketOptions().allowedOrigins("*")));
    Hubs.on(application).map("/talk", TalkHub.class, TalkHub::new);
    return TestHost.start(application);
  }

  static Stream<HubProtocol> protocols() {
    return Stream.of(
        new JsonHubProtocol(ValueOptions.DEFAULT),
        new MessagePackHubProtocol(ValueOptions.DEFAULT));
  }

  private TestHubClient connect(HubProtocol protocol) {
    return TestHubClient.connect(host, "/talk", protocol, request -> request.user("ann"));
  }

  @AfterEach
  void close() {
    host.close();
  }

  @ParameterizedTest
  @MethodSource("protocols")
  void callsAreAnswered(HubProtocol protocol) {
    try (TestHubClient client = connect(protocol)) {
      assertThat(client.invoke(Integer.class, "add", 1, 2)).isEqualTo(3);
      assertThatThrownBy(() -> client.invoke("fail", "not today"))
          .isInstanceOf(HubException.class)
          .hasMessage(
              "An unexpected error occurred invoking 'fail' on the server. HubException: not"
                  + " today");
      client
          .call(String.class, "nothing")
          .expectError(
              "Failed to invoke 'nothing' due to an error on the server. HubException: Method does"
                  + " not exist.");
    }
  }

  @ParameterizedTest
  @MethodSource("protocols")
  void callsOfTheHubAreExpected(HubProtocol protocol) {
    try (TestHubClient client = connect(protocol)) {
      client.send("say", "hi");
      client.expectCall("message", "ann", "hi");
      client.send("say", "ho");
      assertThatThrownBy(() -> client.expectCall("message", "ann", "hi"))
          .isInstanceOf(AssertionError.class)
          .hasMessageContaining("but got ");
      client.expectNoCall();
    }
  }

  @ParameterizedTest
  @MethodSource("protocols")
  void theHubIsGivenResults(HubProtocol protocol) {
    try (TestHubClient client = connect(protocol)) {
      TestHubCall<String> asked = client.call(String.class, "ask");
      client.expectCall("confirm", "really?").answer(true);
      assertThat(asked.result()).isEqualTo("yes");
      asked = client.call(String.class, "ask");
      client.nextCall().fail("do not ask me");
      asked.expectError(
          "An unexpected error occurred invoking 'ask' on the server. HubException: do not ask"
              + " me");
    }
  }

  @ParameterizedTest
  @MethodSource("protocols")
  void streamsGoBothWays(HubProtocol protocol) {
    try (TestHubClient client = connect(protocol)) {
      TestHubCall<Integer> counted = client.stream(Integer.class, "count", 2);
      assertThat(counted.next()).isZero();
      assertThat(counted.next()).isEqualTo(1);
      counted.expectEnd();
      TestUpload numbers = client.upload();
      TestHubCall<Integer> sum = client.call(Integer.class, "sum", numbers);
      numbers.items(1, 2, 3).end();
      assertThat(sum.result()).isEqualTo(6);
    }
  }

  @ParameterizedTest
  @MethodSource("protocols")
  void aClientMayComeBack(HubProtocol protocol) {
    try (TestHubClient client = connect(protocol)) {
      client.lose();
      client.reconnect();
      client.invoke("say", "here again");
      client.expectCall("message", "ann", "here again");
    }
  }

  @Test
  void theHubMayEndTheConnection() {
    try (TestHubClient client = TestHubClient.connect(host, "/talk")) {
      client.send("leave");
      client.expectClose(null, false);
    }
  }

  @Test
  void aSilentClientIsTimedOutOnTheTestsClock() {
    try (TestHubClient client = TestHubClient.connectMessagePack(host, "/talk")) {
      client.ping();
      host.awaitIdle();
      host.clock().advance(Duration.ofSeconds(31));
      client.expectClose("Connection closed with an error.", true);
    }
  }

  @Test
  void whatNobodyExpectedFailsTheTest() {
    TestHubClient client = TestHubClient.connect(host, "/talk");
    client.invoke("say", "hi");
    assertThatThrownBy(client::close)
        .isInstanceOf(AssertionError.class)
        .hasMessage(
            "left over: [{\"type\":1,\"target\":\"message\",\"arguments\":[\"null\",\"hi\"]}]");
  }
}
