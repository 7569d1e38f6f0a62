package dev.windhover.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Both ends. Frames are written in hex and without the mask that a client's have on the wire. */
class ConversationTest {
  private static final long SECOND = 1_000_000_000L;
  private static final int MARK = 100;

  private static final Conversation.Terms TERMS =
      new Conversation.Terms(120 * SECOND, 20 * SECOND, 5 * SECOND, 20, 100, MARK);

  /** The clock's time after {@code nanos} from the start; it overflows on the way. */
  private static long at(long nanos) {
    return Long.MAX_VALUE - SECOND + nanos;
  }

  /** One end, and a transport that a test stops and lets go on. */
  private static final class End implements FrameOutput {
    final Role role;
    final Conversation conversation;
    private final ByteArrayOutputStream written = new ByteArrayOutputStream();
    private final ByteBuffer room = ByteBuffer.allocate(64 * 1024);
    private long pending;
    private boolean stopped;

    End(Role role, Conversation.Terms terms) {
      this.role = role;
      this.conversation =
          role == Role.SERVER
              ? Conversation.ofServer(terms, null)
              : Conversation.ofClient(terms, () -> 0x37fa213d_00000000L, null); // Frames.KEY
      conversation.open(this, at(0));
    }

    static End of(Role role) {
      return new End(role, TERMS);
    }

    /** Reads unmasked frames of the peer; returns what the last one was. */
    FrameReader.Event read(String... frames) {
      FrameReader.Event event = FrameReader.Event.MORE;
      for (String frame : frames) {
        byte[] bytes = Hex.bytes(frame);
        ByteBuffer in = ByteBuffer.wrap(role == Role.SERVER ? Frames.mask(bytes) : bytes);
        event = conversation.next(in);
        assertThat(in.hasRemaining() && event != FrameReader.Event.VIOLATION)
            .as("bytes are left over")
            .isFalse();
      }
      return event;
    }

    FrameReader.Event readAt(long now, String frame) {
      conversation.heard(now);
      return read(frame);
    }

    /** Insists that exactly these frames, unmasked here, were written since the last look. */
    void expect(String... frames) {
      ByteArrayOutputStream expected = new ByteArrayOutputStream();
      for (String frame : frames) {
        byte[] bytes = Hex.bytes(frame);
        expected.writeBytes(role.masks() ? Frames.mask(bytes) : bytes);
      }
      assertThat(Hex.of(written.toByteArray())).isEqualTo(Hex.of(expected.toByteArray()));
      written.reset();
    }

    /** The transport takes nothing more, and holds {@code bytes} already. */
    void stop(long bytes) {
      stopped = true;
      pending = bytes;
    }

    void takeAll() {
      stopped = false;
      pending = 0;
    }

    Conversation.Passed check(long nanos) {
      return conversation.check(at(nanos), true, pending == 0);
    }

    @Override
    public ByteBuffer reserve(int bytes) {
      return room.clear().limit(bytes);
    }

    @Override
    public void commit() {
      write(room.flip());
    }

    @Override
    public void write(ByteBuffer bytes) {
      pending += bytes.remaining();
      byte[] copy = new byte[bytes.remaining()];
      bytes.get(copy);
      written.writeBytes(copy);
    }

    @Override
    public void flush() {
      pending = stopped ? pending : 0;
    }

    @Override
    public long pending() {
      return pending;
    }
  }

  @Nested
  class Pings {
    @ParameterizedTest
    @EnumSource
    void areAnsweredWithTheirPayload(Role role) {
      End end = End.of(role);
      assertThat(end.read("89 02 6869")).isEqualTo(FrameReader.Event.PING);
      end.expect("8a 02 6869");
      end.read("89 00");
      end.expect("8a 00");
    }

    @ParameterizedTest
    @EnumSource
    void pongsAreNotAnswered(Role role) {
      End end = End.of(role);
      assertThat(end.read("8a 02 6869")).isEqualTo(FrameReader.Event.PONG);
      end.expect();
    }

