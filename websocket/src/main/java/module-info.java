/**
 * WebSockets as one step of the pipeline: the opening handshake, origins, and the socket in both
 * forms, on top of the host's seam.
 */
@org.jspecify.annotations.NullMarked
module dev.windhover.websocket {
  requires transitive dev.windhover.http;
  requires static transitive org.jspecify;
  requires org.slf4j;

  exports dev.windhover.websocket;
}
