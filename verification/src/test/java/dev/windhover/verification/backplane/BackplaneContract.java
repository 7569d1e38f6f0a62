package dev.windhover.verification.backplane;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.http.Application;
import dev.windhover.hubs.Hub;
import dev.windhover.hubs.HubContext;
import dev.windhover.hubs.HubException;
import dev.windhover.hubs.Hubs;
import dev.windhover.hubs.backplane.Backplane;
import dev.windhover.hubs.testing.ReceivedCall;
import dev.windhover.hubs.testing.TestHubClient;
import dev.windhover.testing.TestHost;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.websocket.WebSocketOptions;
import dev.windhover.websocket.WebSockets;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What hubs on two servers rely on, whatever connects them. */
@ExtendWith(StrictLogs.class)
abstract class BackplaneContract {
  /** Lets clients say who they are. */
  public static final class Room extends Hub<Room.Client> {
    /** What clients do. */
    public interface Client {
      /** Shows something. */
      void say(Object what);

      /** Answers with a number. */
      int number();

      /** As {@link #number}, but a connection that is lost is an ordinary case. */
      int riskyNumber() throws IOException;
    }

    /** Returns the caller's id. */
    public String id() {
      return context().connectionId();
    }

    /** Adds the caller to a group. */
    public void join(String group) {
      boolean _ = groups().add(group);
    }

    /** Removes the caller from a group. */
    public void leave(String group) {
      boolean _ = groups().remove(group);
    }

    /** Says something to all others. */
    public void others(int what) {
      clients().others().say(what);
    }

    /** Says numbers to all, in order. */
    public void allOf(int from, int to) {
      for (int i = from; i < to; i++) {
        clients().all().say(i);
      }
    }
  }

  private final Map<TestHost, HubContext<Room.Client>> hubs = new ConcurrentHashMap<>();
  private TestHost one;
  private TestHost two;

  /** Returns what one more server gives to its hubs, when it is ready. */
  abstract Backplane server() throws Exception;

  /** As {@link #server}, with a short time limit for changes of groups elsewhere, if it has one. */
  Backplane hastyServer() throws Exception {
    return server();
  }

  /** Closes what connects the servers. */
  abstract void closeBackplanes();

  @BeforeEach
  void startServers() throws Exception {
    one = start();
    two = start();
  }

  @AfterEach
  void stopServers() {
    one.close();
    two.close();
  }

  private TestHost start() throws Exception {
    return start(server());
  }

  private TestHost start(Backplane backplane) throws Exception {
    Application application =
        new Application().use(new WebSockets(new WebSocketOptions().allowedOrigins("*")));
    Hubs all = Hubs.on(application).backplane(backplane);
    all.map("/room", Room.class, Room::new);
    TestHost host = TestHost.start(application);
    hubs.put(host, all.context(Room.class));
    return host;
  }

  private HubContext<Room.Client> hub(TestHost of) {
    return Objects.requireNonNull(hubs.get(of));
  }

  /** A client that other servers reach: what it calls is answered after onConnected. */
  private static TestHubClient connect(TestHost to) {
    TestHubClient client = TestHubClient.connect(to, "/room");
    String _ = idOf(client);
    return client;
  }

  private static TestHubClient connectAs(String user, TestHost to) {
    TestHubClient client =
        TestHubClient.connect(to, "/room", options -> options.messagePack().user(user));
    String _ = idOf(client);
    return client;
  }

  private static String idOf(TestHubClient client) {
    return Objects.requireNonNull(client.invoke(String.class, "id"));
  }

  // ---- Sends

  @Test
  void allHearWhatIsForAll() {
    try (TestHubClient ann = connect(one);
        TestHubClient ben = connectAs("ben", two)) {
      hub(one).clients().all().say(1);
      ann.expectCall("say", 1);
      ben.expectCall("say", 1);
      hub(two).clients().all().say("two");
      ann.expectCall("say", "two");
      ben.expectCall("say", "two");
    }
  }

  @Test
  void someMayBeLeftOutWhereverTheyAre() {
    try (TestHubClient ann = connect(one);
        TestHubClient ben = connect(two);
        TestHubClient eve = connectAs("eve", two)) {
      ann.invoke("others", 1);
      ben.expectCall("say", 1);
      eve.expectCall("say", 1);
      hub(one).clients().allExcept(idOf(ben), "nobody").say(2);
      ann.expectCall("say", 2);
      eve.expectCall("say", 2);
      hub(two).clients().all().say(3);
      ann.expectCall("say", 3);
      ben.expectCall("say", 3); // and not 2
      eve.expectCall("say", 3);
    }
  }

