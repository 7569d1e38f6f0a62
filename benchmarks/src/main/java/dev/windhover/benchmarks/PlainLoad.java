package dev.windhover.benchmarks;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Selector;

/**
 * Messages without compression. A reply may be masked or not, but it must be one whole message of
 * the type and size that was sent. The content of the first reply, and then of every {@value
 * #SAMPLING}th, is compared with what was sent.
 */
final class PlainLoad extends WebSocketLoad {
  /** A prime, so that every message of the ring has its turn. */
  private static final int SAMPLING = 1021;

  private final MessageRing ring;
  private int untilSample;

  PlainLoad(String name, int port, MessageRing ring, int inFlight, Selector selector)
      throws IOException {
    super(name, port, OpeningHandshake.of("/", Compression.OFF), ring, inFlight, selector);
    this.ring = ring;
  }

  @Override
  void frame(byte first, long length) throws IOException {
    if (first != ring.firstByte() || length != ring.size()) {
      throw new IOException(
          "wrong echo: a frame of %d bytes that starts with 0x%02x, expected %d bytes and 0x%02x"
              .formatted(length, first, ring.size(), ring.firstByte()));
    }
  }

  @Override
  void payload(int message, int offset, ByteBuffer buffer, int length, int maskingKey)
      throws IOException {
    if (untilSample == 0 && !ring.matches(message, offset, buffer, length, maskingKey)) {
      throw new IOException("wrong echo: the content of a reply is not what was sent");
    }
  }

  @Override
  boolean end(int message) {
    untilSample = untilSample == 0 ? SAMPLING - 1 : untilSample - 1;
    return true;
  }
}