    @ParameterizedTest
    @EnumSource
    void onlyTheLatestIsAnsweredAfterTheOutputWasOverItsMark(Role role) {
      End end = End.of(role);
      end.stop(MARK);
      end.read("89 01 61", "89 01 62", "89 01 63");
      end.expect();
      assertThat(end.conversation.isControlWaiting()).isTrue();
      end.conversation.flushPong();
      end.expect();
      end.takeAll();
      end.conversation.flushPong();
      end.expect("8a 01 63");
      assertThat(end.conversation.isControlWaiting()).isFalse();
      end.conversation.flushPong();
      end.expect();
    }

    @ParameterizedTest
    @EnumSource
    void areAnsweredAtOnceIfTheOutputOverItsMarkIsOnlyUnflushed(Role role) {
      End end = End.of(role);
      end.pending = MARK;
      end.read("89 01 61");
      end.expect("8a 01 61");
    }

    @ParameterizedTest
    @EnumSource
    void areAnsweredAfterOurCloseUntilThePeersComes(Role role) {
      End end = End.of(role);
      end.conversation.close(CloseReason.of(1000));
      end.read("89 01 61");
      end.expect("88 02 03e8", "8a 01 61");
      end.stop(MARK);
      end.read("89 01 62", "88 02 03e8");
      end.conversation.endReading(at(0));
      end.takeAll();
      end.conversation.flushPong();
      end.expect(); // 5.5.2: unless it already received a Close frame
    }

    @ParameterizedTest
    @EnumSource
    void areNotAnsweredOnceTheOutputEnds(Role role) {
      End end = End.of(role);
      end.conversation.endOutput();
      end.read("89 01 61");
      end.expect();
    }
  }

  /** A control frame never stands within another frame. */
  @Nested
  class AFrameUnderWay {
    @ParameterizedTest
    @EnumSource
    void isFollowedByWhatHasWaitedForItsEnd(Role role) {
      End end = End.of(role);
      end.conversation.header(Opcode.TEXT, true, 0, 4);
      end.conversation.payload(Hex.buffer("6162"));
      assertThat(end.conversation.isInsideFrame()).isTrue();
      end.read("89 01 70");
      end.check(120 * SECOND); // a Ping of ours is due
      assertThat(end.conversation.close(CloseReason.of(1001))).isTrue();
      assertThat(end.conversation.isControlWaiting()).isTrue();
      end.conversation.payload(Hex.buffer("6364"));
      end.expect("81 04 61626364", "89 08 0000000000000001", "8a 01 70", "88 02 03e9");
      assertThat(end.conversation.isControlWaiting()).isFalse();
    }

    @ParameterizedTest
    @EnumSource
    void isFollowedByTheLatestPongOnly(Role role) {
      End end = End.of(role);
      end.conversation.header(Opcode.BINARY, false, 0, 1);
      end.read("89 01 61", "89 01 62");
      end.conversation.payload(Hex.buffer("2a"));
      end.expect("02 01 2a", "8a 01 62");
    }

    @ParameterizedTest
    @EnumSource
    void mayBeLent(Role role) {
      End end = End.of(role);
      boolean[] released = new boolean[1];
      end.conversation.header(Opcode.BINARY, true, 0, 2);
      end.conversation.payload(Hex.buffer("2a2b"), () -> released[0] = true);
      assertThat(released[0]).isTrue();
      end.expect("82 02 2a2b");
    }

    @ParameterizedTest
    @EnumSource
    void isTheLastIfItIsAbandoned(Role role) {
      End end = End.of(role);
      end.conversation.header(Opcode.TEXT, true, 0, 4);
      end.read("89 01 70");
      end.conversation.close(CloseReason.of(1001));
      end.conversation.abandonFrame();
      assertThat(end.conversation.isInsideFrame()).isFalse();
      assertThat(end.conversation.isControlWaiting()).isFalse();
      end.conversation.flushPong();
      byte[] header = Hex.bytes(role.masks() ? "81 84 37fa213d" : "81 04");
      assertThat(end.written.toByteArray()).isEqualTo(header);
    }

    @ParameterizedTest
    @EnumSource
    void ofAnySizeIsWritten(Role role) {
      for (int size : new int[] {0, 125, 126, 32 * 1024, 32 * 1024 + 1, 100_000}) {
        End end = End.of(role);
        byte[] payload = Frames.pattern(size);
        end.conversation.frame(Opcode.BINARY, true, 0, ByteBuffer.wrap(payload));
        end.expect(Hex.of(Frames.unmasked(Frames.BINARY, payload)));
      }
    }
  }

