package dev.windhover.protocol;

import static dev.windhover.protocol.Recorder.told;
import static dev.windhover.protocol.Told.binary;
import static dev.windhover.protocol.Told.closed;
import static dev.windhover.protocol.Told.invalidData;
import static dev.windhover.protocol.Told.ping;
import static dev.windhover.protocol.Told.pong;
import static dev.windhover.protocol.Told.protocolError;
import static dev.windhover.protocol.Told.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.windhover.protocol.FrameReader.Event;
import java.nio.ByteBuffer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Each wire is read in all the ways of {@link Recorder}: split, in several kinds of memory, with
 * both reads.
 */
class FrameReaderTest {
  /** Feeds bytes one by one and returns the index of the one at which the reader refuses. */
  private static int refusedAt(Role role, byte... wire) {
    FrameReader reader = new FrameReader(role);
    for (int i = 0; i < wire.length; i++) {
      ByteBuffer in = ByteBuffer.wrap(new byte[] {wire[i]});
      Event event = reader.next(in);
      if (event == Event.DATA && in.hasRemaining()) {
        int n = reader.readInPlace(in);
        if (n >= 0) {
          in.position(in.position() + n);
        }
        event = reader.next(in);
      }
      if (event == Event.VIOLATION) {
        return i;
      }
    }
    return -1;
  }

  /** Returns a reader that has read {@code wire} up to the first piece of data. */
  private static FrameReader atData(Role role, ByteBuffer wire) {
    FrameReader reader = new FrameReader(role);
    assertThat(reader.next(wire)).isEqualTo(Event.DATA);
    return reader;
  }

  /** RFC 6455 5.7, in its order. */
  @Nested
  class Examples {
    @Test
    void singleFrameUnmaskedText() {
      assertThat(told(Role.CLIENT, Hex.bytes("81 05 48 65 6c 6c 6f")))
          .containsExactly(text("Hello"));
    }

    @Test
    void singleFrameMaskedText() {
      assertThat(told(Role.SERVER, Hex.bytes("81 85 37 fa 21 3d 7f 9f 4d 51 58")))
          .containsExactly(text("Hello"));
    }

    @Test
    void fragmentedUnmaskedText() {
      assertThat(told(Role.CLIENT, Hex.bytes("01 03 48 65 6c", "80 02 6c 6f")))
          .containsExactly(text("Hello"));
    }

    @Test
    void unmaskedPing() {
      assertThat(told(Role.CLIENT, Hex.bytes("89 05 48 65 6c 6c 6f")))
          .containsExactly(ping("48 65 6c 6c 6f"));
    }

    @Test
    void maskedPong() {
      assertThat(told(Role.SERVER, Hex.bytes("8a 85 37 fa 21 3d 7f 9f 4d 51 58")))
          .containsExactly(pong("48 65 6c 6c 6f"));
    }

    @Test
    void binaryOf256Bytes() {
      byte[] payload = Frames.pattern(256);
      assertThat(told(Role.CLIENT, Frames.join(Hex.bytes("82 7e 01 00"), payload)))
          .containsExactly(binary(payload));
    }

    @Test
    void binaryOf64Kibibytes() {
      byte[] payload = Frames.pattern(65536);
      byte[] header = Hex.bytes("82 7f 00 00 00 00 00 01 00 00");
      assertThat(told(Role.CLIENT, Frames.join(header, payload))).containsExactly(binary(payload));
    }
  }

