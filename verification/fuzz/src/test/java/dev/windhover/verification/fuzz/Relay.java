package dev.windhover.verification.fuzz;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Carries what one server sends to another as if a client had sent it: masked, with Pings of its
 * own between the frames. It reads the wire by itself, not by the engine, and says what broke an
 * invariant.
 */
final class Relay {
  private static final int LARGEST_CONTROL = 125;

  private final MemoryHost from;
  private final MemoryHost to;
  private final RandomGenerator random;
  private final boolean compressed;

  // What has come: a frame under way, and where its server's output it is.
  private final ByteArrayOutputStream header = new ByteArrayOutputStream();
  private ByteBuffer control = ByteBuffer.allocate(0);
  private int first;
  private long remaining;
  private boolean inFrame;
  private boolean inMessage;
  private final byte[] key = new byte[4];
  private int keyAt;
  private long at;

  // What is known of the server that sends.
  private long closeEndsAt = -1;
  private long sentBeforeClose = -1; // when the other's Close came to it
  private boolean outputWaits; // at that time
  private boolean isEndTold;

  // Pings that came to the server that sends, and pongs that it sent.
  private final List<String> pings = new ArrayList<>();
  private int answered;
  private final List<String> broken = new ArrayList<>();

  // What went to the other server.
  private boolean closeCarried;
  private int pingsSent;
  private int largest;

  Relay(MemoryHost from, MemoryHost to, RandomGenerator random, boolean compressed) {
    this.from = from;
    this.to = to;
    this.random = random;
    this.compressed = compressed;
  }

  /** Carries at most so many bytes, in one piece; {@code back} is the other direction. */
  void carry(int most, Relay back) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    int closeAt = -1;
    for (byte b : from.take(most)) {
      boolean whole = read(b, out, back);
      if (whole && first == 0x88) {
        closeCarried = true;
        closeAt = out.size() - 1;
      } else if (whole && !closeCarried && random.nextInt(8) == 0) {
        ping(out, back);
      }
    }
    byte[] bytes = out.toByteArray();
    largest = Math.max(largest, bytes.length);
    if (closeAt > 0 && random.nextBoolean()) {
      arrive(Arrays.copyOf(bytes, closeAt)); // what comes before is answered before
      if (to.isAllDelivered()) {
        back.sentBeforeClose = to.outputSize();
      }
      bytes = Arrays.copyOfRange(bytes, closeAt, bytes.length);
    }
    back.outputWaits |= closeAt >= 0 && to.pending() > 0;
    arrive(bytes);
    if (from.isAborted() || (from.isLost() && !isEndTold)) {
      isEndTold = true;
      to.lose("the peer reset the connection");
    } else if (from.hasEnded() && !isEndTold) {
      isEndTold = true;
      to.peerEnds();
    }
  }

  private void arrive(byte[] bytes) {
    if (bytes.length > 0 && !to.isLost() && !to.isAborted()) {
      to.arrive(bytes);
    }
  }

  /** Sends a Ping between two frames, also inside of a message. */
  private void ping(ByteArrayOutputStream out, Relay back) {
    byte[] payload = ("ping " + ++pingsSent).getBytes(StandardCharsets.US_ASCII);
    out.write(0x89);
    out.write(0x80 | payload.length);
    random.nextBytes(key);
    out.writeBytes(key);
    for (int i = 0; i < payload.length; i++) {
      out.write(payload[i] ^ key[i & 3]);
    }
    back.pings.add(text(payload));
  }

  /** Takes a byte of the server, and returns whether a frame ends with it. */
  private boolean read(byte b, ByteArrayOutputStream out, Relay back) {
    at++;
    if (!inFrame) {
      header.write(b);
      if (!headerIsWhole()) {
        return false;
      }
      begin(out);
    } else {
      out.write(b ^ key[keyAt++ & 3]);
      remaining--;
      if (control.hasRemaining()) {
        control.put(b);
      }
    }
    if (remaining > 0) {
      return false;
    }
    inFrame = false;
    if ((first & 0x08) != 0) {
      endControl(back);
    }
    return true;
  }

  private boolean headerIsWhole() {
    int size = header.size();
    if (size < 2) {
      return false;
    }
    int length = header.toByteArray()[1] & 0x7F;
    return size == (length < 126 ? 2 : length == 126 ? 4 : 10);
  }

  /** RFC 6455 5.2, 5.4, 5.5. */
  private void begin(ByteArrayOutputStream out) {
    ByteBuffer bytes = ByteBuffer.wrap(header.toByteArray());
    header.reset();
    first = bytes.get() & 0xFF;
    int second = bytes.get();
    require(second >= 0, "a server's frame is masked");
    remaining =
        second == 126 ? bytes.getShort() & 0xFFFF : second == 127 ? bytes.getLong() : second;
    require(second != 126 || remaining > 125, "a length that is not minimal");
    require(second != 127 || remaining > 65_535, "a length that is not minimal");
    int opcode = first & 0x0F;
    boolean data = opcode < 8;
    require((first & (compressed && data && opcode != 0 ? 0x30 : 0x70)) == 0, "reserved bits");
    if (data) {
      require(closeEndsAt < 0, "a data frame after our Close");
      require(opcode <= 2 && (opcode == 0) == inMessage, "opcode " + opcode);
      inMessage = (first & 0x80) == 0;
      control = ByteBuffer.allocate(0);
    } else {
      require(opcode <= 10 && (first & 0x80) != 0, "a control frame begins with " + first);
      require(remaining <= LARGEST_CONTROL, "a control frame of " + remaining + " bytes");
      control = ByteBuffer.allocate((int) remaining);
    }
    inFrame = true;
    random.nextBytes(key);
    keyAt = 0;
    bytes.rewind();
    out.write(bytes.get());
    out.write(bytes.get() | 0x80);
    out.write(bytes.array(), 2, bytes.remaining());
    out.writeBytes(key);
  }

  private void endControl(Relay back) {
    switch (first & 0x0F) {
      case 8 -> {
        require(closeEndsAt < 0, "a second Close");
        closeEndsAt = at;
      }
      case 9 -> back.pings.add(text(control.array())); // it goes on, and is to be answered
      default -> {
        int which = pings.subList(answered, pings.size()).indexOf(text(control.array()));
        require(which >= 0, "a Pong without a Ping, or twice: " + text(control.array()));
        answered += which + 1; // those between came while nothing could be written (5.5.3)
      }
    }
  }

  private static String text(byte[] payload) {
    return new String(payload, StandardCharsets.ISO_8859_1);
  }

  private void require(boolean holds, String otherwise) {
    if (!holds) {
      broken.add(otherwise + " at byte " + at);
    }
  }

  // ---- What was seen

  /** Returns what broke a rule of the wire. */
  List<String> broken() {
    return broken;
  }

  /** Returns how many bytes came when both Closes were through. */
  long bytesBehindBothCloses() {
    return closeEndsAt >= 0 && sentBeforeClose >= 0
        ? from.outputSize() - Math.max(closeEndsAt, sentBeforeClose)
        : 0;
  }

  /**
   * Returns how many Pings had no answer, nor a later one; none if it had to wait until a Close was
   * there, behind which it is not due (5.5.2).
   */
  int unanswered() {
    return outputWaits ? 0 : pings.size() - answered;
  }

  /** Returns the largest piece that was carried. */
  int largest() {
    return largest;
  }
}