  @Nested
  class Closes {
    @ParameterizedTest
    @EnumSource
    void areSentOnceAndNoMessageFollows(Role role) {
      End end = End.of(role);
      assertThat(end.conversation.close(new CloseReason(1000, "bye"))).isTrue();
      assertThat(end.conversation.state()).isEqualTo(WebSocketState.CLOSE_SENT);
      assertThat(end.conversation.close(CloseReason.of(1001))).isFalse();
      assertThatThrownBy(() -> end.conversation.frame(Opcode.TEXT, true, 0, Hex.buffer("61")))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("cannot send a frame of a message in state CLOSE_SENT");
      assertThatThrownBy(() -> end.conversation.header(Opcode.TEXT, true, 0, 1))
          .isInstanceOf(IllegalStateException.class);
      end.expect("88 05 03e8 627965");
    }

    @ParameterizedTest
    @CsvSource({
      "SERVER, 88 05 0fa1 627965, 88 02 0fa1",
      "CLIENT, 88 05 0fa1 627965, 88 02 0fa1",
      "SERVER, 88 00, 88 00",
      "CLIENT, 88 00, 88 00"
    })
    void ofThePeerAreEchoedWithTheirCode(Role role, String theirs, String ours) {
      End end = End.of(role);
      assertThat(end.read(theirs)).isEqualTo(FrameReader.Event.CLOSE);
      end.conversation.endReading(at(0));
      assertThat(end.conversation.state()).isEqualTo(WebSocketState.OPEN);
      end.conversation.takeEffect();
      assertThat(end.conversation.state()).isEqualTo(WebSocketState.CLOSE_RECEIVED);
      end.conversation.frame(Opcode.TEXT, true, 0, Hex.buffer("61")); // may still be sent
      assertThat(end.conversation.answerClose()).isTrue();
      assertThat(end.conversation.answerClose()).isFalse();
      assertThat(end.conversation.state()).isEqualTo(WebSocketState.CLOSED);
      end.expect("81 01 61", ours);
    }

    @ParameterizedTest
    @EnumSource
    void thatCrossEndTheHandshake(Role role) {
      End end = End.of(role);
      end.conversation.close(CloseReason.of(1000));
      end.read("88 02 03e9");
      end.conversation.takeEffect();
      assertThat(end.conversation.state()).isEqualTo(WebSocketState.CLOSED);
      assertThat(end.conversation.closeReason()).isEqualTo(CloseReason.of(1001));
      assertThat(end.conversation.answerClose()).isFalse();
      end.expect("88 02 03e8");
    }

    @ParameterizedTest
    @EnumSource
    void thatMayNotBeSentChangeNothing(Role role) {
      End end = End.of(role);
      assertThatThrownBy(() -> end.conversation.close(CloseReason.of(1006)))
          .isInstanceOf(IllegalArgumentException.class);
      assertThat(end.conversation.state()).isEqualTo(WebSocketState.OPEN);
      end.expect();
    }

    @ParameterizedTest
    @EnumSource
    void nothingIsSentBeforeItIsOpen(Role role) {
      Conversation conversation =
          role == Role.SERVER
              ? Conversation.ofServer(TERMS, null)
              : Conversation.ofClient(TERMS, () -> 0, null);
      assertThat(conversation.state()).isEqualTo(WebSocketState.CONNECTING);
      assertThat(conversation.close(CloseReason.of(1000))).isFalse();
      assertThatThrownBy(() -> conversation.frame(Opcode.TEXT, true, 0, Hex.buffer("61")))
          .isInstanceOf(IllegalStateException.class);
    }

    @ParameterizedTest
    @EnumSource
    void nothingIsSentOnceItIsLost(Role role) {
      End end = End.of(role);
      end.conversation.lost();
      assertThat(end.conversation.state()).isEqualTo(WebSocketState.ABORTED);
      assertThat(end.conversation.close(CloseReason.of(1000))).isFalse();
      end.read("89 01 61");
      assertThat(end.conversation.deadline(at(0))).isEqualTo(Conversation.NEVER);
      end.expect();
    }
  }

