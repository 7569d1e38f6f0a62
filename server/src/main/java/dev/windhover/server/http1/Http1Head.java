package dev.windhover.server.http1;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.windhover.http.Headers;
import dev.windhover.server.exchange.HttpDate;
import dev.windhover.server.net.TcpSink;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.util.concurrent.FastThreadLocal;
import java.util.Arrays;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes the heads of responses directly into the output. Each loop has one. */
final class Http1Head {
  private static final FastThreadLocal<Http1Head> LOCAL =
      new FastThreadLocal<>() {
        @Override
        protected Http1Head initialValue() {
          return new Http1Head();
        }
      };

  private static final byte[] CONTENT_LENGTH = "Content-Length: ".getBytes(ISO_8859_1);
  private static final byte[] CHUNKED = "Transfer-Encoding: chunked\r\n".getBytes(ISO_8859_1);
  private static final byte[] CLOSE = "Connection: close\r\n".getBytes(ISO_8859_1);
  private static final byte[] KEEP_ALIVE = "Connection: keep-alive\r\n".getBytes(ISO_8859_1);

  /** The status lines that were used so far. */
  private static final byte[] @Nullable [] LINES = new byte[600][];

  /** A larger buffer is not kept. */
  private static final int MOST_KEPT = 8 * 1024;

  private byte[] bytes = new byte[1024];
  private int size;

  private Http1Head() {}

  /** Begins a head, on the loop. The head before it must have been written. */
  static Http1Head of(int status) {
    Http1Head head = LOCAL.get();
    head.size = 0;
    head.add(line(status));
    return head;
  }

  private static byte[] line(int status) {
    byte[] line = LINES[status];
    if (line == null) { // two threads may make the same one
      line = ("HTTP/1.1 " + HttpResponseStatus.valueOf(status) + "\r\n").getBytes(ISO_8859_1);
      LINES[status] = line;
    }
    return line;
  }

  Http1Head fields(Headers fields) {
    for (Map.Entry<String, String> field : fields) {
      field(field.getKey(), field.getValue());
    }
    return this;
  }

  Http1Head field(String name, String value) {
    ensure(name.length() + value.length() + 4);
    add(name);
    bytes[size++] = ':';
    bytes[size++] = ' ';
    add(value);
    lineBreak();
    return this;
  }

  Http1Head date() {
    add(HttpDate.line());
    return this;
  }

  Http1Head contentLength(long length) {
    ensure(CONTENT_LENGTH.length + 22);
    add(CONTENT_LENGTH);
    int from = size;
    do {
      bytes[size++] = (byte) ('0' + length % 10);
      length /= 10;
    } while (length > 0);
    for (int i = from, j = size - 1; i < j; i++, j--) {
      byte digit = bytes[i];
      bytes[i] = bytes[j];
      bytes[j] = digit;
    }
    lineBreak();
    return this;
  }

  Http1Head chunked() {
    add(CHUNKED);
    return this;
  }

  Http1Head close() {
    add(CLOSE);
    return this;
  }

  Http1Head keepAlive() {
    add(KEEP_ALIVE);
    return this;
  }

  /** Writes the head; about {@code bodySize} bytes follow soon. */
  void writeTo(TcpSink out, int bodySize) {
    ensure(2);
    lineBreak();
    out.reserve(size + bodySize).put(bytes, 0, size);
    out.commit();
    if (bytes.length > MOST_KEPT) {
      bytes = new byte[1024];
    }
  }

  /** {@link Headers} holds only ISO 8859-1, so the low byte of each char is enough. */
  @SuppressWarnings("deprecation") // it takes the low bytes, which makes it fast
  private void add(String text) {
    int length = text.length();
    text.getBytes(0, length, bytes, size);
    size += length;
  }

  private void add(byte[] text) {
    ensure(text.length);
    System.arraycopy(text, 0, bytes, size, text.length);
    size += text.length;
  }

  private void lineBreak() {
    bytes[size++] = '\r';
    bytes[size++] = '\n';
  }

  private void ensure(int more) {
    if (bytes.length - size < more) {
      bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, size + more));
    }
  }
}
