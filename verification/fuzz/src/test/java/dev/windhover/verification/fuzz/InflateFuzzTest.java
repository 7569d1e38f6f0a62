package dev.windhover.verification.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.windhover.protocol.CloseCode;
import dev.windhover.protocol.Extension.PayloadException;
import dev.windhover.protocol.Violation;
import dev.windhover.protocol.deflate.DeflateCodecs;
import dev.windhover.protocol.deflate.MessageInflater;
import dev.windhover.protocol.deflate.StreamSource;
import dev.windhover.protocol.spi.DeflateCodec;
import dev.windhover.protocol.spi.InflateStream;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Any bytes as compressed messages, through both codecs, in one piece and in many. */
class InflateFuzzTest {
  private static final DeflateCodec NATIVE = DeflateCodecs.best(8);

  /** As much of a message as is taken; a receiver's limit would end it there. */
  private static final int MOST = 256 * 1024;

  /** RFC 1951: a match of 258 bytes in two bits. */
  private static final int MOST_BY_BYTE = 1032;

  /**
   * What came of the messages.
   *
   * @param messages those that are whole
   * @param cut what came of the one that is not
   * @param fault why it is not; null also if it was more than is taken
   */
  private record Result(List<ByteBuffer> messages, ByteBuffer cut, @Nullable Violation fault) {
    /** Returns whether the JDK's codec gave up what costs it too much: nobody else would. */
    boolean isTooExpensive() {
      return fault != null && fault.closeCode() == CloseCode.POLICY_VIOLATION;
    }

    boolean isCorrupt() {
      return fault != null && fault.closeCode() == CloseCode.INVALID_FRAME_PAYLOAD_DATA;
    }
  }

  @FuzzTest
  void fuzz(byte[] bytes) {
    Input input = new Input(bytes);
    int bits = Math.min(9 + input.choice(14), 15);
    boolean takeover = input.choice(2) == 0;
    int room = 1 + input.choice();
    int longest = 1 + input.choice(64);
    int count = 1 + input.choice(4);
    List<byte[]> coded = Input.parts(input.rest(), count);

    Result whole = inflate(NATIVE, bits, takeover, coded, Integer.MAX_VALUE, 4096, false);
    expectSame(
        whole, inflate(NATIVE, bits, takeover, coded, longest, room, false), bits, "in pieces");
    expectSame(
        whole, inflate(NATIVE, bits, takeover, coded, longest, 4096, true), bits, "with rests");

    Result jdk =
        inflate(DeflateCodecs.jdk(), bits, takeover, coded, Integer.MAX_VALUE, 4096, false);
    expectSame(
        jdk,
        inflate(DeflateCodecs.jdk(), bits, takeover, coded, longest, room, false),
        bits,
        "in pieces");
    Result rested = inflate(DeflateCodecs.jdk(), bits, takeover, coded, longest, 4096, true);
    if (whole.fault() == null) { // else it may have taken a cut message, and go on inside of it
      expectSame(jdk, rested, bits, "with rests");
    }
    expectAgreement(whole, jdk, bits);
    expectAgreement(whole, rested, bits);
  }

  /**
   * The same data are the same messages, however they are cut and wherever the stream was. A
   * distance beyond a window below 15 bits is seen only where zlib has not the bytes at hand.
   */
  private static void expectSame(Result whole, Result other, int bits, String how) {
    if (whole.isTooExpensive() || other.isTooExpensive()) {
      return; // what is earned depends on the pieces
    }
    if (bits < 15 && (whole.isCorrupt() || other.isCorrupt())) {
      expectSameBeginning(whole, other, how);
      return;
    }
    assertThat(other.fault()).as("fault %s", how).isEqualTo(whole.fault());
    assertThat(other.messages()).as("messages %s", how).containsExactlyElementsOf(whole.messages());
    if (!whole.isCorrupt()) { // zlib tells of corrupt data before it gives what came before them
      assertThat(other.cut()).as("cut message %s", how).isEqualTo(whole.cut());
    }
  }