  @Nested
  class Violations {
    @ParameterizedTest
    @EnumSource
    void areToldWithTheirCodeAndText(Role role) {
      End end = End.of(role);
      assertThat(end.read("83 00")).isEqualTo(FrameReader.Event.VIOLATION);
      assertThat(end.conversation.violation()).isEqualTo(new Violation(1002, "reserved opcode 3"));
      end.conversation.close(end.conversation.violation().toCloseReason());
      end.expect("88 13 03ea 7265736572766564206f70636f64652033");
    }

    @Test
    void aServersFrameIsNotMaskedAndAClientsIs() {
      End server = End.of(Role.SERVER);
      assertThat(server.conversation.next(Hex.buffer("81 01 61")))
          .isEqualTo(FrameReader.Event.VIOLATION);
      End client = End.of(Role.CLIENT);
      assertThat(client.conversation.next(Hex.buffer("81 81 37fa213d 56")))
          .isEqualTo(FrameReader.Event.VIOLATION);
      assertThat(client.conversation.violation().text()).isEqualTo("server frame is masked");
    }

    @ParameterizedTest
    @CsvSource({"SERVER, 89 00", "CLIENT, 89 00", "SERVER, 8a 00", "CLIENT, 8a 00"})
    void controlFramesHaveALimit(Role role, String frame) {
      End end = End.of(role);
      for (int i = 0; i < 100; i++) {
        assertThat(end.readAt(at(0), frame)).isNotEqualTo(FrameReader.Event.VIOLATION);
      }
      for (int i = 0; i < 20; i++) {
        assertThat(end.readAt(at(SECOND), frame)).isNotEqualTo(FrameReader.Event.VIOLATION);
      }
      end.written.reset();
      assertThat(end.readAt(at(SECOND), frame)).isEqualTo(FrameReader.Event.VIOLATION);
      assertThat(end.conversation.violation())
          .isEqualTo(new Violation(1008, "more than 20 control frames a second"));
      end.expect(); // that one is not answered
    }

    @ParameterizedTest
    @EnumSource
    void messagesDoNotCountAsControlFrames(Role role) {
      End end = End.of(role);
      for (int i = 0; i < 1_000; i++) {
        assertThat(end.conversation.next(ByteBuffer.wrap(Frames.to(role, Frames.TEXT))))
            .isEqualTo(FrameReader.Event.DATA);
        end.conversation.reader().skip(ByteBuffer.allocate(0));
      }
      assertThat(end.read("89 00")).isEqualTo(FrameReader.Event.PING);
    }
  }

  @Nested
  class Deadlines {
    @ParameterizedTest
    @EnumSource
    void aQuietPeerIsPingedThenCountsAsDead(Role role) {
      End end = End.of(role);
      assertThat(end.conversation.deadline(at(0))).isEqualTo(at(120 * SECOND));
      assertThat(end.check(120 * SECOND - 1)).isEqualTo(Conversation.Passed.NOTHING);
      end.expect();
      assertThat(end.check(120 * SECOND)).isEqualTo(Conversation.Passed.NOTHING);
      end.expect("89 08 0000000000000001");
      assertThat(end.conversation.deadline(at(120 * SECOND))).isEqualTo(at(140 * SECOND));
      assertThat(end.check(140 * SECOND)).isEqualTo(Conversation.Passed.KEEP_ALIVE);
    }

    @ParameterizedTest
    @EnumSource
    void anyBytesAreASignOfLife(Role role) {
      End end = End.of(role);
      end.conversation.heard(at(SECOND));
      assertThat(end.conversation.deadline(at(SECOND))).isEqualTo(at(121 * SECOND));
      end.check(121 * SECOND);
      end.expect("89 08 0000000000000001");
      end.conversation.heard(at(140 * SECOND));
      assertThat(end.check(141 * SECOND)).isEqualTo(Conversation.Passed.NOTHING);
      assertThat(end.conversation.deadline(at(141 * SECOND))).isEqualTo(at(260 * SECOND));
    }

    @ParameterizedTest
    @EnumSource
    void withoutATimeoutAPongIsSentEveryInterval(Role role) {
      End end = new End(role, new Conversation.Terms(SECOND / 2, 0, SECOND, 20, 100, MARK));
      end.check(SECOND / 2);
      end.conversation.heard(at(SECOND - 1));
      end.check(SECOND);
      end.expect("8a 00", "8a 00");
    }

