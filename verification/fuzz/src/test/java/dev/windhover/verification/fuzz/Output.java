package dev.windhover.verification.fuzz;

import dev.windhover.protocol.Extension;
import dev.windhover.protocol.FrameReader;
import dev.windhover.protocol.Role;
import dev.windhover.protocol.deflate.DeflateAgreement;
import dev.windhover.protocol.deflate.DeflateCodecs;
import dev.windhover.protocol.deflate.MessageInflater;
import dev.windhover.protocol.deflate.StreamSource;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** What a server has sent, as its client reads it. */
final class Output {
  private Output() {}

  /** Requires whole frames, valid messages, and behind a Close nothing but Pongs. */
  static void check(byte[] output, boolean compressed) {
    MessageInflater inflater =
        new MessageInflater(StreamSource.inflating(DeflateCodecs.jdk(), 15), true);
    try {
      check(ByteBuffer.wrap(output), compressed ? inflater : null);
    } finally {
      inflater.close();
    }
  }

  private static void check(ByteBuffer in, @Nullable MessageInflater inflater) {
    Extension extension =
        inflater == null
            ? null
            : new Extension(
                DeflateAgreement.TOKEN,
                Extension.RSV1,
                inflater,
                (from, to, end) -> {
                  throw new AssertionError("nothing is sent here");
                });
    FrameReader reader = new FrameReader(Role.CLIENT, extension);
    ByteBuffer room = ByteBuffer.allocate(1024);
    boolean closed = false;
    boolean midFrame = false;
    FrameReader.Event event;
    while ((event = reader.next(in)) != FrameReader.Event.MORE) {
      if (event == FrameReader.Event.VIOLATION) {
        throw new AssertionError("we sent what is none: " + reader.violation());
      }
      if (closed && event != FrameReader.Event.PONG) {
        throw new AssertionError(event + " after our Close");
      }
      if (event == FrameReader.Event.DATA) {
        reader.readInto(in, room.clear());
        midFrame = !reader.endOfFrame();
      }
      if (event == FrameReader.Event.CLOSE) {
        closed = true;
        reader = new FrameReader(Role.CLIENT);
      }
    }
    if (midFrame) {
      throw new AssertionError("a frame that was sent is cut");
    }
  }
}
