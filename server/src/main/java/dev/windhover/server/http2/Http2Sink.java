package dev.windhover.server.http2;

import dev.windhover.server.net.GatheringSink;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Stream;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import org.jspecify.annotations.Nullable;

/**
 * The output of a stream of HTTP/2. What was gathered leaves as one DATA frame or a few, as the
 * windows allow. Loop only, except {@link #pending()} and {@link #isOpen()}.
 */
class Http2Sink extends GatheringSink {
  private static final AtomicLongFieldUpdater<Http2Sink> IN_FLIGHT =
      AtomicLongFieldUpdater.newUpdater(Http2Sink.class, "inFlight");

  private static final int SMALLEST_OUTPUT = 256;

  /** About the largest frame (RFC 9113 6.5.2), so that progress shows frame by frame. */
  private static final int LARGEST_OUTPUT = 16 * 1024;

  final Http2Connection connection;
  final Http2Stream stream;

  /**
   * Bytes that wait for the window of the stream, or for the network. Bytes that could not be sent
   * stay among them, so that a sender that waits for room lets the loop report the loss.
   */
  private volatile long inFlight;

  // Loop only.
  private int outputSize = SMALLEST_OUTPUT;
  private boolean aboveMark;

  /** Bytes that the windows let pass. */
  private long passedOn;

  /** Those of them that the network has taken. */
  private long sent;

  /** What the connection had been written when the last of those was taken. */
  private long sentAt;

  /** Credit that the client gave for the stream. */
  private long credited;

  /** What the connection's peer has acknowledged, when last looked at. */
  private long acknowledged;

  /** As much of that as moved while this stream waited for it. */
  private long waitedFor;

  private boolean ended;
  private boolean endPassedOn;

  Http2Sink(Http2Connection connection, Http2Stream stream) {
    this.connection = connection;
    this.stream = stream;
  }

  // ---- What is gathered

  @Override
  protected final ByteBuf allocate(int bytes) {
    int size = bytes + Http2Data.headers(bytes);
    return connection
        .allocate(Math.max(outputSize, size))
        .setIndex(Http2Data.HEADER, Http2Data.HEADER);
  }

  @Override
  protected final ByteBuffer roomOf(ByteBuf allocated, int bytes) {
    int from = allocated.readerIndex();
    return allocated.internalNioBuffer(from, allocated.capacity() - Http2Data.headers(bytes));
  }

  @Override
  protected final int largestOutput() {
    return LARGEST_OUTPUT - Http2Data.HEADER;
  }

  @Override
  protected final ByteBuf allocatePiece(int bytes) {
    return allocate(bytes);
  }

  // ---- What leaves

  @Override
  protected void transmit(ByteBuf bytes, @Nullable Runnable release) {
    transmit(bytes, release, false);
  }

  private void transmit(ByteBuf bytes, @Nullable Runnable release, boolean last) {
    int size = bytes.readableBytes();
    if (release == null) {
      sizeOutput(size);
    }
    IN_FLIGHT.lazySet(this, inFlight + size); // only the loop writes it
    aboveMark |= pending() >= mark();
    endPassedOn |= last;
    waits();
    connection.send(new Http2Data(this, bytes, release, last));
  }

  /** Its stream may be closed before this is: what would be passed on then is dropped at once. */
  @Override
  protected boolean canTransmit() {
    return isOpen() && stream.state().localSideOpen();
  }

  /** Bytes were passed on, and may wait for the window of the stream or for the network. */
  void waits() {}

  /** A buffer that was too small is followed by a larger one. */
  private void sizeOutput(int last) {
    if (last > outputSize - Http2Data.HEADER - outputSize / 4) {
      outputSize = Math.min(2 * outputSize, LARGEST_OUTPUT);
    } else if (last < outputSize / 4) {
      outputSize = Math.max(outputSize / 2, SMALLEST_OUTPUT);
    }
  }

  /** The windows let {@code size} bytes pass. */
  void passedOn(int size) {
    passedOn += size;
  }

  /** The network has taken {@code size} bytes. */
  void sent(int size) {
    sent += size;
    sentAt = connection.written();
    IN_FLIGHT.lazySet(this, inFlight - size);
    if (aboveMark && pending() < mark()) {
      aboveMark = false;
      checkMark();
    }
  }

  /** The network has taken the end of the stream. */
  void endSent() {}

  @Override
  public void flush() {
    sendGathered(); // the connection flushes soon
  }

  /** Sends END_STREAM, on the last frame if that is still here. */
  @Override
  public void end() {
    if (ended || isClosed()) {
      return;
    }
    ended = true;
    if (!isReadingFiles()) {
      ByteBuf last = takeGathered();
      transmit(last == null ? allocate(0) : last, null, true);
    } else {
      inTurn(() -> transmit(allocate(0), null, true));
    }
  }

  @Override
  protected void fileFailed(Exception cause) {
    connection.reset(stream, Http2Error.INTERNAL_ERROR);
  }

  // ---- What the client takes

  @Override
  protected final long inTransit() {
    return inFlight;
  }

  /** The client lets us send {@code bytes} more, and so has read what came before. */
  void credited(int bytes) {
    credited += bytes;
  }

  /** Returns how many bytes the network has taken. */
  final long sent() {
    return sent;
  }

  /**
   * Returns whether the stream waits for the network, and not for its window: some of it is on its
   * way, or the windows have room.
   *
   * @param acknowledgedNow what the connection's peer has acknowledged
   */
  final boolean isBoundByNetwork(long acknowledgedNow) {
    return passedOn > sent || acknowledgedNow < sentAt || connection.hasWindow(stream);
  }

  /**
   * Signs of progress: what the network has taken, credit that came back, and what the connection's
   * peer acknowledges while this stream waits for that. A stream whose window stays closed sees
   * none of the others' progress.
   */
  @Override
  public final long transmitted() {
    long now = connection.acknowledged();
    if (isBoundByNetwork(now)) {
      waitedFor += now - acknowledged;
    }
    acknowledged = now;
    return sent + credited + waitedFor;
  }

  @Override
  public final long unacknowledged() {
    long pending = pending();
    return pending > 0 ? pending : Math.max(0, sentAt - connection.acknowledged());
  }

  @Override
  public void mark(int bytes, Runnable belowAgain) {
    super.mark(bytes, belowAgain);
    aboveMark = pending() >= bytes;
  }

  // ---- The end

  @Override
  public final boolean isOpen() {
    return !isClosed();
  }

  /** The head of the response ends the stream. */
  final void endsWithHead() {
    ended = true;
    endPassedOn = true;
  }

  /** Returns whether the end of our side waits only for the windows and the network. */
  final boolean isEnded() {
    return endPassedOn;
  }

  /**
   * Resets with CANCEL, as TCP's RST; with NO_ERROR if everything was sent, and only the peer has
   * not ended its side.
   */
  @Override
  public void abort() {
    if (!isClosed()) {
      boolean sent = ended && pending() == 0;
      connection.reset(stream, sent ? Http2Error.NO_ERROR : Http2Error.CANCEL);
    }
  }
}