    /** The time that stands for no deadline at all may be a deadline like any other. */
    @ParameterizedTest
    @EnumSource
    void theLastNanosecondBeforeTheClockOverflowsIsNotMissed(Role role) {
      End end = new End(role, new Conversation.Terms(SECOND, 0, SECOND, 20, 100, MARK));
      long due = end.conversation.deadline(at(0));
      assertThat(due).isNotEqualTo(Conversation.NEVER);
      assertThat(due - at(SECOND)).isBetween(0L, 1L);
    }

    @ParameterizedTest
    @EnumSource
    void keepAliveIsOffWithAnIntervalOfZero(Role role) {
      End end = new End(role, new Conversation.Terms(0, 0, SECOND, 20, 100, MARK));
      assertThat(end.conversation.deadline(at(0))).isEqualTo(Conversation.NEVER);
      assertThat(end.check(1_000 * SECOND)).isEqualTo(Conversation.Passed.NOTHING);
      end.expect();
    }

    @ParameterizedTest
    @EnumSource
    void thePeersCloseTakesEffectWithin5Seconds(Role role) {
      End end = End.of(role);
      end.read("88 02 03e8");
      end.conversation.endReading(at(0));
      assertThat(end.conversation.deadline(at(0))).isEqualTo(at(5 * SECOND));
      assertThat(end.check(5 * SECOND - 1)).isEqualTo(Conversation.Passed.NOTHING);
      assertThat(end.check(5 * SECOND)).isEqualTo(Conversation.Passed.EFFECT);
      assertThat(end.conversation.deadline(at(5 * SECOND))).isEqualTo(Conversation.NEVER);
      assertThat(end.check(200 * SECOND)).isEqualTo(Conversation.Passed.NOTHING);
      end.expect(); // no Ping to a peer that has closed
    }

    @ParameterizedTest
    @EnumSource
    void thePeersPartOfTheClosingHandshakeHasItsTime(Role role) {
      End end = End.of(role);
      end.conversation.close(CloseReason.of(1000));
      end.conversation.awaitClosing(at(0));
      assertThat(end.conversation.deadline(at(0))).isEqualTo(at(5 * SECOND));
      assertThat(end.check(5 * SECOND - 1)).isEqualTo(Conversation.Passed.NOTHING);
      assertThat(end.check(5 * SECOND)).isEqualTo(Conversation.Passed.CLOSING);
      end.expect("88 02 03e8");
    }

    @ParameterizedTest
    @EnumSource
    void thatTimeBeginsWhenOurPartHasArrived(Role role) {
      End end = End.of(role);
      end.conversation.close(CloseReason.of(1000));
      end.conversation.awaitClosing(at(0), false);
      for (long time = SECOND; time <= 60 * SECOND; time += SECOND) {
        assertThat(end.conversation.awaitsAcknowledgement()).isTrue();
        assertThat(end.conversation.check(at(time), true, false))
            .isEqualTo(Conversation.Passed.NOTHING);
        assertThat(end.conversation.deadline(at(time)) - at(time)).isBetween(1L, SECOND);
      }
      assertThat(end.conversation.check(at(61 * SECOND), true, true))
          .isEqualTo(Conversation.Passed.NOTHING);
      assertThat(end.conversation.awaitsAcknowledgement()).isFalse();
      assertThat(end.check(66 * SECOND - 1)).isEqualTo(Conversation.Passed.NOTHING);
      assertThat(end.check(66 * SECOND)).isEqualTo(Conversation.Passed.CLOSING);
      end.expect("88 02 03e8");
    }

    @ParameterizedTest
    @EnumSource
    void aClosingHandshakeInTimeIsNotWaitedForAnyMore(Role role) {
      End end = End.of(role);
      end.conversation.close(CloseReason.of(1000));
      end.conversation.awaitClosing(at(0));
      end.read("88 02 03e8");
      end.conversation.endReading(at(SECOND));
      end.conversation.takeEffect();
      assertThat(end.conversation.deadline(at(SECOND))).isEqualTo(Conversation.NEVER);
    }
  }
}