  @Test
  void oneThreadsMessagesKeepTheirOrderEverywhere() {
    try (TestHubClient ann = connect(one);
        TestHubClient ben = connect(two)) {
      ann.invoke("allOf", 0, 100);
      for (int i = 0; i < 100; i++) {
        ann.expectCall("say", i);
        ben.expectCall("say", i);
      }
    }
  }

  @Test
  void aConnectionIsReachedById() {
    try (TestHubClient ann = connect(one);
        TestHubClient ben = connect(two)) {
      hub(one).clients().client(idOf(ben)).say(1);
      ben.expectCall("say", 1);
      hub(one).clients().clients(idOf(ann), idOf(ben), "nobody").say(2);
      ann.expectCall("say", 2);
      ben.expectCall("say", 2);
    }
  }

  @Test
  void aUserIsReachedOnAllServers() {
    try (TestHubClient ann = connectAs("ann", one);
        TestHubClient too = connectAs("ann", two);
        TestHubClient ben = connectAs("ben", two)) {
      hub(one).clients().user("ann").say(1);
      ann.expectCall("say", 1);
      too.expectCall("say", 1);
      hub(one).clients().users("ann", "ben").say(2);
      ann.expectCall("say", 2);
      too.expectCall("say", 2);
      ben.expectCall("say", 2);
    }
  }

  // ---- Groups

  @Test
  void aGroupHasMembersOnAllServers() {
    try (TestHubClient ann = connect(one);
        TestHubClient ben = connect(two);
        TestHubClient eve = connect(two)) {
      ann.invoke("join", "room");
      ben.invoke("join", "room");
      hub(one).clients().group("room").say(1);
      ann.expectCall("say", 1);
      ben.expectCall("say", 1);
      hub(two).clients().groupExcept("room", idOf(ann)).say(2);
      ben.expectCall("say", 2);
      ben.invoke("leave", "room");
      hub(two).clients().groups("room", "hall").say(3);
      hub(two).clients().all().say(4);
      ann.expectCall("say", 3); // and not 2
      ann.expectCall("say", 4);
      ben.expectCall("say", 4); // and not 3
      eve.expectCall("say", 4);
    }
  }

  @Test
  void aGroupIsReachedAsSoonAsItHasAMember() {
    try (TestHubClient ann = connect(one)) {
      for (int i = 0; i < 20; i++) {
        ann.invoke("join", "room");
        hub(two).clients().group("room").say(i);
        ann.expectCall("say", i);
        ann.invoke("leave", "room");
      }
    }
  }

  @Test
  void namesDifferInTheirCase() {
    try (TestHubClient ann = connect(one)) {
      ann.invoke("join", "Room");
      ann.invoke("join", "room");
      hub(two).clients().group("Room").say(1);
      ann.expectCall("say", 1);
      hub(two).clients().group("room").say(2);
      ann.expectCall("say", 2);
      hub(two).clients().group("ROOM").say(3);
      hub(two).clients().all().say(4);
      ann.expectCall("say", 4);
    }
  }

  @Test
  void aServerChangesTheGroupsOfAnothersConnections() {
    try (TestHubClient ann = connect(one)) {
      String id = idOf(ann);
      assertThat(hub(two).groups().add(id, "room")).isTrue();
      hub(two).clients().group("room").say(1);
      ann.expectCall("say", 1);
      assertThat(hub(two).groups().remove(id, "room")).isTrue();
      hub(two).clients().group("room").say(2);
      hub(two).clients().all().say(3);
      ann.expectCall("say", 3);
      assertThat(hub(one).groups().names()).isEmpty();
    }
  }

  @Test
  void nobodyConfirmsTheGroupsOfAConnectionThatIsNowhere() throws Exception {
    try (TestHost hasty = start(hastyServer())) {
      assertThat(hub(hasty).groups().add("nobody", "room")).isFalse();
      assertThat(hub(hasty).groups().remove("nobody", "room")).isFalse();
    }
  }

