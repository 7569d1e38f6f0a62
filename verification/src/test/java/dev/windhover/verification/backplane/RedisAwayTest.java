package dev.windhover.verification.backplane;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.hubs.backplane.BackplaneException;
import dev.windhover.hubs.redis.BackplaneHealth;
import dev.windhover.hubs.redis.RedisOptions;
import dev.windhover.hubs.redis.WhenAway;
import dev.windhover.hubs.testing.TestHubClient;
import dev.windhover.verification.logs.Logs;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.CuttingProxy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What happens while a real Redis is killed, paused or cut off, and when it is back. */
@ExtendWith(StrictLogs.class)
class RedisAwayTest {
  private final List<AutoCloseable> open = new ArrayList<>();
  private RedisServer redis;
  private Logs.Recording log;

  @BeforeEach
  void start() throws IOException {
    redis = RedisServer.start();
    log = Logs.record(line -> line.logger().startsWith("dev.windhover.hubs.redis."));
  }

  @AfterEach
  void stop() throws Exception {
    try {
      for (AutoCloseable each : open.reversed()) {
        each.close();
      }
    } finally {
      if (redis != null) {
        redis.close();
        log.close();
      }
    }
  }

  /** A server that notices soon, and tries again soon. */
  private RecordedHub server(String url, Consumer<RedisOptions> change)
      throws InterruptedException {
    RecordedHub server =
        new RecordedHub(
            url,
            options ->
                change.accept(
                    options
                        .timeLimit(Duration.ofMillis(500))
                        .heartbeat(Duration.ofMillis(100))
                        .retries(Duration.ofMillis(20), Duration.ofMillis(100))));
    open.add(server);
    return server;
  }

  private RecordedHub server() throws InterruptedException {
    return server(redis.url(), _ -> {});
  }

  private TestHubClient client(RecordedHub of) {
    TestHubClient client = of.connectAs("user");
    open.add(client);
    return client;
  }

  private static void await(RecordedHub server, BackplaneHealth health)
      throws InterruptedException {
    server.fleet().await(server.backplane(), health);
  }

  private static void say(RecordedHub from, String text) {
    from.hub().clients().all().message(text);
  }

  // ---- Killed

  @Test
  void clientsOfTheSameServerAreReachedWhileRedisIsAway() throws Exception {
    RecordedHub one = server();
    TestHubClient ann = client(one);
    redis.kill();
    await(one, BackplaneHealth.DOWN);
    say(one, "a");
    ann.expectCall("Message", "a");
    TestHubClient ben = client(one); // gets in
    ben.invoke("join", "room");
    one.hub().clients().group("room").message("b");
    ben.expectCall("Message", "b");
    one.hub().clients().user("user").message("c");
    ann.expectCall("Message", "c");
    ben.expectCall("Message", "c");
  }

  @Tag("full")
  @Test
  void groupsAndUsersAreRestoredBeforeAnythingIsPublished() throws Exception {
    RecordedHub one = server();
    RecordedHub two = server();
    TestHubClient ben = client(two);
    ben.invoke("join", "before");
    redis.kill();
    await(two, BackplaneHealth.DOWN);
    ben.invoke("join", "meanwhile");
    ben.invoke("leave", "before");
    redis.restart();
    await(one, BackplaneHealth.UP);
    await(two, BackplaneHealth.UP);
    one.hub().clients().group("before").message("a");
    one.hub().clients().group("meanwhile").message("b");
    one.hub().clients().user("user").message("c");
    ben.expectCall("Message", "b");
    ben.expectCall("Message", "c");
    assertThat(redis.channels()).contains("TestHub:group:meanwhile");
    assertThat(redis.channels()).doesNotContain("TestHub:group:before");
  }

  @Tag("full")
  @Test
  void aServerMayStartBeforeRedis() throws Exception {
    redis.kill();
    RecordedHub one = serverWithout();
    TestHubClient ann = client(one);
    say(one, "a");
    ann.expectCall("Message", "a");
    redis.restart();
    await(one, BackplaneHealth.UP);
    say(one, "b");
    ann.expectCall("Message", "b");
  }

  private RecordedHub serverWithout() {
    RecordedHub server =
        RecordedHub.begin(
            redis.url(),
            options ->
                options
                    .timeLimit(Duration.ofMillis(500))
                    .heartbeat(Duration.ofMillis(100))
                    .retries(Duration.ofMillis(20), Duration.ofMillis(100)));
    open.add(server);
    return server;
  }

  @Tag("full")
  @Test
  void messagesMayBeRefused() throws Exception {
    RecordedHub one = server(redis.url(), options -> options.whenAway(new WhenAway.Refuse()));
    TestHubClient ann = client(one);
    redis.kill();
    await(one, BackplaneHealth.DOWN);
    assertThatThrownBy(() -> say(one, "a"))
        .isInstanceOf(BackplaneException.class)
        .hasMessage("Redis is away: clients of other servers do not get the message");
    ann.expectCall("Message", "a");
    assertThat(one.backplane().counts().dropped()).isEqualTo(1);
  }

  @Tag("full")
  @Test
  void messagesAreKeptWithinALimit() throws Exception {
    RecordedHub one =
        server(
            redis.url(),
            options -> options.whenAway(new WhenAway.DropOldest()).maximumWaiting(3_000));
    RecordedHub two = server();
    TestHubClient ann = client(one);
    TestHubClient ben = client(two);
    redis.kill();
    await(one, BackplaneHealth.DOWN);
    await(two, BackplaneHealth.DOWN);
    for (int i = 0; i < 50; i++) {
      say(one, "m" + i);
      ann.expectCall("Message", "m" + i);
    }
    redis.restart();
    await(one, BackplaneHealth.UP);
    await(two, BackplaneHealth.UP);
    long dropped = one.backplane().counts().dropped();
    assertThat(dropped).isBetween(40L, 45L);
    say(one, "last");
    ann.expectCall("Message", "last");
    String heard;
    do {
      heard = argument(ben);
    } while (!heard.equals("last"));
  }

