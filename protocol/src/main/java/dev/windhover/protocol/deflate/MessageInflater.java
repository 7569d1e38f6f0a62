package dev.windhover.protocol.deflate;

import dev.windhover.protocol.Extension;
import dev.windhover.protocol.Extension.PayloadException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Decompresses the messages of one direction of a connection (RFC 7692 7.2.2). It holds a stream
 * from the first byte of a message to its last, and with context takeover beyond, until {@link
 * #rest} or {@link #close}. How much comes out is up to the caller: no call gives more than the
 * room in {@code out}, so who counts can stop a message of any size.
 *
 * <p>A block with BFINAL set ends no message, and takes nothing from the window (7.2.3.4). A
 * message without a byte counts as an empty one. Trailing bytes that are no DEFLATE data, and a
 * message that ends inside a block, are corrupt data.
 *
 * <p>Used by one thread at a time, {@link #close} too.
 */
public final class MessageInflater implements Extension.Transform {
  private static final byte[] NOTHING = {};

  private final StreamSource<InflateStream> source;
  private final boolean takeover;
  private @Nullable InflateStream stream;

  /** What a stream that was given back had in its window. */
  private byte[] window = NOTHING;

  private boolean inMessage;
  private boolean closed;

  /** Whether more may wait to come out than the last call had room for. */
  private boolean full;

  /**
   * Creates one.
   *
   * @param source never without a stream: what a peer has begun must be read
   * @param takeover whether the peer's messages may refer to those before them
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
          } // else the limit that was reached comes first, however the message is cut
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
        throw new IllegalStateException("no decompression context to be had");
      }
      stream = known;
      if (window.length > 0) {
        known.reset(window);
        window = NOTHING;
      }
    }
    return known;
  }

  /** Returns whether a stream is held, and with it memory outside of the heap. */
  public boolean holdsStream() {
    return stream != null;
  }

  /**
   * Returns whether there is anything that the bytes to come depend on; if not, another would do as
   * well.
   */
  public boolean holdsState() {
    return stream != null || inMessage || closed || window.length > 0;
  }

  /**
   * Gives the stream back between messages. With context takeover its window is kept on the heap,
   * at most 32 KiB, and the next message goes on from it. Does nothing inside a message.
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

  /** Gives the stream back when the connection has ended; a message under way is cut. */
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
