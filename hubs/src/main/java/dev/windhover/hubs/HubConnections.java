package dev.windhover.hubs;

import dev.windhover.hubs.protocol.HubMessage;
import java.lang.reflect.Type;
import org.jspecify.annotations.Nullable;

/** The connections of one hub. */
final class HubConnections<C> {
  private final HubContext<C> context = new HubContext<>() {};

  HubConnections(Class<?> hub, HubOptions options) {}

  void add(HubConnection connection) {}

  void remove(HubConnection connection) {}

  HubCallerClients<C> clientsOf(HubCallerContext context) {
    return new HubCallerClients<>() {};
  }

  HubGroups groupsOf(HubCallerContext context) {
    return new HubGroups() {};
  }

  HubContext<C> context() {
    return context;
  }

  @Nullable Type resultType(HubConnection connection, String invocationId) {
    return null;
  }

  boolean complete(HubConnection connection, HubMessage message) {
    return false;
  }
}
