package dev.windhover.hubs;

import dev.windhover.http.host.Delivery;
import dev.windhover.http.host.Recipients;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.http.websocket.WhenFull;
import dev.windhover.hubs.ClientResult.Outcome;
import dev.windhover.hubs.backplane.Backplane;
import dev.windhover.hubs.backplane.BackplaneException;
import dev.windhover.hubs.backplane.Form;
import dev.windhover.hubs.backplane.HubLink;
import dev.windhover.hubs.backplane.LocalHub;
import dev.windhover.hubs.backplane.Target;
import dev.windhover.hubs.protocol.HubMessage;
import dev.windhover.hubs.protocol.HubProtocol;
import dev.windhover.hubs.protocol.InvalidDataException;
import dev.windhover.hubs.protocol.InvocationBinder;
import java.lang.reflect.Type;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Base64;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The other servers of a hub: what goes to them over the backplane, and what comes from them. Any
 * thread, except where a method says otherwise.
 */
final class Fleet implements LocalHub {
  private static final int ID_BYTES = 16;

  private final HubConnections<?> hub;
  private final ForwardedCalls forwarded = new ForwardedCalls();
  private final SecureRandom random = new SecureRandom();

  /** Those of all paths of the hub; a list that takes no lock to be read. */
  private final List<HubProtocol> mapped = new CopyOnWriteArrayList<>();

  /** Those of a hub that clients cannot connect to here. */
  private volatile List<HubProtocol> unmapped = List.of();

  private final HubLink link;

  /** Lets {@code hub}, which is a {@code type}, take part. */
  Fleet(Class<?> type, HubConnections<?> hub, Backplane backplane) {
    this.hub = hub;
    this.link = backplane.join(type, this);
  }

  /** Clients may speak these protocols at one more path. */
  void speaks(Collection<HubProtocol> more) {
    for (HubProtocol each : more) {
      if (!mapped.contains(each)) {
        mapped.add(each);
      }
    }
  }

  /** As long as the hub is mapped nowhere here, the clients of other servers may speak these. */
  void elsewhere(Collection<HubProtocol> usual) {
    unmapped = List.copyOf(usual);
  }

  private List<HubProtocol> protocols() {
    return mapped.isEmpty() ? unmapped : mapped;
  }

  private @Nullable HubProtocol protocol(String name) {
    for (HubProtocol each : protocols()) {
      if (each.name().equals(name)) {
        return each;
      }
    }
    return null;
  }

  // ---- Who is here

  /** A connection has come: waits until others reach it and its user. Not on a loop. */
  void awaitReachable(HubConnection connection) {
    CompletionStage<Boolean> own = link.changed(new Target.Connection(connection.id()));
    String user = connection.userIdentifier();
    if (user != null) {
      Object _ = await(userChanged(user));
    }
    Object _ = await(own);
  }

  /** A connection has gone. */
  void changed(HubConnection connection) {
    CompletionStage<Boolean> _ = link.changed(new Target.Connection(connection.id()));
  }

  /** The first connection of a user has come, or the last one has gone. */
  CompletionStage<Boolean> userChanged(String id) {
    return link.changed(new Target.User(id));
  }

  /** A group has its first member, or has lost its last one. */
  CompletionStage<Boolean> groupChanged(String name) {
    return link.changed(new Target.Group(name));
  }

  /** A connection has gone: what it was asked for others will not be answered. */
  void disconnected(Peer peer) {
    forwarded.disconnected(peer);
  }

  @Override
  public boolean has(Target target) {
    return switch (target) {
      case Target.All _ -> true;
      case Target.Connection(var id) -> hub.peer(id) != null;
      case Target.Group(var name) -> hub.group(name) != null;
      case Target.User(var id) -> hub.user(id) != null;
    };
  }

  // ---- Sending

  /** Sends {@code call} to clients, wherever they are. */
  void send(Audience to, EncodedCall call, @Nullable WhenFull whenFull, Object key) {
    switch (to) {
      case Audience.All(var except) ->
          send(new Target.All(), except, call, () -> hub.toAll(except, call, whenFull, key));
      case Audience.Caller(var peer) -> HubConnections.post(peer, call, whenFull, key);
      case Audience.Client(var id) -> toConnection(id, call, whenFull, key);
      case Audience.Clients(var ids) -> each(ids, id -> toConnection(id, call, whenFull, key));
      case Audience.Group(var name, var except) ->
          send(
              new Target.Group(name),
              except,
              call,
              () -> hub.toGroup(name, except, call, whenFull, key));
      case Audience.Groups(var names) ->
          each(
              names,
              name ->
                  send(
                      new Target.Group(name),
                      Set.of(),
                      call,
                      () -> hub.toGroup(name, Set.of(), call, whenFull, key)));
      case Audience.Users(var ids) ->
          each(
              ids,
              id ->
                  send(
                      new Target.User(id),
                      Set.of(),
                      call,
                      () -> hub.toUser(id, Set.of(), call, whenFull, key)));
    }
  }

