/**
 * What Windhover applications are tested with, and Windhover itself: a host and a client in memory
 * that run the real pipeline, handshake and frames, and a clock that moves by hand.
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
