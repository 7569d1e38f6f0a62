package dev.windhover.websocket;

import dev.windhover.http.host.Duplex;
import dev.windhover.protocol.FrameWriter;
import dev.windhover.protocol.Opcode;
import java.nio.ByteBuffer;

/**
 * Whole frames that go straight into the duplex's output, past a {@link SendQueue} with nothing in
 * it. Loop only.
 */
final class DirectOutput {
  /**
   * Frames up to this size are gathered in the output buffer; the payload of larger ones follows.
   */
  private static final int GATHER_BYTES = 32 * 1024;

  private final Duplex duplex;
  private final FrameWriter writer;
  private final SendMarks marks;

  /** How much may be written before the transport is asked again what it still holds. */
  private int room;

  DirectOutput(Duplex duplex, FrameWriter writer, SendMarks marks) {
    this.duplex = duplex;
    this.writer = writer;
    this.marks = marks;
  }

  /**
   * Writes a message; returns whether what waits is below the high mark.
   *
   * @throws IllegalStateException if it was at or above it already
   */
  boolean message(ByteBuffer payload, Opcode opcode, int reservedBits) {
    int size = payload.remaining();
    int headerSize = writer.headerSize(size);
    int left = room;
    if (left <= headerSize + size) {
      long pending = duplex.pending();
      marks.requireBelowHigh(pending);
      left = (int) (marks.high() - pending);
    }
    room = left - headerSize - size;
    boolean gather = size <= GATHER_BYTES;
    ByteBuffer out = duplex.reserve(gather ? headerSize + size : headerSize);
    writer.header(out, opcode, true, reservedBits, size);
    if (gather) {
      writer.payload(payload, out);
      duplex.commit();
    } else {
      duplex.commit();
      duplex.write(payload);
    }
    if (room <= 0) {
      marks.full();
      return false;
    }
    return true;
  }

  void control(Opcode opcode, ByteBuffer payload) {
    ByteBuffer out = duplex.reserve(writer.headerSize(125) + payload.remaining());
    writer.frame(out, opcode, true, payload);
    duplex.commit();
    room = 0;
  }

  /** Others write too: what the transport holds is to be asked again. */
  void forget() {
    room = 0;
  }
}