  private static String argument(TestHubClient client) {
    String call = client.nextCall().toString();
    return call.replaceFirst("(?s).*\"(\\w+)\".*", "$1");
  }

  @Tag("full")
  @Test
  void othersAreNotAskedWhileRedisIsAway() throws Exception {
    RecordedHub one = server();
    redis.kill();
    await(one, BackplaneHealth.DOWN);
    assertThatThrownBy(() -> one.hub().clients().client("elsewhere").result())
        .hasMessage("connection 'elsewhere' is not here, and other servers cannot be asked now");
    assertThat(one.hub().groups().add("elsewhere", "room")).isFalse();
  }

  @Tag("full")
  @Test
  void itIsLoggedOnceThatRedisIsAwayAndOnceThatItIsBack() throws Exception {
    RecordedHub one = server();
    redis.kill();
    await(one, BackplaneHealth.DOWN);
    say(one, "a");
    one.fleet().await(one.backplane(), BackplaneHealth.DOWN, Duration.ofMillis(300));
    redis.restart();
    await(one, BackplaneHealth.UP);
    assertThat(log.lines().stream().filter(line -> line.level().toInt() > 10))
        .extracting(Logs.Line::text)
        .containsExactly(
            "Redis at 127.0.0.1:%d is away: the connection was closed. Clients of this server are"
                    .formatted(redis.port())
                + " reached, others are not",
            "Redis at 127.0.0.1:%d is back: 1 payloads that waited are published, 0 messages were"
                    .formatted(redis.port())
                + " dropped, of 0 it is not known whether they arrived");
  }

  // ---- Paused

  @Test
  void aRedisThatDoesNotAnswerIsAway() throws Exception {
    RecordedHub one = server();
    TestHubClient ann = client(one);
    redis.pause();
    say(one, "a"); // on its way, and comes back only now
    ann.expectCall("Message", "a");
    await(one, BackplaneHealth.DOWN);
    say(one, "b");
    ann.expectCall("Message", "b");
    ann.invoke("join", "room"); // waits for nothing
    redis.resume();
    await(one, BackplaneHealth.UP);
    say(one, "c");
    ann.expectCall("Message", "c"); // and neither a nor b a second time
    one.hub().clients().group("room").message("d");
    ann.expectCall("Message", "d");
  }

  @Tag("full")
  @Test
  void nothingIsLostOrSentTwiceHereWhileRedisComesAndGoes() throws Exception {
    RecordedHub one = server();
    TestHubClient ann = client(one);
    one.host().allowHeldLoop(); // the machine is busy while Redis starts
    Thread talking =
        Thread.ofVirtual()
            .start(() -> {
              for (int i = 0; i < 1_000; i++) {
                say(one, "m" + i);
                LockSupport.parkNanos(300_000);
              }
            });
    for (int round = 0; round < 3; round++) {
      redis.kill();
      await(one, BackplaneHealth.DOWN);
      redis.restart();
      await(one, BackplaneHealth.UP);
    }
    Set<String> heard = new HashSet<>();
    for (int i = 0; i < 1_000; i++) {
      assertThat(heard.add(argument(ann))).isTrue();
    }
    talking.join();
    say(one, "end");
    ann.expectCall("Message", "end");
  }

  // ---- Cut

  @Test
  void aCutConnectionIsReplaced() throws Exception {
    try (CuttingProxy proxy = new CuttingProxy(redis.port())) {
      RecordedHub one = server("redis://127.0.0.1:" + proxy.port(), _ -> {});
      RecordedHub two = server();
      TestHubClient ann = client(one);
      TestHubClient ben = client(two);
      for (int i = 0; i < 3; i++) {
        proxy.cut();
        await(one, BackplaneHealth.DOWN);
        await(one, BackplaneHealth.UP);
        say(two, "a" + i);
        ann.expectCall("Message", "a" + i);
        ben.expectCall("Message", "a" + i);
        say(one, "b" + i);
        ann.expectCall("Message", "b" + i);
        ben.expectCall("Message", "b" + i);
      }
    }
  }

  @Test
  void whatWasSentMeanwhileReachesOthersInOrder() throws Exception {
    try (CuttingProxy proxy = new CuttingProxy(redis.port())) {
      RecordedHub one = server("redis://127.0.0.1:" + proxy.port(), _ -> {});
      RecordedHub two = server();
      TestHubClient ann = client(one);
      TestHubClient ben = client(two);
      proxy.cut();
      await(one, BackplaneHealth.DOWN);
      for (String each : List.of("a", "b", "c")) { // whether it is back or not
        say(one, each);
      }
      for (String each : List.of("a", "b", "c")) {
        ben.expectCall("Message", each);
      }
      for (int i = 0; i < 3; i++) {
        assertThat(argument(ann)).isIn("a", "b", "c"); // the order is given up for a moment
      }
    }
  }

  @Tag("full")
  @Test
  void aReplicaIsRefused() throws Exception {
    RecordedHub one = server();
    redis.command("REPLICAOF", "127.0.0.1", String.valueOf(RedisServer.freePort()));
    redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    await(one, BackplaneHealth.DOWN);
    assertThat(one.fleet().await(one.backplane(), BackplaneHealth.UP, Duration.ofMillis(300)))
        .isFalse();
    redis.command("REPLICAOF", "NO", "ONE");
    await(one, BackplaneHealth.UP);
  }
}
