package dev.windhover.verification.backplane;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.hubs.redis.BackplaneHealth;
import dev.windhover.hubs.redis.RedisOptions;
import dev.windhover.hubs.testing.TestHubClient;
import dev.windhover.verification.Certificate;
import dev.windhover.verification.logs.Logs;
import dev.windhover.verification.logs.StrictLogs;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** A Redis as it is set up in production: with users, with TLS, with Sentinels. */
@Tag("full")
@ExtendWith(StrictLogs.class)
class RedisSetupTest {
  @TempDir private Path folder = Path.of("");

  /** Two servers share what is for a connection, for a group and for all. */
  private static void shares(RecordedHub one, RecordedHub two) {
    try (TestHubClient ann = one.connectAs("ann");
        TestHubClient ben = two.connectAs("ben")) {
      ben.invoke("join", "room");
      one.hub().clients().all().message("a");
      one.hub().clients().group("room").message("b");
      one.hub().clients().user("ben").message("c");
      one.hub().clients().client(RecordedHub.idOf(ben)).message("d");
      ann.expectCall("Message", "a");
      for (String each : new String[] {"a", "b", "c", "d"}) {
        ben.expectCall("Message", each);
      }
      assertThat(one.hub().groups().add(RecordedHub.idOf(ben), "far")).isTrue();
    }
  }

  private static void share(String url, Consumer<RedisOptions> change) throws Exception {
    try (RecordedHub one = new RecordedHub(url, change);
        RecordedHub two = new RecordedHub(url, change)) {
      shares(one, two);
    }
  }

  @Test
  void aUserNeedsFewRights() throws Exception {
    try (RedisServer redis = RedisServer.start()) {
      Object _ =
          redis.command(
              "ACL SETUSER hubs on >secret resetchannels &shop* -@all +publish +subscribe"
                  .concat(" +unsubscribe +role")
                  .split(" "));
      share(
          "redis://hubs:secret@127.0.0.1:" + redis.port(),
          options -> options.channelPrefix("shop").subscribeToEachConnection());
    }
  }

  @Test
  void aUserWithoutRightsIsToldWhatIsMissing() throws Exception {
    try (RedisServer redis = RedisServer.start();
        Logs.Recording log =
            Logs.record(line -> line.logger().startsWith("dev.windhover.hubs.redis."));
        RedisFleet fleet = new RedisFleet()) {
      Object _ =
          redis.command(
              "ACL SETUSER hubs on >secret resetchannels -@all +publish +role".split(" "));
      var backplane = fleet.begin("redis://hubs:secret@127.0.0.1:" + redis.port(), options -> {});
      fleet.await(backplane, BackplaneHealth.DOWN);
      assertThat(log.lines()).first().extracting(Logs.Line::text).asString().contains("NOPERM");
    }
  }

  @Test
  void connectionsMayBeEncrypted() throws Exception {
    Path certificate = Certificate.USUAL.writeCertificate(folder.resolve("c.pem"));
    Path key = Certificate.USUAL.writeKey(folder.resolve("k.pem"));
    int tls = RedisServer.freePort();
    try (RedisServer _ =
        RedisServer.start(
            "--tls-port",
            String.valueOf(tls),
            "--tls-cert-file",
            certificate.toString(),
            "--tls-key-file",
            key.toString(),
            "--tls-auth-clients",
            "no")) {
      share("rediss://127.0.0.1:" + tls, options -> options.trustedCertificates(certificate));
    }
  }

  @Test
  void aReplicaTakesOver() throws Exception {
    try (RedisServer primary = RedisServer.start();
        RedisServer replica = RedisServer.start("--replicaof", "127.0.0.1 " + primary.port());
        RedisServer sentinel = RedisServer.startSentinel(primary, folder);
        Logs.Recording _ =
            Logs.record(line -> line.logger().startsWith("dev.windhover.hubs.redis."))) {
      awaitReplica(sentinel);
      String url = "redis-sentinel://127.0.0.1:" + sentinel.port() + "#main";
      Consumer<RedisOptions> soon =
          options ->
              options
                  .timeLimit(Duration.ofSeconds(2))
                  .retries(Duration.ofMillis(20), Duration.ofMillis(200));
      try (RecordedHub one = new RecordedHub(url, soon);
          RecordedHub two = new RecordedHub(url, soon)) {
        shares(one, two);
        primary.kill();
        for (RecordedHub each : new RecordedHub[] {one, two}) {
          each.fleet().await(each.backplane(), BackplaneHealth.DOWN);
        }
        for (RecordedHub each : new RecordedHub[] {one, two}) {
          assertThat(
                  each.fleet().await(each.backplane(), BackplaneHealth.UP, Duration.ofSeconds(30)))
              .isTrue();
        }
        shares(one, two);
        assertThat(replica.channels()).contains("TestHub:all");
      }
    }
  }

  /** Waits until the Sentinel knows the replica, which it asks for every ten seconds at first. */
  private static void awaitReplica(RedisServer sentinel) throws IOException {
    long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (((Object[]) sentinel.command("SENTINEL", "REPLICAS", "main")).length == 0) {
      assertThat(end - System.nanoTime()).as("the Sentinel knows no replica").isPositive();
      LockSupport.parkNanos(Duration.ofMillis(100).toNanos());
    }
  }
}
