package dev.windhover.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MessageRingTest {
  private static final int IN_FLIGHT = 3;

  @Test
  void jsonIsTheSameForOneSeedAndDiffersFromMessageToMessage() {
    var messages = new JsonMessages(1, 256);
    byte[] first = messages.next();
    assertThat(first).hasSize(256).startsWith('{', '"', 'i', 'd', '"', ':');
    assertThat(first).isEqualTo(new JsonMessages(1, 256).next()).isNotEqualTo(messages.next());
  }

  @Test
  void plainFramesHoldTheMessagesMasked() {
    MessageRing ring = MessageRing.plain(true, 64, IN_FLIGHT);
    ByteBuffer frames = ring.view();
    ring.window(frames, 7, 2); // the last one and the first
    for (int message : new int[] {7, 0}) {
      assertThat(frames.getChar()).isEqualTo((char) 0x82C0); // FIN, binary, masked, 64 bytes
      int maskingKey = frames.getInt();
      assertThat(ring.matches(message, 0, frames, 64, maskingKey)).isTrue();
      assertThat(ring.matches(1, 0, frames, 64, maskingKey)).isFalse();
      frames.position(frames.position() + 64);
    }
    assertThat(frames.hasRemaining()).isFalse();
  }

  @ParameterizedTest
  @CsvSource({"takeover, 256", "no-takeover, 256", "takeover:9, 4096", "no-takeover, 65536"})
  void everyLapOfCompressedFramesCanBeReadBehindAnyOther(String mode, int size) throws IOException {
    var compression = Compression.parse("mode", mode);
    MessageRing ring = MessageRing.compressed(false, size, IN_FLIGHT, compression);
    assertThat(ring.distinct()).isGreaterThanOrEqualTo(16);
    ByteBuffer frame = ring.view();
    try (var inflater = new ReplyInflater(compression.takeover(), size)) {
      for (int i = 0; i < 2 * ring.distinct(); i++) {
        ring.window(frame, ring.next(0, i), 1);
        inflater.add(unmasked(frame));
        inflater.end(ring.payload(ring.next(0, i)));
      }
    }
  }

  @Test
  void withTakeoverMessagesAreSmaller() {
    assertThat(lap("takeover", 256)).isLessThan(lap("no-takeover", 256) * 3 / 4);
  }

  private static int lap(String mode, int size) {
    MessageRing ring =
        MessageRing.compressed(false, size, IN_FLIGHT, Compression.parse("mode", mode));
    ByteBuffer frames = ring.view();
    ring.window(frames, 0, ring.distinct());
    return frames.remaining();
  }

  /** Takes a frame's header off: FIN, RSV1 and text, and a length of 7 or 16 bits. */
  private static ByteBuffer unmasked(ByteBuffer frame) {
    assertThat(frame.get()).isEqualTo((byte) 0xC1);
    int length = frame.get() & 0x7F;
    if (length == 126) {
      length = frame.getChar();
    }
    byte[] key = new byte[4];
    frame.get(key);
    byte[] payload = new byte[length];
    frame.get(payload);
    for (int i = 0; i < length; i++) {
      payload[i] ^= key[i & 3];
    }
    assertThat(frame.hasRemaining()).isFalse();
    return ByteBuffer.wrap(payload);
  }

  // ---- ReplyInflater

  /** "Hello", compressed (RFC 7692 7.2.3.1). */
  private static final String HELLO = "f2 48 cd c9 c9 07 00";

  private static void inflate(String hex, String expected) throws IOException {
    try (var inflater = new ReplyInflater(true, 5)) {
      inflater.add(ByteBuffer.wrap(HexFormat.ofDelimiter(" ").parseHex(hex)));
      inflater.end(expected.getBytes(US_ASCII));
    }
  }

  @Test
  void aReplyIsComparedWithWhatWasSent() throws IOException {
    inflate(HELLO, "Hello");
    assertThatThrownBy(() -> inflate(HELLO, "Hallo")).hasMessageStartingWith("wrong echo");
    assertThatThrownBy(() -> inflate(HELLO, "Hell")).hasMessageStartingWith("wrong echo");
  }

  @Test
  void aReplyThatIsNoneOrTooLargeFails() {
    // A stored block of 7 bytes; a block of the reserved type.
    assertThatThrownBy(() -> inflate("00 07 00 f8 ff 61 62 63 64 65 66 67 00", "abcde"))
        .hasMessageStartingWith("wrong echo");
    assertThatThrownBy(() -> inflate("06 00", "Hello")).hasMessageStartingWith("wrong echo");
  }
}
