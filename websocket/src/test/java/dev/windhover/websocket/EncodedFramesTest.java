package dev.windhover.websocket;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.protocol.Opcode;
import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EncodedFramesTest {
  private final EncodedFrames frames = new EncodedFrames(ChunkPool.CHUNK_BYTES);

  @ParameterizedTest
  @ValueSource(ints = {1, 4095, 4096, 16_384, 16_385, 100_000})
  void sharedBytesComeInOrderAndAreNotWrittenTo(int size) {
    byte[] payload = new byte[size];
    new Random(size).nextBytes(payload);
    ByteBuffer shared = ByteBuffer.wrap(payload).asReadOnlyBuffer();
    frames.control(Opcode.PING, ByteBuffer.allocate(3));
    frames.share(shared, size / 3);
    assertThat(shared.position()).isEqualTo(size / 3);
    frames.share(shared, Integer.MAX_VALUE);
    frames.control(Opcode.PONG, ByteBuffer.allocate(3));
    assertThat(frames.size()).isEqualTo(5 + size + 5);

    ByteBuffer all = ByteBuffer.allocate(frames.size());
    for (ByteBuffer chunk; (chunk = frames.take()) != null; ) {
      assertThat(chunk.remaining()).isLessThanOrEqualTo(ChunkPool.CHUNK_BYTES);
      all.put(chunk);
      frames.recycle(chunk);
      assertThat(frames.borrow(1).isReadOnly()).isFalse();
    }
    assertThat(frames.size()).isZero();
    assertThat(all.flip().slice(5, size)).isEqualTo(ByteBuffer.wrap(payload));
    assertThat(all.get(5 + size)).isEqualTo((byte) 0x8A);
  }
}
