package dev.windhover.protocol.deflate;

import dev.windhover.protocol.Extension.PayloadException;
import dev.windhover.protocol.Violation;
import dev.windhover.protocol.spi.DeflateCodec;
import dev.windhover.protocol.spi.DeflateStream;
import dev.windhover.protocol.spi.InflateStream;
import java.nio.ByteBuffer;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/** The codec that every JDK has: zlib with a 15-bit window. */
final class JdkDeflateCodec implements DeflateCodec {
  static final JdkDeflateCodec INSTANCE = new JdkDeflateCodec();

  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  private JdkDeflateCodec() {}

  @Override
  public DeflateStream deflate(int windowBits, int level) {
    return new Deflating(windowBits, level);
  }

  @Override
  public InflateStream inflate(int windowBits) {
    return new Inflating(windowBits);
  }

  @Override
  public int deflateBytes(int windowBits) {
    return 270 * 1024; // zlib's 256 KiB of tables, its state, and up to 8 KiB of history
  }

  @Override
  public int inflateBytes(int windowBits) {
    return 44 * 1024 + (1 << windowBits); // zlib's window and ours
  }

  /**
   * For windows of fewer than 15 bits, zlib is restarted whenever one window of input has gone in,
   * with the later half of it as its dictionary. So no distance exceeds the window. The price is a
   * block of 5 bytes for each restart, and the lost half of the window.
   */
  private static final class Deflating implements DeflateStream {
    private final Deflater zlib;
    private final int window;
    private final SlidingWindow history;

    /** How many bytes may go in before zlib must be restarted. */
    private int room;

    Deflating(int windowBits, int level) {
      zlib = new Deflater(level, true);
      window = windowBits == DeflateAgreement.MAX_WINDOW_BITS ? Integer.MAX_VALUE : 1 << windowBits;
      history = new SlidingWindow(1 << (windowBits - 1));
      room = window;
    }

    @Override
    public void deflate(ByteBuffer in, ByteBuffer out, boolean flush) {
      if (window == Integer.MAX_VALUE) {
        zlib.setInput(in);
        zlib.deflate(out, flush ? Deflater.SYNC_FLUSH : Deflater.NO_FLUSH);
      } else {
        deflateInParts(in, out, flush);
      }
      zlib.setInput(NOTHING); // the buffer is the caller's again
    }

    private void deflateInParts(ByteBuffer in, ByteBuffer out, boolean flush) {
      int limit = in.limit();
      do {
        int start = in.position();
        int n = Math.min(limit - start, room);
        boolean comesOut = flush || start + n < limit;
        zlib.setInput(in.limit(start + n));
        zlib.deflate(out, comesOut ? Deflater.SYNC_FLUSH : Deflater.NO_FLUSH);
        in.limit(limit);
        room -= in.position() - start;
        history.append(in, start, in.position());
        if (!out.hasRemaining()) {
          return; // the next call continues the flush
        }
        if (comesOut && room == 0) {
          beginAnew();
        }
      } while (in.hasRemaining());
    }

    private void beginAnew() {
      byte[] known = history.toArray();
      zlib.reset();
      zlib.setDictionary(known);
      room = window - known.length;
    }

    @Override
    public void reset() {
      zlib.reset();
      history.clear();
      room = window;
    }

    @Override
    public void end() {
      zlib.end();
    }
  }

  /**
   * After a block with BFINAL the JDK's inflater must be reset, which loses its window, and it does
   * not hand the window out. So the last bytes are kept here too and given back to it. A peer could
   * thereby make us copy 32 KiB for two bytes. The peer must therefore earn what is copied, with
   * compressed bytes, each of which might decompress to as much anyway, and with messages. A block
   * of 32 bytes pays for itself.
   */
  private static final class Inflating implements InflateStream {
    /**
     * The tail that is left out of a message, and an empty stored block. The JDK does not say where
     * a block ends. But at the end of a block the second part is accepted without output, and
     * inside a block it seldom is.
     */
    private static final byte[] TAIL = {
      0, 0, (byte) 0xFF, (byte) 0xFF, 0, 0, 0, (byte) 0xFF, (byte) 0xFF
    };

    /** About the most that DEFLATE can make of one byte. */
    private static final int EARNED_BY_BYTE = 1024;

    /** A message of any size may end with a block with BFINAL and contain one more. */
    private static final int WINDOWS_BY_MESSAGE = 2;

    private static final int MOST_WINDOWS = 4;

    private final Inflater zlib = new Inflater(true);
    private final SlidingWindow window;
    private final long mostCredit;
    private final byte[] unexpected = new byte[1];

    /** How many bytes of window may still be copied. */
    private long credit;

    Inflating(int windowBits) {
      window = new SlidingWindow(1 << windowBits);
      mostCredit = (long) MOST_WINDOWS << windowBits;
      credit = mostCredit;
    }

    @Override
    public void inflate(ByteBuffer in, ByteBuffer out) throws PayloadException {
      try {
        do {
          zlib.setInput(in); // a reset has forgotten it
          int start = out.position();
          int before = in.position();
          zlib.inflate(out);
          earn((long) (in.position() - before) * EARNED_BY_BYTE);
          window.append(out, start, out.position());
        } while (restarted() && in.hasRemaining() && out.hasRemaining());
      } catch (DataFormatException e) {
        throw new PayloadException(CORRUPT);
      } finally {
        zlib.setInput(NOTHING); // the buffer is the caller's again
      }
    }

    @Override
    public void endMessage() throws PayloadException {
      earn((long) WINDOWS_BY_MESSAGE * window.length());
      try {
        int left = TAIL.length;
        do {
          zlib.setInput(TAIL, TAIL.length - left, left);
          if (zlib.inflate(unexpected) > 0) {
            throw new PayloadException(CUT);
          }
          left = zlib.getRemaining();
        } while (restarted() && left > 0);
        if (left > 0) {
          throw new PayloadException(CUT);
        }
      } catch (DataFormatException e) {
        throw new PayloadException(CUT);
      }
    }

    /** Continues after a block with BFINAL, if one has ended. */
    private boolean restarted() throws PayloadException {
      boolean finished = zlib.finished();
      if (finished) {
        credit -= window.length();
        if (credit < 0) {
          throw new PayloadException(Violation.policy(TOO_MANY_FINAL_BLOCKS));
        }
        zlib.reset();
        zlib.setDictionary(window.toArray());
      }
      return finished;
    }

    private void earn(long bytes) {
      credit = Math.min(mostCredit, credit + bytes);
    }

    @Override
    public byte[] window() {
      return window.toArray();
    }

    @Override
    public void reset(byte... dictionary) {
      zlib.reset();
      window.clear();
      credit = mostCredit;
      if (dictionary.length > 0) {
        zlib.setDictionary(dictionary);
        window.append(ByteBuffer.wrap(dictionary), 0, dictionary.length);
      }
    }

    @Override
    public void end() {
      zlib.end();
    }
  }
}
