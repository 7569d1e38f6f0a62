package dev.windhover.protocol;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Reads frames (RFC 6455 5) from bytes as they arrive, split at any position, and enforces every
 * rule of the wire at the first byte that breaks it.
 *
 * <p>The caller pulls. It calls {@link #next} with a buffer until it returns {@link Event#MORE}.
 * After {@link Event#DATA} it takes the piece of payload that has arrived, in place ({@link
 * #readInPlace}) or into memory of its own ({@link #readInto}). Each payload byte is touched once:
 * unmasked, checked as UTF-8 if it is text, and moved. Nothing is allocated per frame, and nothing
 * depends on a length that a peer declares: the reader's own memory is the 14 bytes of a header and
 * the 125 bytes of a control frame.
 *
 * <p>After {@link Event#CLOSE} or {@link Event#VIOLATION} the reader is done and takes no more
 * bytes (1.4, 7.1.7). A reader belongs to one connection, and only one thread may use it at a time.
 */
public final class FrameReader {
  /** What {@link #next} has found at the position of its buffer. */
  public enum Event {
    /** The buffer is used up; the frame continues in the next one. */
    MORE,
    /** A piece of a text or binary message, perhaps empty; take it with one of the read methods. */
    DATA,
    /** A whole Ping; see {@link #controlPayload()}. */
    PING,
    /** A whole Pong; see {@link #controlPayload()}. */
    PONG,
    /** A valid Close; see {@link #closeReason()}. */
    CLOSE,
    /** The peer broke a rule; see {@link #violation()}. */
    VIOLATION
  }

  /*
   *   0               1               2               3
   *   0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7 0 1 2 3 4 5 6 7
   *  +-+-+-+-+-------+-+-------------+-------------------------------+
   *  |F|R|R|R| opcode|M| length (7)  | length (16, 64) if 126 or 127 |
   *  |I|S|S|S|  (4)  |A|             |                               |
   *  |N|V|V|V|       |S|             | then the masking key (32)     |
   *  | |1|2|3|       |K|             | if MASK is set, then payload  |
   *  +-+-+-+-+-------+-+-------------+-------------------------------+
   */
  private static final int FIN = 0x80;
  private static final int RESERVED_BITS = 0x70;
  private static final int MASK = 0x80;
  private static final int LENGTH = 0x7F;
  private static final int LENGTH_16 = 126;
  private static final int LONGEST_HEADER = 14;
  private static final int LONGEST_CONTROL_PAYLOAD = 125;
  private static final long NOT_ASCII = 0x8080_8080_8080_8080L;
  private static final long UNSEEN = -1;

  // What comes next. Not an enum: each write to a reference field costs a garbage collector's
  // barrier.
  private static final int HEADER = 0;
  private static final int CONTROL = 1;
  private static final int DATA = 2;
  private static final int DONE = 3;

  private final boolean expectsMask;
  private final int allowedBits;
  private final Extension.@Nullable Transform decoder;

  /** Created for the first text that is not ASCII. */
  private @Nullable Utf8Validator utf8;

  private int phase = HEADER;

  /** The bytes so far of a header that is split between buffers. */
  private @Nullable ByteBuffer cutHeader;

  private int collected;

  // The current frame, and FIN of the last data frame.
  private boolean fin;
  private int key;
  private long remaining;
  private @Nullable ByteBuffer control;
  private Opcode controlOpcode = Opcode.PING;

  // The current message, or the last one.
  private boolean inMessage;
  private @Nullable Opcode message;
  private boolean coded;
  private boolean ascii = true;

  /** Bytes at the buffer's position that are already unmasked and wait for the decoder. */
  private int unmasked;

  /** Whether the decoder has taken the whole frame and has no output pending. */
  private boolean drained = true;

  private @Nullable CloseReason closeReason;
  private @Nullable Violation violation;

  /** Creates a reader without extensions for the given end. */
  public FrameReader(Role role) {
    this(role, null);
  }

  /** Creates a reader for data messages that {@code extension} may have coded. */
  public FrameReader(Role role, @Nullable Extension extension) {
    this.expectsMask = !role.masks();
    this.decoder = extension == null ? null : extension.decoder();
    this.allowedBits = extension == null ? 0 : extension.reservedBits();
  }

  /**
   * Reads on in {@code in} and returns what it finds at the buffer's new position. It may change
   * (unmask) the buffer's bytes in place.
   */
  public Event next(ByteBuffer in) {
    if (phase == HEADER && !readHeader(in)) {
      return violation == null ? Event.MORE : Event.VIOLATION;
    }
    if (phase == DATA) {
      boolean empty = remaining == 0; // an empty frame, or what waits in the decoder
      return empty || !drained || in.hasRemaining() ? Event.DATA : Event.MORE;
    }
    if (phase == CONTROL) {
      return readControl(in);
    }
    return violation == null ? Event.CLOSE : Event.VIOLATION;
  }

  // ---- Header (5.2)

  /** Reads a header, whole or collected from pieces; false if it is incomplete or not allowed. */
  private boolean readHeader(ByteBuffer in) {
    int at = in.position();
    int have = in.limit() - at;
    if (have == 0) {
      return false;
    }
    if (collected == 0) {
      int size = parseHeader(in, at, have);
      if (size > 0) {
        in.position(at + size);
        return true;
      }
      if (size < 0) {
        return false;
      }
    }
    return collectHeader(in);
  }

  private boolean collectHeader(ByteBuffer in) {
    if (cutHeader == null) {
      cutHeader = ByteBuffer.allocate(LONGEST_HEADER);
    }
    while (in.hasRemaining()) {
      cutHeader.put(collected++, in.get());
      int size = parseHeader(cutHeader, 0, collected);
      if (size != 0) {
        collected = 0;
        return size > 0;
      }
    }
    return false;
  }

  /**
   * Parses the header at {@code at} as far as its {@code have} bytes go, and checks each byte as
   * soon as it is there. The methods are small so that the JIT compiler inlines the common path
   * into one.
   *
   * @return the header's size, 0 if it is incomplete, -1 after a violation
   */
  private int parseHeader(ByteBuffer b, int at, int have) {
    int first = b.get(at);
    Opcode code = Opcode.of(first);
    if (code == null) {
      return failOnOpcode(first);
    }
    if (!mayBegin(code, first)) {
      return -1;
    }
    if (have < 2) {
      return 0;
    }
    int second = b.get(at + 1);
    if (((second & MASK) != 0) != expectsMask) {
      return fail(expectsMask ? Violation.NOT_MASKED : Violation.MASKED); // 5.1
    }
    long length = second & LENGTH;
    int size = 2;
    if (length > LONGEST_CONTROL_PAYLOAD) {
      if (isControl(first)) {
        return fail(Violation.CONTROL_TOO_LONG); // 5.5
      }
      size = length == LENGTH_16 ? 4 : 10;
      length = size == 4 ? length16(b, at, have) : length64(b, at, have);
      if (length < 0) {
        return phase == DONE ? -1 : 0;
      }
    }
    int end = expectsMask ? size + 4 : size;
    if (have < end) {
      return 0;
    }
    key = expectsMask ? Integer.reverseBytes(b.getInt(at + size)) : 0;
    begin(code, first, length);
    return end;
  }

  /** Checks the first byte: the reserved bits, and whether this frame may follow the one before. */
  private boolean mayBegin(Opcode code, int first) {
    int bits = first & RESERVED_BITS;
    // 5.2: bits that no extension owns MUST be 0. An extension's bits may only mark the first frame
    // of a message (RFC 7692 6.1).
    if ((bits & ~allowedBits) != 0) {
      return refuse(Violation.RESERVED_BITS);
    }
    if (isControl(first)) {
      if (bits != 0) {
        return refuse(Violation.RESERVED_BITS_ON_CONTROL);
      }
      return (first & FIN) != 0 || refuse(Violation.FRAGMENTED_CONTROL); // 5.5
    }
    if (code == Opcode.CONTINUATION) {
      if (!inMessage) {
        return refuse(Violation.CONTINUATION_WITHOUT_MESSAGE); // 5.4
      }
      return bits == 0 || refuse(Violation.RESERVED_BITS_ON_CONTINUATION);
    }
    return !inMessage || refuse(Violation.MESSAGE_INSIDE_MESSAGE); // 5.4
  }

  /** 5.5: the opcode's most significant bit. */
  private static boolean isControl(int first) {
    return (first & 0x08) != 0;
  }

  /** 5.2: bits come before the opcode. */
  private int failOnOpcode(int first) {
    return fail(
        (first & RESERVED_BITS & ~allowedBits) != 0
            ? Violation.RESERVED_BITS
            : Violation.reservedOpcode(first & 0xF));
  }

  /** Returns the 16-bit length, or -1 if it is incomplete or not allowed. */
  private long length16(ByteBuffer b, int at, int have) {
    if (have < 4) {
      return -1;
    }
    int length = b.getShort(at + 2) & 0xFFFF;
    return length >= LENGTH_16
        ? length
        : fail(Violation.lengthNotMinimal(length)); // 5.2: the minimal number of bytes
  }

  /** Returns the 64-bit length, or -1 if it is incomplete or not allowed. */
  private long length64(ByteBuffer b, int at, int have) {
    if (have >= 3 && b.get(at + 2) < 0) {
      return fail(Violation.NEGATIVE_LENGTH); // 5.2: the most significant bit MUST be 0
    }
    if (have < 10) {
      return -1;
    }
    long length = b.getLong(at + 2);
    return length > 0xFFFF ? length : fail(Violation.lengthNotMinimal(length));
  }

  private void begin(Opcode code, int first, long length) {
    remaining = length;
    if (isControl(first)) {
      phase = CONTROL;
      controlOpcode = code;
      if (control == null) {
        control = ByteBuffer.allocate(LONGEST_CONTROL_PAYLOAD);
      }
      control.clear();
      return;
    }
    phase = DATA;
    fin = (first & FIN) != 0;
    if (code != Opcode.CONTINUATION) {
      inMessage = true;
      if (message != code) { // usually equal; this saves the write to a reference field
        message = code;
      }
      coded = (first & RESERVED_BITS) != 0;
      ascii = true;
    }
  }

  // ---- Data (5.6)

  /**
   * Returns {@link Opcode#TEXT} or {@link Opcode#BINARY}: the type of the current message, or of
   * the one that has just ended.
   */
  public Opcode messageType() {
    return known(message, "no message was begun");
  }

  /**
   * Returns how many payload bytes of the current frame have not been read: the declared length
   * less what was taken. For a coded message, these are bytes before decoding.
   */
  public long frameRemaining() {
    return remaining;
  }

  /** Returns whether the current frame is the last, or only, one of its message. */
  public boolean isFinal() {
    return fin;
  }

  /** Returns whether {@link #readInto} decodes; a coded message cannot be read in place. */
  public boolean isCoded() {
    return coded;
  }

  /**
   * Returns whether all text of this message so far is ASCII, so that it may be decoded as Latin-1.
   */
  public boolean isAscii() {
    return ascii;
  }

  /**
   * Unmasks and checks, in place, the payload of this frame that {@code in} holds.
   *
   * @return the number of bytes from the buffer's position on, or -1 after a violation; the caller
   *     moves the position past them
   * @throws IllegalStateException if {@link #next} did not say {@link Event#DATA}, or the message
   *     is coded
   */
  public int readInPlace(ByteBuffer in) {
    requireData();
    if (coded) {
      throw new IllegalStateException("a coded message cannot be read in place");
    }
    int n = (int) Math.min(remaining, in.remaining());
    int at = in.position();
    long seen = unmask(in, at, n);
    if (!check(in, at, n, seen)) {
      return -1;
    }
    remaining -= n;
    return endPiece() ? n : -1;
  }

  /**
   * Moves the payload of this frame that {@code in} holds to {@code out}, as much as fits. It is
   * unmasked, decoded if the message is coded, and checked. Both positions move.
   *
   * @return the number of bytes that {@code out} gained, or -1 after a violation
   * @throws IllegalStateException if {@link #next} did not say {@link Event#DATA}
   */
  public int readInto(ByteBuffer in, ByteBuffer out) {
    requireData();
    if (coded) {
      return decodeInto(in, out);
    }
    int start = out.position();
    int n = (int) Math.min(remaining, Math.min(in.remaining(), out.remaining()));
    long seen = unmaskInto(in, out, n);
    if (!check(out, start, n, seen)) {
      return -1;
    }
    remaining -= n;
    return endPiece() ? n : -1;
  }

  /**
   * Drops the payload of this frame that {@code in} holds, without decoding or checking it. Coded
   * messages can no longer be read afterwards, because they may refer to dropped data.
   *
   * @return the number of bytes that the buffer's position moved by
   * @throws IllegalStateException if {@link #next} did not say {@link Event#DATA}
   */
  public int skip(ByteBuffer in) {
    requireData();
    int n = (int) Math.min(remaining, in.remaining());
    in.position(in.position() + n);
    key = Masking.advance(key, n - Math.min(n, unmasked)); // the key has already moved past those
    unmasked -= Math.min(n, unmasked);
    remaining -= n;
    drained = true;
    if (utf8 != null) {
      utf8.reset();
    }
    endPiece();
    return n;
  }

  /** Returns whether the current frame has been read to its end. */
  public boolean endOfFrame() {
    return remaining == 0 && drained;
  }

  /** Returns whether the last piece that was read ended its message. */
  public boolean endOfMessage() {
    return message != null && !inMessage;
  }

  private void requireData() {
    if (phase != DATA) {
      throw new IllegalStateException("no data to read");
    }
  }

  private int decodeInto(ByteBuffer in, ByteBuffer out) {
    int start = out.position();
    int n = (int) Math.min(remaining, in.remaining());
    int at = in.position();
    if (n > unmasked) {
      unmask(in, at + unmasked, n - unmasked);
      unmasked = n;
    }
    int limit = in.limit();
    in.limit(at + n);
    try {
      drained = Objects.requireNonNull(decoder).apply(in, out, fin && remaining == n);
    } catch (Extension.PayloadException e) {
      // The output so far is checked first, as it would be if the bytes came one by one.
      return check(out, start, out.position() - start, UNSEEN) ? fail(e.violation()) : -1;
    } finally {
      in.limit(limit);
    }
    int taken = in.position() - at;
    unmasked -= taken;
    remaining -= taken;
    int gained = out.position() - start;
    if (!check(out, start, gained, UNSEEN)) {
      return -1;
    }
    return endPiece() ? gained : -1;
  }

  private long unmaskInto(ByteBuffer in, ByteBuffer out, int n) {
    int from = in.position();
    int to = out.position();
    out.put(to, in, from, n);
    in.position(from + n);
    out.position(to + n);
    return unmask(out, to, n);
  }

  /**
   * Unmasks the next bytes of the frame in place. Returns all of them ORed together if they may be
   * text, else {@link #UNSEEN}.
   */
  private long unmask(ByteBuffer bytes, int at, int n) {
    int with = key;
    if (with == 0) {
      return UNSEEN;
    }
    key = Masking.advance(with, n);
    if (message == Opcode.TEXT) {
      return Masking.applyCombining(bytes, at, n, with);
    }
    Masking.apply(bytes, at, n, with);
    return UNSEEN;
  }

  /** Checks new text; {@code seen} is all its bytes ORed together, or {@link #UNSEEN}. */
  private boolean check(ByteBuffer bytes, int from, int n, long seen) {
    if (message != Opcode.TEXT || ((seen & NOT_ASCII) == 0 && isBetweenCharacters())) {
      return true;
    }
    int to = from + n;
    int beyond = isBetweenCharacters() ? Utf8Validator.skipAscii(bytes, from, to) : from;
    if (beyond == to) {
      return true;
    }
    ascii = false;
    if (utf8 == null) {
      utf8 = new Utf8Validator();
    }
    if (utf8.accept(bytes, beyond, to)) {
      return true;
    }
    fail(Violation.INVALID_UTF_8);
    return false;
  }

  private boolean isBetweenCharacters() {
    return utf8 == null || utf8.isComplete();
  }

  /**
   * Moves on to the next header if the frame ends here; false if the text ends inside a character.
   */
  private boolean endPiece() {
    if (!endOfFrame()) {
      return true;
    }
    if (fin) {
      if (message == Opcode.TEXT && !isBetweenCharacters()) {
        fail(Violation.INVALID_UTF_8);
        return false;
      }
      inMessage = false;
    }
    phase = HEADER;
    return true;
  }

  // ---- Control frames (5.5)

  private Event readControl(ByteBuffer in) {
    ByteBuffer payload = known(control, "no control frame was begun");
    int n = (int) Math.min(remaining, in.remaining());
    unmaskInto(in, payload, n);
    remaining -= n;
    if (remaining > 0) {
      return Event.MORE;
    }
    payload.flip();
    phase = HEADER;
    return switch (controlOpcode) {
      case PING -> Event.PING;
      case PONG -> Event.PONG;
      default -> readClose(payload);
    };
  }

  /** Returns the payload of the last Ping or Pong, valid until {@link #next} is called again. */
  public ByteBuffer controlPayload() {
    return known(control, "no control frame was read");
  }

  private Event readClose(ByteBuffer payload) {
    int length = payload.remaining();
    if (length == 0) {
      closeReason = CloseReason.NO_STATUS;
    } else if (length == 1) {
      fail(Violation.CLOSE_OF_ONE_BYTE); // 5.5.1: the code is two bytes
    } else {
      int code = payload.getShort() & 0xFFFF;
      if (!CloseCode.isAllowedInFrame(code)) {
        fail(Violation.closeCode(code));
      } else {
        var text = new Utf8Validator();
        if (text.accept(payload, payload.position(), payload.limit()) && text.isComplete()) {
          closeReason = new CloseReason(code, StandardCharsets.UTF_8.decode(payload).toString());
        } else {
          fail(Violation.INVALID_CLOSE_REASON);
        }
      }
    }
    phase = DONE;
    return violation == null ? Event.CLOSE : Event.VIOLATION;
  }

  /** Returns the peer's Close, after {@link #next} has returned {@link Event#CLOSE}. */
  public CloseReason closeReason() {
    return known(closeReason, "no close frame was read");
  }

  /**
   * Returns the rule that the peer broke, after {@link #next} or a read has reported a violation.
   */
  public Violation violation() {
    return known(violation, "no rule was broken");
  }

  private static <T> T known(@Nullable T answer, String otherwise) {
    if (answer == null) {
      throw new IllegalStateException(otherwise);
    }
    return answer;
  }

  private boolean refuse(Violation fault) {
    fail(fault);
    return false;
  }

  private int fail(Violation fault) {
    violation = fault;
    phase = DONE;
    return -1;
  }
}
