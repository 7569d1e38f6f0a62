package dev.windhover.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MessageBufferTest {
  private static void add(MessageBuffer buffer, byte... piece) {
    buffer.room(piece.length).put(piece);
  }

  @Test
  void isEmptyAtFirst() {
    var buffer = new MessageBuffer(1000);
    assertThat(buffer.isEmpty()).isTrue();
    assertThat(buffer.size()).isZero();
    assertThat(buffer.message().remaining()).isZero();
  }

  @Test
  void holdsWhatWasAdded() {
    var buffer = new MessageBuffer(1000);
    add(buffer, Hex.bytes("01 02"));
    add(buffer, Hex.bytes("03"));
    assertThat(buffer.isEmpty()).isFalse();
    assertThat(buffer.size()).isEqualTo(3);
    assertThat(Hex.of(buffer.message())).isEqualTo("010203");
  }

  @Test
  void givesItsMessageTwice() {
    var buffer = new MessageBuffer(1000);
    add(buffer, Hex.bytes("01 02"));
    buffer.message();
    assertThat(buffer.size()).isEqualTo(2);
    assertThat(Hex.of(buffer.message())).isEqualTo("0102");
  }

  @Test
  void startsTheNextMessageInTheSameMemory() {
    var buffer = new MessageBuffer(1000);
    ByteBuffer memory = buffer.room(2).put(Hex.bytes("01 02"));
    buffer.message();
    buffer.clear();
    assertThat(buffer.isEmpty()).isTrue();
    assertThat(buffer.room(2)).isSameAs(memory);
    add(buffer, Hex.bytes("03"));
    assertThat(Hex.of(buffer.message())).isEqualTo("03");
  }

  @Test
  void givesItsMemoryAwayWithTheMessage() {
    var buffer = new MessageBuffer(1000);
    add(buffer, Hex.bytes("01 02"));
    ByteBuffer first = buffer.take();
    add(buffer, Hex.bytes("03"));
    assertThat(Hex.of(first)).isEqualTo("0102");
    assertThat(Hex.of(buffer.take())).isEqualTo("03");
    assertThat(buffer.take().remaining()).isZero();
  }

  @Nested
  class Pieces {
    @Test
    void theFirstLendsItsMemory() {
      var buffer = new MessageBuffer(1000);
      ByteBuffer piece = ByteBuffer.wrap(Hex.bytes("01 02"));
      buffer.add(piece);
      assertThat(piece.hasRemaining()).isFalse();
      assertThat(buffer.message().array()).isSameAs(piece.array());
    }

    @Test
    void theOthersAreCopiedAfterIt() {
      var buffer = new MessageBuffer(1000);
      buffer.add(ByteBuffer.wrap(Hex.bytes("01 02")));
      buffer.add(ByteBuffer.wrap(Hex.bytes("03")));
      assertThat(Hex.of(buffer.message())).isEqualTo("010203");
    }

    @Test
    void thatWereTakenInPartAreCopied() {
      var buffer = new MessageBuffer(1000);
      buffer.add(ByteBuffer.wrap(Hex.bytes("01 02 03")).position(1));
      assertThat(Hex.of(buffer.message())).isEqualTo("0203");
    }
  }

  @Nested
  class OfAReader {
    private final FrameReader reader = new FrameReader(Role.CLIENT);
    private final MessageBuffer buffer = new MessageBuffer(1000);

    private int read(String hex) {
      ByteBuffer in = ByteBuffer.wrap(Hex.bytes(hex));
      assertThat(reader.next(in)).isEqualTo(FrameReader.Event.DATA);
      return buffer.read(reader, in);
    }

    @Test
    void aWholeMessageGetsMemoryOfItsSize() {
      assertThat(read("82 03 01 02 03")).isEqualTo(3);
      assertThat(buffer.take().capacity()).isEqualTo(3);
    }

    @Test
    void theFragmentsAreOneMessage() {
      read("02 02 01 02");
      read("80 01 03");
      assertThat(Hex.of(buffer.take())).isEqualTo("010203");
    }

    @Test
    void aViolationIsTold() {
      assertThat(read("81 01 ff")).isEqualTo(-1);
    }
  }

  @Nested
  class Growth {
    @Test
    void keepsWhatIsThere() {
      byte[] payload = Frames.pattern(100_000);
      var buffer = new MessageBuffer(1 << 20);
      for (int at = 0; at < payload.length; at += 125) {
        buffer.room(125).put(payload, at, 125);
      }
      assertThat(Hex.of(buffer.message())).isEqualTo(Hex.of(payload));
    }

    @Test
    void hasRoomForWhatArrived() {
      var buffer = new MessageBuffer(1 << 20);
      assertThat(buffer.room(70_000).remaining()).isGreaterThanOrEqualTo(70_000);
    }

    @Test
    void waitsUntilThereIsNoRoom() {
      var buffer = new MessageBuffer(1 << 20);
      ByteBuffer memory = buffer.room(1000).put(new byte[999]);
      assertThat(buffer.room(1)).isSameAs(memory);
    }

    @Test
    void isAtMostDouble() {
      var buffer = new MessageBuffer(1 << 20);
      buffer.room(1000).put(new byte[1000]);
      assertThat(buffer.room(1).capacity()).isEqualTo(2000);
    }

    @Test
    void isMoreThanDoubleWhereMoreArrived() {
      var buffer = new MessageBuffer(1 << 20);
      buffer.room(1000).put(new byte[1000]);
      assertThat(buffer.room(1001).capacity()).isEqualTo(2001);
    }

    @Test
    void stopsAtTheLimit() {
      var buffer = new MessageBuffer(1500);
      buffer.room(1000).put(new byte[1000]);
      assertThat(buffer.room(1).capacity()).isEqualTo(1500);
    }

    @Test
    void isOneByteBeyondTheLimitAtMost() {
      var buffer = new MessageBuffer(1500);
      buffer.room(1000).put(new byte[1000]);
      assertThat(buffer.room(5000).remaining()).isEqualTo(501);
    }

    @ParameterizedTest
    @CsvSource({"1000, 1001, 1001", "1000, 2000, 2000", "1000, 2001, 2000", "3000, 4100, 4096"})
    void hasRoomForTheRestOfAFrameIfMostOfItIsHere(int arrived, long declared, int capacity) {
      var buffer = new MessageBuffer(4096);
      assertThat(buffer.room(arrived, declared).capacity()).isEqualTo(capacity);
    }

    @Test
    void doesNotFollowADeclaredLength() {
      var buffer = new MessageBuffer(Long.MAX_VALUE);
      long declared = 1L << 30;
      assertThat(buffer.exceededBy(declared)).isNull();
      assertThat(buffer.room(10, declared).capacity()).isEqualTo(512);
    }
  }

  /** A large message that is not complete. */
  @Nested
  class InPieces {
    private final byte[] payload = Frames.pattern(1 << 20);

    private void fill(MessageBuffer buffer, int bytes, int step) {
      for (int at = buffer.size(); at < bytes; at = buffer.size()) {
        int n = Math.min(step, bytes - at);
        ByteBuffer room = buffer.room(n);
        room.put(payload, at, Math.min(n, room.remaining()));
      }
    }

    @ParameterizedTest
    @CsvSource({
      "1, 65536",
      "1000, 1",
      "200000, 1",
      "200000, 65536",
      "600000, 999",
      "1048575, 65536"
    })
    void takesAtMostAPieceMoreThanItHolds(int bytes, int step) {
      var buffer = new MessageBuffer(1 << 20);
      fill(buffer, bytes, step);
      assertThat(buffer.size()).isEqualTo(bytes);
      assertThat(buffer.memory()).isBetween(bytes, bytes + 128 * 1024);
    }

    /** With its header, an array of 512 KiB would take a region of 1 MiB in a small heap of G1. */
    @Test
    void noneIsLarge() {
      var buffer = new MessageBuffer(1 << 20);
      for (int i = 0; i < 16; i++) {
        fill(buffer, (i + 1) << 16, 1 << 16);
        assertThat(buffer.room(1).capacity() + 16).isLessThanOrEqualTo(128 * 1024);
      }
    }

    @ParameterizedTest
    @CsvSource({"131056, 65536", "131057, 65536", "300000, 7777", "1048576, 65536"})
    void isOneMessageInTheEnd(int bytes, int step) {
      var buffer = new MessageBuffer(1 << 20);
      fill(buffer, bytes, step);
      byte[] whole = Arrays.copyOf(payload, bytes);
      assertThat(buffer.message()).isEqualTo(ByteBuffer.wrap(whole));
      ByteBuffer taken = buffer.take();
      assertThat(taken).isEqualTo(ByteBuffer.wrap(whole));
      assertThat(taken.position()).isZero();
      assertThat(buffer.memory()).isZero();
    }

    @Test
    void isForgottenForTheNext() {
      var buffer = new MessageBuffer(1 << 20);
      fill(buffer, 300_000, 65_536);
      buffer.clear();
      assertThat(buffer.isEmpty()).isTrue();
      add(buffer, Hex.bytes("03"));
      assertThat(Hex.of(buffer.message())).isEqualTo("03");
    }

    @Test
    void aKeptPieceGoesAcrossThem() {
      var buffer = new MessageBuffer(1 << 20);
      fill(buffer, 131_000, 65_536);
      buffer.add(ByteBuffer.wrap(payload, 131_000, 300_000));
      assertThat(buffer.take()).isEqualTo(ByteBuffer.wrap(payload, 0, 431_000));
    }

    @Test
    void hasRoomForOneByteBeyondTheLimit() {
      var buffer = new MessageBuffer(200_000);
      fill(buffer, 200_000, 65_536);
      assertThat(buffer.room(100).remaining()).isEqualTo(1);
      buffer.room(100).put((byte) 0);
      assertThat(buffer.exceededBy(0))
          .isEqualTo(new Violation(1009, "message of 200001 bytes exceeds limit of 200000"));
    }
  }

  @Nested
  class Limit {
    @ParameterizedTest
    @CsvSource({"0, 0, 0", "0, 1000, 1000", "400, 600, 1000", "1000, 0, 1000"})
    void mayBeReached(int have, long more, long limit) {
      var buffer = new MessageBuffer(limit);
      buffer.room(have).put(new byte[have]);
      assertThat(buffer.exceededBy(more)).isNull();
    }

    @ParameterizedTest
    @CsvSource({
      "0, 1, 0, 1",
      "0, 1001, 1000, 1001",
      "400, 601, 1000, 1001",
      "1000, 1, 1000, 1001",
      "1001, 0, 1000, 1001",
      "0, 4611686018427387904, 1000, 4611686018427387904",
      "10, 9223372036854775807, 1000, 9223372036854775807" // no number is larger
    })
    void mayNotBeExceeded(int have, long more, long limit, long words) {
      var buffer = new MessageBuffer(limit);
      buffer.room(have).put(new byte[have]);
      assertThat(buffer.exceededBy(more))
          .isEqualTo(
              new Violation(1009, "message of " + words + " bytes exceeds limit of " + limit));
    }

    @Test
    void isNeverBeyondWhatAnArrayHolds() {
      assertThat(new MessageBuffer(Long.MAX_VALUE).exceededBy(1L << 31))
          .isEqualTo(
              new Violation(1009, "message of 2147483648 bytes exceeds limit of 2147483639"));
    }
  }
}
