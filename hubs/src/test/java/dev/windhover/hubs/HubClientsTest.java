package dev.windhover.hubs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.http.websocket.WhenFull;
import dev.windhover.hubs.BareHub.Connection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Who hears what a hub sends, in which order. */
class HubClientsTest {
  abstract static class TalkHub extends Hub<TalkHub.Client> {
    interface Client {
      void say(Object what);
    }
  }

  @RegisterExtension final BareHub<TalkHub.Client> fixture = new BareHub<>(TalkHub.class);

  private final HubContext<TalkHub.Client> outside = fixture.hub().context();

  @Nested
  class Audiences {
    Connection ann;
    Connection ben;
    Connection eve;

    @BeforeEach
    void connect() throws InterruptedException {
      ann = fixture.connectAs("ann");
      ben = fixture.connectAs("ben");
      eve = fixture.connect();
      fixture.groupsOf(ann).add("room");
      fixture.groupsOf(ben).add("room");
      fixture.groupsOf(eve).add("hall");
    }

    @Test
    void allHearWhatIsForAll() {
      outside.clients().all().say(1);
      ann.hears("say", "1");
      ben.hears("say", "1");
      eve.hears("say", "1");
    }

    @Test
    void someMayBeLeftOut() {
      outside.clients().allExcept(ann.id(), "nobody", eve.id()).say(1);
      ben.hears("say", "1");
    }

    @Test
    void theCallerAndTheOthersAreAll() {
      fixture.clientsOf(ann).caller().say(1);
      fixture.clientsOf(ann).others().say(2);
      ann.hears("say", "1");
      ben.hears("say", "2");
      eve.hears("say", "2");
    }

    @Test
    void connectionsAreKnownByTheirIds() {
      outside.clients().client(ann.id()).say(1);
      outside.clients().clients(ben.id(), eve.id()).say(2);
      ann.hears("say", "1");
      ben.hears("say", "2");
      eve.hears("say", "2");
    }

    @Test
    void anIdThatIsGivenTwiceCountsOnce() {
      outside.clients().clients(List.of(ann.id(), ann.id())).say(1);
      ann.hears("say", "1");
    }

    @Test
    void unknownIdsAndNamesAreIgnored() {
      outside.clients().client("nobody").say(1);
      outside.clients().clients("nobody", ann.id()).say(2);
      outside.clients().group("nowhere").say(3);
      outside.clients().groups("nowhere", "hall").say(4);
      outside.clients().user("nobody").say(5);
      outside.clients().users("nobody", "ben").say(6);
      ann.hears("say", "2");
      ben.hears("say", "6");
      eve.hears("say", "4");
    }

    @Test
    void aGroupHearsWhatIsForIt() {
      outside.clients().group("room").say(1);
      ann.hears("say", "1");
      ben.hears("say", "1");
    }

    @Test
    void someOfAGroupMayBeLeftOut() {
      outside.clients().groupExcept("room", ben.id(), eve.id()).say(1);
      fixture.clientsOf(ann).othersInGroup("room").say(2);
      ann.hears("say", "1");
      ben.hears("say", "2");
    }

    @Test
    void whoIsInTwoGroupsHearsItTwice() {
      fixture.groupsOf(ann).add("hall");
      outside.clients().groups("room", "hall").say(1);
      ann.hears("say", "1").hears("say", "1");
      ben.hears("say", "1");
      eve.hears("say", "1");
    }

    @Test
    void aUserHearsWithAllConnections() throws InterruptedException {
      Connection second = fixture.connectAs("ann");
      outside.clients().user("ann").say(1);
      outside.clients().users("ben", "Ann").say(2);
      ann.hears("say", "1");
      second.hears("say", "1");
      ben.hears("say", "2");
    }

    @Test
    void whoIsGoneIsNoMoreSpokenTo() {
      HubCallerClients<TalkHub.Client> clients = fixture.clientsOf(ann);
      ann.client().close();
      fixture.host().awaitIdle();
      clients.caller().say(1);
      outside.clients().client(ann.id()).say(2);
      clients.others().say(3);
      ben.hears("say", "3");
      eve.hears("say", "3");
    }

    @Test
    void whoIsCalledIsWrittenOut() {
      assertThat(outside.clients().groupExcept("room", "x"))
          .hasToString("Client of group room but [x]");
    }
  }

  // ---- Forms

  @Test
  void aMessageIsWrittenOnceForEachProtocolThatIsSpoken() throws InterruptedException {
    List<Connection> some =
        List.of(fixture.connect(), fixture.connect(), fixture.connect("?protocol=1"));
    outside.clients().all().say(1);
    some.forEach(each -> each.hears("say", "1"));
    assertThat(fixture.protocol(0).written()).isEqualTo(1);
    assertThat(fixture.protocol(1).written()).isEqualTo(1);
    some.getLast().client().close();
    fixture.host().awaitIdle();
    outside.clients().all().say(2);
    some.subList(0, 2).forEach(each -> each.hears("say", "2"));
    assertThat(fixture.protocol(1).written()).isEqualTo(1);
  }

