package dev.windhover.http.host;

import dev.windhover.protocol.Extension;
import dev.windhover.protocol.deflate.DeflateAgreement;
import dev.windhover.protocol.deflate.DeflateAgreement.Terms;
import dev.windhover.protocol.deflate.DeflateCodecs;
import dev.windhover.protocol.deflate.MessageDeflater;
import dev.windhover.protocol.deflate.MessageDeflater.End;
import dev.windhover.protocol.deflate.MessageInflater;
import dev.windhover.protocol.deflate.StreamSource;
import dev.windhover.protocol.spi.DeflateCodec;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The client's side of permessage-deflate (RFC 7692), for hosts that also hold the client's end of
 * a socket, as the host in memory does. Only one thread at a time may use each direction.
 *
 * <p>It is in this package and not with the codec, because the codec is exported only to named
 * modules, and a host for tests is often on the class path.
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
   * Returns the client's side of the extensions that a server has accepted.
   *
   * @param extensions the value of {@code Sec-WebSocket-Extensions} in the server's answer
   * @return null if the server has accepted anything but permessage-deflate
   */
  public static @Nullable ClientDeflate agreed(String extensions) {
    DeflateAgreement terms = DeflateAgreement.negotiate(List.of(extensions), Terms.DEFAULT);
    if (terms == null) {
      return null;
    }
    DeflateCodec codec = DeflateCodecs.jdk();
    return new ClientDeflate(
        new MessageDeflater(
            StreamSource.deflating(codec, terms.clientMaxWindowBits(), DeflateCodecs.DEFAULT_LEVEL),
            terms.clientContextTakeover()),
        new MessageInflater(
            StreamSource.inflating(codec, terms.serverMaxWindowBits()),
            terms.serverContextTakeover()));
  }

  /** Returns the extension for the reader of the server's frames. */
  public Extension extension() {
    return extension;
  }

  /**
   * Compresses the payload of a message or of a fragment.
   *
   * @param endOfMessage whether the message ends with {@code payload}
   * @return all of the payload, compressed
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
