package dev.windhover.hubs;

import dev.windhover.http.host.Recipient;
import dev.windhover.http.host.Recipient.Membership;
import dev.windhover.http.host.Recipients;
import dev.windhover.hubs.protocol.HubProtocol;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A connection among the others of its hub, and the groups that it is in. Any thread. */
final class Peer {
  private static final Place[] NONE = {};
  private static final VarHandle PLACES;

  static {
    try {
      PLACES = MethodHandles.lookup().findVarHandle(Peer.class, "places", Place[].class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private record Place(Recipients group, Membership membership) {}

  private final HubConnection connection;

  /** The results that it owes. */
  private final AtomicInteger owed = new AtomicInteger();

  /** Few, so that a change copies them; null when it is gone. */
  private volatile Place @Nullable [] places = NONE;

  Peer(HubConnection connection) {
    this.connection = connection;
  }

  /** Returns one that is not, or no longer, among the others. */
  static Peer gone(HubConnection connection) {
    Peer peer = new Peer(connection);
    peer.end();
    return peer;
  }

  HubConnection connection() {
    return connection;
  }

  String id() {
    return connection.id();
  }

  Recipient recipient() {
    return connection.recipient();
  }

  HubProtocol protocol() {
    return connection.protocol();
  }

  HubOptions options() {
    return connection.options();
  }

  /** Joins what was entered; returns null if it cannot. */
  @Nullable Membership join(Recipients entered) {
    return entered.add(recipient(), protocol(), options().whenFull());
  }

  AtomicInteger owed() {
    return owed;
  }

  boolean isGone() {
    return places == null;
  }

  /** Returns how many groups it is in. */
  int groups() {
    Place[] known = places;
    return known == null ? 0 : known.length;
  }

  boolean isIn(Recipients group) {
    Place[] known = places;
    if (known != null) {
      for (Place each : known) {
        if (each.group.equals(group)) {
          return true;
        }
      }
    }
    return false;
  }

  /**
   * It has become a member of {@code group}; returns false if it leaves again, because it is gone.
   */
  boolean joined(Recipients group, Membership membership) {
    Place place = new Place(group, membership);
    Place[] before;
    Place[] after;
    do {
      before = places;
      if (before == null) {
        group.remove(recipient());
        return false;
      }
      after = Arrays.copyOf(before, before.length + 1);
      after[before.length] = place;
    } while (!PLACES.compareAndSet(this, before, after));
    if (membership.hasEnded()) {
      left(membership); // which may have been called too early
    }
    return true;
  }

  /** The membership has ended. */
  void left(Membership membership) {
    Place[] before;
    Place[] after;
    do {
      before = places;
      int index = before == null ? -1 : indexOf(before, membership);
      if (before == null || index < 0) {
        return;
      }
      after = before.length == 1 ? NONE : Arrays.copyOf(before, before.length - 1);
      if (after.length > 0) {
        System.arraycopy(before, index + 1, after, index, after.length - index);
      }
    } while (!PLACES.compareAndSet(this, before, after));
  }

  /** It leaves everything. */
  void end() {
    Place[] before = (Place[]) PLACES.getAndSet(this, null);
    if (before != null) {
      for (Place each : before) {
        each.group.remove(recipient());
      }
    }
  }

  private static int indexOf(Place[] places, Membership membership) {
    for (int i = 0; i < places.length; i++) {
      if (places[i].membership.equals(membership)) {
        return i;
      }
    }
    return -1;
  }
}
