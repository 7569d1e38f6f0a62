package dev.windhover.verification.backplane;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.samples.hub.server.HubServer;
import dev.windhover.verification.Repository;
import dev.windhover.verification.logs.StrictLogs;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Two servers of ours and one of the reference on one Redis, with a client of each protocol on
 * each. The reference is not part of the repository: where it is not beside it, the test says that
 * it was skipped.
 */
@Tag("full")
@ExtendWith(StrictLogs.class)
class MixedFleetTest {
  private static final int SERVERS = 3;

  private final HttpClient http = HttpClient.newHttpClient();
  private final RedisFleet fleet = new RedisFleet();
  private final List<WebApplication> ours = new ArrayList<>();
  private final List<String> servers = new ArrayList<>();

  /** Of each server, the one that speaks JSON, with a user of its own. */
  private final List<NetClient> json = new ArrayList<>();

  /** Of each server, the one that speaks MessagePack; all of them are one user. */
  private final List<NetClient> binary = new ArrayList<>();

  private final List<NetClient> all = new ArrayList<>();
  private @Nullable RedisServer redis;
  private @Nullable Process theirs;
  private int texts;

  @BeforeEach
  void start() throws Exception {
    Path reference = Repository.root().resolveSibling("shared/oracle/reference/start");
    if (!Files.isExecutable(reference)) {
      String text = "SKIPPED: the reference is not at " + reference;
      System.err.println("WARNING: " + text);
      Assumptions.abort(text);
    }
    RedisServer started = RedisServer.start();
    redis = started;
    int port = RedisServer.freePort();
    CompletableFuture<Void> ready = startTheirs(reference, port, started.port());
    for (int i = 0; i < 2; i++) {
      WebApplication app =
          HubServer.create(fleet.connect(started.url(), _ -> {}), "--urls=http://127.0.0.1:0");
      app.start();
      ours.add(app);
      servers.add(app.urls().getFirst());
    }
    ready.get(60, TimeUnit.SECONDS);
    servers.add("http://127.0.0.1:" + port);
    for (int i = 0; i < SERVERS; i++) {
      json.add(NetClient.connect(http, servers.get(i), "user" + i, false));
      binary.add(NetClient.connect(http, servers.get(i), "everywhere", true));
    }
    all.addAll(json);
    all.addAll(binary);
    for (NetClient each : all) {
      String _ = each.id(); // others reach it by then
    }
  }

