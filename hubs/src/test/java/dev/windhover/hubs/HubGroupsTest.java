package dev.windhover.hubs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.hubs.BareHub.Connection;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** How groups begin and end, and who is here. */
class HubGroupsTest {
  abstract static class RoomHub extends UntypedHub {}

  @RegisterExtension final BareHub<ClientProxy> fixture = new BareHub<>(RoomHub.class);

  private final HubContext<ClientProxy> outside = fixture.hub().context();
  private final GroupManager groups = outside.groups();

  // ---- Groups

  @Test
  void aGroupIsThereWhileItHasMembers() throws InterruptedException {
    Connection ann = fixture.connect();
    Connection ben = fixture.connect();
    assertThat(fixture.groupsOf(ann).add("room")).isTrue();
    assertThat(groups.add(ben.id(), "room")).isTrue();
    assertThat(groups.names()).containsExactly("room");
    assertThat(groups.count("room")).isEqualTo(2);
    assertThat(groups.members("room")).containsExactlyInAnyOrder(ann.id(), ben.id());
    assertThat(groups.remove(ann.id(), "room")).isTrue();
    assertThat(groups.members("room")).containsExactly(ben.id());
    assertThat(fixture.groupsOf(ben).remove("room")).isTrue();
    assertThat(groups.names()).isEmpty();
    assertThat(groups.members("room")).isEmpty();
  }

  @Test
  void aConnectionIsInAGroupOnceOrNot() throws InterruptedException {
    Connection ann = fixture.connect();
    assertThat(groups.remove(ann.id(), "room")).isFalse();
    assertThat(groups.add(ann.id(), "room")).isTrue();
    assertThat(groups.add(ann.id(), "room")).isFalse();
    assertThat(groups.count("room")).isEqualTo(1);
    outside.clients().group("room").send("say", 1);
    ann.hears("say", "1");
  }

  @Test
  void namesOfGroupsAreComparedExactly() throws InterruptedException {
    Connection ann = fixture.connect();
    groups.add(ann.id(), "room");
    groups.add(ann.id(), "Room");
    groups.remove(ann.id(), "room");
    assertThat(groups.names()).containsExactly("Room");
    outside.clients().group("ROOM").send("say", 1);
    outside.clients().group("Room").send("say", 2);
    ann.hears("say", "2");
  }

