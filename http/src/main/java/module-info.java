/**
 * Requests and sockets: what handlers see, the pipeline that runs them, and the seam to a host that
 * moves the bytes.
 */
@org.jspecify.annotations.NullMarked
module dev.windhover.http {
  requires transitive dev.windhover.protocol;
  requires static transitive org.jspecify;
  requires java.management; // for LoopWatch
  requires org.slf4j;

  exports dev.windhover.http;
  exports dev.windhover.http.files;
  exports dev.windhover.http.host;
  exports dev.windhover.http.middleware;
  exports dev.windhover.http.websocket;
}