  /** RFC 6455 5.2, payload length. */
  @Nested
  class Lengths {
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 125, 126, 127, 128, 65535, 65536})
    void everyFormIsReadUpToItsBoundary(int length) {
      byte[] payload = Frames.pattern(length);
      assertThat(told(Hex.of(Frames.unmasked(Frames.BINARY, payload))))
          .containsExactly(binary(payload));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 125})
    void sixteenBitsAreRefusedWhereSevenDo(int length) {
      assertThat(told("82 7e %04x".formatted(length)))
          .containsExactly(protocolError("length " + length + " is not in its shortest form"));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 125, 126, 65535})
    void sixtyFourBitsAreRefusedWhereSixteenDo(int length) {
      assertThat(told("82 7f %016x".formatted(length)))
          .containsExactly(protocolError("length " + length + " is not in its shortest form"));
    }

    @ParameterizedTest
    @ValueSource(
        strings = {"80 00 00 00 00 00 00 00", "80 00 00 00 00 00 00 05", "ff ff ff ff ff ff ff ff"})
    void topBitOf64MustBeZero(String length) {
      assertThat(told("82 7f" + length))
          .containsExactly(protocolError("64-bit length with the top bit set"));
    }

    @Test
    void topBitIsRefusedAtItsByte() {
      byte[] wire = Hex.bytes("82 ff", "80 00 00 00 00 00 00 00", "37 fa 21 3d");
      assertThat(refusedAt(Role.SERVER, wire)).isEqualTo(2);
    }

    @Test
    void aLengthThatIsNotMinimalIsRefusedBeforeTheKey() {
      assertThat(refusedAt(Role.SERVER, Hex.bytes("82 fe 00 7d 37 fa 21 3d"))).isEqualTo(3);
    }

    @ParameterizedTest
    @ValueSource(strings = {"40 00 00 00 00 00 00 00", "7f ff ff ff ff ff ff ff"})
    void aHugeLengthIsOnlyANumber(String length) {
      FrameReader reader = atData(Role.CLIENT, Hex.buffer("82 7f", length, "00"));
      assertThat(reader.frameRemaining()).isEqualTo(Hex.buffer(length).getLong());
    }

    @Test
    void aHugeLengthCostsNoMemory() {
      byte[] wire = Hex.bytes("82 7f 40 00 00 00 00 00 00 00", "01 02 03 04");
      FrameReader[] readers = new FrameReader[32];
      for (int i = 0; i < readers.length; i++) {
        readers[i] = new FrameReader(Role.CLIENT);
      }
      ByteBuffer in = ByteBuffer.wrap(wire);
      int[] next = {0};
      long allocated =
          Allocations.of(() -> {
            FrameReader reader = readers[next[0]++];
            in.clear();
            reader.next(in);
            reader.readInPlace(in);
          });
      assertThat(allocated).isZero();
    }

    @Test
    void whatRemainsOfAFrameIsCountedDown() {
      ByteBuffer in = Hex.buffer("82 05 01 02 03");
      FrameReader reader = atData(Role.CLIENT, in);
      reader.readInPlace(in);
      assertThat(reader.frameRemaining()).isEqualTo(2);
    }
  }

  /** RFC 6455 5.2, RSV1 to RSV3, where no extension owns them; see also {@link ExtensionTest}. */
  @Nested
  class ReservedBits {
    private static final Told REFUSED = protocolError("reserved bits set without an extension");

    @ParameterizedTest
    @ValueSource(ints = {0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70})
    void areRefusedOnData(int bits) {
      assertThat(told("%02x 00".formatted(0x82 | bits))).containsExactly(REFUSED);
    }

    @ParameterizedTest
    @ValueSource(ints = {0x10, 0x20, 0x40})
    void areRefusedOnControlFrames(int bits) {
      assertThat(told("%02x 00".formatted(0x89 | bits))).containsExactly(REFUSED);
    }

    @ParameterizedTest
    @ValueSource(ints = {0x10, 0x20, 0x40})
    void areRefusedOnContinuations(int bits) {
      assertThat(told("02 00", "%02x 00".formatted(0x80 | bits))).containsExactly(REFUSED);
    }

    @Test
    void areRefusedAtTheFirstByte() {
      assertThat(refusedAt(Role.SERVER, Hex.bytes("c1 80 37 fa 21 3d"))).isZero();
    }
  }

  /** RFC 6455 5.2, opcode. */
  @Nested
  class Opcodes {
    @ParameterizedTest
    @ValueSource(ints = {3, 4, 5, 6, 7, 11, 12, 13, 14, 15})
    void thatAreReservedAreRefused(int code) {
      assertThat(told("8%x 00".formatted(code)))
          .containsExactly(protocolError("reserved opcode " + code));
    }

    @Test
    void areRefusedAtTheFirstByte() {
      assertThat(refusedAt(Role.SERVER, Hex.bytes("8b 80 37 fa 21 3d"))).isZero();
    }
  }

  /** RFC 6455 5.1 and 5.3. */
  @Nested
  class Masks {
    @ParameterizedTest
    @ValueSource(strings = {"81", "82", "01", "88", "89", "8a"})
    void clientFramesMustBeMasked(String first) {
      assertThat(told(Role.SERVER, Hex.bytes(first, "00")))
          .containsExactly(protocolError("client frame is not masked"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"81", "82", "01", "88", "89", "8a"})
    void serverFramesMustNotBeMasked(String first) {
      assertThat(told(Role.CLIENT, Hex.bytes(first, "80 37 fa 21 3d")))
          .containsExactly(protocolError("server frame is masked"));
    }

    @Test
    void aMissingMaskIsRefusedAtTheSecondByte() {
      assertThat(refusedAt(Role.SERVER, Hex.bytes("81 05 48 65 6c 6c 6f"))).isEqualTo(1);
    }

    @Test
    void aKeyOfZeroesIsAKey() {
      assertThat(told(Role.SERVER, Hex.bytes("81 85 00 00 00 00 48 65 6c 6c 6f")))
          .containsExactly(text("Hello"));
    }

    @Test
    void eachFrameHasItsOwnKey() {
      // "He" under 01 02 03 04, "llo" under f0 0d fa ce
      byte[] wire = Hex.bytes("01 82 01 02 03 04 49 67", "80 83 f0 0d fa ce 9c 61 95");
      assertThat(told(Role.SERVER, wire)).containsExactly(text("Hello"));
    }

    @Test
    void theKeyKeepsItsPhaseAtEveryPairOfCuts() {
      byte[] payload = Frames.pattern(21);
      byte[] wire = Frames.masked(Frames.BINARY, payload);
      for (int first = 0; first <= wire.length; first++) {
        for (int second = first; second <= wire.length; second++) {
          var reader = new FrameReader(Role.SERVER);
          ByteBuffer out = ByteBuffer.allocate(payload.length);
          drain(reader, ByteBuffer.wrap(wire.clone(), 0, first), out);
          drain(reader, ByteBuffer.wrap(wire.clone(), first, second - first), out);
          drain(reader, ByteBuffer.wrap(wire.clone(), second, wire.length - second), out);
          assertThat(out.array()).as("cut at %d and %d", first, second).isEqualTo(payload);
        }
      }
    }

    private void drain(FrameReader reader, ByteBuffer in, ByteBuffer out) {
      while (reader.next(in) == Event.DATA) {
        if (in.remaining() % 2 == 0) {
          reader.readInto(in, out);
        } else {
          int n = reader.readInPlace(in);
          out.put(out.position(), in, in.position(), n).position(out.position() + n);
          in.position(in.position() + n);
        }
      }
    }
  }

  /** RFC 6455 5.5. */
  @Nested
  class ControlFrames {
    @Test
    void mayBeEmpty() {
      assertThat(told("89 00", "8a 00")).containsExactly(ping(""), pong(""));
    }

    @Test
    void mayHold125Bytes() {
      assertThat(told("89 7d" + "ab".repeat(125))).containsExactly(ping("ab".repeat(125)));
    }

    @ParameterizedTest
    @CsvSource({"88, 7e 00 7e", "89, 7e ff ff", "8a, 7e 00 00", "89, 7f 00 00 00 00 00 01 00 00"})
    void mayNotHoldMore(String first, String length) {
      assertThat(told(first + length))
          .containsExactly(protocolError("control frame exceeds limit of 125 bytes"));
    }

    @Test
    void areRefusedAtTheLength() {
      assertThat(refusedAt(Role.SERVER, Hex.bytes("89 fe 00 7e 37 fa 21 3d"))).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"08", "09", "0a"})
    void mayNotBeFragmented(String first) {
      assertThat(told(first + "00")).containsExactly(protocolError("fragmented control frame"));
    }

    @Test
    void mayStandBetweenFragments() {
      assertThat(told("01 03 48 65 6c", "89 01 01", "8a 01 02", "80 02 6c 6f"))
          .containsExactly(ping("01"), pong("02"), text("Hello"));
    }

    @Test
    void betweenFragmentsDoNotEndTheMessage() {
      ByteBuffer in = Hex.buffer("01 01 48", "89 00");
      FrameReader reader = atData(Role.CLIENT, in);
      in.position(in.position() + reader.readInPlace(in));
      reader.next(in);
      assertThat(reader.endOfMessage()).isFalse();
    }

    @Test
    void betweenFragmentsLeaveTheType() {
      ByteBuffer in = Hex.buffer("01 01 48", "89 00");
      FrameReader reader = atData(Role.CLIENT, in);
      in.position(in.position() + reader.readInPlace(in));
      reader.next(in);
      assertThat(reader.messageType()).isEqualTo(Opcode.TEXT);
    }

    @Test
    void betweenMessagesLeaveTheLastOneEnded() {
      ByteBuffer in = Hex.buffer("81 01 48", "89 00");
      FrameReader reader = atData(Role.CLIENT, in);
      in.position(in.position() + reader.readInPlace(in));
      reader.next(in);
      assertThat(reader.endOfMessage()).isTrue();
    }

    @Test
    void followEachOther() {
      assertThat(told("89 01 01", "89 00", "89 02 03 04"))
          .containsExactly(ping("01"), ping(""), ping("03 04"));
    }
  }

  /** RFC 6455 5.4. */
  @Nested
  class Fragments {
    @Test
    void mayBeEmpty() {
      assertThat(told("01 00", "00 00", "00 01 61", "80 00")).containsExactly(text("a"));
    }

    @Test
    void mayAllBeEmpty() {
      assertThat(told("02 00", "80 00")).containsExactly(binary());
    }

    @Test
    void belongToTheTypeOfTheFirst() {
      assertThat(told("02 01 c3", "00 01 28", "80 01 ff")).containsExactly(binary("c3 28 ff"));
    }

    @Test
    void areFollowedByTheNextMessage() {
      assertThat(told("01 01 61", "80 01 62", "82 01 63", "81 00"))
          .containsExactly(text("ab"), binary("63"), text(""));
    }

    @ParameterizedTest
    @ValueSource(strings = {"00 00", "80 00", "80 01 61"})
    void needAMessageToContinue(String continuation) {
      assertThat(told(continuation))
          .containsExactly(protocolError("continuation frame without a message to continue"));
    }

    @Test
    void doNotFollowAMessageThatEnded() {
      assertThat(told("01 01 61", "80 01 62", "80 00"))
          .containsExactly(
              text("ab"), protocolError("continuation frame without a message to continue"));
    }

    @Test
    void doNotFollowAMessageOfOneFrame() {
      assertThat(told("81 01 61", "80 00"))
          .containsExactly(
              text("a"), protocolError("continuation frame without a message to continue"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"01 00", "02 00", "81 00", "82 01 61"})
    void mustEndBeforeTheNextMessage(String frame) {
      assertThat(told("01 01 61", frame))
          .containsExactly(protocolError("new message before the last one ended"));
    }

    @Test
    void areRefusedAtTheFirstByte() {
      assertThat(refusedAt(Role.CLIENT, Hex.bytes("01 00", "01 00"))).isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource({"01 01 61, false", "81 01 61, true"})
    void sayWhetherTheyAreTheLast(String frame, boolean last) {
      assertThat(atData(Role.CLIENT, Hex.buffer(frame)).isFinal()).isEqualTo(last);
    }

    @Test
    void tellWhereTheyEnd() {
      ByteBuffer in = Hex.buffer("01 02 48 65", "80 00");
      FrameReader reader = atData(Role.CLIENT, in);
      in.position(in.position() + reader.readInPlace(in));
      assertThat(reader.endOfFrame()).isTrue();
      assertThat(reader.endOfMessage()).isFalse();
    }
  }

  /** The two reads. */
  @Nested
  class Reads {
    private static final String TWO_FRAMES = "82 83 37 fa 21 3d 36 f8 22" + "89 80 37 fa 21 3d";

    @Test
    void inPlaceLeavesThePosition() {
      ByteBuffer in = Hex.buffer(TWO_FRAMES);
      assertThat(atData(Role.SERVER, in).readInPlace(in)).isEqualTo(3);
      assertThat(in.position()).isEqualTo(6);
    }

    @Test
    void inPlaceLeavesWhatIsBehindTheFrame() {
      ByteBuffer in = Hex.buffer(TWO_FRAMES);
      atData(Role.SERVER, in).readInPlace(in);
      assertThat(Hex.of(in)).isEqualTo("010203" + "898037fa213d");
    }

    @Test
    void intoMovesBothPositions() {
      ByteBuffer in = Hex.buffer(TWO_FRAMES);
      ByteBuffer out = ByteBuffer.allocate(8).position(2);
      assertThat(atData(Role.SERVER, in).readInto(in, out)).isEqualTo(3);
      assertThat(in.position()).isEqualTo(9);
      assertThat(out.position()).isEqualTo(5);
    }

    @Test
    void intoWritesOnlyThePayload() {
      ByteBuffer in = Hex.buffer(TWO_FRAMES);
      ByteBuffer out = ByteBuffer.allocate(8).position(2);
      atData(Role.SERVER, in).readInto(in, out);
      assertThat(out.array()).isEqualTo(Hex.bytes("00 00 01 02 03 00 00 00"));
    }

    @Test
    void intoStopsWhereTheDestinationIsFull() {
      ByteBuffer in = Hex.buffer(TWO_FRAMES);
      ByteBuffer out = ByteBuffer.allocate(2);
      FrameReader reader = atData(Role.SERVER, in);
      assertThat(reader.readInto(in, out)).isEqualTo(2);
      assertThat(reader.endOfFrame()).isFalse();
      assertThat(reader.frameRemaining()).isEqualTo(1);
    }

    @Test
    void intoAFullDestinationTakesNothing() {
      ByteBuffer in = Hex.buffer(TWO_FRAMES);
      FrameReader reader = atData(Role.SERVER, in);
      assertThat(reader.readInto(in, ByteBuffer.allocate(0))).isZero();
      assertThat(reader.next(in)).isEqualTo(Event.DATA);
    }

    @Test
    void intoReadsFromMemoryThatMayNotBeWritten() {
      ByteBuffer in = Hex.buffer(TWO_FRAMES).asReadOnlyBuffer();
      ByteBuffer out = ByteBuffer.allocate(3);
      atData(Role.SERVER, in).readInto(in, out);
      assertThat(out.array()).isEqualTo(Hex.bytes("01 02 03"));
    }

    @Test
    void mayChangeBetweenPieces() {
      ByteBuffer in = ByteBuffer.wrap(Frames.masked(Frames.BINARY, Frames.pattern(10)));
      FrameReader reader = atData(Role.SERVER, in);
      ByteBuffer out = ByteBuffer.allocate(3);
      reader.readInto(in, out);
      reader.readInPlace(in);
      assertThat(Hex.of(out.array()) + Hex.of(in)).isEqualTo(Hex.of(Frames.pattern(10)));
    }

    @Test
    void anEmptyFrameIsToldUntilItIsRead() {
      ByteBuffer in = Hex.buffer("82 00");
      FrameReader reader = atData(Role.CLIENT, in);
      assertThat(reader.next(in)).isEqualTo(Event.DATA);
    }

    @Test
    void theTypeOutlivesTheLastPiece() {
      ByteBuffer in = Hex.buffer("82 01 61");
      FrameReader reader = atData(Role.CLIENT, in);
      reader.readInPlace(in);
      assertThat(reader.messageType()).isEqualTo(Opcode.BINARY);
    }

    @Test
    void noMessageHasEndedBeforeTheFirst() {
      assertThat(new FrameReader(Role.CLIENT).endOfMessage()).isFalse();
    }

    @Test
    void inPlaceIsRefusedWhereNoDataStands() {
      assertThatIllegalStateException()
          .isThrownBy(() -> new FrameReader(Role.CLIENT).readInPlace(Hex.buffer("01")))
          .withMessage("no data to read");
    }

    @Test
    void intoIsRefusedWhereNoDataStands() {
      assertThatIllegalStateException()
          .isThrownBy(
              () -> new FrameReader(Role.CLIENT).readInto(Hex.buffer("01"), ByteBuffer.allocate(1)))
          .withMessage("no data to read");
    }

    @Test
    void aReadTooManyDoesNotEndTheMessage() {
      ByteBuffer in = Hex.buffer("01 01 61", "89 00");
      FrameReader reader = atData(Role.CLIENT, in);
      in.position(in.position() + reader.readInPlace(in));
      reader.next(in);
      assertThatIllegalStateException().isThrownBy(() -> reader.readInPlace(in));
      assertThat(reader.next(Hex.buffer("80 00"))).isEqualTo(Event.DATA);
    }
  }

  /** RFC 6455 5.6 and 8.1. */
  @Nested
  class Utf8 {
    private static final String CUT = "text is not valid UTF-8";

    @ParameterizedTest
    @ValueSource(
        strings = {
          "48 c3 a9 6c 6c c3 b8", // Héllø
          "ce ba e1 bd b9 cf 83 ce bc ce b5", // κόσμε
          "f0 9f a6 85", // an eagle, U+1F985
          "00 7f c2 80 df bf e0 a0 80 ef bf bf f0 90 80 80 f4 8f bf bf", // the ends of each length
          "ed 9f bf ee 80 80" // the neighbours of the surrogates
        })
    void isText(String hex) {
      byte[] payload = Hex.bytes(hex);
      assertThat(told(Hex.of(Frames.unmasked(Frames.TEXT, payload))))
          .containsExactly(text(new String(payload, java.nio.charset.StandardCharsets.UTF_8)));
    }

    /** Payloads with the index of the byte at which they cannot be UTF-8 any more. */
    @ParameterizedTest
    @CsvSource({
      "80, 0", // a continuation byte alone
      "61 62 63 64 65 66 67 68 bf, 8",
      "c0 80, 0", // overlong NUL
      "c1 bf, 0",
      "c3 28, 1", // a continuation byte is missing
      "c3 c3, 1",
      "e0 9f bf, 1", // overlong
      "e2 28 a1, 1",
      "e2 82 28, 2",
      "ed a0 80, 1", // a surrogate
      "ed bf bf, 1",
      "f0 8f bf bf, 1", // overlong
      "f0 90 28 80, 2",
      "f0 90 80 28, 3",
      "f4 90 80 80, 1", // beyond U+10FFFF
      "f5 80 80 80, 0",
      "f8 88 80 80 80, 0",
      "ff, 0",
      "ce ba e1 bd b9 cf 83 ce bc ce b5 f4 90 80 80 65 64 69 74 65 64, 12" // Autobahn 6.4.1
    })
    void isRefusedAtTheByteThatCannotBe(String hex, int bad) {
      byte[] payload = Hex.bytes(hex);
      for (Role role : Role.values()) {
        byte[] wire = Frames.to(role, Frames.TEXT, payload);
        assertThat(refusedAt(role, wire)).isEqualTo(wire.length - payload.length + bad);
      }
    }

    @ParameterizedTest
    @ValueSource(strings = {"81 02 c3 28", "81 04 f4 90 80 80", "01 03 61 62 ff"})
    void thatIsBrokenIsAnsweredWith1007(String frame) {
      assertThat(told(frame)).containsExactly(invalidData(CUT));
    }

    @ParameterizedTest
    @ValueSource(strings = {"ff", "61 c3"})
    void thatIsBrokenIsToldByTheRead(String hex) {
      for (Role role : Role.values()) {
        ByteBuffer in = ByteBuffer.wrap(Frames.to(role, Frames.TEXT, Hex.bytes(hex)));
        assertThat(atData(role, in).readInPlace(in)).isEqualTo(-1);
        in = ByteBuffer.wrap(Frames.to(role, Frames.TEXT, Hex.bytes(hex)));
        assertThat(atData(role, in).readInto(in, ByteBuffer.allocate(9))).isEqualTo(-1);
      }
    }

    @Test
    void isRefusedBeforeTheFrameHasEnded() {
      FrameReader reader = new FrameReader(Role.CLIENT);
      ByteBuffer in = Hex.buffer("81 7e ff ff", "61 ff");
      reader.next(in);
      assertThat(reader.readInPlace(in)).isNegative();
    }

    @ParameterizedTest
    @CsvSource({"01 01 e2, 00 01 82, 80 01 ac", "01 00, 00 02 e2 82, 80 01 ac"})
    void mayBeCutBetweenFragments(String first, String second, String third) {
      assertThat(told(first, second, third)).containsExactly(text("€"));
    }

    @Test
    void mayBeCutByControlFrames() {
      assertThat(told("01 01 f0", "89 01 80", "00 01 9f", "8a 01 ff", "80 02 a6 85"))
          .containsExactly(ping("80"), pong("ff"), text("\ud83e\udd85"));
    }

    @Test
    void isRefusedInALaterFragmentAtItsByte() {
      byte[] wire = Hex.bytes("01 01 e2", "89 00", "00 02 82 28", "80 00");
      assertThat(refusedAt(Role.CLIENT, wire)).isEqualTo(8);
    }

    @ParameterizedTest
    @ValueSource(strings = {"c3", "e2 82", "f0 9f a6", "61 62 63 64 65 66 67 68 c3"})
    void mayNotBeCutAtTheEnd(String hex) {
      assertThat(told(Hex.of(Frames.unmasked(Frames.TEXT, Hex.bytes(hex)))))
          .containsExactly(invalidData(CUT));
    }

    @Test
    void mayNotBeCutByAnEmptyEnd() {
      assertThat(told("01 01 c3", "80 00")).containsExactly(invalidData(CUT));
    }

    @Test
    void thatEndsCutDidNotEndItsMessage() {
      ByteBuffer in = Hex.buffer("81 01 c3");
      FrameReader reader = atData(Role.CLIENT, in);
      reader.readInPlace(in);
      assertThat(reader.endOfMessage()).isFalse();
    }

    @Test
    void isNotAskedOfBinary() {
      assertThat(told("02 02 c3 28", "80 01 ff")).containsExactly(binary("c3 28 ff"));
    }

    @Test
    void isJudgedMessageByMessage() {
      assertThat(told("81 02 c3 a9", "82 01 c3", "81 01 61", "81 01 a9"))
          .containsExactly(text("é"), binary("c3"), text("a"), invalidData(CUT));
    }

    @Test
    void thatIsNotAsciiIsKnownByItsMessage() {
      assertThat(told("81 02 c3 a9", "81 01 61")).containsExactly(text("é"), text("a"));
    }

    @Test
    void thatHoldsAZeroIsAscii() {
      assertThat(told("81 03 61 00 7f")).containsExactly(text("a\u0000\u007f"));
    }

    @Test
    void isReadBehindWhatStandsInTheDestination() {
      ByteBuffer in = Hex.buffer("81 02 c3 a9");
      ByteBuffer out = ByteBuffer.allocate(9).put(Hex.bytes("ff ff"));
      assertThat(atData(Role.CLIENT, in).readInto(in, out)).isEqualTo(2);
    }

    @Test
    void inPlaceIsKnownAsAsciiWithoutAMask() {
      ByteBuffer in = Hex.buffer("81 02 61 62");
      FrameReader reader = atData(Role.CLIENT, in);
      reader.readInPlace(in);
      assertThat(reader.isAscii()).isTrue();
    }
  }

  /** RFC 6455 5.5.1 and 7.4. */
  @Nested
  class Close {
    @Test
    void mayBeEmpty() {
      assertThat(told("88 00")).containsExactly(closed(1005, ""));
    }

    @Test
    void mayHoldACodeOnly() {
      assertThat(told("88 02 03 e8")).containsExactly(closed(1000, ""));
    }

    @Test
    void mayHoldACodeAndAReason() {
      assertThat(told("88 07 03 e9 62 79 65 c2 a0")).containsExactly(closed(1001, "bye\u00a0"));
    }

    @Test
    void mayHoldAReasonOf123Bytes() {
      assertThat(told("88 7d 03 e8" + "61".repeat(123)))
          .containsExactly(closed(1000, "a".repeat(123)));
    }

    @Test
    void mayNotHoldHalfACode() {
      assertThat(told("88 01 03")).containsExactly(protocolError("close frame of 1 byte"));
    }

    @ParameterizedTest
    @ValueSource(
        ints = {
          1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000,
          4999
        })
    void takesEveryCodeThatMayBeSent(int code) {
      assertThat(told("88 02 %04x".formatted(code))).containsExactly(closed(code, ""));
    }

    @ParameterizedTest
    @ValueSource(
        ints = {0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 32768, 65535})
    void refusesEveryOtherCode(int code) {
      assertThat(told("88 02 %04x".formatted(code)))
          .containsExactly(protocolError("close code " + code + " is not allowed in a frame"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"88 04 03 e8 c3 28", "88 03 03 e8 ff", "88 05 03 e8 ed a0 80"})
    void refusesAReasonThatIsNotUtf8(String frame) {
      assertThat(told(frame)).containsExactly(invalidData("close reason is not valid UTF-8"));
    }

    @Test
    void refusesAReasonThatEndsInACutCharacter() {
      assertThat(told("88 04 03 e8 61 c3"))
          .containsExactly(invalidData("close reason is not valid UTF-8"));
    }

    @Test
    void judgesItsCodeBeforeItsReason() {
      assertThat(told("88 03 03 ed ff"))
          .containsExactly(protocolError("close code 1005 is not allowed in a frame"));
    }

    @Test
    void mayComeInsideAMessage() {
      assertThat(told("01 01 61", "88 02 03 e8")).containsExactly(closed(1000, ""));
    }

    @Test
    void mayComeInsideACharacter() {
      assertThat(told("01 01 c3", "88 04 03 e8 c3 a9")).containsExactly(closed(1000, "é"));
    }

    @Test
    void followsTheMessagesBeforeIt() {
      assertThat(told("81 01 61", "88 02 03 e8")).containsExactly(text("a"), closed(1000, ""));
    }
  }

  /** RFC 6455 1.4 and 7.1.7; the recorder also checks that bytes after the end are not touched. */
  @Nested
  class AfterTheEnd {
    @Test
    void nothingBehindACloseIsRead() {
      assertThat(told("88 02 03 e8", "81 01 61", "ff 00")).containsExactly(closed(1000, ""));
    }

    @Test
    void nothingBehindAViolationIsRead() {
      assertThat(told("83 00", "81 01 61", "88 00"))
          .containsExactly(protocolError("reserved opcode 3"));
    }

    @Test
    void nothingBehindBadTextIsRead() {
      assertThat(told("81 01 ff", "81 01 61"))
          .containsExactly(invalidData("text is not valid UTF-8"));
    }

    @Test
    void theMessageBeforeAViolationStands() {
      assertThat(told("81 01 61", "89 01 01", "83 00"))
          .containsExactly(text("a"), ping("01"), protocolError("reserved opcode 3"));
    }

    @Test
    void aCloseIsToldAgain() {
      var reader = new FrameReader(Role.CLIENT);
      reader.next(Hex.buffer("88 00"));
      ByteBuffer more = Hex.buffer("81 00");
      assertThat(reader.next(more)).isEqualTo(Event.CLOSE);
      assertThat(more.position()).isZero();
    }

    @Test
    void aViolationIsToldAgain() {
      var reader = new FrameReader(Role.CLIENT);
      reader.next(Hex.buffer("83 00"));
      ByteBuffer more = Hex.buffer("81 00");
      assertThat(reader.next(more)).isEqualTo(Event.VIOLATION);
      assertThat(more.position()).isZero();
    }

    @Test
    void badTextCannotBeReadOn() {
      ByteBuffer in = Hex.buffer("81 02 ff 61");
      FrameReader reader = atData(Role.CLIENT, in);
      reader.readInPlace(in);
      assertThatIllegalStateException().isThrownBy(() -> reader.readInPlace(in));
      assertThat(reader.next(in)).isEqualTo(Event.VIOLATION);
    }
  }

  /** Calls that come too early are refused with a text. */
  @Nested
  class Questions {
    private final FrameReader reader = new FrameReader(Role.CLIENT);

    @Test
    void aReaderWithoutBytesWantsMore() {
      assertThat(reader.next(ByteBuffer.allocate(0))).isEqualTo(Event.MORE);
    }

    @Test
    void noTypeBeforeAMessage() {
      assertThatIllegalStateException()
          .isThrownBy(reader::messageType)
          .withMessage("no message was begun");
    }

    @Test
    void noPayloadBeforeAControlFrame() {
      assertThatIllegalStateException()
          .isThrownBy(reader::controlPayload)
          .withMessage("no control frame was read");
    }

    @Test
    void noReasonBeforeAClose() {
      assertThatIllegalStateException()
          .isThrownBy(reader::closeReason)
          .withMessage("no close frame was read");
    }

    @Test
    void noViolationWhileNoneWasCommitted() {
      assertThatIllegalStateException()
          .isThrownBy(reader::violation)
          .withMessage("no rule was broken");
    }
  }

  /** No frame object, no boxing, no lambda per frame. */
  @Nested
  class Memory {
    @ParameterizedTest
    @EnumSource(Role.class)
    void readingInPlaceAllocatesNothing(Role role) {
      byte[] wire = mixed(role);
      ByteBuffer in = ByteBuffer.allocateDirect(wire.length);
      FrameReader reader = new FrameReader(role);
      Runnable work =
          () -> {
            in.clear().put(wire).flip();
            for (Event e = reader.next(in); e != Event.MORE; e = reader.next(in)) {
              if (e == Event.DATA) {
                in.position(in.position() + reader.readInPlace(in));
              }
            }
          };
      assertThat(Allocations.of(work)).isZero();
    }

    @Test
    void readingSmallPiecesIntoABufferAllocatesNothing() {
      byte[] wire = mixed(Role.SERVER);
      ByteBuffer in = ByteBuffer.allocate(wire.length);
      ByteBuffer out = ByteBuffer.allocate(7);
      FrameReader reader = new FrameReader(Role.SERVER);
      Runnable work =
          () -> {
            in.clear().put(wire);
            for (int at = 0; at < wire.length; at++) {
              in.limit(at + 1).position(at);
              for (Event e = reader.next(in); e != Event.MORE; e = reader.next(in)) {
                if (e == Event.DATA) {
                  reader.readInto(in, out.clear());
                }
              }
            }
          };
      assertThat(Allocations.of(work)).isZero();
    }

    private byte[] mixed(Role role) {
      return Frames.join(
          Frames.to(role, 0x01, Frames.utf8("Hello, ")),
          Frames.to(role, Frames.PING, Frames.utf8("there?")),
          Frames.to(role, 0x80, Frames.utf8("wörld, this text is longer than eight bytes")),
          Frames.to(role, Frames.BINARY, Frames.pattern(300)),
          Frames.to(role, Frames.BINARY),
          Frames.to(role, Frames.TEXT, Frames.utf8("ok")));
    }
  }

  @Test
  void longTextSurvivesEveryWay() {
    String text = "Übergrößenträger \ud83e\udd85 ".repeat(500);
    assertThat(told(Hex.of(Frames.unmasked(Frames.TEXT, Frames.utf8(text)))))
        .containsExactly(text(text));
  }

  @Test
  void manyFramesFollowEachOther() {
    String[] frames =
        IntStream.range(0, 40)
            .mapToObj(i -> Hex.of(Frames.unmasked(Frames.BINARY, Frames.pattern(i))))
            .toArray(String[]::new);
    assertThat(told(frames))
        .containsExactlyElementsOf(
            IntStream.range(0, 40).mapToObj(i -> binary(Frames.pattern(i))).toList());
  }
}
