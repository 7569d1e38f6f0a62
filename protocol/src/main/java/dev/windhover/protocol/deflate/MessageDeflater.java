package dev.windhover.protocol.deflate;

import dev.windhover.protocol.Extension;
import dev.windhover.protocol.spi.DeflateStream;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Compresses the messages of one direction of a connection (RFC 7692 7.2.1). It holds a stream from
 * the first byte of a message to its last. With context takeover, it keeps the stream until {@link
 * #rest} or {@link #close}.
 *
 * <p>Only one thread may use it at a time, including {@link #close}: whatever guards sending must
 * guard this.
 */
public final class MessageDeflater implements Extension.Transform {
  /** What ends with the given bytes. */
  public enum End {
    /** Nothing: more of the same frame or fragment follows, so output may be held back. */
    NONE,
    /** A fragment: all of it comes out, so that the peer can read it. */
    FRAGMENT,
    /** The message. */
    MESSAGE
  }

  /** With less room than this, {@code out} counts as full. */
  public static final int LEAST_ROOM = 16;

  private static final int TAIL = 4; // 00 00 ff ff
  private static final byte[] NOTHING = {};

  private final StreamSource<DeflateStream> source;
  private final boolean takeover;
  private @Nullable DeflateStream stream;

  private boolean inMessage;
  private boolean closed;

  /** Whether bytes went in after the last flush. */
  private boolean unflushed;

  /** The last bytes that came out when {@code out} was full: they may be the ones to strip. */
  private byte[] held = NOTHING;

  private int heldBytes;

  /**
   * Creates a deflater.
   *
   * @param takeover whether messages may refer to earlier ones
   */
  public MessageDeflater(StreamSource<DeflateStream> source, boolean takeover) {
    this.source = source;
    this.takeover = takeover;
  }

  /**
   * Begins a message.
   *
   * @return false if no stream is available, or this is closed; the message is then sent
   *     uncompressed
   */
  public boolean begin() {
    if (inMessage) {
      throw new IllegalStateException("the previous message has not ended");
    }
    if (stream == null && !closed) {
      stream = source.take();
    }
    inMessage = stream != null;
    return inMessage;
  }

  /** Like {@link #deflate}, with {@code endOfMessage} instead of an {@link End}. */
  @Override
  public boolean apply(ByteBuffer in, ByteBuffer out, boolean endOfMessage) {
    return deflate(in, out, endOfMessage ? End.MESSAGE : End.NONE);
  }

  /**
   * Compresses payload from {@code in} to {@code out}, as much as fits. Begins a message if none
   * has begun.
   *
   * @param out counts as full if it has room for fewer than {@value #LEAST_ROOM} bytes
   * @return whether all of {@code in} was taken and, unless the end is {@link End#NONE}, has come
   *     out; if false, repeat the call with room
   * @throws IllegalStateException if no stream is available, in which case {@link #begin} returns
   *     false
   */
  public boolean deflate(ByteBuffer in, ByteBuffer out, End end) {
    if (!inMessage && !begin()) {
      throw new IllegalStateException("no compression context is available");
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
        out.put((byte) 0); // the head of an empty stored block, whose rest is the tail: 7.2.3.6
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

  /** Returns whether it holds a stream, and thereby memory. */
  public boolean holdsStream() {
    return stream != null;
  }

  /**
   * Gives the stream back between messages. The next message then does not refer to earlier ones,
   * which the peer need not agree to. Does nothing inside a message.
   */
  public void rest() {
    DeflateStream held = stream;
    if (held != null && !inMessage) {
      stream = null;
      held.reset();
      source.give(held, true);
    }
  }

  /**
   * Gives the stream back when the connection has ended. An unfinished message stays unfinished.
   */
  public void close() {
    closed = true;
    inMessage = false;
    unflushed = false;
    heldBytes = 0;
    rest();
  }
}
