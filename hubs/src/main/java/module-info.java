/**
 * Hubs for SignalR clients: connections that outlive a request, whatever carries them, and calls in
 * both directions on top.
 */
@org.jspecify.annotations.NullMarked
module dev.windhover.hubs {
  requires transitive dev.windhover.http;
  requires static transitive org.jspecify;
  requires org.slf4j;
  requires transitive tools.jackson.databind;

  exports dev.windhover.hubs;
  exports dev.windhover.hubs.backplane;
  exports dev.windhover.hubs.connections;
  exports dev.windhover.hubs.protocol;
}