  private static void expectSameBeginning(Result one, Result other, String how) {
    int both = Math.min(one.messages().size(), other.messages().size());
    assertThat(other.messages().subList(0, both))
        .as("messages %s", how)
        .containsExactlyElementsOf(one.messages().subList(0, both));
  }

  /**
   * The JDK's codec takes what the native one takes. It may take more: distances beyond a window
   * below 15 bits, and a cut message whose end looks like one.
   */
  private static void expectAgreement(Result whole, Result jdk, int bits) {
    if (jdk.isTooExpensive()) {
      return;
    }
    if (whole.fault() == null) {
      assertThat(jdk.fault()).as("fault of the JDK's codec").isNull();
      assertThat(jdk.cut()).as("cut message").isEqualTo(whole.cut());
    } else if (bits == 15 && !whole.fault().text().equals(InflateStream.CUT)) {
      assertThat(jdk.fault()).as("fault of the JDK's codec").isNotNull();
    }
    assertThat(jdk.messages()).hasSizeGreaterThanOrEqualTo(whole.messages().size());
    expectSameBeginning(whole, jdk, "of the JDK's codec");
  }

  private static Result inflate(
      DeflateCodec codec,
      int bits,
      boolean takeover,
      List<byte[]> coded,
      int longest,
      int room,
      boolean rests) {
    Streams<InflateStream> streams = new Streams<>(StreamSource.inflating(codec, bits));
    MessageInflater inflater = new MessageInflater(streams, takeover);
    List<ByteBuffer> messages = new ArrayList<>();
    ByteArrayOutputStream message = new ByteArrayOutputStream();
    try {
      for (byte[] each : coded) {
        if (!inflate(inflater, each, longest, room, message)) {
          return new Result(messages, ByteBuffer.wrap(message.toByteArray(), 0, MOST), null);
        }
        messages.add(ByteBuffer.wrap(message.toByteArray()));
        message.reset();
        assertThat(takeover || !inflater.holdsStream()).as("no stream without takeover").isTrue();
        if (rests) {
          inflater.rest();
          streams.expectAllBack();
        }
      }
      return new Result(messages, ByteBuffer.allocate(0), null);
    } catch (PayloadException e) {
      assertThat(e.violation().closeCode())
          .isIn(CloseCode.INVALID_FRAME_PAYLOAD_DATA, CloseCode.POLICY_VIOLATION);
      assertThat(inflater.holdsStream()).as("a stream after corrupt data").isFalse();
      return new Result(messages, ByteBuffer.wrap(message.toByteArray()), e.violation());
    } finally {
      inflater.close();
      streams.expectAllBack();
    }
  }

  /** Returns false if it is more than is taken. */
  private static boolean inflate(
      MessageInflater inflater, byte[] coded, int longest, int room, ByteArrayOutputStream message)
      throws PayloadException {
    ByteBuffer out = Input.buffer(new byte[room], room % 2 == 0);
    int start = out.position();
    int from = 0;
    do {
      int to = (int) Math.min(coded.length, (long) from + longest);
      ByteBuffer in = Input.buffer(Arrays.copyOfRange(coded, from, to), to % 2 == 0);
      boolean last = to == coded.length;
      for (boolean done = false; !done; ) {
        // As an engine does: which comes first, the limit or a fault, must not depend on the room.
        out.position(start).limit(start + Math.min(room, MOST + 1 - message.size()));
        done = inflater.apply(in, out, last);
        assertThat(done || !out.hasRemaining()).as("done, or no room").isTrue();
        for (int i = start; i < out.position(); i++) {
          message.write(out.get(i));
        }
        if (message.size() > MOST) {
          return false;
        }
      }
      assertThat(in.hasRemaining()).as("bytes left").isFalse();
      from = to;
    } while (from < coded.length);
    assertThat(message.size()).isLessThanOrEqualTo(MOST_BY_BYTE * (coded.length + 8));
    return true;
  }
}
