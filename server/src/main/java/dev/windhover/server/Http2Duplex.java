package dev.windhover.server;

import dev.windhover.http.host.Duplex;
import dev.windhover.http.host.Loop;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Stream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A stream after its extended CONNECT (RFC 8441), as the seam's duplex. Its credit is the stream's
 * window; what is written within a batch of reads leaves as one DATA frame or a few.
 */
final class Http2Duplex implements Duplex, StreamEnd {
  private static final Logger log = LoggerFactory.getLogger(Http2Duplex.class);

  private static final AtomicIntegerFieldUpdater<Http2Duplex> GATHERED =
      AtomicIntegerFieldUpdater.newUpdater(Http2Duplex.class, "gathered");
  private static final AtomicLongFieldUpdater<Http2Duplex> IN_FLIGHT =
      AtomicLongFieldUpdater.newUpdater(Http2Duplex.class, "inFlight");

  private static final ByteBuffer NO_ROOM = ByteBuffer.allocate(0);
  private static final int SMALLEST_OUTPUT = 256;

  /** About a frame's most (RFC 9113 6.5.2), so that progress is seen frame by frame. */
  private static final int LARGEST_OUTPUT = 16 * 1024;

  private final Http2Connection connection;
  private final Http2Stream stream;
  private final RequestId id;
  private final Receiver receiver;

  /** Not the exchange that has it, which would live with all of its request. */
  private final CompletableFuture<Void> clientGone;

  /** Bytes in {@link #output}; read by other threads for {@link #pending()}. */
  private volatile int gathered;

  /**
   * Bytes that wait for the stream's window, or the network. What fails stays among them, so that
   * whoever sends until it is told to stop does stop, and lets the loop bring the word.
   */
  private volatile long inFlight;

  // Loop only.
  private @Nullable ByteBuf output;

  /** What is free of {@link #output}: its position is behind what was written. */
  private ByteBuffer room = NO_ROOM;

  private int roomFrom;
  private int outputSize = SMALLEST_OUTPUT;
  private int mark = Integer.MAX_VALUE;
  private Runnable belowAgain = () -> {};
  private boolean aboveMark;
  private long transmitted;
  private boolean inBatch;
  private boolean paused;
  private @Nullable ByteBuf held;
  private boolean endIsHeld;
  private boolean ended;
  private boolean peerEnded;
  private boolean lost;

  /**
   * Creates one.
   *
   * @param id names the request in logs
   * @param clientGone completed when the stream ends otherwise than by both sides' ends
   */
  Http2Duplex(
      Http2Connection connection,
      Http2Stream stream,
      RequestId id,
      CompletableFuture<Void> clientGone,
      Receiver receiver) {
    this.connection = connection;
    this.stream = stream;
    this.id = id;
    this.clientGone = clientGone;
    this.receiver = receiver;
  }

  // ---- From the stream

  void open() {
    try {
      receiver.onOpen(this);
      flush();
    } catch (RuntimeException | Error e) {
      fail(e);
    }
  }

  /** Delivers bytes, or holds them, with their credit, while the receiver is paused. */
  @Override
  public void receive(ByteBuf bytes) {
    if (lost || peerEnded) {
      consumed(bytes.readableBytes());
    } else if (paused || held != null) {
      ByteBuf all = held == null ? Unpooled.buffer(bytes.readableBytes()) : held;
      held = all.writeBytes(bytes, bytes.readerIndex(), bytes.readableBytes()); // within a window
    } else {
      beginBatch();
      try {
        receiver.onBytes(bytes.internalNioBuffer(bytes.readerIndex(), bytes.readableBytes()));
      } catch (RuntimeException | Error e) {
        fail(e);
      }
    }
  }

  private void deliverHeld() {
    ByteBuf bytes = held;
    if (paused || bytes == null) {
      return;
    }
    held = null;
    receive(bytes);
    bytes.release();
    if (endIsHeld) {
      peerEnded();
    }
  }

  @Override
  public void receiveEnd(Iterable<Map.Entry<String, String>> trailers) {
    peerEnded();
  }

  @Override
  public void connectionEnds() {
    peerEnded();
  }

  /** The peer has ended its side of the stream; more than once is the same. */
  void peerEnded() {
    if (held != null) {
      endIsHeld = true;
    } else if (!peerEnded && !lost) {
      peerEnded = true;
      beginBatch();
      try {
        receiver.onEnd();
      } catch (RuntimeException | Error e) {
        fail(e);
      }
    }
  }

  /** A receiver that fails costs its own stream, and not those beside it. */
  private void fail(Throwable fault) {
    log.error("socket {} failed", id, fault);
    connection.reset(stream, Http2Error.INTERNAL_ERROR);
  }

  private void beginBatch() {
    if (!inBatch) {
      inBatch = true;
      connection.endsWithBatch(this);
    }
  }

  /** Nothing more comes for now. */
  void batchEnd() {
    inBatch = false;
    if (!lost) {
      try {
        receiver.onBatchEnd();
        sendOutput(false);
      } catch (RuntimeException | Error e) {
        fail(e);
      }
    }
  }

