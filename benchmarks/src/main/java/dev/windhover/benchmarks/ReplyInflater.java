package dev.windhover.benchmarks;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/** Decompresses what one connection receives, and compares it with what is expected. */
final class ReplyInflater implements AutoCloseable {
  /** The bytes that the sender of a message leaves out (RFC 7692 7.2.1). */
  private static final byte[] TAIL = {0, 0, (byte) 0xFF, (byte) 0xFF};

  private final Inflater inflater = new Inflater(true);
  private final boolean takeover;
  private final byte[] plain;
  private int length;

  /** Creates one for messages of up to this size. */
  ReplyInflater(boolean takeover, int size) {
    this.takeover = takeover;
    plain = new byte[size + 1]; // room to detect excess bytes
  }

  /** Takes all of a part of a message. */
  void add(ByteBuffer part) throws IOException {
    inflater.setInput(part);
    try {
      int made = 1;
      while (made > 0) {
        made = inflater.inflate(plain, length, plain.length - length);
        length += made;
      }
    } catch (DataFormatException e) {
      throw new IOException("wrong echo: a reply cannot be decompressed: " + e.getMessage(), e);
    }
    if (inflater.getRemaining() > 0) {
      throw new IOException("wrong echo: a reply is too large, or its stream has ended");
    }
  }

  /** Ends a message, which must be this one. */
  void end(byte[] expected) throws IOException {
    add(ByteBuffer.wrap(TAIL));
    if (!Arrays.equals(plain, 0, length, expected, 0, expected.length)) {
      throw new IOException("wrong echo: the content of a reply is not what was sent");
    }
    length = 0;
    if (!takeover) {
      inflater.reset();
    }
  }

  @Override
  public void close() {
    inflater.end();
  }
}
