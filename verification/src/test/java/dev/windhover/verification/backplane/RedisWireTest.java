package dev.windhover.verification.backplane;

import static dev.windhover.verification.backplane.RecordedHub.FORMS;
import static dev.windhover.verification.backplane.RecordedHub.idOf;
import static dev.windhover.verification.backplane.RecordedHub.text;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.hubs.testing.TestHubClient;
import dev.windhover.verification.backplane.RedisServer.Monitor;
import dev.windhover.verification.backplane.RedisServer.Published;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Hex;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * What a server publishes and subscribes to, compared with what was recorded from the reference's.
 * Two things are ours: a fifth item of calls, which names the server and numbers its calls, and one
 * pattern in place of a channel for each connection.
 */
@ExtendWith(StrictLogs.class)
class RedisWireTest {
  /** The recorded id of a connection. */
  private static final String THEIR_ID = "9qPdymSZLSAjIu5B8fWNQ_";

  /** The recorded name of a server. */
  private static final String THEIR_SERVER = "vm_164f723d90dd446ea2de1659085b49b9";

  private RedisServer redis;
  private RecordedHub server;
  private Monitor monitor;
  private String name;

  @BeforeEach
  void start() throws Exception {
    redis = RedisServer.start();
    server =
        new RecordedHub(
            redis.url(), options -> options.acknowledgementLimit(Duration.ofMillis(200)));
    monitor = redis.monitor();
    name = RecordedHub.nameOn(redis);
  }

  @AfterEach
  void stop() throws IOException {
    if (redis != null) {
      monitor.close();
      server.close();
      redis.close();
    }
  }

  /** The next call is published on this channel, and is this in hex, without what is ours. */
  private void publishes(String channel, String exclusionsAndForms) throws IOException {
    Published next = monitor.next();
    assertThat(next.channel()).isEqualTo(channel);
    String recorded = exclusionsAndForms.replace(" ", "");
    String hex = Hex.of(next.payload());
    assertThat(hex).startsWith("95" + recorded + "c0c0"); // in place of 92
    String origin = text("1:" + name + ":").substring(4); // after its length, which may differ
    assertThat(hex.substring(recorded.length() + 6)).startsWith("d9").contains(origin);
  }

  // ---- Calls

  @Test
  void aCallOfAllHasEveryProtocol() throws IOException {
    server.hub().clients().all().message("x");
    publishes("TestHub:all", "90" + FORMS);
  }

  @Test
  void thoseWhoAreLeftOutComeFirst() throws IOException {
    server.hub().clients().allExcept(THEIR_ID).message("x");
    publishes("TestHub:all", "91" + text(THEIR_ID) + FORMS);
    server.hub().clients().groupExcept("room", THEIR_ID).message("x");
    publishes("TestHub:group:room", "91" + text(THEIR_ID) + FORMS);
  }

  @Test
  void groupsUsersAndConnectionsHaveTheirChannels() throws IOException {
    server.hub().clients().group("empty").message("x");
    publishes("TestHub:group:empty", "90" + FORMS);
    server.hub().clients().user("bob").message("x");
    publishes("TestHub:user:bob", "90" + FORMS);
    server.hub().clients().client(THEIR_ID).message("x");
    publishes("TestHub:connection:" + THEIR_ID, "90" + FORMS);
  }

  @Test
  void aConnectionOfThisServerNeedsNoRedis() throws IOException {
    try (TestHubClient ann = server.connectAs("ann")) {
      server.hub().clients().client(idOf(ann)).message("x");
      ann.expectCall("Message", "x");
      server.hub().clients().all().message("x");
      publishes("TestHub:all", "90" + FORMS); // first
      ann.expectCall("Message", "x");
    }
  }

  // ---- Subscriptions

  @Test
  void eachGroupAndUserHereIsSubscribedTo() throws IOException {
    var always =
        new String[] {
          "TestHub:all",
          "TestHub:internal:ack:" + name,
          "TestHub:internal:groups",
          "TestHub:internal:return:" + name
        };
    assertThat(redis.channels()).containsExactly(always);
    assertThat(redis.command("PUBSUB", "NUMPAT")).isEqualTo("2"); // connections, and the monitor
    TestHubClient ann = server.connectAs("ann");
    try (TestHubClient too = server.connectAs("ann")) {
      ann.invoke("join", "room");
      too.invoke("join", "room");
      assertThat(redis.channels()).contains("TestHub:user:ann", "TestHub:group:room").hasSize(6);
      ann.invoke("leave", "room");
      ann.close();
      server.host().awaitIdle();
      assertThat(redis.channels()).contains("TestHub:user:ann", "TestHub:group:room").hasSize(6);
      too.invoke("leave", "room");
      too.invoke("join", "hall"); // is confirmed after that
      assertThat(redis.channels()).contains("TestHub:user:ann", "TestHub:group:hall").hasSize(6);
    }
  }

