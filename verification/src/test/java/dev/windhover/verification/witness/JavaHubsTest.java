package dev.windhover.verification.witness;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.microsoft.signalr.HubConnection;
import com.microsoft.signalr.HubConnectionBuilder;
import com.microsoft.signalr.HubConnectionState;
import com.microsoft.signalr.HubException;
import com.microsoft.signalr.TransportEnum;
import dev.windhover.verification.logs.Logs;
import dev.windhover.verification.logs.StrictLogs;
import io.reactivex.rxjava3.core.Observable;
import io.reactivex.rxjava3.core.Single;
import io.reactivex.rxjava3.observers.TestObserver;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Microsoft's Java client, {@code com.microsoft.signalr}, with JSON: its MessagePack module is not
 * to be had from Maven Central.
 */
@ParameterizedClass
@EnumSource
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@ExtendWith(StrictLogs.class)
class JavaHubsTest {
  private static final long PATIENCE_SECONDS = 20;

  /** How it connects. The client has no event streams. */
  enum Way {
    WEB_SOCKETS(TransportEnum.WEBSOCKETS, false),
    WEB_SOCKETS_WITHOUT_NEGOTIATION(TransportEnum.WEBSOCKETS, true),
    LONG_POLLING(TransportEnum.LONG_POLLING, false);

    private final TransportEnum transport;
    private final boolean skipsNegotiation;

    Way(TransportEnum transport, boolean skipsNegotiation) {
      this.transport = transport;
      this.skipsNegotiation = skipsNegotiation;
    }
  }

  @Parameter Way way = Way.WEB_SOCKETS;
  @TempDir private static Path folder = Path.of("");

  /** The client warns of what still comes of a stream that it has cancelled. */
  private final Logs.Recording late =
      Logs.record(line -> line.text().startsWith("Dropped unsolicited Completion"));

  private final List<HubConnection> opened = new ArrayList<>();
  private @Nullable HubStage started;

  @BeforeAll
  void start() throws Exception {
    started = new HubStage(folder);
  }

  @AfterEach
  void closeConnections() {
    opened.forEach(connection -> connection.stop().blockingAwait());
    opened.clear();
  }

  @AfterAll
  void stop() {
    Objects.requireNonNull(started).close();
    late.close();
  }

  private HubConnection open() {
    HubConnection connection =
        HubConnectionBuilder.create(Objects.requireNonNull(started).url("http") + "/testhub")
            .withTransport(way.transport)
            .shouldSkipNegotiate(way.skipsNegotiation)
            .build();
    connection.setServerTimeout(TimeUnit.SECONDS.toMillis(PATIENCE_SECONDS * 2));
    connection.start().blockingAwait();
    opened.add(connection);
    return connection;
  }

  private static <T> T now(Single<T> answer) {
    return answer.timeout(PATIENCE_SECONDS, TimeUnit.SECONDS).blockingGet();
  }

  private static <T> T next(BlockingQueue<T> heard) throws InterruptedException {
    return Objects.requireNonNull(heard.poll(PATIENCE_SECONDS, TimeUnit.SECONDS), "nothing heard");
  }

  private static BlockingQueue<String> messagesOf(HubConnection connection) {
    BlockingQueue<String> heard = new LinkedBlockingQueue<>();
    connection.on("Message", heard::add, String.class);
    return heard;
  }

  @Test
  void callsAreAnswered() {
    HubConnection connection = open();
    assertThat(now(connection.invoke(String.class, "Echo", "hi"))).isEqualTo("hi");
    assertThat(now(connection.invoke(Integer.class, "Add", 40, 2))).isEqualTo(42);
    connection.invoke("Nothing").blockingAwait();
    assertThat(now(connection.invoke(String.class, "Transport")))
        .isEqualTo(way == Way.LONG_POLLING ? "LongPolling" : "WebSockets");
  }

  @Test
  void errorsArriveWithTheirText() {
    HubConnection connection = open();
    assertThatThrownBy(() -> now(connection.invoke(String.class, "Throw", "boom")))
        .isInstanceOf(HubException.class)
        .hasMessage(
            "An unexpected error occurred invoking 'Throw' on the server."
                + " InvalidOperationException: boom");
    assertThatThrownBy(() -> now(connection.invoke(String.class, "NoSuch")))
        .isInstanceOf(HubException.class)
        .hasMessage(
            "Failed to invoke 'NoSuch' due to an error on the server."
                + " HubException: Method does not exist.");
  }

