/**
 * The WebSocket engine without I/O (RFC 6455): frames, masking, UTF-8, message assembly, close
 * codes and the states of a connection. It owns no thread, reads no clock, opens no socket, writes
 * no log.
 */
@SuppressWarnings("module") // the modules named below are compiled after this one
@org.jspecify.annotations.NullMarked
module dev.windhover.protocol {
  requires static transitive org.jspecify;

  exports dev.windhover.protocol;
  exports dev.windhover.protocol.spi;
  exports dev.windhover.protocol.deflate to
      dev.windhover.http,
      dev.windhover.websocket;

  uses dev.windhover.protocol.spi.DeflateCodecProvider;
}
