package dev.windhover.protocol.deflate;

import dev.windhover.protocol.Extension;
import dev.windhover.protocol.Extension.PayloadException;
import dev.windhover.protocol.spi.InflateStream;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Decompresses the messages of one direction of a connection (RFC 7692 7.2.2). It holds a stream
 * from the first byte of a message to its last. With context takeover, it keeps the stream until
 * {@link #rest} or {@link #close}. The caller decides how much comes out: no call writes more than
 * {@code out} has room for, so a caller that counts can stop a message of any size.
 *
 * <p>A block with BFINAL set neither ends a message nor clears the window (7.2.3.4). A message
 * without any bytes counts as empty. Trailing bytes that are not DEFLATE data, and a message that
 * ends inside a block, are corrupt data.
 *
 * <p>Only one thread may use it at a time, including {@link #close}.
 */
public final class MessageInflater implements Extension.Transform {
  private static final byte[] NOTHING = {};

  private final StreamSource<InflateStream> source;
  private final boolean takeover;
  private @Nullable InflateStream stream;

  /** The window of the stream that was given back. */
  private byte[] window = NOTHING;

  private boolean inMessage;
  private boolean closed;

  /** Whether more output may be pending than the last call had room for. */
  private boolean full;

  /**
   * Creates an inflater.
   *
   * @param source always has a stream, because a message that a peer has begun must be read
   * @param takeover whether the peer's messages may refer to earlier ones
   */
  public MessageInflater(StreamSource<InflateStream> source, boolean takeover) {
    this.source = source;
    this.takeover = takeover;
  }

  @Override
  public boolean apply(ByteBuffer in, ByteBuffer out, boolean endOfMessage)
      throws PayloadException {
    boolean done;
    try {
      done = inflate(in, out, endOfMessage);
    } catch (PayloadException e) {
      close();
      throw e;
    } catch (RuntimeException | Error e) {
      InflateStream broken = stream;
      if (broken != null) {
        stream = null;
        source.give(broken, false);
      }
      throw e;
    }
    if (done && endOfMessage) {
      inMessage = false;
      if (!takeover) {
        rest();
      }
    }
    return done;
  }

  private boolean inflate(ByteBuffer in, ByteBuffer out, boolean endOfMessage)
      throws PayloadException {
    if (in.hasRemaining() || full) {
      inMessage = true;
      InflateStream zlib = current();
      do {
        if (!out.hasRemaining()) {
          return false;
        }
        try {
          zlib.inflate(in, out);
        } catch (PayloadException e) {
          if (out.hasRemaining()) {
            throw e;
          } // otherwise the limit comes first, however the message is split
        }
        full = !out.hasRemaining();
      } while (in.hasRemaining() || full);
    }
    if (endOfMessage && inMessage) {
      current().endMessage();
    }
    return true;
  }

  private InflateStream current() {
    InflateStream known = stream;
    if (known == null) {
      known = closed ? null : source.take();
      if (known == null) {
        throw new IllegalStateException("no decompression context is available");
      }
      stream = known;
      if (window.length > 0) {
        known.reset(window);
        window = NOTHING;
      }
    }
    return known;
  }

  /** Returns whether it holds a stream, and thereby memory outside of the heap. */
  public boolean holdsStream() {
    return stream != null;
  }

  /** Returns whether later bytes depend on its state; if not, a new inflater would do as well. */
  public boolean holdsState() {
    return stream != null || inMessage || closed || window.length > 0;
  }

  /**
   * Gives the stream back between messages. With context takeover it keeps the window on the heap,
   * at most 32 KiB, for the next message. Does nothing inside a message.
   */
  public void rest() {
    InflateStream held = stream;
    if (held != null && !inMessage) {
      if (takeover) {
        window = held.window();
      }
      giveBack(held);
    }
  }

  private void giveBack(InflateStream held) {
    stream = null;
    held.reset();
    source.give(held, true);
  }

  /**
   * Gives the stream back when the connection has ended. An unfinished message stays unfinished.
   */
  public void close() {
    closed = true;
    inMessage = false;
    full = false;
    window = NOTHING;
    InflateStream last = stream;
    if (last != null) {
      giveBack(last);
    }
  }
}
