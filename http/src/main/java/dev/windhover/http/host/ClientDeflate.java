package dev.windhover.http.host;

import dev.windhover.protocol.Extension;
import dev.windhover.protocol.deflate.DeflateAgreement;
import dev.windhover.protocol.deflate.DeflateAgreement.Terms;
import dev.windhover.protocol.deflate.DeflateCodec;
import dev.windhover.protocol.deflate.MessageDeflater;
import dev.windhover.protocol.deflate.MessageDeflater.End;
import dev.windhover.protocol.deflate.MessageInflater;
import dev.windhover.protocol.deflate.StreamSource;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * permessage-deflate as a client speaks it (RFC 7692), for hosts that hold the client's end of a
 * socket too, as one in memory does. Used by one thread at a time in each direction.
 *
 * <p>It stands here, not beside the codec, because that is exported to named modules only, and a
 * host for tests is often on the class path.
 */
public final class ClientDeflate {
  private static final int PART = 16 * 1024;

  private final MessageDeflater deflater;
  private final Extension extension;

  private ClientDeflate(MessageDeflater deflater, MessageInflater inflater) {
    this.deflater = deflater;
    this.extension = new Extension(DeflateAgreement.TOKEN, Extension.RSV1, inflater, deflater);
  }

  /**
   * Returns the client's side of what a server has agreed to.
   *
   * @param extensions the value of {@code Sec-WebSocket-Extensions} in the server's answer
   * @return null if it agrees to anything but permessage-deflate
   */
  public static @Nullable ClientDeflate agreed(String extensions) {
    DeflateAgreement terms = DeflateAgreement.negotiate(List.of(extensions), Terms.DEFAULT);
    if (terms == null) {
      return null;
    }
    DeflateCodec codec = DeflateCodec.jdk();
    return new ClientDeflate(
        new MessageDeflater(
            StreamSource.deflating(codec, terms.clientMaxWindowBits(), DeflateCodec.DEFAULT_LEVEL),
            terms.clientContextTakeover()),
        new MessageInflater(
            StreamSource.inflating(codec, terms.serverMaxWindowBits()),
            terms.serverContextTakeover()));
  }

  /** Returns the extension for the reader of what the server sends. */
  public Extension extension() {
    return extension;
  }

  /**
   * Compresses the payload of a message, or of a fragment of one, all of which comes out.
   *
   * @param endOfMessage whether the message ends with {@code payload}
   */
  public ByteBuffer compress(ByteBuffer payload, boolean endOfMessage) {
    ByteBuffer in = payload.duplicate();
    ByteBuffer part = ByteBuffer.allocate(PART);
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    boolean done;
    do {
      done = deflater.deflate(in, part, endOfMessage ? End.MESSAGE : End.FRAGMENT);
      all.write(part.array(), 0, part.position());
      part.clear();
    } while (!done);
    return ByteBuffer.wrap(all.toByteArray());
  }
}