  // ---- Groups of connections elsewhere

  @Test
  void aChangeOfAGroupElsewhereIsACommand() throws IOException {
    assertThat(server.hub().groups().add(THEIR_ID, "far")).isFalse(); // nobody obeys
    Published command = monitor.next();
    assertThat(command.channel()).isEqualTo("TestHub:internal:groups");
    assertThat(Hex.of(command.payload()))
        .isEqualTo("9501" + text(name) + "01a3666172" + text(THEIR_ID));
    assertThat(server.hub().groups().remove(THEIR_ID, "far")).isFalse();
    assertThat(Hex.of(monitor.next().payload()))
        .isEqualTo("9502" + text(name) + "02a3666172" + text(THEIR_ID));
  }

  @Test
  void aCommandIsObeyedAndAcknowledged() throws IOException {
    try (TestHubClient ann = server.connectAs("ann")) {
      String id = text(idOf(ann));
      publish("TestHub:internal:groups", "9507" + text(THEIR_SERVER) + "01a3666172" + id);
      assertThat(monitor.next().channel()).isEqualTo("TestHub:internal:groups");
      acknowledges("9107");
      assertThat(redis.channels()).contains("TestHub:group:far");
      publish("TestHub:internal:groups", "9508" + text(THEIR_SERVER) + "02a3666172" + id);
      assertThat(monitor.next().channel()).isEqualTo("TestHub:internal:groups");
      acknowledges("9108");
    }
  }

  private void acknowledges(String hex) throws IOException {
    Published next = monitor.next();
    assertThat(next.channel()).isEqualTo("TestHub:internal:ack:" + THEIR_SERVER);
    assertThat(Hex.of(next.payload())).isEqualTo(hex);
  }

  private void publish(String channel, String hex) throws IOException {
    assertThat(redis.publish(channel, Hex.bytes(hex))).isPositive();
  }

  @Test
  void nobodyWaitsForABackplaneThatIsClosed() throws Exception {
    try (RecordedHub one =
        new RecordedHub(
            redis.url(), options -> options.acknowledgementLimit(Duration.ofHours(1)))) {
      CompletableFuture<Boolean> added = new CompletableFuture<>();
      Thread _ =
          Thread.ofVirtual().start(() -> added.complete(one.hub().groups().add(THEIR_ID, "far")));
      assertThat(monitor.next().channel()).isEqualTo("TestHub:internal:groups");
      CompletableFuture<?> asked =
          one.hub()
              .clients()
              .untyped()
              .client(THEIR_ID)
              .invokeAsync(Integer.class, "Result")
              .toCompletableFuture();
      assertThat(monitor.next().channel()).isEqualTo("TestHub:connection:" + THEIR_ID);
      one.backplane().close();
      assertThat(added.get(10, TimeUnit.SECONDS)).isFalse();
      assertThatThrownBy(() -> asked.get(10, TimeUnit.SECONDS))
          .hasMessageContaining("other servers cannot be asked now");
    }
  }

  // ---- Results

  @Test
  void aResultIsAskedForWithItsIdAndReturnChannel() throws Exception {
    CompletableFuture<?> asked =
        server
            .hub()
            .clients()
            .untyped()
            .client(THEIR_ID)
            .invokeAsync(Integer.class, "Result")
            .toCompletableFuture();
    Published call = monitor.next();
    assertThat(call.channel()).isEqualTo("TestHub:connection:" + THEIR_ID);
    String id =
        new String(call.payload(), UTF_8)
            .replaceFirst("(?s).*?\"invocationId\":\"([^\"]{22})\".*", "$1");
    String json =
        "{\"type\":1,\"invocationId\":\"" + id + "\",\"target\":\"Result\",\"arguments\":[]}\u001e";
    String expected =
        "9590 82 a46a736f6e"
            + RecordedHub.binary(json.getBytes(UTF_8))
            + "ab6d6573736167657061636b c424 23960180"
            + text(id)
            + "a6526573756c749090"
            + text(id)
            + text("TestHub:internal:return:" + name);
    assertThat(Hex.of(call.payload())).startsWith(expected.replace(" ", ""));
    publish(
        "TestHub:internal:return:" + name,
        "92a46a736f6e"
            + RecordedHub.binary(
                ("{\"type\":3,\"invocationId\":\"" + id + "\",\"result\":7}\u001e")
                    .getBytes(UTF_8)));
    assertThat(asked.get()).isEqualTo(7);
  }

