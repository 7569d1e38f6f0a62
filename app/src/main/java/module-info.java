/** The module that users depend on: application, host and WebSockets put together. */
@org.jspecify.annotations.NullMarked
module dev.windhover.app {
  requires transitive dev.windhover.http;
  requires transitive dev.windhover.server;
  requires transitive dev.windhover.websocket;
  requires static transitive org.jspecify;
  requires jdk.unsupported; // for StopSignals
  requires org.slf4j;

  exports dev.windhover.app;
}