  /** Sends to each of them, also after the backplane has refused to take it to the others. */
  private static void each(Collection<String> names, Consumer<String> send) {
    BackplaneException refused = null;
    for (String each : names) {
      try {
        send.accept(each);
      } catch (BackplaneException e) {
        refused = e;
      }
    }
    if (refused != null) {
      throw refused;
    }
  }

  private void toConnection(String id, EncodedCall call, @Nullable WhenFull whenFull, Object key) {
    Peer peer = hub.peer(id);
    if (peer != null) {
      HubConnections.post(peer, call, whenFull, key);
    } else {
      send(
          new Target.Connection(id),
          Set.of(),
          call,
          () -> HubConnections.post(hub.peer(id), call, whenFull, key));
    }
  }

  private void send(Target to, Set<String> except, EncodedCall call, Runnable here) {
    link.send(to, except, call.forms(protocols()), here);
  }

  // ---- Receiving

  @Override
  public void deliver(Target to, Set<String> except, List<Form> forms) throws InvalidDataException {
    Received call = new Received(forms);
    switch (to) {
      case Target.All _ -> hub.toAll(except, call, null, call.key());
      case Target.Group(var name) -> hub.toGroup(name, except, call, null, call.key());
      case Target.User(var id) -> hub.toUser(id, except, call, null, call.key());
      case Target.Connection(var id) -> {
        Peer peer = hub.peer(id);
        PreparedMessage message = peer == null ? null : call.in(peer.protocol());
        if (peer != null && message != null) {
          peer.recipient().post(new Delivery(message, peer.options().whenFull(), call.key()));
        }
      }
    }
    InvalidDataException fault = call.fault;
    if (fault != null) {
      throw fault;
    }
  }

  /** What another server has sent. For one thread. */
  private final class Received implements Recipients.Forms {
    private final Map<String, ByteBuffer> bytes = new HashMap<>();
    private final Map<HubProtocol, PreparedMessage> messages = new HashMap<>(2);
    private final Set<HubProtocol> unusable = new HashSet<>(2);
    private final @Nullable HubProtocol first;
    private final @Nullable String target;
    private @Nullable InvalidDataException fault;

    Received(List<Form> forms) throws InvalidDataException {
      HubProtocol known = null;
      for (Form form : forms) {
        bytes.putIfAbsent(form.protocol(), form.bytes());
        if (known == null) {
          known = protocol(form.protocol());
        }
      }
      first = known;
      target = known == null ? null : invocation(known, form(known)).target();
    }

    private ByteBuffer form(HubProtocol protocol) throws InvalidDataException {
      ByteBuffer form = bytes.get(protocol.name());
      if (form == null) {
        throw new InvalidDataException("a message has no form for protocol " + protocol.name());
      }
      return form;
    }

    /** Returns the protocol of the first form that can be read here. */
    HubProtocol usable() throws InvalidDataException {
      if (first == null) {
        throw new InvalidDataException("a call has no form that can be read here");
      }
      return first;
    }

    /** Returns what this replaces where only the latest is kept: calls of the same method. */
    Object key() {
      return new HubConnections.Key(hub, String.valueOf(target), null);
    }

    @Override
    public @Nullable PreparedMessage in(Object form) {
      HubProtocol protocol = (HubProtocol) form;
      PreparedMessage known = messages.get(protocol);
      if (known == null && !unusable.contains(protocol)) {
        try {
          known = prepared(protocol);
          messages.put(protocol, known);
        } catch (InvalidDataException e) {
          unusable.add(protocol);
          fault = e;
        }
      }
      return known;
    }

    private PreparedMessage prepared(HubProtocol protocol) throws InvalidDataException {
      ByteBuffer record = form(protocol);
      HubMessage.Invocation _ = invocation(protocol, record);
      return EncodedCall.prepared(record, protocol);
    }
  }

  private static HubMessage.Invocation invocation(HubProtocol protocol, ByteBuffer record)
      throws InvalidDataException {
    if (Records.read(protocol, record, new Untyped()) instanceof HubMessage.Invocation call) {
      return call;
    }
    throw new InvalidDataException("a message in " + protocol.name() + " is no call");
  }

  /** Skips all values. */
  private static class Untyped implements InvocationBinder {
    @Override
    public @Nullable List<Type> parameterTypes(String target) {
      return null;
    }

    @Override
    public @Nullable Type streamItemType(String streamId) {
      return null;
    }

    @Override
    public @Nullable Type resultType(String invocationId) {
      return null;
    }
  }

  /** Reads the results that other servers owe. */
  private final class OwedElsewhere extends Untyped {
    @Override
    public @Nullable Type resultType(String invocationId) {
      ClientResult result = hub.results().owedElsewhere(invocationId);
      return result == null ? null : result.type();
    }
  }

