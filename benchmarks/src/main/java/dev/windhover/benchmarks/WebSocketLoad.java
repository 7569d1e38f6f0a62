package dev.windhover.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.Selector;

/**
 * A WebSocket whose messages come back. A reply may be masked or not, but must be one whole message
 * of the type and size that was sent. The content of the first reply, and of one in {@value
 * #SAMPLING} thereafter, is compared with what was sent.
 */
final class WebSocketLoad extends LoadConnection {
  /** A prime, so that every message of the ring has its turn. */
  private static final int SAMPLING = 1021;

  private final MessageRing ring;
  private int nextMessage; // of the ring
  private int expectedMessage;
  private int missing; // bytes of the payload still to come, 0 between replies
  private int maskingKey;
  private int untilSample;

  WebSocketLoad(String name, int port, MessageRing ring, int inFlight, Selector selector)
      throws IOException {
    super(name, port, ring.view(), inFlight, selector);
    this.ring = ring;
  }

  /** The opening handshake; the key and its answer are the example of RFC 6455, 1.3. */
  @Override
  void open(Socket socket) throws IOException {
    String request =
        """
        GET / HTTP/1.1
        Host: localhost:%d
        Upgrade: websocket
        Connection: Upgrade
        Sec-WebSocket-Version: 13
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==

        """
            .formatted(socket.getPort())
            .replace("\n", "\r\n");
    socket.getOutputStream().write(request.getBytes(US_ASCII));
    var response = new StringBuilder();
    InputStream in = socket.getInputStream();
    while (response.length() < 8192 && response.indexOf("\r\n\r\n") < 0) {
      int b = in.read();
      if (b < 0) {
        break;
      }
      response.append((char) b);
    }
    if (!response.toString().startsWith("HTTP/1.1 101 ")
        || response.indexOf("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") < 0) {
      throw new IOException(
          "no upgrade but " + response.toString().lines().findFirst().orElse("nothing"));
    }
  }

  @Override
  void next(ByteBuffer unsent, int count) {
    ring.window(unsent, nextMessage, count);
    nextMessage = MessageRing.next(nextMessage, count);
  }

  @Override
  void take(ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      if (missing == 0 && !takeHeader(buffer)) {
        return;
      }
      int length = Math.min(missing, buffer.remaining());
      if (untilSample == 0
          && !ring.matches(expectedMessage, ring.size() - missing, buffer, length, maskingKey)) {
        throw new IOException("wrong echo: the content of a reply is not what was sent");
      }
      buffer.position(buffer.position() + length);
      missing -= length;
      if (missing == 0) {
        expectedMessage = MessageRing.next(expectedMessage, 1);
        untilSample = untilSample == 0 ? SAMPLING - 1 : untilSample - 1;
        answered();
      }
    }
  }

  /** Takes the header of a reply, or nothing if it has not wholly arrived. */
  private boolean takeHeader(ByteBuffer buffer) throws IOException {
    int start = buffer.position();
    if (buffer.remaining() < 2) {
      return false;
    }
    byte second = buffer.get(start + 1);
    int length7 = second & 0x7f;
    boolean masked = (second & 0x80) != 0;
    int end = start + 2 + (length7 < 126 ? 0 : length7 == 126 ? 2 : 8) + (masked ? 4 : 0);
    if (end > buffer.limit()) {
      return false;
    }
    long length =
        switch (length7) {
          case 126 -> buffer.getChar(start + 2);
          case 127 -> buffer.getLong(start + 2);
          default -> length7;
        };
    if (buffer.get(start) != ring.firstByte() || length != ring.size()) {
      throw new IOException(
          "wrong echo: a frame of %d bytes that starts with 0x%02x, expected %d bytes and 0x%02x"
              .formatted(length, buffer.get(start), ring.size(), ring.firstByte()));
    }
    if (drained()) {
      throw new IOException("wrong echo: more replies than messages");
    }
    maskingKey = masked ? buffer.getInt(end - 4) : 0;
    missing = (int) length;
    buffer.position(end);
    return true;
  }

  /** An empty Close. */
  @Override
  ByteBuffer farewell() {
    return ByteBuffer.wrap(new byte[] {(byte) 0x88, (byte) 0x80, 0, 0, 0, 0});
  }
}
