package dev.windhover.hubs;

import dev.windhover.http.websocket.WhenFull;
import java.time.Duration;
import java.util.Collection;

/** The clients of a hub, called through its client interface. */
final class TypedClients<C> implements HubCallerClients<C> {
  private final Callees untyped;
  private final ClientInterface<C> client;

  TypedClients(Callees untyped, ClientInterface<C> client) {
    this.untyped = untyped;
    this.client = client;
  }

  /** Returns them as a call of {@code caller} sees them. */
  TypedClients<C> seenBy(HubCallerContext context, Peer caller) {
    return new TypedClients<>(untyped.seenBy(context, caller), client);
  }

  @Override
  public C all() {
    return client.proxy(untyped.all());
  }

  @Override
  public C allExcept(Collection<String> connectionIds) {
    return client.proxy(untyped.allExcept(connectionIds));
  }

  @Override
  public C client(String connectionId) {
    return client.proxy(untyped.client(connectionId));
  }

  @Override
  public C clients(Collection<String> connectionIds) {
    return client.proxy(untyped.clients(connectionIds));
  }

  @Override
  public C group(String name) {
    return client.proxy(untyped.group(name));
  }

  @Override
  public C groupExcept(String name, Collection<String> connectionIds) {
    return client.proxy(untyped.groupExcept(name, connectionIds));
  }

  @Override
  public C groups(Collection<String> names) {
    return client.proxy(untyped.groups(names));
  }

  @Override
  public C user(String userId) {
    return client.proxy(untyped.user(userId));
  }

  @Override
  public C users(Collection<String> userIds) {
    return client.proxy(untyped.users(userIds));
  }

  @Override
  public C caller() {
    return client.proxy(untyped.caller());
  }

  @Override
  public C others() {
    return client.proxy(untyped.others());
  }

  @Override
  public C othersInGroup(String name) {
    return client.proxy(untyped.othersInGroup(name));
  }

  @Override
  public TypedClients<C> whenFull(WhenFull policy) {
    return new TypedClients<>(untyped.whenFull(policy), client);
  }

  @Override
  public TypedClients<C> latest(Object key) {
    return new TypedClients<>(untyped.latest(key), client);
  }

  @Override
  public TypedClients<C> resultTimeout(Duration limit) {
    return new TypedClients<>(untyped.resultTimeout(limit), client);
  }

  @Override
  public UntypedCallerClients untyped() {
    return untyped;
  }
}
