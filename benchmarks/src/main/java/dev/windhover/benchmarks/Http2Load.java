package dev.windhover.benchmarks;

import static dev.windhover.benchmarks.Http2Opening.ACK;
import static dev.windhover.benchmarks.Http2Opening.DATA;
import static dev.windhover.benchmarks.Http2Opening.FRAME_HEADER;
import static dev.windhover.benchmarks.Http2Opening.GOAWAY;
import static dev.windhover.benchmarks.Http2Opening.MAX_FRAME;
import static dev.windhover.benchmarks.Http2Opening.OUR_WINDOW;
import static dev.windhover.benchmarks.Http2Opening.PING;
import static dev.windhover.benchmarks.Http2Opening.SETTINGS;
import static dev.windhover.benchmarks.Http2Opening.WINDOW_UPDATE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Selector;
import java.util.Arrays;

/**
 * An HTTP/2 connection with WebSockets that expect their messages back, without compression. Each
 * message is a DATA frame of its own, as browsers send them; replies may come in any DATA frames.
 *
 * <p>Replies are only counted, except for the first replies of each socket and then every {@value
 * #SAMPLING}th: their header and content are compared with what was sent. Anything that an echo
 * server would not send fails.
 */
final class Http2Load extends LoadConnection {
  /** After the ring's first lap; a prime, so that every message of it has its turn. */
  private static final int SAMPLING = 1021;

  /** No message is larger, so that each fits into the window of every server. */
  static final int MAX_SIZE = 32 * 1024;

  /** The credit that is given back in one step; far less than the window. */
  private static final int CREDIT_STEP = OUR_WINDOW / 4;

  private static final int CONTROL_ROOM = 4096;

  private final MessageRing ring;
  private final ByteBuffer frames;
  private final ByteBuffer control = ByteBuffer.allocate(CONTROL_ROOM);
  private final Stream[] streams;
  private final int[] free; // sockets with a free slot, once for each slot, as a ring
  private int firstFree;
  private int freeCount;
  private long credit; // of the connection
  private int uncredited; // received on it

  // The DATA frame that is being received.
  private Stream current;
  private int missing; // of its payload, 0 between frames

  /** One WebSocket. */
  private static final class Stream {
    private final int socket;
    private long credit;
    private int uncredited;
    private int nextMessage; // of the ring
    private int expectedMessage;
    private int received; // of the reply
    private int replies;
    private boolean compares = true; // the reply with what was sent
    private int replySize; // 0 until the first has begun
    private boolean masked;

    Stream(int socket, long credit) {
      this.socket = socket;
      this.credit = credit;
    }
  }

  /**
   * Connects, and opens this many WebSockets, each of which keeps {@code inFlight} messages
   * outstanding.
   */
  Http2Load(String name, int port, MessageRing ring, int inFlight, int sockets, Selector selector)
      throws IOException {
    this(
        name,
        port,
        ring,
        inFlight,
        new Http2Opening(sockets),
        new Stream[sockets],
        ByteBuffer.allocateDirect(
                CONTROL_ROOM + inFlight * sockets * (ring.replySize(true) + 3 * FRAME_HEADER))
            .limit(0),
        selector);
  }

  private Http2Load(
      String name,
      int port,
      MessageRing ring,
      int inFlight,
      Http2Opening opening,
      Stream[] streams,
      ByteBuffer unsent,
      Selector selector)
      throws IOException {
    super(name, port, opening::perform, unsent, inFlight * streams.length, selector);
    this.ring = ring;
    this.frames = ring.view();
    this.streams = streams;
    this.credit = opening.connectionCredit();
    Arrays.setAll(streams, socket -> new Stream(socket, opening.streamWindow()));
    current = streams[0];
    free = new int[inFlight * streams.length];
    for (Stream stream : streams) {
      for (int i = 0; i < inFlight; i++) {
        addFree(stream.socket);
      }
    }
  }

  private void addFree(int socket) {
    int at = firstFree + freeCount++;
    free[at < free.length ? at : at - free.length] = socket;
  }

  private Stream takeFree() {
    int socket = free[firstFree];
    firstFree = firstFree + 1 == free.length ? 0 : firstFree + 1;
    freeCount--;
    return streams[socket];
  }

  // ---- What is sent

  @Override
  int next(ByteBuffer into, int count) {
    into.clear().put(control.flip());
    control.clear();
    int sent = 0;
    for (int i = 0; i < count; i++) {
      Stream stream = takeFree();
      ring.window(frames, stream.nextMessage, 1);
      int size = frames.remaining();
      if (size > Math.min(credit, stream.credit)) {
        addFree(stream.socket); // waits for credit
        continue;
      }
      credit -= size;
      stream.credit -= size;
      stream.nextMessage = ring.next(stream.nextMessage, 1);
      for (int end = frames.limit(); frames.position() < end; ) {
        int part = Math.min(end - frames.position(), MAX_FRAME);
        Http2Opening.frame(into, part, DATA, 0, Http2Opening.streamOf(stream.socket));
        into.put(frames.limit(frames.position() + part));
      }
      sent++;
    }
    into.flip();
    return sent;
  }