  @Override
  public boolean hasEnded() {
    return ended;
  }

  @Override
  public void closed(String why) {
    if (!(ended && peerEnded)) {
      clientGone.complete(null); // first: who fails now because of that, is not at fault
    }
    connection.socketEnded();
    // Not from within a call of the receiver, which may have brought this about.
    loop().execute(() -> lose(why));
  }

  /** The stream is no more; not from within a call of the receiver. */
  void lose(String why) {
    if (lost) {
      return;
    }
    lost = true;
    dropOutput();
    if (held != null) {
      held.release();
      held = null;
    }
    receiver.onLost(why);
  }

  private void dropOutput() {
    if (output != null) {
      output.release();
      output = null;
    }
    room = NO_ROOM;
    roomFrom = 0;
    GATHERED.lazySet(this, 0);
  }

  // ---- The seam

  @Override
  public String id() {
    return id.toString();
  }

  @Override
  public Loop loop() {
    return connection.loop();
  }

  @Override
  public void pause() {
    paused = true;
  }

  @Override
  public void resume() {
    paused = false;
    if (held != null) {
      loop().execute(this::deliverHeld); // not within the call that made room for it
    }
  }

  @Override
  public void consumed(int bytes) {
    if (bytes > 0) {
      connection.consumed(stream, bytes);
    }
  }

  @Override
  public ByteBuffer reserve(int bytes) {
    if (room.remaining() < bytes) {
      takeOutput(bytes);
    }
    return room;
  }

  @Override
  public void commit() {
    GATHERED.lazySet(this, room.position() - roomFrom);
  }

  @Override
  public void write(ByteBuffer bytes) {
    while (bytes.hasRemaining()) {
      if (!room.hasRemaining()) {
        takeOutput(Math.min(bytes.remaining(), LARGEST_OUTPUT - Http2Data.HEADER));
      }
      int n = Math.min(room.remaining(), bytes.remaining());
      room.put(room.position(), bytes, bytes.position(), n).position(room.position() + n);
      bytes.position(bytes.position() + n);
      commit();
    }
  }

  @Override
  public void writeFile(Path file, long position, long count) {
    throw new UnsupportedOperationException("no files of sockets yet");
  }

  /** Begins a new output buffer, behind what the last one holds. */
  private void takeOutput(int bytes) {
    if (output != null) { // this one was too small
      outputSize = Math.min(2 * outputSize, LARGEST_OUTPUT);
      sendOutput(false);
    }
    int headers = Http2Data.headers(bytes);
    ByteBuf taken = connection.allocate(Math.max(outputSize, bytes + headers));
    output = taken;
    room = taken.internalNioBuffer(Http2Data.HEADER, taken.capacity() - headers);
    roomFrom = room.position();
  }

  private void sendOutput(boolean last) {
    ByteBuf current = output;
    if (current == null) {
      return;
    }
    int size = room.position() - roomFrom;
    if (size == 0 && !last) { // reserved in vain
      dropOutput();
      return;
    }
    if (size < outputSize / 4) {
      outputSize = Math.max(outputSize / 2, SMALLEST_OUTPUT);
    }
    output = null;
    room = NO_ROOM;
    roomFrom = 0;
    IN_FLIGHT.lazySet(this, inFlight + size);
    GATHERED.lazySet(this, 0);
    aboveMark |= inFlight >= mark;
    current.setIndex(Http2Data.HEADER, Http2Data.HEADER + size);
    connection.send(stream, current, last, this);
  }

  /** The network has taken that much. */
  void sent(int size) {
    transmitted += size;
    IN_FLIGHT.lazySet(this, inFlight - size);
    if (aboveMark && pending() < mark && !lost) {
      aboveMark = false;
      try {
        belowAgain.run();
        flush();
      } catch (RuntimeException | Error e) {
        fail(e);
      }
    }
  }

  @Override
  public void flush() {
    if (!inBatch) { // else there is more to come
      sendOutput(false);
    }
  }

  @Override
  public long pending() {
    return gathered + inFlight;
  }

  @Override
  public long transmitted() {
    return transmitted;
  }

  @Override
  public void mark(int bytes, Runnable action) {
    mark = bytes;
    belowAgain = action;
    aboveMark = inFlight >= mark;
  }

  /** END_STREAM, on the last frame that is still here. */
  @Override
  public void end() {
    if (ended || lost) {
      return;
    }
    ended = true;
    if (output == null) {
      takeOutput(0);
    }
    sendOutput(true);
  }

  /**
   * CANCEL, RFC 8441's counterpart of TCP's RST; a peer that only has not ended its side, when we
   * have ended ours, is told that nothing is wrong.
   */
  @Override
  public void abort() {
    if (!lost) {
      dropOutput();
      boolean sent = ended && inFlight == 0;
      connection.reset(stream, sent ? Http2Error.NO_ERROR : Http2Error.CANCEL);
    }
  }
}
