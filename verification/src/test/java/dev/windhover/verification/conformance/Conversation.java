package dev.windhover.verification.conformance;

import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Peer;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The client's end of a WebSocket: writes frames, right or wrong, and takes what comes back as a
 * list of events that must be met one by one. A thread of its own reads all the time, so that no
 * send waits for what the server sends.
 */
final class Conversation implements AutoCloseable {
  /** The server must end TCP within this time after the closing handshake. */
  static final long MOST_UNTIL_END_NANOS = TimeUnit.SECONDS.toNanos(1);

  private static final int FIN = 0x80;
  private static final int RSV1 = 0x40;

  /** What came, and when. */
  private sealed interface Event {
    long nanos();

    /** A control frame, or a whole message as if it had been one frame. */
    record Came(Frame frame, long nanos) implements Event {
      @Override
      public String toString() {
        return frame.toString();
      }
    }

    /** The server ended its direction in order. */
    record Ended(long nanos) implements Event {
      @Override
      public String toString() {
        return "the end";
      }
    }

    /** The server dropped the connection. */
    record Dropped(String why, long nanos) implements Event {
      @Override
      public String toString() {
        return "a dropped connection: " + why;
      }
    }

    /** The server broke a rule of the wire. */
    record Broken(String rule, long nanos) implements Event {
      @Override
      public String toString() {
        return "a broken rule: " + rule;
      }
    }
  }

  private final Peer peer;
  private final long patienceMillis;
  private final @Nullable Deflate deflate;
  private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
  private final Random keys = new Random(ThreadLocalRandom.current().nextLong());
  private @Nullable IOException sendFailure;

  /**
   * Begins to read.
   *
   * @param patienceMillis how long an event is waited for
   * @param deflate what was agreed on, or null: then RSV1 is a fault of the server too
   */
  Conversation(Peer peer, long patienceMillis, @Nullable Deflate deflate) {
    this.peer = peer;
    this.patienceMillis = patienceMillis;
    this.deflate = deflate;
    Thread.ofPlatform().daemon().name("conversation").start(this::read);
  }

  // ---- Sending

  /** Sends frames in one write, each masked with a key of its own. */
  Conversation send(Frame... frames) {
    return sendBytes(bytes(frames));
  }

  /** Sends frames, a write for each. */
  Conversation sendEach(Frame... frames) {
    for (Frame frame : frames) {
      sendBytes(bytes(frame));
    }
    return this;
  }

  /** Sends frames in writes of {@code piece} bytes. */
  Conversation sendIn(int piece, Frame... frames) {
    byte[] bytes = bytes(frames);
    for (int from = 0; from < bytes.length; from += piece) {
      sendBytes(Arrays.copyOfRange(bytes, from, Math.min(bytes.length, from + piece)));
    }
    return this;
  }

  /** Sends bytes; that a server no longer takes them shows in what comes back. */
  Conversation sendBytes(byte... bytes) {
    if (sendFailure == null) {
      try {
        peer.send(bytes);
      } catch (IOException e) {
        sendFailure = e;
      }
    }
    return this;
  }