  @Test
  void largeTextsBeyondAsciiComeBack() {
    HubConnection connection = open();
    for (String text : List.of("Grüße, 世界 🌍 <b>&\"'", "", "aé世🌍".repeat(2_500))) {
      assertThat(now(connection.invoke(String.class, "Echo", text))).isEqualTo(text);
    }
  }

  @Test
  void streamsComeDownAndCanBeCancelled() {
    HubConnection connection = open();
    assertThat(now(connection.stream(Integer.class, "Count", 100, 0).toList()))
        .isEqualTo(IntStream.range(0, 100).boxed().toList());
    assertThat(now(connection.stream(Integer.class, "Count", 1_000_000, 5).take(3).toList()))
        .containsExactly(0, 1, 2);
    assertThat(now(connection.invoke(String.class, "Echo", "free"))).isEqualTo("free");
    TestObserver<Integer> failing = new TestObserver<>();
    connection.stream(Integer.class, "CountThenThrow", "boom").blockingSubscribe(failing);
    failing.assertValues(1);
    failing.assertError(error ->
        Objects.equals(
            error.getMessage(),
            "An error occurred on the server while streaming results."
                + " InvalidOperationException: boom"));
  }

  @Test
  void streamsGoUp() {
    // The client posts the items without waiting for the call's answer, so they may overtake it.
    assumeFalse(way == Way.LONG_POLLING, "uploads over long polling are not in order");
    HubConnection connection = open();
    Observable<Integer> numbers = Observable.range(0, 100);
    assertThat(now(connection.invoke(Integer.class, "Sum", numbers))).isEqualTo(4_950);
    Observable<String> words = Observable.just("über", "out");
    assertThat(now(connection.stream(String.class, "Upper", words).toList()))
        .containsExactly("ÜBER", "OUT");
  }

  @Test
  void theServerCallsAndAsks() throws Exception {
    HubConnection connection = open();
    BlockingQueue<String> heard = messagesOf(connection);
    connection.onWithResult("Result", () -> Single.just(42));
    connection.send("Caller", "to you");
    assertThat(next(heard)).isEqualTo("to you");
    assertThat(now(connection.invoke(String.class, "AskCaller"))).isEqualTo("got 42");
  }

  @Test
  void membersOfAGroupHearWhatIsSentToIt() throws Exception {
    HubConnection ann = open();
    HubConnection bob = open();
    BlockingQueue<String> annHears = messagesOf(ann);
    BlockingQueue<String> bobHears = messagesOf(bob);
    String group = "group of " + way;
    ann.invoke("Join", group).blockingAwait();
    bob.invoke("Join", group).blockingAwait();
    bob.invoke("ToGroup", group, "both").blockingAwait();
    bob.invoke("OthersInGroup", group, "ann").blockingAwait();
    bob.invoke("Caller", "bob").blockingAwait();
    assertThat(List.of(next(annHears), next(annHears))).containsExactly("both", "ann");
    assertThat(List.of(next(bobHears), next(bobHears))).containsExactly("both", "bob");
  }

  @Test
  void manyCallsAtOnceGetTheirOwnAnswers() {
    HubConnection connection = open();
    List<Single<Integer>> calls =
        IntStream.range(0, 100)
            .mapToObj(i -> connection.invoke(Integer.class, "Add", i, i))
            .collect(Collectors.toList());
    assertThat(now(Single.concatEager(calls).toList()))
        .isEqualTo(IntStream.range(0, 100).map(i -> 2 * i).boxed().toList());
  }

  @Test
  void theServerMayClose() throws Exception {
    HubConnection connection = open();
    CompletableFuture<String> closed = new CompletableFuture<>();
    connection.onClosed(error -> closed.complete(String.valueOf(error)));
    connection.send("Abort");
    assertThat(closed.get(PATIENCE_SECONDS, TimeUnit.SECONDS)).isEqualTo("null");
    assertThat(connection.getConnectionState()).isEqualTo(HubConnectionState.DISCONNECTED);
  }
}
