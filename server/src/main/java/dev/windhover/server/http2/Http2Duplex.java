package dev.windhover.server.http2;

import dev.windhover.http.host.Duplex;
import dev.windhover.http.host.Loggers;
import dev.windhover.http.host.Loop;
import dev.windhover.server.exchange.RequestId;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Stream;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * A stream after its extended CONNECT (RFC 8441), as the duplex of the seam. The window of the
 * stream is its credit. Output is flushed once per batch of reads.
 */
final class Http2Duplex extends Http2Sink implements Duplex, StreamEnd {
  private static final Logger log = Loggers.get(Http2Duplex.class);

  private final RequestId id;
  private final long client;
  private final Receiver receiver;

  /** Not the exchange itself, which would keep all of its request alive. */
  private final CompletableFuture<Void> clientGone;

  // Loop only.
  private boolean inBatch;
  private boolean paused;
  private @Nullable ByteBuf held;
  private boolean endIsHeld;
  private boolean peerEnded;
  private boolean endSent;
  private boolean inputOver;
  private boolean stopping;
  private boolean lost;

  /**
   * Creates one.
   *
   * @param id names the request in logs
   * @param client the key of the address for which the socket counts
   * @param clientGone completed if the stream ends without both sides having ended theirs
   */
  Http2Duplex(
      Http2Connection connection,
      Http2Stream stream,
      RequestId id,
      long client,
      CompletableFuture<Void> clientGone,
      Receiver receiver) {
    super(connection, stream);
    this.id = id;
    this.client = client;
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

  /** Delivers bytes. While the receiver is paused, holds them and their credit. */
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

  /** The peer has ended its side of the stream; may be called more than once. */
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

  /** A receiver that fails ends only its own stream. */
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

  /** Everything that was read has been delivered. */
  void batchEnd() {
    inBatch = false;
    if (!lost) {
      try {
        receiver.onBatchEnd();
        sendGathered();
      } catch (RuntimeException | Error e) {
        fail(e);
      }
    }
  }

  @Override
  public boolean hasEnded() {
    return isEnded();
  }

  /** The network has taken our end. */
  @Override
  void endSent() {
    endSent = true;
    resetIfStopping();
  }

  @Override
  public void inputIsOver() {
    inputOver = true;
    resetIfStopping();
  }

  @Override
  public void serverStops() {
    stopping = true;
    resetIfStopping();
  }

  /**
   * Does not wait for the peer's end, if the server stops and both sides have said their last word
   * (RFC 9113 8.1). Not within a call of Netty, or of the receiver.
   */
  private void resetIfStopping() {
    if (stopping && inputOver && endSent && !peerEnded) {
      loop().execute(() -> connection.reset(stream, Http2Error.NO_ERROR));
    }
  }

  @Override
  public void closed(String why) {
    if (!(isEnded() && peerEnded)) {
      clientGone.complete(null); // first, so that code that fails because of it knows the cause
    }
    connection.socketEnded(client);
    // Not from within a call of the receiver, which may have caused this.
    loop().execute(() -> lose(why));
  }

  /** The stream is gone; not called from within a call of the receiver. */
  void lose(String why) {
    if (lost) {
      return;
    }
    lost = true;
    close();
    if (held != null) {
      held.release();
      held = null;
    }
    receiver.onLost(why);
  }

  // ---- The seam

  @Override
  public String id() {
    return id.toString();
  }

  @Override
  public Loop loop() {
    return connection.loop;
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
  public long held() {
    return held == null ? 0 : held.capacity();
  }

  @Override
  public void consumed(int bytes) {
    if (bytes > 0) {
      connection.consumed(stream, bytes);
    }
  }

  @Override
  public void flush() {
    if (!inBatch) { // otherwise at the end of the batch
      super.flush();
    }
  }

  /** A receiver that fails at its mark also ends only its own stream. */
  @Override
  public void mark(int bytes, Runnable belowAgain) {
    super.mark(
        bytes,
        () -> {
          try {
            belowAgain.run();
          } catch (RuntimeException | Error e) {
            fail(e);
          }
        });
  }
}