  @Test
  void namesOfGroupsHaveALimit() throws InterruptedException {
    Connection ann = fixture.connect();
    assertThat(groups.add(ann.id(), "x".repeat(256))).isTrue();
    assertThatThrownBy(() -> fixture.groupsOf(ann).add("x".repeat(257)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("group name of 257 characters exceeds limit of 256");
  }

  @Test
  void whoIsNotHereIsAddedToNothing() throws InterruptedException {
    Connection ann = fixture.connect();
    HubGroups own = fixture.groupsOf(ann);
    ann.client().close();
    fixture.host().awaitIdle();
    assertThat(own.add("room")).isFalse();
    assertThat(groups.add(ann.id(), "room")).isFalse();
    assertThat(groups.add("nobody", "room")).isFalse();
    assertThat(groups.names()).isEmpty();
  }

  @Test
  void anEndedConnectionHasLeftEverything() throws InterruptedException {
    Connection ann = fixture.connectAs("ann");
    for (int i = 0; i < 20; i++) {
      groups.add(ann.id(), "room" + i);
    }
    ann.client().reset();
    fixture.host().awaitIdle();
    assertThat(groups.names()).isEmpty();
    assertThat(outside.connections().count()).isZero();
    assertThat(outside.connections().ids()).isEmpty();
    assertThat(outside.connections().users()).isEmpty();
  }

  /** Nobody is forgotten, and nothing is left over. */
  @Test
  void joiningLeavingEndingAndSendingMayMeet() throws InterruptedException {
    fixture.host().allowLeftOvers(); // nobody looks at what the rooms hear
    for (int round = 0; round < 20; round++) {
      List<Connection> connections = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        connections.add(fixture.connectAs("user" + i % 2));
      }
      Connection listener = fixture.connect();
      groups.add(listener.id(), "news");
      var over = new AtomicBoolean();
      List<Thread> threads = new ArrayList<>();
      for (int thread = 0; thread < 4; thread++) {
        threads.add(
            Thread.ofVirtual()
                .start(() -> {
                  while (!over.get()) {
                    var random = ThreadLocalRandom.current();
                    String id = connections.get(random.nextInt(connections.size())).id();
                    String name = "room" + random.nextInt(2);
                    if (random.nextBoolean()) {
                      groups.add(id, name);
                    } else {
                      groups.remove(id, name);
                    }
                    outside.clients().group(name).send("say");
                    LockSupport.parkNanos(20_000); // the one who listens has a turn
                  }
                }));
      }
      for (int i = 0; i < 50; i++) {
        outside.clients().group("news").send("say", i);
        listener.hears("say", String.valueOf(i));
      }
      connections.forEach(each -> each.client().reset());
      over.set(true);
      for (Thread thread : threads) {
        thread.join();
      }
      fixture.host().awaitIdle();
      assertThat(groups.names()).containsExactly("news");
      assertThat(outside.connections().ids()).containsExactly(listener.id());
      groups.remove(listener.id(), "news");
      listener.client().reset();
    }
  }

  /** A member hears each message once, or not at all; at the end the books agree. */
  @Test
  void whoIsListedHearsAndWhoIsNotDoesNot() throws InterruptedException {
    Connection ann = fixture.connect();
    for (int round = 0; round < 300; round++) {
      List<Thread> threads = new ArrayList<>();
      for (int thread = 0; thread < 3; thread++) {
        boolean joins = thread != 1;
        threads.add(
            Thread.ofVirtual()
                .start(() -> {
                  if (joins) {
                    groups.add(ann.id(), "room");
                  } else {
                    groups.remove(ann.id(), "room");
                  }
                }));
      }
      for (Thread thread : threads) {
        thread.join();
      }
      boolean isListed = groups.members("room").contains(ann.id());
      assertThat(groups.count("room")).isEqualTo(isListed ? 1 : 0);
      outside.clients().group("room").send("say", round);
      if (isListed) {
        ann.hears("say", String.valueOf(round));
      }
      groups.remove(ann.id(), "room");
      assertThat(groups.names()).isEmpty();
      assertThat(Objects.requireNonNull(fixture.hub().peer(ann.id())).groups()).isZero();
    }
  }

  /** One that comes as the last member goes is in the group that others find. */
  @Test
  void theLastMayLeaveWhileAnotherJoins() throws InterruptedException {
    Connection ann = fixture.connect();
    Connection ben = fixture.connect();
    var over = new AtomicBoolean();
    Thread other =
        Thread.ofPlatform()
            .start(() -> {
              while (!over.get()) {
                groups.add(ben.id(), "room");
                groups.remove(ben.id(), "room");
              }
            });
    for (int i = 0; i < 2000; i++) {
      groups.add(ann.id(), "room");
      outside.clients().groupExcept("room", ben.id()).send("say", i);
      ann.hears("say", String.valueOf(i));
      groups.remove(ann.id(), "room");
    }
    over.set(true);
    other.join();
    assertThat(groups.names()).isEmpty();
  }

  @Test
  void whoIsRemovedWhileJoiningIsInNoGroup() throws InterruptedException {
    for (int round = 0; round < 100; round++) {
      Connection ann = fixture.connect(); // its socket stays open
      Thread other = Thread.ofVirtual().start(() -> fixture.hub().remove(ann));
      for (int i = 0; i < 20; i++) {
        groups.add(ann.id(), "room" + i);
      }
      other.join();
      assertThat(groups.names()).isEmpty();
      outside.clients().all().send("say");
    }
  }

  // ---- Who is here

  @Test
  void usersAreHereWhileTheyHaveAConnection() throws InterruptedException {
    Connection first = fixture.connectAs("ann");
    Connection second = fixture.connectAs("ann");
    fixture.connect();
    ConnectionManager here = outside.connections();
    assertThat(here.count()).isEqualTo(3);
    assertThat(here.users()).containsExactly("ann");
    assertThat(here.countOfUser("ann")).isEqualTo(2);
    first.client().close();
    fixture.host().awaitIdle();
    assertThat(here.users()).containsExactly("ann");
    assertThat(here.contains(first.id())).isFalse();
    assertThat(here.contains(second.id())).isTrue();
    second.client().close();
    fixture.host().awaitIdle();
    assertThat(here.users()).isEmpty();
    assertThat(here.countOfUser("ann")).isZero();
  }

  @Test
  void aConnectionMayBeEndedFromOutsideAfterWhatWasSent() throws InterruptedException {
    Connection ann = fixture.connect();
    outside.clients().client(ann.id()).send("bye");
    assertThat(outside.connections().abort(ann.id())).isTrue();
    ann.hears("bye");
    ann.client().expectClose(1000, "");
    fixture.host().awaitIdle();
    assertThat(outside.connections().abort(ann.id())).isFalse();
  }

  @Test
  void allConnectionsOfAUserMayBeEnded() throws InterruptedException {
    Connection first = fixture.connectAs("ann");
    Connection second = fixture.connectAs("ann");
    Connection ben = fixture.connectAs("ben");
    assertThat(outside.connections().abortUser("ann")).isEqualTo(2);
    assertThat(outside.connections().abortUser("nobody")).isZero();
    first.client().expectClose(1000, "");
    second.client().expectClose(1000, "");
    fixture.host().awaitIdle();
    assertThat(outside.connections().ids()).containsExactly(ben.id());
  }
}