  /** Returns frames as they are sent. */
  byte[] bytes(Frame... frames) {
    byte[] key = new byte[4];
    if (frames.length == 1) {
      keys.nextBytes(key);
      return frames[0].masked(key);
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (Frame frame : frames) {
      keys.nextBytes(key);
      bytes.writeBytes(frame.masked(key));
    }
    return bytes.toByteArray();
  }

  /** Ends this direction. */
  Conversation endOutput() throws IOException {
    peer.endOutput();
    return this;
  }

  /** Drops the connection. */
  void abort() throws IOException {
    peer.abort();
  }

  @Override
  public void close() throws IOException {
    peer.close();
    if (deflate != null) {
      deflate.end();
    }
  }

  /** Returns what was agreed on for compression. */
  Deflate deflate() {
    if (deflate == null) {
      throw new AssertionError("compression was declined");
    }
    return deflate;
  }

  // ---- The one right course of events

  /** Requires that next these come, messages whole, and nothing else. */
  Conversation expect(Frame... frames) {
    for (Frame frame : frames) {
      Frame came = frame();
      if (!came.equals(frame)) {
        throw new AssertionError(
            "due is " + frame + " and there came " + came + where(came, frame));
      }
    }
    return this;
  }

  private static String where(Frame came, Frame due) {
    int differs = Arrays.mismatch(came.payload(), due.payload());
    return differs < 0 ? "" : "; they differ at byte " + differs;
  }

  /** Takes the next frame or message, decompressed. */
  Frame frame() {
    return plain(rawFrame());
  }

  /** Takes the next frame or message, as it came. */
  Frame rawFrame() {
    Event event = next("a frame");
    if (event instanceof Event.Came came) {
      return came.frame();
    }
    throw new AssertionError("a frame is due and there came " + event + failure());
  }

  /** Takes the next frame or message, as it came; null if that is the end in order. */
  @Nullable Frame rawFrameOrEnd() {
    Event event = next("a frame or the end");
    if (event instanceof Event.Ended) {
      return null;
    }
    if (event instanceof Event.Came came) {
      return came.frame();
    }
    throw new AssertionError("a frame or the end is due and there came " + event + failure());
  }

  /** Returns whether something has come that was not taken. */
  boolean hasMore() {
    return !events.isEmpty();
  }

  /** Returns a message decompressed. */
  Frame plain(Frame frame) {
    if (deflate == null || (frame.first() & RSV1) == 0) {
      return frame;
    }
    return new Frame(frame.first() & ~RSV1, deflate.inflate(frame.payload()));
  }

  /**
   * Requires a Close with this code, whatever its words, the end behind it, and no byte between.
   */
  void expectClose(int code) {
    expectClose(code, true);
  }

  /** Requires a Close without a code, and the end. */
  void expectEmptyClose() {
    expectClose(1005, true);
  }

  /** Requires a Close with this code, 1005 for none; {@code end} requires the end behind it. */
  void expectClose(int code, boolean end) {
    Event event = next("a Close");
    if (!(event instanceof Event.Came came) || came.frame().first() != 0x88) {
      throw new AssertionError("a Close " + code + " is due and there came " + event + failure());
    }
    int sent = code(came.frame().payload());
    if (sent != code) {
      throw new AssertionError("a Close " + code + " is due and there came " + came.frame());
    }
    if (end) {
      expectEnd(event.nanos());
    }
  }

  private static int code(byte[] payload) {
    if (payload.length == 0) {
      return 1005;
    }
    if (payload.length == 1) {
      throw new AssertionError("a Close of one byte came");
    }
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(payload).position(2));
    } catch (CharacterCodingException e) {
      throw new AssertionError("the reason of a Close is not UTF-8", e);
    }
    return ByteBuffer.wrap(payload).getShort() & 0xFFFF;
  }

  /** Requires that the server ends its direction, and before we do. */
  void expectEnd() {
    expectEnd(Long.MIN_VALUE);
  }

  private void expectEnd(long since) {
    Event event = next("the end");
    if (!(event instanceof Event.Ended)) {
      throw new AssertionError("the end is due and there came " + event + failure());
    }
    if (since != Long.MIN_VALUE && event.nanos() - since > MOST_UNTIL_END_NANOS) {
      throw new AssertionError(
          "the end came %d ms after the Close".formatted((event.nanos() - since) / 1_000_000));
    }
    try {
      peer.requireEnd(since != Long.MIN_VALUE);
    } catch (IOException e) {
      throw new AssertionError("the end is not in order", e);
    }
  }

  /** Requires that the server drops the connection. */
  void expectDropped() {
    Event event = next("a dropped connection");
    if (!(event instanceof Event.Dropped)) {
      throw new AssertionError("a dropped connection is due and there came " + event);
    }
    peer.requireDropped();
  }

  /** Goes through the closing handshake, which we begin; nothing may be left before it. */
  void finish() {
    send(Frame.close(1000, ""));
    expectClose(1000);
  }

  private Event next(String due) {
    try {
      Event event = events.poll(patienceMillis, TimeUnit.MILLISECONDS);
      if (event == null) {
        throw new AssertionError(
            due + " is due and nothing came within " + patienceMillis + " ms" + failure());
      }
      return event;
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private String failure() {
    return sendFailure == null ? "" : "; sending failed: " + sendFailure;
  }

  // ---- Reading

  private void read() {
    Event end;
    try {
      DataInputStream in = new DataInputStream(new Incoming());
      Message message = new Message();
      for (int first = in.read(); first >= 0; first = in.read()) {
        message.take(first, in);
      }
      end = new Event.Ended(System.nanoTime());
    } catch (BrokenRuleException e) {
      end = new Event.Broken(String.valueOf(e.getMessage()), System.nanoTime());
    } catch (EOFException e) {
      end = new Event.Broken("the end came inside a frame", System.nanoTime());
    } catch (AssertionError e) { // of the transport, as an end without close_notify
      end = new Event.Broken(String.valueOf(e.getMessage()), System.nanoTime());
    } catch (IOException e) {
      end = new Event.Dropped(String.valueOf(e.getMessage()), System.nanoTime());
    }
    events.add(end);
  }

  private static final class BrokenRuleException extends IOException {
    private static final long serialVersionUID = 1;

    BrokenRuleException(String rule) {
      super(rule);
    }
  }

  /** Puts frames together, and holds the server to the rules of the wire (RFC 6455 5). */
  private final class Message {
    private int opening;
    private final ByteArrayOutputStream payload = new ByteArrayOutputStream();

    void take(int first, DataInputStream in) throws IOException {
      boolean control = (first & 0x08) != 0;
      int opcode = first & 0x0F;
      byte[] bytes = payload(in);
      require((first & 0x30) == 0, "RSV2 or RSV3 is set");
      if (control) {
        require(opcode <= 0x0A, "a reserved opcode");
        require((first & 0xF0) == FIN, "a control frame is fragmented or has RSV1");
        require(bytes.length <= 125, "a control frame of more than 125 bytes");
        events.add(new Event.Came(new Frame(first, bytes), System.nanoTime()));
        return;
      }
      require(opcode <= 0x02, "a reserved opcode");
      if (opcode == 0) {
        require(opening != 0, "a continuation without a message");
        require((first & RSV1) == 0, "RSV1 on a continuation");
      } else {
        require(opening == 0, "a message inside a message");
        require((first & RSV1) == 0 || deflate != null, "RSV1 without an extension");
        opening = FIN | first;
      }
      if ((first & FIN) == 0 || payload.size() > 0) {
        payload.writeBytes(bytes);
        bytes = payload.toByteArray();
      }
      if ((first & FIN) != 0) {
        events.add(new Event.Came(new Frame(opening, bytes), System.nanoTime()));
        opening = 0;
        payload.reset();
      }
    }

    private static byte[] payload(DataInputStream in) throws IOException {
      int second = in.readUnsignedByte();
      require((second & 0x80) == 0, "a server's frame is masked");
      long length = second;
      if (second == 126) {
        length = in.readUnsignedShort();
        require(length > 125, "a length that is not in its shortest form");
      } else if (second == 127) {
        length = in.readLong();
        require(length > 65_535, "a length that is not in its shortest form, or negative");
      }
      byte[] bytes = new byte[Math.toIntExact(length)];
      in.readFully(bytes);
      return bytes;
    }

    private static void require(boolean kept, String rule) throws BrokenRuleException {
      if (!kept) {
        throw new BrokenRuleException(rule);
      }
    }
  }

  /** What the peer receives, without its time limits: the reader waits as long as it takes. */
  private final class Incoming extends InputStream {
    private final byte[] buffer = new byte[16 * 1024];
    private int position;
    private int limit;

    @Override
    public int read() throws IOException {
      return fill() ? buffer[position++] & 0xFF : -1;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      if (!fill()) {
        return -1;
      }
      int n = Math.min(length, limit - position);
      System.arraycopy(buffer, position, bytes, offset, n);
      position += n;
      return n;
    }

    private boolean fill() throws IOException {
      while (position == limit) {
        try {
          position = 0;
          limit = 0;
          int n = peer.receive(buffer);
          if (n < 0) {
            return false;
          }
          limit = n;
        } catch (SocketTimeoutException e) {
          // asks again
        }
      }
      return true;
    }
  }
}
