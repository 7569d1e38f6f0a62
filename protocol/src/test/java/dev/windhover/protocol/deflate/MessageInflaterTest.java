package dev.windhover.protocol.deflate;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.protocol.Allocations;
import dev.windhover.protocol.Extension;
import dev.windhover.protocol.Extension.PayloadException;
import dev.windhover.protocol.FrameReader;
import dev.windhover.protocol.Frames;
import dev.windhover.protocol.Hex;
import dev.windhover.protocol.Role;
import dev.windhover.protocol.Violation;
import dev.windhover.protocol.spi.InflateStream;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.Deflater;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MessageInflaterTest {
  /** "Hello" in a block of fixed codes with BFINAL set. */
  private static final String FINAL_HELLO = "f3 48 cd c9 c9 07 00";

  private static MessageInflater inflater(int windowBits, boolean takeover) {
    return new MessageInflater(StreamSource.inflating(DeflateCodecs.jdk(), windowBits), takeover);
  }

  private final MessageInflater inflater = inflater(15, true);

  private static byte[] inflate(MessageInflater with, ByteBuffer in, boolean end, int room)
      throws PayloadException {
    var all = new ByteArrayOutputStream();
    ByteBuffer out = ByteBuffer.allocate(room);
    boolean done;
    do {
      done = with.apply(in, out, end);
      all.write(out.array(), 0, out.position());
      out.clear();
    } while (!done);
    return all.toByteArray();
  }

  private String text(String... payload) throws PayloadException {
    return new String(inflate(inflater, Hex.buffer(payload), true, 100), UTF_8);
  }

  private static void assertCorrupt(ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOf(PayloadException.class)
        .hasMessage("compressed data is corrupt");
  }

  private static void assertCut(ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOf(PayloadException.class)
        .hasMessage("compressed message ends inside a block");
  }

  private static byte[] deflate(int flush, byte... message) {
    Deflater zlib = new Deflater(6, true);
    zlib.setInput(message);
    byte[] out = new byte[message.length + 100];
    int n = zlib.deflate(out, 0, out.length, flush);
    zlib.end();
    return Arrays.copyOf(out, n);
  }

  private static byte[] payload(byte... message) {
    byte[] wire = deflate(Deflater.SYNC_FLUSH, message);
    return Arrays.copyOf(wire, wire.length - 4);
  }

  @Nested
  class ExamplesOfRfc7692 {
    @Test
    void oneBlock() throws PayloadException { // 7.2.3.1
      assertThat(text("f2 48 cd c9 c9 07 00")).isEqualTo("Hello");
    }

    @Test
    void twoFragments() throws PayloadException { // 7.2.3.1
      byte[] first = inflate(inflater, Hex.buffer("f2 48 cd"), false, 100);
      byte[] second = inflate(inflater, Hex.buffer("c9 c9 07 00"), true, 100);
      assertThat(Frames.join(first, second)).isEqualTo(Frames.utf8("Hello"));
    }

    @Test
    void sharingTheWindow() throws PayloadException { // 7.2.3.2
      text("f2 48 cd c9 c9 07 00");
      assertThat(text("f2 00 11 00 00")).isEqualTo("Hello");
    }

    @Test
    void storedBlock() throws PayloadException { // 7.2.3.3
      assertThat(text("00 05 00 fa ff 48 65 6c 6c 6f 00")).isEqualTo("Hello");
    }

    @Test
    void finalBlock() throws PayloadException { // 7.2.3.4
      assertThat(text(FINAL_HELLO, "00")).isEqualTo("Hello");
    }

    @Test
    void twoBlocks() throws PayloadException { // 7.2.3.5
      assertThat(text("f2 48 05 00 00 00 ff ff ca c9 c9 07 00")).isEqualTo("Hello");
    }

    @Test
    void emptyMessage() throws PayloadException { // 7.2.3.6
      assertThat(text("00")).isEmpty();
    }
  }

  @Nested
  class BlocksWithBfinal {
    @Test
    void doNotEndTheMessage() throws PayloadException {
      assertThat(text(FINAL_HELLO, FINAL_HELLO, "f2 48 cd c9 c9 07 00"))
          .isEqualTo("HelloHelloHello");
    }

    @Test
    void mayEndTheMessageIfTheyAreStoredAndEmpty() throws PayloadException {
      assertThat(text("01")).isEmpty();
      assertThat(text("f2 48 cd c9 c9 07 00")).isEqualTo("Hello");
    }

    @Test
    void leaveTheWindowToTheSameMessage() throws PayloadException {
      assertThat(text(FINAL_HELLO, "f2 00 11 00 00")).isEqualTo("HelloHello");
    }

    @Test
    void leaveTheWindowToTheNextMessage() throws PayloadException {
      assertThat(text(FINAL_HELLO, "00")).isEqualTo("Hello");
      assertThat(text("f2 00 11 00 00")).isEqualTo("Hello");
      assertThat(text(FINAL_HELLO, "00")).isEqualTo("Hello");
    }

    @Test
    void mayBeCutAnywhere() throws PayloadException {
      byte[] wire = Hex.bytes(FINAL_HELLO, "f2 00 11 00 00");
      for (int cut = 0; cut <= wire.length; cut++) {
        MessageInflater fresh = inflater(15, false);
        byte[] first = inflate(fresh, ByteBuffer.wrap(wire, 0, cut), false, 3);
        byte[] second = inflate(fresh, ByteBuffer.wrap(wire, cut, wire.length - cut), true, 3);
        assertThat(Frames.join(first, second)).isEqualTo(Frames.utf8("HelloHello"));
      }
    }

    @Test
    void leaveAllOfAFullWindow() throws PayloadException {
      byte[] noise = new byte[40_000];
      new Random(3).nextBytes(noise);
      inflate(inflater, ByteBuffer.wrap(deflate(Deflater.SYNC_FLUSH, noise)), false, 1000);
      text(FINAL_HELLO, "00");
      Deflater zlib = new Deflater(9, true);
      byte[] window = Frames.join(Arrays.copyOfRange(noise, 40_000 - 32_000, 40_000), HELLO);
      zlib.setDictionary(window);
      zlib.setInput(window);
      byte[] wire = new byte[40_000];
      int n = zlib.deflate(wire, 0, wire.length, Deflater.SYNC_FLUSH);
      assertThat(n).isLessThan(1000);
      assertThat(inflate(inflater, ByteBuffer.wrap(wire, 0, n - 4), true, 1000)).isEqualTo(window);
    }

    private static final byte[] HELLO = Frames.utf8("Hello");
  }

  /** The JDK's inflater must be given its window again after each block with BFINAL. */
  @Nested
  class ManyBlocksWithBfinal {
    private final byte[] fill = deflate(Deflater.SYNC_FLUSH, new byte[1 << 15]);

    private static byte[] repeated(String block, int times) {
      byte[] one = Hex.bytes(block);
      byte[] all = new byte[one.length * times];
      for (int i = 0; i < times; i++) {
        System.arraycopy(one, 0, all, i * one.length, one.length);
      }
      return all;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void ofAFewBytesAreRefused(boolean takeover) throws PayloadException {
      MessageInflater with = inflater(15, takeover);
      ByteBuffer flood = ByteBuffer.wrap(repeated("4b 04 00", 100_000)); // "a" each
      inflate(with, ByteBuffer.wrap(fill), false, 1 << 16);
      assertThatThrownBy(() -> inflate(with, flood, true, 1 << 16))
          .isInstanceOf(PayloadException.class)
          .hasMessage("too many final blocks in compressed data");
      assertThat(flood.position()).isLessThan(30);
    }

    @Test
    void mayEndMessagesOfAnySize() throws PayloadException {
      inflate(inflater, ByteBuffer.wrap(fill), false, 1 << 16);
      for (int i = 0; i < 1000; i++) {
        assertThat(text("4b 04 00", "01")).isEqualTo("a"); // and in the tail that is left out
      }
    }

    @Test
    void ofThirtyTwoBytesPayForThemselves() throws PayloadException {
      byte[] noise = new byte[32];
      new Random(5).nextBytes(noise);
      byte[] block = Frames.join(Hex.bytes("01 20 00 df ff"), noise);
      inflate(inflater, ByteBuffer.wrap(fill), false, 1 << 16);
      for (int i = 0; i < 10_000; i++) {
        assertThat(inflate(inflater, ByteBuffer.wrap(block), false, 100)).isEqualTo(noise);
      }
    }

    @Test
    void areNoMatterWithASmallWindow() throws PayloadException {
      MessageInflater small = inflater(9, true);
      byte[] many = repeated("4b 04 00", 100_000);
      assertThat(inflate(small, ByteBuffer.wrap(many), false, 1 << 16)).hasSize(100_000);
    }

    @Test
    void spoilNothingForTheNextWhoTakesTheStream() throws PayloadException {
      InflateStream stream = DeflateCodecs.jdk().inflate(15);
      for (int i = 0; i < 100; i++) {
        ByteBuffer out = ByteBuffer.allocate(1 << 16);
        stream.inflate(ByteBuffer.wrap(fill), out);
        stream.inflate(Hex.buffer("4b 04 00".repeat(3)), out);
        assertThat(out.position()).isEqualTo((1 << 15) + 3);
        stream.reset();
      }
      stream.end();
    }

    @Test
    void areAnsweredWith1008() throws PayloadException {
      Extension deflate =
          new Extension(
              DeflateAgreement.TOKEN,
              Extension.RSV1,
              inflater,
              new MessageDeflater(StreamSource.deflating(DeflateCodecs.jdk(), 15, 6), true));
      FrameReader reader = new FrameReader(Role.CLIENT, deflate);
      inflate(inflater, ByteBuffer.wrap(payload(new byte[1 << 15])), true, 1 << 16);
      ByteBuffer in = Hex.buffer("c1 1e", "4b 04 00".repeat(10));
      reader.next(in);
      assertThat(reader.readInto(in, ByteBuffer.allocate(100))).isNegative();
      assertThat(reader.violation())
          .isEqualTo(new Violation(1008, "too many final blocks in compressed data"));
    }
  }

  @Nested
  class Messages {
    @Test
    void ofNoByteAreEmptyAndHarmNothing() throws PayloadException {
      assertThat(text("")).isEmpty();
      assertThat(text("f2 48 cd c9 c9 07 00")).isEqualTo("Hello");
    }

    @Test
    void mayHaveEmptyBlocks() throws PayloadException {
      assertThat(
              text("00 00 00 ff ff", "02 00 00 00 ff ff", "f2 48 cd c9 c9 07 00", "00 00 ff ff 00"))
          .isEqualTo("Hello");
    }

    /** It negotiates context takeover, but starts anew with each message. */
    @Test
    void mayResetWhatTheyCouldTakeOver() throws PayloadException {
      assertThat(text("f2 48 cd c9 c9 07 00")).isEqualTo("Hello");
      assertThat(text("f2 48 cd c9 c9 07 00")).isEqualTo("Hello");
    }

    @Test
    void cannotReferToThoseBeforeWithoutTakeover() throws PayloadException {
      MessageInflater fresh = inflater(15, false);
      inflate(fresh, Hex.buffer("f2 48 cd c9 c9 07 00"), true, 100);
      assertCorrupt(() -> inflate(fresh, Hex.buffer("f2 00 11 00 00"), true, 100));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 64, 1000, 100_000})
    void comeOutWithAnyRoomAndInAnyPieces(int room) throws PayloadException {
      byte[] message = Frames.join(Frames.pattern(3000), new byte[3000], Frames.utf8("end"));
      byte[] wire = payload(message);
      for (int size = 1; size <= wire.length; size = 3 * size - 1 + (size & 1)) {
        var all = new ByteArrayOutputStream();
        for (int at = 0; at < wire.length; at += size) {
          int n = Math.min(size, wire.length - at);
          ByteBuffer in = ByteBuffer.wrap(wire, at, n);
          all.writeBytes(inflate(inflater, in, at + n == wire.length, room));
        }
        assertThat(all.toByteArray()).isEqualTo(message);
      }
    }

    @Test
    void ofEveryWindowAreReadByTheStreamForIt() throws PayloadException {
      for (int bits = 9; bits <= 15; bits++) {
        var deflater =
            new MessageDeflater(StreamSource.deflating(DeflateCodecs.jdk(), bits, 6), true);
        MessageInflater peer = inflater(bits, true);
        for (int i = 0; i < 5; i++) {
          ByteBuffer wire = ByteBuffer.allocate(200_000);
          byte[] message = Frames.pattern(70_000 + i);
          assertThat(deflater.apply(ByteBuffer.wrap(message), wire, true)).isTrue();
          assertThat(inflate(peer, wire.flip(), true, 999)).isEqualTo(message);
          peer.rest();
        }
      }
    }

    /** A fragment is done when zlib holds no more of it. */
    @Test
    void comeOutAsFarAsTheirFragmentsGo() throws PayloadException {
      byte[] wire = payload(new byte[3000]);
      ByteBuffer in = ByteBuffer.wrap(wire, 0, wire.length - 2);
      assertThat(inflate(inflater, in, false, 7)).hasSizeGreaterThan(2500);
    }

    @Test
    void areReadFromDirectBuffers() throws PayloadException {
      byte[] wire = payload(Frames.pattern(999));
      ByteBuffer in = ByteBuffer.allocateDirect(wire.length).put(wire).flip();
      ByteBuffer out = ByteBuffer.allocateDirect(1000);
      assertThat(inflater.apply(in.asReadOnlyBuffer(), out, true)).isTrue();
      byte[] message = new byte[out.flip().remaining()];
      out.get(message);
      assertThat(message).isEqualTo(Frames.pattern(999));
    }
  }

  @Nested
  class CorruptData {
    @ParameterizedTest
    @ValueSource(
        strings = {
          "06", // a block of type 3
          "00 05 00 fa fe 48 65 6c 6c 6f 00", // a stored block whose length is not confirmed
          "f2 00 11 00 00", // nothing is there to refer to
          "fc ff ff ff", // codes of codes that cannot be
          FINAL_HELLO + "06", // behind a block with BFINAL
          "f2 48 cd c9 c9 07 00 ff ff ff ff", // behind the last block
        })
    void isRefused(String payload) {
      assertCorrupt(() -> text(payload));
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "00 05 00 fa ff 48 65", // inside a stored block
          "00 05", // inside its length
          "f2 48 cd c9", // between literals
          "f2 48 cd c9 c9 07", // before the empty block's head
          FINAL_HELLO, // likewise: the example without its last byte
          "f2 48 cd c9 c9 07 00 00 00 ff ff", // with the tail that should be missing
        })
    void isAMessageThatEndsInsideABlockToo(String payload) {
      assertCut(() -> text(payload));
    }

    @Test
    void isFoundWhereItStands() throws PayloadException {
      inflate(inflater, Hex.buffer("f2 48 cd c9 c9 07 00 00 00 ff ff"), false, 100);
      assertCorrupt(() -> inflate(inflater, Hex.buffer("06"), false, 100));
    }

    @Test
    void spoilsNothingForTheNextWhoTakesTheStream() throws PayloadException {
      OneStream source = new OneStream();
      MessageInflater first = new MessageInflater(source, true);
      assertCorrupt(
          () -> inflate(first, Hex.buffer("f2 48 cd c9 c9 07 00 00 00 ff ff 06"), true, 100));
      assertThat(source.given).containsExactly(true);
      MessageInflater second = new MessageInflater(source, true);
      assertCorrupt(() -> inflate(second, Hex.buffer("f2 00 11 00 00"), true, 100));
      assertThat(
              inflate(
                  new MessageInflater(source, true), Hex.buffer("f2 48 cd c9 c9 07 00"), true, 100))
          .isEqualTo(Frames.utf8("Hello"));
    }

    @Test
    void isFoundAfterWhatFillsTheRoomBeforeIt() throws Exception {
      ByteBuffer wire = Hex.buffer("00 05 00 fa ff 48 65 6c 6c 6f 06");
      ByteBuffer out = ByteBuffer.allocate(5);
      assertThat(inflater.apply(wire, out, true)).isFalse();
      assertThat(out.array()).isEqualTo(Frames.utf8("Hello"));
      assertCorrupt(() -> inflater.apply(wire, ByteBuffer.allocate(5), true));
    }

    @Test
    void isAnsweredWith1007() {
      Extension deflate =
          new Extension(
              DeflateAgreement.TOKEN,
              Extension.RSV1,
              inflater,
              new MessageDeflater(StreamSource.deflating(DeflateCodecs.jdk(), 15, 6), true));
      FrameReader reader = new FrameReader(Role.CLIENT, deflate);
      ByteBuffer in = Hex.buffer("c1 01 06");
      reader.next(in);
      assertThat(reader.readInto(in, ByteBuffer.allocate(10))).isNegative();
      assertThat(reader.violation()).isEqualTo(new Violation(1007, "compressed data is corrupt"));
    }
  }

  /** 1 MiB that inflates to 1 GiB. */
  @Nested
  class Bombs {
    /** Returns 1 MiB that inflates to 1 GiB: a mebibyte of zeros without history, repeated. */
    private static ByteBuffer bomb() {
      Deflater zlib = new Deflater(9, true);
      zlib.setInput(new byte[1 << 20]);
      byte[] mebibyte = new byte[2048];
      int size = zlib.deflate(mebibyte, 0, mebibyte.length, Deflater.FULL_FLUSH);
      zlib.end();
      ByteBuffer wire = ByteBuffer.allocate(1024 * size);
      while (wire.hasRemaining()) {
        wire.put(mebibyte, 0, size);
      }
      return wire.limit(wire.limit() - 4).position(0); // as 7.2.1 has it
    }

    private final ByteBuffer bomb = bomb();
    private final ByteBuffer out = ByteBuffer.allocate(8192);

    @Test
    void comeOutNoFasterThanTheyAreTaken() throws PayloadException {
      assertThat(bomb.remaining()).isBetween(1_000_000, 1_100_000);
      int start = bomb.remaining();
      for (int taken = 0; taken < 1 << 20; taken += out.capacity()) {
        assertThat(inflater.apply(bomb, out.clear(), true)).isFalse();
      }
      assertThat(start - bomb.remaining()).isLessThan(4096);
    }

    @Test
    void costNothingButTheBufferTheyAreTakenInto() {
      long allocated =
          Allocations.of(() -> {
            MessageInflater fresh = inflater(15, true);
            bomb.position(0);
            try {
              for (int i = 0; i < 128; i++) {
                fresh.apply(bomb, out.clear(), true);
              }
            } catch (PayloadException e) {
              throw new AssertionError(e);
            }
            fresh.close();
          });
      assertThat(allocated).isLessThan(100_000); // the window, grown in steps
    }

    @Test
    void inManyFragmentsComeOutLikewise() throws PayloadException {
      long taken = 0;
      boolean done = true;
      int wire = bomb.limit();
      bomb.limit(0);
      while (taken < 1 << 20) {
        if (done) {
          bomb.limit(Math.min(wire, bomb.limit() + 100));
        }
        done = inflater.apply(bomb, out.clear(), false);
        taken += out.position();
        assertThat(done || !out.hasRemaining()).isTrue();
      }
      assertThat(bomb.limit()).isLessThan(4096);
    }
  }

  /** Lends one stream, and counts. */
  private static final class OneStream implements StreamSource<InflateStream> {
    final List<Boolean> given = new ArrayList<>();
    @Nullable InflateStream stream = DeflateCodecs.jdk().inflate(15);

    @Override
    public @Nullable InflateStream take() {
      InflateStream taken = stream;
      stream = null;
      return taken;
    }

    @Override
    public void give(InflateStream returned, boolean reusable) {
      given.add(reusable);
      stream = returned;
    }
  }

  @Nested
  class Streams {
    private final OneStream source = new OneStream();

    private void hello(MessageInflater with) throws PayloadException {
      assertThat(inflate(with, Hex.buffer("f2 48 cd c9 c9 07 00"), true, 100))
          .isEqualTo(Frames.utf8("Hello"));
    }

    @Test
    void areHeldDuringAMessageOnlyWithoutTakeover() throws PayloadException {
      MessageInflater lean = new MessageInflater(source, false);
      inflate(lean, Hex.buffer("f2 48"), false, 100);
      assertThat(lean.holdsStream()).isTrue();
      inflate(lean, Hex.buffer("cd c9 c9 07 00"), true, 100);
      assertThat(lean.holdsStream()).isFalse();
      hello(lean);
      assertThat(source.given).containsExactly(true, true);
    }

    @Test
    void areNotTakenForAMessageWithoutABlock() throws PayloadException {
      MessageInflater lean = new MessageInflater(source, false);
      inflate(lean, Hex.buffer(""), true, 100);
      assertThat(lean.holdsStream()).isFalse();
    }

    @Test
    void restAndTheWindowStays() throws PayloadException {
      MessageInflater own = new MessageInflater(source, true);
      hello(own);
      own.rest();
      assertThat(own.holdsStream()).isFalse();
      MessageInflater other = new MessageInflater(source, true);
      assertCorrupt(() -> inflate(other, Hex.buffer("f2 00 11 00 00"), true, 100));
      assertThat(inflate(own, Hex.buffer("f2 00 11 00 00"), true, 100))
          .isEqualTo(Frames.utf8("Hello"));
    }

    @Test
    void doNotRestInsideAMessage() throws PayloadException {
      MessageInflater own = new MessageInflater(source, true);
      inflate(own, Hex.buffer("f2 48"), false, 100);
      own.rest();
      assertThat(own.holdsStream()).isTrue();
    }

    @Test
    void areGivenBackOnceWhenTheConnectionEndsInsideAMessage() throws PayloadException {
      MessageInflater own = new MessageInflater(source, true);
      inflate(own, Hex.buffer("f2 48"), false, 100);
      own.close();
      own.close();
      assertThat(source.given).containsExactly(true);
      hello(new MessageInflater(source, true));
    }
  }

  @Test
  void aStreamGoesOnWhereAnotherResetItselfAtTheSameWindow() throws PayloadException {
    MessageInflater small = inflater(9, true);
    byte[] noise = new byte[700];
    new Random(9).nextBytes(noise);
    assertThat(inflate(small, ByteBuffer.wrap(payload(noise)), true, 100)).isEqualTo(noise);
    small.rest();
    assertThat(inflate(small, Hex.buffer("f2 48 cd c9 c9 07 00"), true, 100))
        .isEqualTo(Frames.utf8("Hello"));
  }
}