  private CompletableFuture<Void> startTheirs(Path reference, int port, int redisPort)
      throws IOException {
    Process process =
        new ProcessBuilder(
                reference.toString(), "hubs", String.valueOf(port), "127.0.0.1:" + redisPort)
            .redirectErrorStream(true)
            .start();
    theirs = process;
    BufferedReader output =
        new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8));
    CompletableFuture<Void> ready = new CompletableFuture<>();
    Thread.ofVirtual()
        .start(() -> {
          output.lines().filter(line -> line.contains("ready")).forEach(_ -> ready.complete(null));
          ready.completeExceptionally(new AssertionError("the reference has ended"));
        });
    return ready;
  }

  @AfterEach
  void stop() throws Exception {
    all.forEach(NetClient::close);
    for (WebApplication app : ours) {
      app.stop();
    }
    fleet.close();
    killTheirs();
    if (redis != null) {
      redis.close();
    }
    http.close();
  }

  private void killTheirs() throws InterruptedException {
    if (theirs != null) {
      theirs.descendants().forEach(ProcessHandle::destroyForcibly);
      theirs.destroyForcibly().waitFor();
    }
  }

  private String newText() {
    return "text" + texts++;
  }

  private static List<NetClient> without(List<NetClient> clients, NetClient one) {
    return clients.stream().filter(each -> !each.equals(one)).toList();
  }

  private void hear(List<NetClient> clients, String text) throws InterruptedException {
    for (NetClient each : clients) {
      each.hears(text);
    }
  }

  // ---- Sends

  @Test
  void everySendReachesEveryServer() throws Exception {
    for (NetClient from : all) {
      String toAll = newText();
      from.call("All", toAll);
      hear(all, toAll);
      String toOthers = newText();
      from.call("Others", toOthers);
      hear(without(all, from), toOthers);
      String toUser = newText();
      from.call("ToUser", "everywhere", toUser);
      hear(binary, toUser);
      for (int i = 0; i < SERVERS; i++) {
        String toOne = newText();
        from.call("ToUser", "user" + i, toOne);
        json.get(i).hears(toOne);
      }
      for (NetClient to : all) {
        String toClient = newText();
        from.call("ToClient", to.id(), toClient);
        to.hears(toClient);
      }
    }
    for (String server : servers) {
      assertThat(get(server + "/send/any/Message").statusCode()).isEqualTo(200);
      hear(all, "from outside");
    }
    all.forEach(NetClient::hasHeardNothing);
  }

  @Test
  void groupsSpanTheServers() throws Exception {
    List<NetClient> members = List.of(json.get(0), binary.get(1), json.get(2), binary.get(2));
    for (NetClient each : members) {
      each.call("Join", "room");
    }
    for (NetClient from : all) {
      String toGroup = newText();
      from.call("ToGroup", "room", toGroup);
      hear(members, toGroup);
      String toOthers = newText();
      from.call("OthersInGroup", "room", toOthers);
      hear(without(members, from), toOthers);
    }
    for (NetClient each : members) {
      each.call("Leave", "room");
      String toGroup = newText();
      json.get(1).call("ToGroup", "room", toGroup);
      hear(members.subList(members.indexOf(each) + 1, members.size()), toGroup);
    }
    all.forEach(NetClient::hasHeardNothing);
  }

  @Test
  void everyServerChangesTheGroupsOfEveryOther() throws Exception {
    for (NetClient from : json) {
      for (NetClient to : all) {
        String group = newText();
        from.call("JoinOther", to.id(), group);
        for (NetClient sender : json) {
          String text = newText();
          sender.call("ToGroup", group, text);
          to.hears(text);
        }
        from.call("LeaveOther", to.id(), group);
        from.call("ToGroup", group, newText());
      }
    }
    String last = newText();
    json.getFirst().call("All", last);
    hear(all, last); // and nothing of what was sent to a group after they left it
    all.forEach(NetClient::hasHeardNothing);
  }

  // ---- Results

  private HttpResponse<String> get(String url) throws Exception {
    return http.send(
        HttpRequest.newBuilder(URI.create(url)).build(), HttpResponse.BodyHandlers.ofString());
  }

  private String result(int server, String id) throws Exception {
    return get(servers.get(server) + "/result/" + id).body();
  }

  @Test
  void everyServerAsksTheClientsOfEveryOther() throws Exception {
    for (NetClient each : all) {
      String id = each.id();
      for (int from = 0; from < SERVERS; from++) {
        each.answers(NetClient.Answer.SEVEN);
        assertThat(result(from, id)).isEqualTo("7");
        each.answers(NetClient.Answer.ERROR);
        assertThat(result(from, id)).isEqualTo("HubException: no");
      }
    }
  }

  @Test
  void aClientThatGoesAnswersNothing() throws Exception {
    for (NetClient each : all) {
      String id = each.id();
      int elsewhere = all.indexOf(each) % SERVERS == 0 ? 2 : 0;
      each.answers(NetClient.Answer.NOTHING);
      CompletableFuture<String> result =
          http.sendAsync(
                  HttpRequest.newBuilder(URI.create(servers.get(elsewhere) + "/result/" + id))
                      .build(),
                  HttpResponse.BodyHandlers.ofString())
              .thenApply(HttpResponse::body);
      each.isAsked();
      each.lose();
      assertThat(result.get()).isEqualTo("HubException: Connection disconnected.");
    }
  }

  @Test
  void nobodyIsAskedWhoIsNowhere() throws Exception {
    for (int from = 0; from < SERVERS; from++) {
      assertThat(result(from, "nobody")).endsWith("Connection 'nobody' does not exist.");
    }
  }

  // ---- The end of a server

  @Test
  void theOthersGoOnWhenOneIsKilled() throws Exception {
    String gone = json.get(2).id();
    killTheirs();
    List<NetClient> left = List.of(json.get(0), json.get(1), binary.get(0), binary.get(1));
    String text = newText();
    json.get(0).call("All", text);
    hear(left, text);
    assertThat(result(0, gone)).endsWith("Connection '%s' does not exist.".formatted(gone));
    assertThat(result(1, json.get(0).id())).isEqualTo("7");
  }
}
