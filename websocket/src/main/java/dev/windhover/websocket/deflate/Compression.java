package dev.windhover.websocket.deflate;

import dev.windhover.http.host.Encodings;
import dev.windhover.http.host.Loop;
import dev.windhover.http.host.Recipient;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.http.websocket.WebSocketAcceptContext;
import dev.windhover.protocol.Extension;
import dev.windhover.protocol.deflate.DeflateAgreement;
import dev.windhover.protocol.deflate.MessageDeflater;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * One socket's permessage-deflate: what was agreed, and the contexts of both directions. Loop only,
 * except where it says otherwise.
 */
public final class Compression {
  /** As much is compressed in one turn of the loop: other connections have theirs. */
  public static final int SLICE_BYTES = 16 * 1024;

  private final DeflatePool.Lease lease;
  private final int threshold;

  /** Creates the compression of a socket; no context is created yet. */
  public Compression(DeflatePool pool, DeflateAgreement agreement, WebSocketAcceptContext given) {
    this.lease = pool.lease(agreement, given.compressionLevel());
    this.threshold = given.compressionThreshold();
  }

  /** Returns what a handler's settings ask for. */
  public static DeflateAgreement.Terms terms(WebSocketAcceptContext given) {
    return new DeflateAgreement.Terms(
        !given.disableServerContextTakeover(),
        given.serverMaxWindowBits(),
        !given.disableClientContextTakeover(),
        given.clientMaxWindowBits());
  }

  /** Returns the engine's view of it. */
  public Extension extension() {
    return lease.extension();
  }

  /** Returns what compresses the socket's messages. */
  public MessageDeflater deflater() {
    return lease.deflater();
  }

  /** Returns whether compressing a message of this size is worth it. Any thread. */
  public boolean isWorth(int size) {
    return size >= threshold;
  }

  /** Returns whether sent messages may refer to earlier ones. Any thread. */
  public boolean takesOver() {
    return lease.takesOver();
  }

  /**
   * Returns {@code message} as all sockets with the same settings send it, which is the payload
   * itself if it does not shrink. Any thread.
   *
   * @param onLoop whether the caller is a loop: it neither waits for another thread that is
   *     compressing the message, nor compresses more than {@link #SLICE_BYTES} at once
   * @return null if the socket has to compress it by itself
   */
  public @Nullable ByteBuffer encoded(PreparedMessage message, boolean onLoop) {
    Encodings encodings = Encodings.of(message);
    Object setting = lease.sendSetting();
    if (!onLoop) {
      return encodings.encoded(setting, lease::deflateAlone);
    }
    boolean isLong = message.size() > SLICE_BYTES;
    return encodings.encodedAtOnce(setting, isLong ? _ -> null : lease::deflateAlone);
  }

  /** Returns what does that for sockets with the same settings as this one. Any thread. */
  public Recipient.Encoder encoder() {
    return new SharedEncoder(lease, threshold);
  }

  /** Does not keep the socket, but its settings. */
  private record SharedEncoder(DeflatePool.Lease lease, int threshold)
      implements Recipient.Encoder {
    @Override
    public boolean isSame(Recipient.Encoder other) {
      return other instanceof SharedEncoder(DeflatePool.Lease theirs, int from)
          && lease.sendSetting().equals(theirs.sendSetting())
          && threshold == from;
    }

    @Override
    public void encode(PreparedMessage message) {
      if (message.size() >= threshold) {
        Encodings.of(message).encoded(lease.sendSetting(), lease::deflateAlone);
      }
    }
  }

  /** Gives back what sending holds, because the socket is quiet. */
  public void restSending() {
    lease.restDeflater();
  }

  /** Gives back what reading holds, because the socket is quiet, and ends unneeded contexts. */
  public void restReading(Loop loop) {
    lease.restInflater();
    lease.clean(loop);
  }

  /** Nothing is read any more. */
  public void endReading() {
    lease.closeInflater();
  }

  /** Nothing is sent any more. */
  public void endSending() {
    lease.closeDeflater();
  }
}
