package dev.windhover.server.http1;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.windhover.server.exchange.ExchangeState;
import dev.windhover.server.net.TcpSink;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/** The body of a response in the chunked transfer coding (RFC 9112 7.1): each write is a chunk. */
final class ChunkedBody extends Http1Body {
  private static final byte[] DIGITS = "0123456789abcdef".getBytes(US_ASCII);
  private static final byte[] LAST_CHUNK = "0\r\n\r\n".getBytes(US_ASCII);
  private static final int LINE_BREAK = 2;

  /** The size of a chunk that is reserved before it is known: with zeros, eight digits. */
  private static final int RESERVED_DIGITS = 8;

  private ByteBuffer room = ByteBuffer.allocate(0);
  private ByteBuffer reserved = room;

  ChunkedBody(Http1Exchange exchange, TcpSink output) {
    super(exchange, output);
  }

  @Override
  public ByteBuffer reserve(int bytes) {
    int before = RESERVED_DIGITS + LINE_BREAK;
    room = output.reserve(before + bytes + LINE_BREAK);
    reserved = room.slice(room.position() + before, bytes);
    return reserved;
  }

  @Override
  public void commit() {
    int size = reserved.position();
    if (size > 0) { // an empty chunk is the last
      putSize(room, size, RESERVED_DIGITS);
      room.position(room.position() + size);
      putLineBreak(room);
    }
    output.commit();
  }

  @Override
  public void write(ByteBuffer bytes) {
    if (bytes.hasRemaining()) {
      begin(bytes.remaining());
      output.write(bytes);
      end(output.reserve(LINE_BREAK));
    }
  }

  @Override
  public void write(ByteBuffer bytes, Runnable release) {
    if (bytes.hasRemaining()) {
      begin(bytes.remaining());
      output.write(bytes, release);
      end(output.reserve(LINE_BREAK));
    } else {
      release.run();
    }
  }

  @Override
  public void writeFile(FileChannel file, long position, long count, Runnable release) {
    begin(count);
    output.writeFile(file, position, count, release);
    end(output.reserve(LINE_BREAK));
  }

  private void begin(long size) {
    int digits = Math.max(1, Math.ceilDiv(Long.SIZE - Long.numberOfLeadingZeros(size), 4));
    putSize(output.reserve(digits + LINE_BREAK), size, digits);
    output.commit();
  }

  private void end(ByteBuffer after) {
    putLineBreak(after);
    output.commit();
  }

  private static void putSize(ByteBuffer into, long size, int digits) {
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
      into.put(DIGITS[(int) (size >>> shift) & 0xF]);
    }
    putLineBreak(into);
  }

  private static void putLineBreak(ByteBuffer into) {
    into.put((byte) '\r').put((byte) '\n');
  }

  @Override
  public void end() {
    if (exchange.state() == ExchangeState.RESPONDING) { // not after an abort, nor twice
      output.write(ByteBuffer.wrap(LAST_CHUNK));
    }
    super.end();
  }
}
