package dev.windhover.hubs;

import dev.windhover.http.host.Delivery;
import dev.windhover.http.host.LoopThread;
import dev.windhover.http.host.Mailing;
import dev.windhover.http.host.Recipient;
import dev.windhover.http.host.Recipients;
import dev.windhover.http.websocket.WhenFull;
import dev.windhover.hubs.ClientResult.Outcome;
import dev.windhover.hubs.backplane.Backplane;
import dev.windhover.hubs.protocol.HubMessage;
import java.lang.reflect.Type;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/**
 * The connections of one hub: by their ids, of each user, in groups; and the results that they owe.
 * Any thread may call it. It takes no lock, and nothing here waits for a client.
 */
final class HubConnections<C> {
  /** This map takes no lock; others do. */
  private final ConcurrentNavigableMap<String, Peer> peers = new ConcurrentSkipListMap<>();

  private final Recipients all = new Recipients();
  private final NamedGroups users = new NamedGroups(this::userGone);
  private final NamedGroups groups = new NamedGroups(this::groupGone);
  private final ClientResults results = new ClientResults();
  private final TypedClients<C> clients;
  private final HubOptions options;

  /** The other servers; null if there are none. */
  private final @Nullable Fleet fleet;

  /** As {@link #HubConnections(Class, HubOptions, Backplane)}, on a single server. */
  HubConnections(Class<?> hub, HubOptions options) {
    this(hub, options, null);
  }

  /**
   * Creates them for {@code hub}.
   *
   * @param backplane what connects this server with others; null for nothing
   * @throws IllegalArgumentException if its client interface cannot be implemented; the message
   *     says why
   */
  HubConnections(Class<?> hub, HubOptions options, @Nullable Backplane backplane) {
    ClientInterface<C> client = ClientInterface.of(hub, options.clientNames(), options.lookup());
    this.clients = new TypedClients<>(new Callees(this, Policy.OF_HUB), client);
    this.options = options;
    this.fleet = backplane == null ? null : new Fleet(hub, this, backplane);
  }

  // ---- Who is here

  /** A connection has come. */
  void add(HubConnection connection) {
    Peer peer = new Peer(connection);
    peers.put(connection.id(), peer);
    if (all.enter()) {
      peer.join(all);
    }
    String user = connection.userIdentifier();
    if (user != null) {
      users.add(user, peer);
    }
  }

  /** A connection has gone: it leaves everything, and the results that it owes will not come. */
  void remove(HubConnection connection) {
    Peer peer = peers.remove(connection.id());
    if (peer != null) {
      all.remove(peer.recipient());
      peer.end();
      results.disconnected(peer);
      if (fleet != null) {
        fleet.disconnected(peer);
        fleet.changed(connection);
      }
    }
  }

  /** Waits until other servers reach a connection that has come. Not on a loop. */
  void awaitReachable(HubConnection connection) {
    if (fleet != null) {
      fleet.awaitReachable(connection);
    }
  }

  @Nullable Peer peer(String id) {
    return peers.get(id);
  }

  @Nullable Recipients group(String name) {
    return groups.get(name);
  }

  @Nullable Recipients user(String id) {
    return users.get(id);
  }

  private void userGone(String id) {
    if (fleet != null) {
      CompletionStage<Boolean> _ = fleet.userChanged(id);
    }
  }

  private void groupGone(String name) {
    if (fleet != null) {
      CompletionStage<Boolean> _ = fleet.groupChanged(name);
    }
  }

  /** Returns the other servers; null if there are none. */
  @Nullable Fleet fleet() {
    return fleet;
  }

  /** Returns the settings that all paths of the hub share. */
  HubOptions options() {
    return options;
  }

  // ---- What applications see

  /** Returns the clients as a call sees them. */
  HubCallerClients<C> clientsOf(HubCallerContext context) {
    return clients.seenBy(context, peerOf(context));
  }

  /** Returns the groups as a call sees them. */
  HubGroups groupsOf(HubCallerContext context) {
    return new Groups(peerOf(context));
  }

  /** Returns the hub as others see it. */
  HubContext<C> context() {
    return new Outside();
  }

  private Peer peerOf(HubCallerContext context) {
    Peer known = peers.get(context.connectionId());
    return known == null ? Peer.gone(context.connection()) : known;
  }