  /** Tells the server that we are leaving. */
  @Override
  ByteBuffer farewell() {
    ByteBuffer goAway = ByteBuffer.allocate(FRAME_HEADER + 8);
    Http2Opening.frame(goAway, 8, GOAWAY, 0, 0);
    return goAway.putLong(0).flip();
  }

  // ---- What comes

  @Override
  void take(ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      if (missing == 0 && !takeFrame(buffer)) {
        return;
      }
      int part = Math.min(missing, buffer.remaining());
      missing -= part;
      takePayload(buffer, part);
    }
  }

  /**
   * Takes the header of a DATA frame, or a whole frame of another type, or nothing if it is
   * incomplete.
   */
  private boolean takeFrame(ByteBuffer buffer) throws IOException {
    int start = buffer.position();
    if (buffer.remaining() < FRAME_HEADER) {
      return false;
    }
    int length = buffer.getInt(start) >>> 8;
    int type = buffer.get(start + 3);
    int flags = buffer.get(start + 4);
    int stream = buffer.getInt(start + 5);
    if (type == DATA) {
      if (flags != 0 || Http2Opening.socketOf(stream) >= streams.length) {
        throw new IOException("DATA with the flags " + flags + " on stream " + stream);
      }
      current = streams[Http2Opening.socketOf(stream)];
      missing = length;
      buffer.position(start + FRAME_HEADER);
      giveCredit(length);
      return true;
    }
    if (buffer.remaining() < FRAME_HEADER + length) {
      return false;
    }
    buffer.position(start + FRAME_HEADER);
    takeControl(type, flags, stream, buffer.slice(start + FRAME_HEADER, length));
    buffer.position(start + FRAME_HEADER + length);
    return true;
  }

  private void takeControl(int type, int flags, int stream, ByteBuffer payload) throws IOException {
    switch (type) {
      case WINDOW_UPDATE -> {
        if (stream == 0) {
          credit += payload.getInt();
        } else {
          streams[Http2Opening.socketOf(stream)].credit += payload.getInt();
        }
      }
      case PING -> {
        if (flags != ACK) {
          Http2Opening.frame(control, payload.remaining(), PING, ACK, 0);
          control.put(payload);
        }
      }
      case SETTINGS -> {
        if (flags != ACK) {
          throw new IOException("the server changes its SETTINGS");
        }
      }
      default ->
          throw new IOException("an unexpected frame of type " + type + " on stream " + stream);
    }
  }

  private void giveCredit(int length) {
    uncredited += length;
    current.uncredited += length;
    if (uncredited >= CREDIT_STEP) {
      Http2Opening.windowUpdate(control, 0, uncredited);
      uncredited = 0;
    }
    if (current.uncredited >= CREDIT_STEP) {
      Http2Opening.windowUpdate(control, Http2Opening.streamOf(current.socket), current.uncredited);
      current.uncredited = 0;
    }
  }

  /** Takes the next {@code length} bytes, which are of the current stream. */
  private void takePayload(ByteBuffer buffer, int length) throws IOException {
    Stream stream = current;
    int end = buffer.position() + length;
    while (buffer.position() < end) {
      if (stream.replySize == 0) {
        takeSize(stream, buffer, end);
      }
      int part = Math.min(stream.replySize - stream.received, end - buffer.position());
      if (stream.compares
          && !ring.isReply(stream.expectedMessage, stream.masked, stream.received, buffer, part)) {
        throw new IOException("wrong echo: a reply is not what was sent");
      }
      buffer.position(buffer.position() + part);
      stream.received += part;
      if (stream.received == stream.replySize) {
        ended(stream);
      }
    }
  }

  /** Reads the start of the first reply, which tells the length of all replies. */
  private void takeSize(Stream stream, ByteBuffer buffer, int end) throws IOException {
    if (end - buffer.position() < 2) {
      throw new IOException("the first reply comes byte by byte");
    }
    stream.masked = buffer.get(buffer.position() + 1) < 0;
    stream.replySize = ring.replySize(stream.masked);
  }

  private void ended(Stream stream) throws IOException {
    stream.received = 0;
    stream.expectedMessage = ring.next(stream.expectedMessage, 1);
    stream.replies++;
    stream.compares = stream.replies < ring.distinct() || stream.replies % SAMPLING == 0;
    addFree(stream.socket);
    answered();
  }
}
