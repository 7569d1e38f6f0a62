package dev.windhover.benchmarks;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Selector;
import org.jspecify.annotations.Nullable;

/**
 * Compressed messages. A reply must be compressed and of the type that was sent, and may come in
 * fragments. The first {@value #VERIFIED} replies are decompressed and compared with what was sent;
 * later replies are only counted, which costs less than any server's work.
 */
final class CompressedLoad extends WebSocketLoad {
  /** Enough for replies to refer to earlier ones, and few enough for the warm-up. */
  private static final int VERIFIED = 16;

  private final MessageRing ring;
  private @Nullable ReplyInflater inflater;
  private int unverified = VERIFIED;
  private boolean inMessage;
  private boolean fin;

  CompressedLoad(
      String name,
      int port,
      MessageRing ring,
      Compression compression,
      int inFlight,
      Selector selector)
      throws IOException {
    super(name, port, OpeningHandshake.of("/", compression), ring, inFlight, selector);
    this.ring = ring;
    inflater = new ReplyInflater(compression.takeover(), ring.size());
  }

  @Override
  void frame(byte first, long length) throws IOException {
    int expected = inMessage ? 0 : ring.firstByte() & 0x7f; // the first frame has RSV1 and opcode
    if ((first & 0x7f) != expected || length > ring.size()) {
      throw new IOException(
          "wrong echo: a frame of %d bytes that starts with 0x%02x, expected 0x%02x beside FIN"
              .formatted(length, first, expected));
    }
    fin = first < 0;
    inMessage = !fin;
  }

  @Override
  void payload(int message, int offset, ByteBuffer buffer, int length, int maskingKey)
      throws IOException {
    if (maskingKey != 0) {
      throw new IOException("wrong echo: a server's frame is masked");
    }
    ReplyInflater verifier = inflater;
    if (verifier != null) {
      verifier.add(buffer.slice(buffer.position(), length));
    }
  }

  @Override
  boolean end(int message) throws IOException {
    ReplyInflater verifier = inflater;
    if (fin && verifier != null) {
      verifier.end(ring.payload(message));
      if (--unverified == 0) {
        verifier.close();
        inflater = null;
      }
    }
    return fin;
  }

  @Override
  boolean verified() {
    return unverified == 0;
  }
}
