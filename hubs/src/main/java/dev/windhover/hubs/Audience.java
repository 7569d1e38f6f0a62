package dev.windhover.hubs;

import java.util.Set;

/** Who is called. Ids and names that do not exist are ignored. */
sealed interface Audience {
  /** All connections but some. */
  record All(Set<String> except) implements Audience {
    @Override
    public String toString() {
      return "all" + but(except);
    }
  }

  /** The connection that has made a call. */
  record Caller(Peer peer) implements Audience {
    @Override
    public String toString() {
      return "caller " + peer.id();
    }
  }

  /** One connection. */
  record Client(String id) implements Audience {
    @Override
    public String toString() {
      return "client " + id;
    }
  }

  /** Some connections. */
  record Clients(Set<String> ids) implements Audience {
    @Override
    public String toString() {
      return "clients " + ids;
    }
  }

  /** The members of a group but some connections. */
  record Group(String name, Set<String> except) implements Audience {
    @Override
    public String toString() {
      return "group " + name + but(except);
    }
  }

  /** The members of some groups. */
  record Groups(Set<String> names) implements Audience {
    @Override
    public String toString() {
      return "groups " + names;
    }
  }

  /** The connections of some users. */
  record Users(Set<String> ids) implements Audience {
    @Override
    public String toString() {
      return "users " + ids;
    }
  }

  private static String but(Set<String> except) {
    return except.isEmpty() ? "" : " but " + except;
  }
}