  @Test
  void theAnswersOfClientsAreForwardedAsTheyAre() throws IOException {
    String back = "TestHub:internal:return:vm_c46583731e92947e38a868891b423d64a71";
    try (TestHubClient ann = server.connectAs("ann");
        TestHubClient ben = server.connectMessagePackAs("ben")) {
      String id = "enjhSkJtSUaIbo+6LCXCWw";
      redis.publish("TestHub:connection:" + idOf(ann), Hex.bytes(ask(id, back)));
      ann.expectCall("Result").answer(7);
      String json = "{\"type\":3,\"invocationId\":\"" + id + "\",\"result\":7}\u001e";
      returns(back, "92a46a736f6e" + RecordedHub.binary(json.getBytes(UTF_8)));

      redis.publish("TestHub:connection:" + idOf(ben), Hex.bytes(ask(id, back)));
      ben.expectCall("Result").answer(7);
      returns(back, "92ab6d6573736167657061636bc41d1c950380" + text(id) + "0307");

      redis.publish("TestHub:connection:" + idOf(ann), Hex.bytes(ask(id, back)));
      ann.expectCall("Result").fail("no");
      String error = "{\"type\":3,\"invocationId\":\"" + id + "\",\"error\":\"no\"}\u001e";
      returns(back, "92a46a736f6e" + RecordedHub.binary(error.getBytes(UTF_8)));

      redis.publish("TestHub:connection:" + idOf(ann), Hex.bytes(ask(id, back)));
      ann.expectCall("Result");
      ann.lose();
      String gone =
          "{\"type\":3,\"invocationId\":\""
              + id
              + "\",\"error\":\"Connection disconnected.\"}\u001e";
      returns(back, "92a46a736f6e" + RecordedHub.binary(gone.getBytes(UTF_8)));
    }
  }

  @Test
  void aQuestionForNobodyIsAnsweredInItsOwnProtocol() throws IOException {
    String back = "TestHub:internal:return:" + THEIR_SERVER;
    try (TestHubClient ann = server.connectAs("ann")) {
      String id = "enjhSkJtSUaIbo+6LCXCWw";
      String gone = idOf(ann).substring(0, 8) + "gone";
      String binary =
          "9490 81 ab6d6573736167657061636b c424 23960180"
              + text(id)
              + "a6526573756c749090"
              + text(id)
              + text(back);
      redis.publish("TestHub:connection:" + gone, Hex.bytes(binary));
      assertThat(monitor.next().channel()).isEqualTo("TestHub:connection:" + gone);
      Published answer = monitor.next();
      assertThat(answer.channel()).isEqualTo(back);
      assertThat(Hex.of(answer.payload())).startsWith("92ab6d6573736167657061636b");
    }
  }

  @Test
  void aQuestionThatOthersWouldDropIsNotAsked() {
    assertThatThrownBy(() ->
            server
                .hub()
                .clients()
                .untyped()
                .client(THEIR_ID)
                .invokeAsync(Integer.class, "Result", "x".repeat(4 << 20)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageEndingWith("exceeds the backplane's limit of 4194304");
  }

  /** As recorded, but for the ids. */
  private static String ask(String id, String returnChannel) {
    String json =
        "{\"type\":1,\"invocationId\":\"" + id + "\",\"target\":\"Result\",\"arguments\":[]}\u001e";
    return "9490 82 a46a736f6e"
        + RecordedHub.binary(json.getBytes(UTF_8))
        + "ab6d6573736167657061636b c424 23960180"
        + text(id)
        + "a6526573756c749090"
        + text(id)
        + text(returnChannel);
  }

  private void returns(String channel, String hex) throws IOException {
    assertThat(monitor.next().channel()).startsWith("TestHub:connection:");
    Published answer = monitor.next();
    assertThat(answer.channel()).isEqualTo(channel);
    assertThat(Hex.of(answer.payload())).isEqualTo(hex.replace(" ", ""));
    assertThat(Arrays.copyOf(answer.payload(), 1)).containsExactly(0x92);
  }
}
