package dev.windhover.protocol;

import static dev.windhover.protocol.Told.binary;
import static dev.windhover.protocol.Told.closed;
import static dev.windhover.protocol.Told.invalidData;
import static dev.windhover.protocol.Told.ping;
import static dev.windhover.protocol.Told.protocolError;
import static dev.windhover.protocol.Told.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.windhover.protocol.FrameReader.Event;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests the seam for extensions with a toy that owns RSV2: its coded frames begin with a2 or 22, a1
 * or 21.
 */
class ExtensionTest {
  /**
   * Each byte on the wire stands for two, its bits in {@code 110xxxxx 10xxxxxx}: so 80 to ff are
   * characters, and 00 to 7f are not UTF-8. A message ends in {@code !} besides. 55 is refused.
   */
  private static final class Toy implements Extension.Transform {
    private static final int NOTHING = -1;

    private int waiting = NOTHING;

    @Override
    public boolean apply(ByteBuffer in, ByteBuffer out, boolean endOfMessage)
        throws Extension.PayloadException {
      while (true) {
        if (!out.hasRemaining()) {
          return waiting == NOTHING && !in.hasRemaining() && !endOfMessage;
        }
        if (waiting != NOTHING) {
          out.put((byte) waiting);
          waiting = NOTHING;
        } else if (in.hasRemaining()) {
          int b = in.get() & 0xFF;
          if (b == 0x55) {
            throw new Extension.PayloadException("toy cannot decode 55");
          }
          out.put((byte) (0xC0 | (b >>> 6)));
          waiting = 0x80 | (b & 0x3F);
        } else {
          if (endOfMessage) {
            out.put((byte) '!');
          }
          return true;
        }
      }
    }
  }

  private static Extension toy() {
    return new Extension(
        "toy",
        Extension.RSV2,
        new Toy(),
        (in, out, end) -> {
          throw new AssertionError("readers do not encode");
        });
  }

  private static List<Told> told(String... frames) {
    return Recorder.toldWith(ExtensionTest::toy, frames);
  }

  /** Returns a server's reader that has read the header of e9 e8 ff, coded and masked. */
  private static FrameReader atData(ByteBuffer in) {
    FrameReader reader = new FrameReader(Role.SERVER, toy());
    assertThat(reader.next(in)).isEqualTo(Event.DATA);
    return reader;
  }

  private static ByteBuffer coded() {
    return ByteBuffer.wrap(Frames.masked(0xA1, Hex.bytes("e9 e8 ff")));
  }

  @Nested
  class CodedMessages {
    @Test
    void areDecoded() {
      assertThat(told("a1 02 e9 e8")).containsExactly(text("éè!"));
    }

    @Test
    void areDecodedAcrossFragments() {
      assertThat(told("21 01 e9", "00 01 e8", "80 01 ff")).containsExactly(text("éèÿ!"));
    }

    @Test
    void endOnce() {
      assertThat(told("21 01 e9", "00 00", "80 00", "a2 00"))
          .containsExactly(text("é!"), binary("21"));
    }

    @Test
    void mayBeLong() {
      assertThat(told(Hex.of(Frames.unmasked(0xA1, Hex.bytes("e9".repeat(700))))))
          .containsExactly(text("é".repeat(700) + "!"));
    }

    @Test
    void letControlFramesThroughPlain() {
      assertThat(told("21 01 e9", "89 01 e8", "80 00", "88 02 03 e8"))
          .containsExactly(ping("e8"), text("é!"), closed(1000, ""));
    }

    @Test
    void mixWithPlainOnes() {
      assertThat(told("a2 01 00", "82 01 00", "a1 01 e9", "81 02 c3 a9", "02 00", "80 01 07"))
          .containsExactly(binary("c0 80 21"), binary("00"), text("é!"), text("é"), binary("07"));
    }
  }

  @Nested
  class DecodedText {
    private static final Told REFUSED = invalidData("text is not valid UTF-8");

