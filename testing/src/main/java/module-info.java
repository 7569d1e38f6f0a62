/**
 * Tests Windhover applications, and Windhover itself: a host and a client in memory, which run the
 * real pipeline, handshake and frames, and a clock that the test moves.
 */
@org.jspecify.annotations.NullMarked
module dev.windhover.testing {
  requires transitive dev.windhover.http;
  requires transitive dev.windhover.websocket;
  requires java.management;
  requires jdk.management;
  requires static transitive org.jspecify;

  exports dev.windhover.testing;
}
