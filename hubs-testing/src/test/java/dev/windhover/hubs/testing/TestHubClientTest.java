package dev.windhover.hubs.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.http.Application;
import dev.windhover.hubs.Hub;
import dev.windhover.hubs.HubContext;
import dev.windhover.hubs.HubException;
import dev.windhover.hubs.Hubs;
import dev.windhover.hubs.connections.TransportType;
import dev.windhover.testing.TestHost;
import dev.windhover.websocket.WebSocketOptions;
import dev.windhover.websocket.WebSockets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The kit's hub client against a hub, over each transport and in both protocols. */
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

    public Stream<String> upper(Stream<String> words) {
      return words.map(word -> word.toUpperCase(Locale.ROOT));
    }

    public String id() {
      return context().connectionId();
    }

    public void leave() {
      context().abort();
    }
  }

  /** How the client connects. */
  enum Way {
    SOCKET(_ -> {}),
    SOCKET_WITH_MESSAGE_PACK(TestHubClientOptions::messagePack),
    SOCKET_TO_COME_BACK(TestHubClientOptions::statefulReconnect),
    EVENTS(o -> o.transport(TransportType.SERVER_SENT_EVENTS)),
    POLLS(o -> o.transport(TransportType.LONG_POLLING)),
    POLLS_WITH_MESSAGE_PACK(o -> o.transport(TransportType.LONG_POLLING).messagePack());

    @SuppressWarnings("ImmutableEnumChecker") // they capture nothing
    private final Consumer<TestHubClientOptions> options;

    Way(Consumer<TestHubClientOptions> options) {
      this.options = options;
    }
  }

  private final Application application =
      new Application().use(new WebSockets(new WebSocketOptions().allowedOrigins("*")));
  private final Hubs hubs =
      Hubs.on(application)
          .map(
              "/talk",
              TalkHub.class,
              TalkHub::new,
              options -> options.connections(c -> c.allowStatefulReconnects(true)));
  private final TestHost host = TestHost.start(application);

  private TestHubClient connect(Way way) {
    return TestHubClient.connect(
        host,
        "/talk?room=5",
        options -> {
          way.options.accept(options);
          options.user("ann");
        });
  }

  @AfterEach
  void close() {
    host.close();
  }

  @ParameterizedTest
  @EnumSource
  void callsAreAnswered(Way way) {
    try (TestHubClient client = connect(way)) {
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
  @EnumSource
  void callsOfTheHubAreExpected(Way way) {
    try (TestHubClient client = connect(way)) {
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
  @EnumSource
  void argumentsAreReadAsWhatTheTestWants(Way way) {
    try (TestHubClient client = connect(way)) {
      client.send("say", "hi");
      ReceivedCall call = client.nextCall();
      assertThat(call.method()).isEqualTo("message");
      assertThat(call.arguments(String.class, String.class)).isEqualTo(List.of("ann", "hi"));
      assertThatThrownBy(() -> call.arguments(String.class, int.class))
          .isInstanceOf(AssertionError.class)
          .hasMessageStartingWith("other arguments than [class java.lang.String, int]: ");
      assertThatThrownBy(() -> call.argument(String.class)).isInstanceOf(AssertionError.class);
      TestHubCall<String> asked = client.call(String.class, "ask");
      ReceivedCall question = client.nextCall();
      assertThat(question.argument(String.class)).isEqualTo("really?");
      question.answer(false);
      assertThat(asked.result()).isEqualTo("no");
    }
  }

  @ParameterizedTest
  @EnumSource
  void theHubIsGivenResults(Way way) {
    try (TestHubClient client = connect(way)) {
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
  @EnumSource
  void streamsGoBothWays(Way way) {
    try (TestHubClient client = connect(way)) {
      TestHubCall<Integer> counted = client.stream(Integer.class, "count", 2);
      assertThat(counted.next()).isZero();
      assertThat(counted.next()).isEqualTo(1);
      counted.expectEnd();
      TestUpload numbers = client.upload();
      TestHubCall<Integer> sum = client.call(Integer.class, "sum", numbers);
      numbers.items(1, 2, 3).end();
      assertThat(sum.result()).isEqualTo(6);
      TestUpload words = client.upload();
      TestHubCall<String> loud = client.stream(String.class, "upper", words);
      words.items("a");
      assertThat(loud.next()).isEqualTo("A");
      words.items("b").end();
      assertThat(loud.next()).isEqualTo("B");
      loud.expectEnd();
    }
  }

  @ParameterizedTest
  @EnumSource
  void aClientMayConnectAnew(Way way) {
    try (TestHubClient client = connect(way)) {
      String id = client.connectionId();
      assertThat(client.invoke(String.class, "id")).isEqualTo(id);
      client.lose();
      client.reconnect();
      assertThat(client.connectionId()).isNotEqualTo(id);
      client.invoke("say", "here again");
      client.expectCall("message", "ann", "here again");
    }
  }

  @ParameterizedTest
  @EnumSource
  void theHubMayEndTheConnection(Way way) {
    try (TestHubClient client = connect(way)) {
      client.send("leave");
      client.expectClose(null, false);
    }
  }

  /** Pings of the hub, and polls that end with nothing, are not the test's business. */
  @ParameterizedTest
  @EnumSource
  void timeMayPassForAClient(Way way) {
    try (TestHubClient client = connect(way)) {
      host.clock().advance(Duration.ofMinutes(10));
      client.expectNoCall();
      assertThat(client.invoke(Integer.class, "add", 1, 2)).isEqualTo(3);
      host.clock().advance(Duration.ofMinutes(1));
    }
  }

  @ParameterizedTest
  @EnumSource
  void whatNobodyExpectedFailsTheTest(Way way) {
    TestHubClient client = connect(way);
    client.send("say", "hi");
    assertThatThrownBy(client::close)
        .isInstanceOf(AssertionError.class)
        .hasMessageStartingWith("left over: [");
    TestHubClient another = connect(way);
    TestHubCall<Integer> _ = another.call(Integer.class, "add", 1, 2);
    assertThatThrownBy(another::close)
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("left over: [Completion[");
    TestHubClient third = connect(way);
    third.send("leave");
    assertThatThrownBy(third::close)
        .isInstanceOf(AssertionError.class)
        .hasMessage("left over: [Close[error=null, allowReconnect=false]]");
  }

  @Test
  void aSilentClientIsTimedOutOnTheTestsClock() {
    try (TestHubClient client =
        TestHubClient.connect(host, "/talk", TestHubClientOptions::messagePack)) {
      client.ping();
      host.awaitIdle();
      host.clock().advance(Duration.ofSeconds(31));
      client.expectClose("Connection closed with an error.", true);
    }
  }

  @Test
  void aSlowClientIsDropped() {
    HubContext<Client> talk = hubs.context(TalkHub.class);
    try (TestHubClient client = TestHubClient.connect(host, "/talk")) {
      client.socket().stopTaking();
      for (int i = 0; i < 20; i++) { // more than a socket's queue holds
        talk.clients().all().message("ann", "x".repeat(100_000));
      }
      host.awaitIdle();
      client.socket().takeAll();
      client.expectLost();
      assertThat(client.nextCall().method()).isEqualTo("message"); // which had begun to leave
      client.reconnect();
      assertThat(client.invoke(Integer.class, "add", 1, 2)).isEqualTo(3);
    }
  }

  @Test
  void whatTheHubDoesNotOfferIsAnError() {
    assertThatThrownBy(() ->
            TestHubClient.connect(
                host, "/talk", o -> o.transport(TransportType.SERVER_SENT_EVENTS).messagePack()))
        .isInstanceOf(AssertionError.class)
        .hasMessageStartingWith("no ServerSentEvents with BINARY is offered: {");
    assertThatThrownBy(() -> TestHubClient.connect(host, "/nowhere"))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("but got 404");
  }

  // ---- Coming back

  private TestHubClient connectToComeBack() {
    return connect(Way.SOCKET_TO_COME_BACK);
  }

  @Test
  void aClientThatComesBackHasMissedNothing() {
    try (TestHubClient client = connectToComeBack();
        TestHubClient other = connect(Way.SOCKET)) {
      String id = client.connectionId();
      client.lose();
      other.invoke("say", "while you were away");
      other.expectCall("message", "ann", "while you were away");
      client.send("say", "while I was away"); // leaves when it is back
      other.expectNoCall();
      client.resume();
      client.expectCall("message", "ann", "while you were away");
      client.expectCall("message", "ann", "while I was away");
      other.expectCall("message", "ann", "while I was away");
      assertThat(client.invoke(String.class, "id")).isEqualTo(id).isEqualTo(client.connectionId());
    }
  }

  /** The hub does not hear that its calls have come, nor that it is called. */
  @Test
  void nothingComesTwice() {
    try (TestHubClient client = connectToComeBack();
        TestHubClient other = connect(Way.SOCKET)) {
      client.socket().holdAfter(0);
      other.invoke("say", "once");
      other.expectCall("message", "ann", "once");
      client.expectCall("message", "ann", "once");
      TestHubCall<Integer> sum = client.call(Integer.class, "add", 1, 2);
      client.lose();
      client.resume();
      assertThat(sum.result()).isEqualTo(3);
      client.expectNoCall();
      client.lose();
      client.resume();
      client.expectNoCall();
    }
  }

  @Test
  void aStreamSurvivesTheLossOfItsTransport() {
    try (TestHubClient client = connectToComeBack()) {
      TestUpload words = client.upload();
      TestHubCall<String> loud = client.stream(String.class, "upper", words);
      words.items("a");
      assertThat(loud.next()).isEqualTo("A");
      client.lose();
      words.items("b").end();
      client.resume();
      assertThat(loud.next()).isEqualTo("B");
      loud.expectEnd();
    }
  }

  @Test
  void whoIsAwayForTooLongMustConnectAnew() {
    try (TestHubClient client = connectToComeBack()) {
      client.lose();
      host.clock().advance(Duration.ofSeconds(17));
      assertThatThrownBy(client::resume)
          .isInstanceOf(AssertionError.class)
          .hasMessageContaining("404");
      client.reconnect();
      assertThat(client.invoke(Integer.class, "add", 1, 2)).isEqualTo(3);
    }
  }

  @Test
  void onlyOneThatCanComeBackResumes() {
    try (TestHubClient client = connect(Way.SOCKET)) {
      client.lose();
      assertThatThrownBy(client::resume)
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("the client has no stateful reconnect");
    }
  }
}
