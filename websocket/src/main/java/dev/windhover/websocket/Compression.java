package dev.windhover.websocket;

import dev.windhover.http.WebSocketAcceptContext;
import dev.windhover.protocol.DeflateAgreement;
import dev.windhover.protocol.DeflateCodec;
import dev.windhover.protocol.Extension;
import dev.windhover.protocol.MessageDeflater;
import dev.windhover.protocol.MessageInflater;
import dev.windhover.protocol.StreamSource;

/**
 * One socket's permessage-deflate: what was agreed, and both directions' streams. The reading side
 * belongs to the loop, the sending side to the {@link SendQueue}.
 */
final class Compression {
  private final MessageInflater inflater;
  private final MessageDeflater deflater;
  private final int threshold;

  Compression(DeflateAgreement agreement, WebSocketAcceptContext given) {
    DeflateCodec codec = DeflateCodec.jdk();
    this.inflater =
        new MessageInflater(
            StreamSource.inflating(codec, agreement.clientMaxWindowBits()),
            agreement.clientContextTakeover());
    this.deflater =
        new MessageDeflater(
            StreamSource.deflating(
                codec, agreement.serverMaxWindowBits(), given.compressionLevel()),
            agreement.serverContextTakeover());
    this.threshold = given.compressionThreshold();
  }

  /** Returns what a handler's settings ask for. */
  static DeflateAgreement.Terms terms(WebSocketAcceptContext given) {
    return new DeflateAgreement.Terms(
        !given.disableServerContextTakeover(),
        given.serverMaxWindowBits(),
        !given.disableClientContextTakeover(),
        given.clientMaxWindowBits());
  }

  /** Returns the engine's view of it. */
  Extension extension() {
    return new Extension(DeflateAgreement.TOKEN, Extension.RSV1, inflater, deflater);
  }

  MessageInflater inflater() {
    return inflater;
  }

  MessageDeflater deflater() {
    return deflater;
  }

  /** Returns whether a message of so many bytes is worth it. */
  boolean isWorth(int size) {
    return size >= threshold;
  }
}