    @Test
    void isCheckedAfterDecoding() { // the wire's c3 a9 would be UTF-8; 41 becomes c1 81
      assertThat(told("a1 01 41")).containsExactly(REFUSED);
    }

    @Test
    void isCheckedInEveryFragment() {
      assertThat(told("21 01 e9", "00 01 e8", "00 01 41")).containsExactly(REFUSED);
    }

    @Test
    void isRefusedBeforeTheFrameHasEnded() {
      FrameReader reader = new FrameReader(Role.CLIENT, toy());
      ByteBuffer in = Hex.buffer("a1 7e ff ff", "e9 41");
      reader.next(in);
      assertThat(reader.readInto(in, ByteBuffer.allocate(100))).isNegative();
    }

    @Test
    void isRefusedBeforeWhatCannotBeDecoded() {
      assertThat(told("a1 02 41 55")).containsExactly(REFUSED);
    }

    @Test
    void isNotAskedOfBinary() {
      assertThat(told("a2 01 41")).containsExactly(binary("c1 81 21"));
    }
  }

  @Nested
  class PayloadThatCannotBeDecoded {
    @Test
    void isAnsweredWith1007AndTheWordsOfTheExtension() {
      assertThat(told("a2 02 e9 55")).containsExactly(invalidData("toy cannot decode 55"));
    }

    @Test
    void endsTheReader() {
      assertThat(told("a2 01 55", "82 01 00")).containsExactly(invalidData("toy cannot decode 55"));
    }

    @Test
    void isNoConcernOfPlainMessages() {
      assertThat(told("82 01 55")).containsExactly(binary("55"));
    }
  }