  @Test
  void nothingIsWrittenForNobody() {
    outside.clients().all().say(1);
    outside.clients().group("room").say(1);
    assertThat(fixture.protocol(0).written()).isZero();
  }

  @Test
  void whatCannotBeWrittenFailsAtTheCallAndHurtsNobody() throws InterruptedException {
    Connection ann = fixture.connect();
    assertThatThrownBy(() -> outside.clients().all().say(Double.NaN))
        .isInstanceOf(IllegalArgumentException.class);
    outside.clients().all().say("well");
    ann.hears("say", "\"well\"");
  }

  // ---- Order

  @Test
  void whatAThreadSendsArrivesInThatOrderWhicheverWay() throws InterruptedException {
    Connection ann = fixture.connectAs("ann");
    fixture.groupsOf(ann).add("room");
    HubCallerClients<TalkHub.Client> clients = fixture.clientsOf(ann);
    for (int i = 0; i < 600; i += 6) {
      clients.all().say(i);
      clients.caller().say(i + 1);
      clients.group("room").say(i + 2);
      clients.user("ann").say(i + 3);
      clients.client(ann.id()).say(i + 4);
      ann.send(new dev.windhover.hubs.protocol.HubMessage.Invocation(null, "say", List.of(i + 5)));
    }
    for (int i = 0; i < 600; i++) {
      ann.hears("say", String.valueOf(i));
    }
  }

  @Test
  void aMemberHearsWhatIsSentBetweenJoiningAndLeaving() throws InterruptedException {
    Connection ann = fixture.connect();
    HubGroups groups = fixture.groupsOf(ann);
    for (int i = 0; i < 100; i++) {
      outside.clients().group("room").say("before");
      groups.add("room");
      outside.clients().group("room").say(i);
      groups.remove("room");
      outside.clients().group("room").say("after");
    }
    for (int i = 0; i < 100; i++) {
      ann.hears("say", String.valueOf(i));
    }
  }

  @Test
  void eachOfManyThreadsKeepsItsOrder() throws InterruptedException {
    Connection ann = fixture.connect();
    int threads = 4;
    int each = 100;
    List<Thread> senders =
        IntStream.range(0, threads)
            .mapToObj(thread ->
                Thread.ofVirtual()
                    .start(() -> {
                      for (int i = 0; i < each; i++) {
                        outside.clients().all().say(thread * 1000 + i);
                      }
                    }))
            .toList();
    int[] next = new int[threads];
    for (int i = 0; i < threads * each; i++) {
      int number = Integer.parseInt(ann.next().replaceFirst(".*\\[(.*)\\].*", "$1"));
      assertThat(number % 1000).isEqualTo(next[number / 1000]++);
    }
    for (Thread sender : senders) {
      sender.join();
    }
  }

  // ---- Slow clients

  @Test
  void aSlowClientIsDisconnectedAndDelaysNobody() throws InterruptedException {
    fixture.sendQueue(4096);
    Connection slow = fixture.connect();
    Connection quick = fixture.connect();
    slow.client().stopTaking();
    String text = "x".repeat(1000);
    int sent = 0;
    while (outside.connections().count() == 2) {
      outside.clients().all().say(text);
      quick.hears("say", "\"" + text + "\"");
      assertThat(++sent).isLessThan(1000);
    }
    fixture.host().allowLeftOvers();
  }

  @Test
  void theLatestCallReplacesEarlierOnesOfItsMethodAndKey() throws InterruptedException {
    fixture.sendQueue(4096);
    Connection slow = fixture.connect();
    slow.client().stopTaking();
    String text = "x".repeat(1000);
    for (int i = 0; i < 1000; i++) {
      outside.clients().latest("a").all().say(text + i);
      outside.clients().latest("b").client(slow.id()).say(i);
    }
    fixture.host().awaitIdle(); // the loop has queued all of them
    slow.client().takeAll();
    String last;
    int heard = 0;
    do {
      last = slow.next();
      heard++;
    } while (!last.contains("[999]"));
    assertThat(heard).isLessThan(500);
    fixture.host().allowLeftOvers();
  }

  @Test
  void nobodyWaitsForManyClients() {
    assertThatThrownBy(() -> outside.clients().whenFull(WhenFull.WAIT))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("WAIT would let all clients wait for the slowest");
  }

  // ---- Threads

  @Test
  void aLoopMaySend() throws Exception {
    Connection ann = fixture.connect();
    var done = new CompletableFuture<Void>();
    ann.connection()
        .loop()
        .execute(() -> {
          outside.clients().all().say(1);
          outside.clients().client(ann.id()).say(2);
          done.complete(null);
        });
    done.get();
    ann.hears("say", "1").hears("say", "2");
  }
}