  private final class Outside implements HubContext<C> {
    @Override
    public HubClients<C> clients() {
      return clients;
    }

    @Override
    public GroupManager groups() {
      return new Groups(null);
    }

    @Override
    public ConnectionManager connections() {
      return new Present();
    }
  }

  // ---- Sending

  /** Calls a method of clients, without a result. */
  void send(Audience to, String method, List<? extends @Nullable Object> arguments, Policy policy) {
    Objects.requireNonNull(method, "method");
    WhenFull whenFull = policy.whenFull();
    Object key = new Key(this, method, policy.latest());
    var call = new EncodedCall(new HubMessage.Invocation(null, method, arguments));
    if (fleet != null) {
      fleet.send(to, call, whenFull, key);
      return;
    }
    switch (to) {
      case Audience.All(var except) -> toAll(except, call, whenFull, key);
      case Audience.Caller(var peer) -> post(peer, call, whenFull, key);
      case Audience.Client(var id) -> post(peers.get(id), call, whenFull, key);
      case Audience.Clients(var ids) -> post(ids, call, whenFull, key);
      case Audience.Group(var name, var except) -> toGroup(name, except, call, whenFull, key);
      case Audience.Groups(var names) ->
          names.forEach(name -> toGroup(name, Set.of(), call, whenFull, key));
      case Audience.Users(var ids) -> ids.forEach(id -> toUser(id, Set.of(), call, whenFull, key));
    }
  }

  /** What replaces one another: calls of the same method, with the same key if they have one. */
  record Key(HubConnections<?> hub, String method, @Nullable Object latest) {}

  static void post(@Nullable Peer peer, EncodedCall call, @Nullable WhenFull whenFull, Object key) {
    if (peer != null) {
      WhenFull own = whenFull == null ? peer.options().whenFull() : whenFull;
      peer.recipient().post(new Delivery(call.in(peer.protocol()), own, key));
    }
  }

  private void post(Set<String> ids, EncodedCall call, @Nullable WhenFull whenFull, Object key) {
    Mailing mailing = new Mailing();
    for (String id : ids) {
      Peer peer = peers.get(id);
      if (peer != null) {
        mailing.add(peer.recipient(), peer.protocol(), peer.options().whenFull());
      }
    }
    mailing.send(call, whenFull, key);
  }

  // To those who are connected here.

  void toAll(Set<String> except, Recipients.Forms call, @Nullable WhenFull whenFull, Object key) {
    all.send(call, whenFull, key, recipients(except));
  }

  void toGroup(
      String name,
      Set<String> except,
      Recipients.Forms call,
      @Nullable WhenFull whenFull,
      Object key) {
    Recipients group = groups.get(name);
    if (group != null) {
      group.send(call, whenFull, key, recipients(except));
    }
  }

  void toUser(
      String id,
      Set<String> except,
      Recipients.Forms call,
      @Nullable WhenFull whenFull,
      Object key) {
    Recipients user = users.get(id);
    if (user != null) {
      user.send(call, whenFull, key, recipients(except));
    }
  }

  private Set<Recipient> recipients(Collection<String> ids) {
    if (ids.isEmpty()) {
      return Set.of();
    }
    Set<Recipient> recipients = HashSet.newHashSet(ids.size());
    for (String id : ids) {
      Peer peer = peers.get(id);
      if (peer != null) {
        recipients.add(peer.recipient());
      }
    }
    return recipients;
  }

  // ---- Results

  ClientResults results() {
    return results;
  }

  /** Returns the type of a result that {@code connection} owes; null if it does not. */
  @Nullable Type resultType(HubConnection connection, String invocationId) {
    return results.type(connection, invocationId);
  }

  /**
   * Takes the answer of a client; one that nobody waits for is ignored.
   *
   * @return false if another connection owes it
   */
  boolean complete(HubConnection connection, HubMessage.Completion answer) {
    return answer(connection, answer.invocationId(), Outcome.of(answer));
  }

  /** As {@link #complete(HubConnection, HubMessage.Completion)}, for what is not of its type. */
  boolean complete(HubConnection connection, HubMessage.ResultBindingFailure answer) {
    return answer(connection, answer.invocationId(), new Outcome.Unreadable(answer.error()));
  }

