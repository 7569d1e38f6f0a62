package dev.windhover.websocket;

import dev.windhover.http.host.Encodings;
import dev.windhover.http.host.Loop;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.http.websocket.WebSocketAcceptContext;
import dev.windhover.protocol.Extension;
import dev.windhover.protocol.deflate.DeflateAgreement;
import dev.windhover.protocol.deflate.MessageDeflater;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * One socket's permessage-deflate: what was agreed, and the contexts of both directions. The
 * reading side belongs to the loop, the sending side to whoever has the {@link SendQueue}'s turn.
 */
final class Compression {
  private final DeflatePool.Lease lease;
  private final int threshold;

  Compression(DeflatePool pool, DeflateAgreement agreement, WebSocketAcceptContext given) {
    this.lease = pool.lease(agreement, given.compressionLevel());
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
    return lease.extension();
  }

  MessageDeflater deflater() {
    return lease.deflater();
  }

  /** Returns whether a message of so many bytes is worth it. */
  boolean isWorth(int size) {
    return size >= threshold;
  }

  /**
   * Returns whether a message concerns no other: it is not compressed here, and no context goes on
   * behind it. Any thread.
   */
  boolean standsAlone(int size, SendAs as) {
    return as == SendAs.PREPARED_CODED ? !lease.takesOver() : as.isPlain() || !isWorth(size);
  }

  /**
   * Returns the payload as all sockets of the same setting send it; null if it goes out as it is.
   * Any thread.
   */
  @Nullable ByteBuffer encoded(PreparedMessage message) {
    if (!isWorth(message.size())) {
      return null;
    }
    ByteBuffer coded = Encodings.of(message).encoded(lease.sendSetting(), lease::deflateAlone);
    return coded != null && coded.remaining() < message.size() ? coded : null;
  }

  /** The socket is quiet: gives back what sending holds. */
  void restSending() {
    lease.restDeflater();
  }

  /** The socket is quiet: gives back what reading holds, and lets go of what nobody needs. */
  void restReading(Loop loop) {
    lease.restInflater();
    lease.clean(loop);
  }

  /** Nothing is read any more. */
  void endReading() {
    lease.closeInflater();
  }

  /** Nothing is sent any more. */
  void endSending() {
    lease.closeDeflater();
  }
}
