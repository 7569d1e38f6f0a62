package dev.windhover.server.net;

import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Files that the system cannot send by itself, because they have to be encrypted or framed. They
 * are read piece by piece, as fast as the client takes them. What is written after a file waits
 * here. Loop only.
 */
final class FileQueue {
  /** A record of TLS, or a frame of HTTP/2. */
  private static final int PIECE_BYTES = 16 * 1024;

  /** At most this much is read before the client has taken it. */
  private static final int MOST_AHEAD = 64 * 1024;

  /** Bytes that wait for their turn. */
  record Bytes(ByteBuf bytes, @Nullable Runnable release) {}

  private final GatheringSink sink;
  private final Deque<Object> waiting = new ArrayDeque<>(2); // FilePart, Bytes, Runnable
  private long read; // of the first, if that is a file
  private int ahead;

  FileQueue(GatheringSink sink) {
    this.sink = sink;
  }

  void add(FilePart part) {
    waiting.add(part);
    passOn();
  }

  void add(Bytes bytes) {
    waiting.add(bytes);
  }

  void add(Runnable action) {
    waiting.add(action);
  }

  /** Passes on what waits; of a file only as much as the client takes for now. */
  private void passOn() {
    while (sink.canTransmit()) {
      Object next = waiting.peek();
      if (next == null) {
        sink.filesEnded(this);
        return;
      }
      if (next instanceof FilePart part) {
        if (ahead >= MOST_AHEAD || !sendPiece(part)) {
          return;
        }
      } else {
        waiting.remove();
        if (next instanceof Bytes held) {
          sink.addQueued(-held.bytes().readableBytes());
          sink.transmit(held.bytes(), held.release());
        } else {
          ((Runnable) next).run();
        }
      }
    }
  }

  /** Passes on a piece; returns false if the file turns out to be too short. */
  private boolean sendPiece(FilePart part) {
    int size = (int) Math.min(PIECE_BYTES, part.count() - read);
    ByteBuf piece = sink.allocatePiece(size);
    try {
      while (piece.readableBytes() < size) {
        int filled = piece.readableBytes();
        if (part.read(piece, read + filled, size - filled) < 0) {
          throw new IOException("the file is shorter than what was to be sent of it");
        }
      }
    } catch (IOException e) {
      piece.release();
      sink.fileFailed(e);
      return false;
    }
    read += size;
    if (read == part.count()) {
      read = 0;
      waiting.remove();
      part.release();
    }
    ahead += size;
    sink.addQueued(-size);
    sink.transmit(
        piece,
        () -> {
          ahead -= size;
          passOn();
          sink.checkMark();
          sink.flush();
        });
    return true;
  }

  /** The connection, or the stream, is gone. */
  void drop() {
    for (Object next; (next = waiting.poll()) != null; ) {
      if (next instanceof FilePart part) {
        part.release();
      } else if (next instanceof Bytes held) {
        held.bytes().release();
        if (held.release() != null) {
          held.release().run();
        }
      } else {
        ((Runnable) next).run(); // it will find the sink closed
      }
    }
  }
}