  private boolean answer(HubConnection connection, String invocationId, Outcome outcome) {
    return results.answer(connection, invocationId, outcome)
        && (fleet == null || !fleet.isOwed(invocationId));
  }

  /**
   * Forwards the answer of a client, if another server awaits it.
   *
   * @param record the answer, without what sets it apart
   * @return false if none does
   */
  boolean forward(HubConnection connection, String invocationId, ByteBuffer record) {
    return fleet != null && fleet.forward(connection, invocationId, record);
  }

  /** Nobody waits for {@code result} any more. */
  void cancel(ClientResult result) {
    if (fleet != null && result.peer() == null && !result.isSettled()) {
      fleet.forget(result);
    }
    results.cancel(result);
  }

  // ---- Groups

  private static void requireShort(String name, HubOptions options) {
    int most = options.maximumGroupNameLength();
    if (name.length() > most) {
      throw new IllegalArgumentException(
          "group name of %d characters exceeds limit of %d".formatted(name.length(), most));
    }
  }

  /** Adds a connection for another server; returns whether the group reaches it. */
  CompletionStage<Boolean> joinGroup(Fleet fleet, Peer peer, String name) {
    boolean _ = groups.add(name, peer);
    return fleet.groupChanged(name);
  }

  boolean leaveGroup(Peer peer, String name) {
    return groups.remove(name, peer);
  }

  private final class Groups implements HubGroups {
    private final @Nullable Peer caller;

    Groups(@Nullable Peer caller) {
      this.caller = caller;
    }

    @Override
    public boolean add(String name) {
      return add(Objects.requireNonNull(caller), name); // only HubGroups show this
    }

    @Override
    public boolean remove(String name) {
      return leaveGroup(Objects.requireNonNull(caller), name);
    }

    @Override
    public boolean add(String connectionId, String name) {
      Peer peer = peers.get(connectionId);
      return peer == null
          ? changeElsewhere(connectionId, Objects.requireNonNull(name, "name"), true)
          : add(peer, Objects.requireNonNull(name, "name"));
    }

    private boolean add(Peer peer, String name) {
      requireShort(name, peer.options());
      boolean added = groups.add(name, peer);
      if (added && fleet != null) {
        await(fleet.groupChanged(name));
      }
      return added;
    }

    @Override
    public boolean remove(String connectionId, String name) {
      Peer peer = peers.get(connectionId);
      return peer == null ? changeElsewhere(connectionId, name, false) : leaveGroup(peer, name);
    }

    private boolean changeElsewhere(String connectionId, String name, boolean add) {
      if (fleet == null) {
        return false;
      }
      requireShort(name, options);
      return Boolean.TRUE.equals(await(fleet.changeGroup(connectionId, name, add)));
    }

    /** Returns what {@code stage} completes with; null on a loop, which does not wait. */
    private <T> @Nullable T await(CompletionStage<T> stage) {
      return LoopThread.isCurrent() ? null : Fleet.await(stage);
    }

    @Override
    public int count(String name) {
      return groups.count(name);
    }

    @Override
    public List<String> members(String name) {
      Recipients group = groups.get(name);
      return group == null
          ? List.of()
          : peers.values().stream().filter(each -> each.isIn(group)).map(Peer::id).toList();
    }

    @Override
    public List<String> names() {
      return groups.names();
    }
  }

  // ---- Connections

  private final class Present implements ConnectionManager {
    @Override
    public int count() {
      return all.size();
    }

    @Override
    public List<String> ids() {
      return List.copyOf(peers.keySet());
    }

    @Override
    public boolean contains(String connectionId) {
      return peers.containsKey(connectionId);
    }

    @Override
    public List<String> users() {
      return users.names();
    }

    @Override
    public int countOfUser(String userId) {
      return users.count(userId);
    }

    @Override
    public boolean abort(String connectionId) {
      Peer peer = peers.get(connectionId);
      if (peer != null) {
        peer.connection().abort();
      }
      return peer != null;
    }

    @Override
    public int abortUser(String userId) {
      Recipients user = users.get(userId);
      List<Peer> all =
          user == null
              ? List.of()
              : peers.values().stream().filter(each -> each.isIn(user)).toList();
      all.forEach(each -> each.connection().abort());
      return all.size();
    }
  }
}