  @Nested
  class ReservedBits {
    @ParameterizedTest
    @ValueSource(strings = {"c1", "91", "e1", "b1", "f1"})
    void thatTheExtensionDoesNotOwnAreRefused(String first) {
      assertThat(told(first + "00"))
          .containsExactly(protocolError("reserved bits set without an extension"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a8", "a9", "aa"})
    void areRefusedOnControlFrames(String first) {
      assertThat(told(first + "00"))
          .containsExactly(protocolError("reserved bits set on a control frame"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"20", "a0"})
    void areRefusedOnContinuations(String first) {
      assertThat(told("21 00", first + "00"))
          .containsExactly(protocolError("reserved bits set on a continuation frame"));
    }

    @Test
    void areRefusedOnContinuationsOfPlainMessagesToo() {
      assertThat(told("01 00", "a0 00"))
          .containsExactly(protocolError("reserved bits set on a continuation frame"));
    }

    @Test
    void mayBeSeveral() {
      Extension extension =
          new Extension("toy", Extension.RSV1 | Extension.RSV3, new Toy(), new Toy());
      FrameReader reader = new FrameReader(Role.CLIENT, extension);
      assertThat(reader.next(Hex.buffer("91 00"))).isEqualTo(Event.DATA);
      assertThat(reader.isCoded()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 0x80, 0x48, 0xF0, -1})
    void areWithinTheirThree(int bits) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new Extension("toy", bits, new Toy(), new Toy()))
          .withMessage("reserved bits 0x" + Integer.toHexString(bits) + " are not within 0x70");
    }
  }

  @Nested
  class SmallDestinations {
    @Test
    void areFilledOneByOne() {
      ByteBuffer in = coded();
      FrameReader reader = atData(in);
      var all = new StringBuilder();
      while (!reader.endOfMessage()) {
        assertThat(reader.next(in)).isEqualTo(Event.DATA);
        ByteBuffer out = ByteBuffer.allocate(1);
        reader.readInto(in, out);
        all.append(Hex.of(out.flip()));
      }
      assertThat(all).hasToString("c3a9" + "c3a8" + "c3bf" + "21");
    }

    @Test
    void leaveWhatWaitsInTheDecoderAfterTheLastByteOfTheWire() {
      ByteBuffer in = coded();
      FrameReader reader = atData(in);
      reader.readInto(in, ByteBuffer.allocate(5));
      assertThat(in.hasRemaining()).isFalse();
      assertThat(reader.frameRemaining()).isZero();
      assertThat(reader.endOfFrame()).isFalse();
      assertThat(reader.endOfMessage()).isFalse();
      assertThat(reader.next(in)).isEqualTo(Event.DATA);
    }

    @Test
    void doNotUnmaskTwice() { // the rest of the input moves and grows before it is read on
      byte[] wire = Frames.masked(0xA1, Hex.bytes("e9 e8 ff e0 e1"));
      int header = wire.length - 5;
      ByteBuffer in = ByteBuffer.allocate(wire.length).put(wire, 0, header + 2).flip();
      FrameReader reader = atData(in);
      ByteBuffer out = ByteBuffer.allocate(20);
      reader.readInto(in, out.limit(2));
      in.compact().put(wire, header + 2, 1).flip();
      reader.readInto(in, out.limit(4));
      in.compact().put(wire, header + 3, 2).flip();
      reader.readInto(in, out.limit(20));
      assertThat(Hex.of(out.flip())).isEqualTo(Hex.of(Frames.utf8("éèÿàá!")));
    }

    @Test
    void mayBeFollowedByLessInput() {
      byte[] wire = Frames.masked(0xA1, Hex.bytes("e9 e8 ff e0 e1"));
      ByteBuffer in = ByteBuffer.wrap(wire);
      FrameReader reader = atData(in);
      ByteBuffer out = ByteBuffer.allocate(20).limit(2);
      reader.readInto(in, out);
      reader.readInto(in.limit(in.position() + 1), out.limit(20));
      reader.readInto(in.limit(wire.length), out);
      assertThat(Hex.of(out.flip())).isEqualTo(Hex.of(Frames.utf8("éèÿàá!")));
    }

    @Test
    void leaveTheLimitOfTheInput() {
      ByteBuffer in = ByteBuffer.wrap(Frames.join(coded().array(), Hex.bytes("89")));
      FrameReader reader = atData(in);
      reader.readInto(in, ByteBuffer.allocate(20));
      assertThat(Hex.of(in)).isEqualTo("89");
    }
  }

  @Test
  void aCodedMessageSaysSo() {
    assertThat(atData(coded()).isCoded()).isTrue();
  }

  @Test
  void aPlainMessageSaysSo() {
    assertThat(atData(ByteBuffer.wrap(Frames.masked(Frames.TEXT))).isCoded()).isFalse();
  }

  @Test
  void whatStandsInTheDestinationIsNotRead() {
    ByteBuffer in = coded();
    ByteBuffer out = ByteBuffer.allocate(20).put(Hex.bytes("ff ff"));
    assertThat(atData(in).readInto(in, out)).isEqualTo(7);
    assertThat(Hex.of(out.flip())).isEqualTo("ffff" + "c3a9" + "c3a8" + "c3bf" + "21");
  }

  @Test
  void aCodedMessageCannotBeReadInPlace() {
    ByteBuffer in = coded();
    FrameReader reader = atData(in);
    assertThatIllegalStateException()
        .isThrownBy(() -> reader.readInPlace(in))
        .withMessage("a coded message cannot be read in place");
  }

  @Test
  void decodedAsciiIsKnownAsAscii() {
    Extension plain =
        new Extension("plain", Extension.RSV1, ExtensionTest::copy, ExtensionTest::copy);
    FrameReader reader = new FrameReader(Role.CLIENT, plain);
    ByteBuffer in = Hex.buffer("c1 03 61 62 63");
    reader.next(in);
    reader.readInto(in, ByteBuffer.allocate(10));
    assertThat(reader.isAscii()).isTrue();
  }

  private static boolean copy(ByteBuffer in, ByteBuffer out, boolean endOfMessage) {
    while (in.hasRemaining() && out.hasRemaining()) {
      out.put(in.get());
    }
    return !in.hasRemaining();
  }
}