  // ---- Results

  /**
   * Asks a connection that is not here.
   *
   * @param settled called once, when the wait for the result has ended, by any thread
   */
  ClientResult ask(
      String connectionId,
      Type type,
      String method,
      List<? extends @Nullable Object> arguments,
      Duration limit,
      Consumer<ClientResult> settled) {
    byte[] bytes = new byte[ID_BYTES];
    random.nextBytes(bytes);
    String id = Base64.getEncoder().withoutPadding().encodeToString(bytes); // as the reference's
    var call = new EncodedCall(new HubMessage.Invocation(id, method, arguments));
    List<Form> forms = call.forms(protocols());
    ClientResult result = hub.results().asked(id, connectionId, type, limit, settled);
    try {
      link.ask(connectionId, id, forms, limit);
    } catch (RuntimeException e) {
      hub.results().cancel(result);
      throw e;
    }
    return result;
  }

  /** An answer that is owed elsewhere is no longer awaited. */
  void forget(ClientResult result) {
    link.forget(result.invocationId());
  }

  @Override
  public @Nullable String answered(Form answer) throws InvalidDataException {
    HubProtocol protocol = protocol(answer.protocol());
    if (protocol == null) {
      throw new InvalidDataException("an answer is in protocol " + answer.protocol());
    }
    return switch (Records.read(protocol, answer.bytes(), new OwedElsewhere())) {
      case HubMessage.Completion completion ->
          settle(completion.invocationId(), Outcome.of(completion));
      case HubMessage.ResultBindingFailure failure ->
          settle(failure.invocationId(), new Outcome.Unreadable(failure.error()));
      case null, default -> throw new InvalidDataException("an answer is no completion");
    };
  }

  private @Nullable String settle(String invocationId, Outcome outcome) {
    ClientResult result = hub.results().owedElsewhere(invocationId);
    if (result == null) {
      return null;
    }
    hub.results().settle(result, outcome);
    return invocationId;
  }

  @Override
  public void unanswered(String invocationId, NoAnswer reason) {
    ClientResult result = hub.results().owedElsewhere(invocationId);
    if (result != null) {
      hub.results()
          .settle(
              result,
              switch (reason) {
                case UNKNOWN_CONNECTION -> new Outcome.Unknown();
                case TIMED_OUT -> new Outcome.TimedOut();
                case UNAVAILABLE -> new Outcome.Unreachable();
              });
    }
  }

  @Override
  public void ask(String connectionId, String invocationId, List<Form> forms, Consumer<Form> answer)
      throws InvalidDataException {
    Received call = new Received(forms);
    Peer peer = hub.peer(connectionId);
    if (peer == null) {
      String error = "Connection '%s' does not exist.".formatted(connectionId);
      answer.accept(ForwardedCalls.failure(call.usable(), invocationId, error));
      return;
    }
    PreparedMessage message = call.in(peer.protocol());
    if (message == null) {
      throw Objects.requireNonNull(call.fault);
    }
    forwarded.ask(peer, invocationId, message, answer);
  }

  /**
   * Forwards a client's answer to the server that awaits it.
   *
   * @param record the answer, without what sets it apart
   * @return false if no other server awaits it
   */
  boolean forward(HubConnection connection, String invocationId, ByteBuffer record) {
    return forwarded.answer(connection, invocationId, record);
  }

  /** Returns whether a connection of this server owes the answer to another one. */
  boolean isOwed(String invocationId) {
    return forwarded.isOwed(invocationId);
  }

  // ---- Groups

  /** Changes a group for a connection that is not here. */
  CompletionStage<Boolean> changeGroup(String connectionId, String group, boolean add) {
    return add ? link.addToGroup(connectionId, group) : link.removeFromGroup(connectionId, group);
  }

  @Override
  public @Nullable CompletionStage<Boolean> addToGroup(String connectionId, String group) {
    Peer peer = hub.peer(connectionId);
    return peer == null ? null : hub.joinGroup(this, peer, group);
  }

  @Override
  public boolean removeFromGroup(String connectionId, String group) {
    Peer peer = hub.peer(connectionId);
    if (peer != null) {
      boolean _ = hub.leaveGroup(peer, group);
    }
    return peer != null;
  }

  /** Waits for a stage of the backplane, whose own time limit ends it. Not on a loop. */
  static <T> @Nullable T await(CompletionStage<T> stage) {
    CompletableFuture<T> future = stage.toCompletableFuture();
    boolean wasInterrupted = false;
    try {
      while (true) {
        try {
          return future.get();
        } catch (InterruptedException e) {
          wasInterrupted = true;
        } catch (ExecutionException e) {
          throw new IllegalStateException("a backplane has broken its contract", e.getCause());
        }
      }
    } finally {
      if (wasInterrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