  @Test
  void theNameOfAGroupIsLimitedForOthersToo() {
    assertThatThrownBy(() -> hub(one).groups().add("nobody", "x".repeat(257)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("group name of 257 characters exceeds limit of 256");
  }

  // ---- Results

  private CompletableFuture<Integer> ask(TestHost from, String id) {
    return later(() -> hub(from).clients().client(id).number());
  }

  private static <T> CompletableFuture<T> later(Callable<T> work) {
    CompletableFuture<T> future = new CompletableFuture<>();
    Thread.ofVirtual()
        .start(() -> {
          try {
            future.complete(work.call());
          } catch (Exception e) {
            future.completeExceptionally(e);
          }
        });
    return future;
  }

  @Test
  void aServerAsksTheClientsOfAnother() throws Exception {
    try (TestHubClient ann = connect(one);
        TestHubClient ben = connectAs("ben", two)) {
      CompletableFuture<Integer> ofAnn = ask(two, idOf(ann));
      ann.expectCall("number").answer(5);
      assertThat(ofAnn.get()).isEqualTo(5);
      CompletableFuture<Integer> ofBen = ask(one, idOf(ben));
      ben.expectCall("number").answer(6);
      assertThat(ofBen.get()).isEqualTo(6);
    }
  }

  @Test
  void manyAnswersFindTheirQuestions() throws Exception {
    try (TestHubClient ann = connect(one)) {
      String id = idOf(ann);
      for (int round = 0; round < 10; round++) {
        List<CompletableFuture<Integer>> asked =
            List.of(ask(two, id), ask(one, id), ask(two, id), ask(one, id));
        List<ReceivedCall> heard =
            List.of(ann.nextCall(), ann.nextCall(), ann.nextCall(), ann.nextCall());
        for (int i = 3; i >= 0; i--) {
          heard.get(i).answer(i);
        }
        int sum = 0;
        for (CompletableFuture<Integer> each : asked) {
          sum += each.get();
        }
        assertThat(sum).isEqualTo(6);
      }
    }
  }

  @Test
  void anErrorOfAClientIsThrownWhereItWasAsked() {
    try (TestHubClient ann = connect(one)) {
      CompletableFuture<Integer> asked = ask(two, idOf(ann));
      ann.expectCall("number").fail("not now");
      assertThatThrownBy(asked::get)
          .isInstanceOf(ExecutionException.class)
          .cause()
          .isInstanceOf(HubException.class)
          .hasMessage("not now");
    }
  }

  @Test
  void aResultOfAnotherTypeIsRefusedWhereItWasAsked() {
    try (TestHubClient ann = connect(one)) {
      CompletableFuture<Integer> asked = ask(two, idOf(ann));
      ann.expectCall("number").answer("five");
      assertThatThrownBy(asked::get)
          .cause()
          .isInstanceOf(HubException.class)
          .hasMessageStartingWith("Error trying to deserialize result to int. ");
    }
  }

  @Test
  void aClientThatGoesAnswersNothing() {
    TestHubClient ann = connect(one);
    CompletableFuture<Integer> asked = ask(two, idOf(ann));
    ann.expectCall("number");
    ann.lose();
    assertThatThrownBy(asked::get).cause().hasMessage("Connection disconnected.");
  }

  @Test
  void aConnectionThatIsNowhereIsNotAsked() {
    assertThatThrownBy(() -> hub(one).clients().client("nobody").riskyNumber())
        .isInstanceOf(IOException.class)
        .hasMessage("Connection 'nobody' does not exist.");
  }

  @Test
  void aConnectionThatHasGoneIsNotAsked() {
    TestHubClient ann = connect(one);
    String id = idOf(ann);
    ann.close();
    one.awaitIdle();
    assertThatThrownBy(() -> hub(two).clients().client(id).number())
        .hasMessage("Connection '%s' does not exist.".formatted(id));
  }

  @Test
  void aResultIsAwaitedForALimitedTime() throws Exception {
    try (TestHubClient ann = connect(one)) {
      String id = idOf(ann);
      CompletableFuture<Integer> asked =
          later(() -> hub(two).clients().resultTimeout(Duration.ofMillis(1)).client(id).number());
      ReceivedCall call = ann.expectCall("number");
      assertThatThrownBy(asked::get)
          .hasMessageContaining("connection '%s' has not answered within PT0.001S".formatted(id));
      call.answer(1); // for nobody
      CompletableFuture<Integer> next = ask(two, id);
      ann.expectCall("number").answer(2);
      assertThat(next.get()).isEqualTo(2);
    }
  }

  // ---- The end

  @Test
  void aServerServesItsOwnClientsWhenItsBackplaneIsClosed() {
    try (TestHubClient ann = connect(one);
        TestHubClient ben = connect(two)) {
      String id = idOf(ben);
      closeBackplanes();
      hub(one).clients().all().say(1);
      ann.expectCall("say", 1);
      ann.invoke("join", "room");
      hub(one).clients().group("room").say(2);
      ann.expectCall("say", 2);
      assertThat(hub(one).groups().add(id, "room")).isFalse();
      assertThatThrownBy(() -> hub(one).clients().client(id).number())
          .hasMessage(
              "connection '%s' is not here, and other servers cannot be asked now".formatted(id));
    }
  }
}
