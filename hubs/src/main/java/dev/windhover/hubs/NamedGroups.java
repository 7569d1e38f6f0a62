package dev.windhover.hubs;

import dev.windhover.http.host.Recipient.Membership;
import dev.windhover.http.host.Recipients;
import java.util.List;
import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Groups that begin with their first member and are gone with the last. Any thread. */
final class NamedGroups {
  /** This map takes no lock; others do. */
  private final ConcurrentNavigableMap<String, Recipients> groups = new ConcurrentSkipListMap<>();

  /** Is told of a group that is gone. */
  private final Consumer<String> gone;

  NamedGroups() {
    this(_ -> {});
  }

  /**
   * Creates one without groups.
   *
   * @param gone called with the name of a group that is gone, by any thread; there may be another
   *     one of that name since
   */
  NamedGroups(Consumer<String> gone) {
    this.gone = gone;
  }

  /** Returns false if nothing changed: {@code peer} is a member, or can be sent nothing more. */
  boolean add(String name, Peer peer) {
    while (true) {
      Recipients group = groups.get(name);
      if (group == null) {
        Recipients created = new Recipients(() -> emptied(name));
        Recipients other = groups.putIfAbsent(name, created);
        group = other == null ? created : other;
      }
      if (group.enter()) {
        Membership membership = peer.join(group);
        return membership != null && peer.joined(group, membership);
      }
      groups.remove(name, group); // it has emptied, and is about to be removed
    }
  }

  /** Returns false if {@code peer} is no member. */
  boolean remove(String name, Peer peer) {
    Recipients group = groups.get(name);
    Membership membership = group == null ? null : group.remove(peer.recipient());
    if (membership == null) {
      return false;
    }
    peer.left(membership);
    return true;
  }

  /** Returns the group; null if nobody is in it. */
  @Nullable Recipients get(String name) {
    return groups.get(name);
  }

  int count(String name) {
    Recipients group = groups.get(name);
    return group == null ? 0 : group.size();
  }

  List<String> names() {
    return List.copyOf(groups.keySet());
  }

  private void emptied(String name) {
    Recipients group = groups.get(name);
    if (group != null && group.retire()) {
      groups.remove(name, group);
      gone.accept(name);
    }
  }
}
