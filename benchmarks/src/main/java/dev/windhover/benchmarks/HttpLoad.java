package dev.windhover.benchmarks;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Selector;
import java.util.Locale;

/**
 * A keep-alive connection that repeats the same request, {@code GET /answer}. The response must
 * have status 200, a length, and the expected number of bytes.
 */
final class HttpLoad extends LoadConnection {
  private static final byte[] END = "\r\n\r\n".getBytes(US_ASCII);
  private static final byte[] OK = "HTTP/1.1 200 ".getBytes(US_ASCII);

  private final ByteBuffer requests;
  private final int requestSize;
  private final int size;
  private int missing; // bytes of the body still to come, 0 between responses
  private boolean checked;

  HttpLoad(String name, int port, int size, int inFlight, Selector selector) throws IOException {
    this(name, port, size, requests(port, inFlight), inFlight, selector);
  }

  private HttpLoad(
      String name, int port, int size, ByteBuffer requests, int inFlight, Selector selector)
      throws IOException {
    super(name, port, _ -> {}, requests.duplicate().limit(0), inFlight, selector);
    this.requests = requests;
    this.requestSize = requests.capacity() / inFlight;
    this.size = size;
  }

  private static ByteBuffer requests(int port, int count) {
    byte[] bytes =
        ("GET /answer HTTP/1.1\r\nHost: localhost:" + port + "\r\nAccept: */*\r\n\r\n")
            .repeat(count)
            .getBytes(US_ASCII);
    return ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
  }

  @Override
  int next(ByteBuffer unsent, int count) {
    unsent.limit(requests.capacity()).position(requests.capacity() - count * requestSize);
    return count;
  }

  @Override
  void take(ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      if (missing == 0 && !takeHeader(buffer)) {
        return;
      }
      int length = Math.min(missing, buffer.remaining());
      buffer.position(buffer.position() + length);
      missing -= length;
      if (missing == 0) {
        answered();
      }
    }
  }

  /** Takes status line and headers, or nothing if they have not arrived completely. */
  private boolean takeHeader(ByteBuffer buffer) throws IOException {
    int start = buffer.position();
    int end = start;
    while (!at(buffer, end, END)) {
      if (++end > buffer.limit()) {
        return false;
      }
    }
    if (!at(buffer, start, OK)) {
      throw new IOException("wrong answer: " + text(buffer, start, end));
    }
    if (!checked) {
      String head = text(buffer, start, end).toLowerCase(Locale.ROOT);
      if (!head.contains("\r\ncontent-length: " + size)) {
        throw new IOException("wrong answer, not of " + size + " bytes: " + head);
      }
      checked = true;
    }
    buffer.position(end + END.length);
    missing = size;
    return true;
  }

  private static boolean at(ByteBuffer buffer, int start, byte[] bytes) {
    if (start + bytes.length > buffer.limit()) {
      return false;
    }
    for (int i = 0; i < bytes.length; i++) {
      if (buffer.get(start + i) != bytes[i]) {
        return false;
      }
    }
    return true;
  }

  private static String text(ByteBuffer buffer, int start, int end) {
    byte[] bytes = new byte[end - start];
    buffer.get(start, bytes);
    return new String(bytes, ISO_8859_1);
  }

  @Override
  ByteBuffer farewell() {
    return ByteBuffer.allocate(0);
  }
}
