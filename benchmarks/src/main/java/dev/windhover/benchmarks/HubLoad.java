package dev.windhover.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Selector;

/**
 * A client of a hub, in JSON over a WebSocket. Servers may put several records into a frame, and
 * cut frames anywhere, so it is records that it looks at: answers, whose content it compares now
 * and then; messages that were sent to all, which it counts; and Pings.
 */
final class HubLoad extends WebSocketLoad {
  /** A prime, so that every call of the ring has its turn. */
  private static final int SAMPLING = 1021;

  private static final long SEPARATORS = 0x1E1E1E1E1E1E1E1EL;

  private static final byte[] HANDSHAKE =
      "{\"protocol\":\"json\",\"version\":1}\u001e".getBytes(US_ASCII);

  /** Where a record says what it is; both servers write that first. */
  private static final int TYPE = "{\"type\":".length();

  private final HubCalls calls;
  private boolean hasBegun; // the answer to the handshake has come
  private boolean isControl; // the frame
  private int length; // of what has come of a record
  private byte type;
  private int expected; // the call of the ring that is answered next
  private int untilSample;
  private int sent; // messages to all since the last answer
  private int uncounted;

  HubLoad(String name, int port, HubCalls calls, int inFlight, Selector selector)
      throws IOException {
    super(name, port, opening(calls.path()), calls.ring(), inFlight, selector);
    this.calls = calls;
  }

  /** Opens the socket and says which protocol we speak; calls follow without an answer to that. */
  static Opening opening(String path) {
    ByteBuffer frame = MessageRing.of(new byte[][] {HANDSHAKE}, 1).frame(0);
    byte[] bytes = new byte[frame.remaining()];
    frame.get(bytes);
    return socket -> {
      OpeningHandshake.of(path, Compression.OFF).perform(socket);
      socket.getOutputStream().write(bytes);
    };
  }

  @Override
  void frame(byte first, long length) throws IOException {
    int opcode = first & 0x7f;
    isControl = opcode == 0x9 || opcode == 0xA;
    if (opcode > 1 && !isControl) {
      throw new IOException("a frame that starts with 0x%02x".formatted(first));
    }
  }

  @Override
  void payload(int message, int offset, ByteBuffer buffer, int length, int maskingKey)
      throws IOException {
    if (!isControl) {
      records(buffer, buffer.position(), buffer.position() + length);
    }
  }

  @Override
  boolean end(int message) {
    return false; // records are answers, not frames
  }

  private void records(ByteBuffer buffer, int from, int to) throws IOException {
    for (int at = from; at < to; at++) {
      int end = indexOfSeparator(buffer, at, to);
      int known = length;
      length += end - at;
      if (known <= TYPE && length > TYPE) {
        type = buffer.get(at + TYPE - known);
      }
      if (end < to) {
        record(buffer, at, end, known == 0);
        length = 0;
      }
      at = end;
    }
  }

  private void record(ByteBuffer buffer, int from, int to, boolean isWhole) throws IOException {
    if (!hasBegun && length == 2) {
      hasBegun = true;
    } else if (hasBegun && type == '1') {
      sent++;
      uncounted++;
    } else if (hasBegun && type == '3') {
      answer(buffer, from, to, isWhole);
    } else if (!hasBegun || type != '6') {
      throw new IOException("wrong record: " + text(buffer, from, to));
    }
  }

  private void answer(ByteBuffer buffer, int from, int to, boolean isWhole) throws IOException {
    if (calls.sends() > 0) {
      if (sent != calls.sends()) {
        throw new IOException("%d messages, expected %d".formatted(sent, calls.sends()));
      }
      sent = 0;
    } else if (untilSample > 0) {
      untilSample--;
    } else if (isWhole) { // otherwise the next one is compared
      if (!calls.isAnswer(expected, buffer, from, to)) {
        throw new IOException("wrong answer: " + text(buffer, from, to));
      }
      untilSample = SAMPLING - 1;
    }
    expected = calls.ring().next(expected, 1);
    answered();
  }

  private static String text(ByteBuffer buffer, int from, int to) {
    byte[] bytes = new byte[to - from];
    buffer.get(from, bytes);
    return new String(bytes, US_ASCII);
  }

  @Override
  int counted(int replies) {
    if (calls.sends() == 0) {
      return replies;
    }
    int count = uncounted;
    uncounted = 0;
    return count;
  }

  @Override
  boolean verified() {
    return hasBegun;
  }

  /** Returns the index of the first separator; {@code to} if there is none. */
  private static int indexOfSeparator(ByteBuffer buffer, int from, int to) {
    int at = from;
    while (at <= to - Long.BYTES && !hasZero(buffer.getLong(at) ^ SEPARATORS)) {
      at += Long.BYTES;
    }
    while (at < to && buffer.get(at) != HubCalls.SEPARATOR) {
      at++;
    }
    return at;
  }

  /** Whether one of the eight bytes is zero, as in Hacker's Delight, 6–1. */
  private static boolean hasZero(long bytes) {
    return ((bytes - 0x0101010101010101L) & ~bytes & 0x8080808080808080L) != 0;
  }
}
