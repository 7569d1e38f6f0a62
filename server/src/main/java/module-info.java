/** The host: HTTP on Netty. The only library module that knows Netty. */
@org.jspecify.annotations.NullMarked
module dev.windhover.server {
  requires transitive dev.windhover.http;
  requires static transitive org.jspecify;
  requires org.slf4j;
  requires io.netty.buffer;
  requires io.netty.codec;
  requires io.netty.codec.http;
  requires io.netty.codec.http2;
  requires io.netty.common;
  requires io.netty.handler;
  requires io.netty.tcnative.classes.openssl; // for Netty, which finds BoringSSL through it
  requires io.netty.transport;
  requires io.netty.transport.classes.epoll;
  requires io.netty.transport.classes.io_uring;
  requires io.netty.transport.unix.common;

  exports dev.windhover.server;
}
