package dev.windhover.protocol.deflate;

import dev.windhover.protocol.Extension;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Compresses the messages of one direction of a connection (RFC 7692 7.2.1). It holds a stream from
 * the first byte of a message to its last, and with context takeover beyond, until {@link #rest} or
 * {@link #close}.
 *
 * <p>Used by one thread at a time, {@link #close} too: whoever guards the sending guards this.
 */
public final class MessageDeflater implements Extension.Transform {
  /** What ends with the bytes that are handed over. */
  public enum End {
    /** Nothing: more of the same frame or fragment follows, and may be waited for. */
    NONE,
    /** A fragment: all of it comes out, for the peer to read. */
    FRAGMENT,
    /** The message. */
    MESSAGE
  }

  /** What {@code out} has room for at least, or it counts as full. */
  public static final int LEAST_ROOM = 16;

  private static final int TAIL = 4; // 00 00 ff ff
  private static final byte[] NOTHING = {};

  private final StreamSource<DeflateStream> source;
  private final boolean takeover;
  private @Nullable DeflateStream stream;

  private boolean inMessage;
  private boolean closed;

  /** Whether bytes went in behind the last flush. */
  private boolean unflushed;

  /** The last bytes that came out while {@code out} was full: it may be they that are stripped. */
  private byte[] held = NOTHING;

  private int heldBytes;

  /**
   * Creates one.
   *
   * @param takeover whether messages refer to those before them
   */
  public MessageDeflater(StreamSource<DeflateStream> source, boolean takeover) {
    this.source = source;
    this.takeover = takeover;
  }

  /**
   * Begins a message.
   *
   * @return false if there is no stream to be had, or this is closed: the message goes out plain
   */
  public boolean begin() {
    if (inMessage) {
      throw new IllegalStateException("the message before has not ended");
    }
    if (stream == null && !closed) {
      stream = source.take();
    }
    inMessage = stream != null;
    return inMessage;
  }

  /** As {@link #deflate}, for a whole message or its last bytes, or for more of it. */
  @Override
  public boolean apply(ByteBuffer in, ByteBuffer out, boolean endOfMessage) {
    return deflate(in, out, endOfMessage ? End.MESSAGE : End.NONE);
  }

  /**
   * Compresses payload from {@code in} to {@code out}, as much as fits; begins a message if none
   * was begun.
   *
   * @param out with room for {@value #LEAST_ROOM} bytes, else it counts as full
   * @return whether all of {@code in} was taken and, unless the end is {@link End#NONE}, has come
   *     out; if false the call is repeated with room
   * @throws IllegalStateException if there is no stream to be had; {@link #begin} would have said
   *     so
   */
  public boolean deflate(ByteBuffer in, ByteBuffer out, End end) {
    if (!inMessage && !begin()) {
      throw new IllegalStateException("no compression context to be had");
    }
    if (out.remaining() < LEAST_ROOM) {
      return false;
    }
    DeflateStream zlib = current();
    boolean done;
    try {
      done = end == End.NONE ? take(zlib, in, out) : flush(zlib, in, out, end);
    } catch (RuntimeException | Error e) {
      stream = null;
      inMessage = false;
      source.give(zlib, false);
      throw e;
    }
    if (done && end == End.MESSAGE) {
      inMessage = false;
      if (!takeover) {
        rest();
      }
    }
    return done;
  }

  private boolean take(DeflateStream zlib, ByteBuffer in, ByteBuffer out) {
    if (in.hasRemaining()) {
      unflushed = true;
      zlib.deflate(in, out, false);
    }
    return !in.hasRemaining();
  }

  private boolean flush(DeflateStream zlib, ByteBuffer in, ByteBuffer out, End end) {
    unflushed |= in.hasRemaining();
    if (!unflushed) {
      if (end == End.MESSAGE) {
        out.put((byte) 0); // the head of an empty stored block; the tail is the rest of it: 7.2.3.6
      }
      return true;
    }
    int start = out.position();
    out.put(held, 0, heldBytes);
    heldBytes = 0;
    zlib.deflate(in, out, true);
    boolean done = out.hasRemaining();
    if (end == End.MESSAGE) { // 7.2.1: the last 4 bytes, of the last fragment only, are not sent
      int n = Math.min(TAIL, out.position() - start);
      out.position(out.position() - n);
      if (!done) {
        held = new byte[TAIL];
        out.get(out.position(), held, 0, n);
        heldBytes = n;
      }
    }
    unflushed = !done;
    return done;
  }

  private DeflateStream current() {
    DeflateStream known = stream;
    if (known == null) {
      throw new IllegalStateException("no message was begun");
    }
    return known;
  }

  /** Returns whether a stream is held, and with it memory. */
  public boolean holdsStream() {
    return stream != null;
  }

  /**
   * Gives the stream back between messages; the next one refers to nothing before it, which needs
   * nobody's consent. Does nothing inside a message.
   */
  public void rest() {
    DeflateStream held = stream;
    if (held != null && !inMessage) {
      stream = null;
      held.reset();
      source.give(held, true);
    }
  }

  /** Gives the stream back when the connection has ended; a message under way is cut. */
  public void close() {
    closed = true;
    inMessage = false;
    unflushed = false;
    heldBytes = 0;
    rest();
  }
}
