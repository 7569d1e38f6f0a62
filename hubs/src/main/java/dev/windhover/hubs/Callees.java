package dev.windhover.hubs;

import dev.windhover.http.websocket.WhenFull;
import java.time.Duration;
import java.util.Collection;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The clients of a hub, called by the names of their methods. */
final class Callees implements UntypedCallerClients {
  private final HubConnections<?> hub;
  private final Policy policy;
  private final @Nullable HubCallerContext context;
  private final @Nullable Peer caller;

  /** Creates those that are seen from outside of calls. */
  Callees(HubConnections<?> hub, Policy policy) {
    this(hub, policy, null, null);
  }

  private Callees(
      HubConnections<?> hub,
      Policy policy,
      @Nullable HubCallerContext context,
      @Nullable Peer caller) {
    this.hub = hub;
    this.policy = policy;
    this.context = context;
    this.caller = caller;
  }

  /** Returns those that a call of {@code caller} sees. */
  Callees seenBy(HubCallerContext context, Peer caller) {
    return new Callees(hub, policy, context, caller);
  }

  private Callee callee(Audience audience) {
    return new Callee(hub, audience, policy, context);
  }

  private Peer peer() {
    return Objects.requireNonNull(caller); // only HubCallerClients show what needs it
  }

  @Override
  public Callee all() {
    return callee(new Audience.All(Set.of()));
  }

  @Override
  public Callee allExcept(Collection<String> connectionIds) {
    return callee(new Audience.All(Set.copyOf(connectionIds)));
  }

  @Override
  public Callee client(String connectionId) {
    return callee(new Audience.Client(Objects.requireNonNull(connectionId, "connectionId")));
  }

  @Override
  public Callee clients(Collection<String> connectionIds) {
    return callee(new Audience.Clients(Set.copyOf(connectionIds)));
  }

  @Override
  public Callee group(String name) {
    return callee(new Audience.Group(Objects.requireNonNull(name, "name"), Set.of()));
  }

  @Override
  public Callee groupExcept(String name, Collection<String> connectionIds) {
    return callee(
        new Audience.Group(Objects.requireNonNull(name, "name"), Set.copyOf(connectionIds)));
  }

  @Override
  public Callee groups(Collection<String> names) {
    return callee(new Audience.Groups(Set.copyOf(names)));
  }

  @Override
  public Callee user(String userId) {
    return callee(new Audience.Users(Set.of(userId)));
  }

  @Override
  public Callee users(Collection<String> userIds) {
    return callee(new Audience.Users(Set.copyOf(userIds)));
  }

  @Override
  public Callee caller() {
    return callee(new Audience.Caller(peer()));
  }

  @Override
  public Callee others() {
    return callee(new Audience.All(Set.of(peer().id())));
  }

  @Override
  public Callee othersInGroup(String name) {
    return callee(new Audience.Group(Objects.requireNonNull(name, "name"), Set.of(peer().id())));
  }

  // ---- How they are called

  private Callees with(Policy other) {
    return new Callees(hub, other, context, caller);
  }

  @Override
  public Callees whenFull(WhenFull other) {
    return with(policy.whenFull(other));
  }

  @Override
  public Callees latest(Object key) {
    return with(policy.latest(key));
  }

  @Override
  public Callees resultTimeout(Duration limit) {
    return with(policy.resultTimeout(limit));
  }

  @Override
  public Callees untyped() {
    return this;
  }
}
