package dev.windhover.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import org.HdrHistogram.Histogram;

/**
 * One connection of the load generator: keeps a fixed number of messages outstanding, and checks
 * what comes back.
 *
 * <p>All replies that one read ends free their slots at once, and the messages that fill these go
 * out in one write. A reply may be masked or not, but must be one whole message of the type and
 * size that was sent. The content of the first reply, and of one in {@value #SAMPLING} thereafter,
 * is compared with what was sent.
 */
final class LoadConnection {
  private static final int TIMEOUT_MILLIS = 5_000;

  /** A prime, so that every message of the ring has its turn. */
  private static final int SAMPLING = 1021;

  private final String name;
  private final MessageRing ring;
  private final SocketChannel channel;
  private final SelectionKey key;

  private final ByteBuffer unsent;
  private int nextMessage; // of the ring
  private int freeSlots;
  private final long[] sentAt; // when each outstanding message was sent, a circle
  private int newest;
  private int oldest;

  private final byte[] cutHeader = new byte[14]; // the start of one, from the end of a read
  private int cutLength;
  private int expectedMessage;
  private int missing; // bytes of the payload still to come, 0 between replies
  private int maskingKey;
  private int untilSample;
  private boolean closing;

  /** Connects and does the opening handshake. */
  LoadConnection(
      String name, int port, String path, MessageRing ring, int inFlight, Selector selector)
      throws IOException {
    this.name = name;
    this.ring = ring;
    unsent = ring.view();
    freeSlots = inFlight;
    sentAt = new long[inFlight];
    channel = SocketChannel.open();
    channel.socket().setTcpNoDelay(true);
    channel.socket().setSoTimeout(TIMEOUT_MILLIS);
    try {
      channel
          .socket()
          .connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), TIMEOUT_MILLIS);
      openingHandshake(port, path);
    } catch (IOException e) {
      throw new IOException(this + ": cannot connect to port " + port + ": " + e.getMessage(), e);
    }
    channel.configureBlocking(false);
    key = channel.register(selector, SelectionKey.OP_READ, this);
  }

  /** The key and its answer are the example of RFC 6455, 1.3. */
  private void openingHandshake(int port, String path) throws IOException {
    String request =
        """
        GET %s HTTP/1.1
        Host: localhost:%d
        Upgrade: websocket
        Connection: Upgrade
        Sec-WebSocket-Version: 13
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==

        """
            .formatted(path, port)
            .replace("\n", "\r\n");
    channel.socket().getOutputStream().write(request.getBytes(US_ASCII));
    var response = new StringBuilder();
    InputStream in = channel.socket().getInputStream();
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

  /** Reads and writes what is ready, and returns the number of replies that were completed. */
  int ready(ByteBuffer buffer, Histogram latencies, boolean sending) throws IOException {
    int replies = 0;
    if (key.isReadable()) {
      buffer.clear().put(cutHeader, 0, cutLength);
      cutLength = 0;
      if (channel.read(buffer) < 0) {
        if (!closing) {
          throw new IOException("closed by the server");
        }
        channel.close();
        return 0;
      }
      if (closing) {
        return 0;
      }
      replies = take(buffer.flip(), latencies);
    }
    if (sending || unsent.hasRemaining()) {
      send(sending);
    }
    return replies;
  }

  /** Fills the free slots, unless the socket is full. */
  void send(boolean fill) throws IOException {
    if (!unsent.hasRemaining() && fill && freeSlots > 0) {
      ring.window(unsent, nextMessage, freeSlots);
      nextMessage = MessageRing.next(nextMessage, freeSlots);
      long now = System.nanoTime();
      for (; freeSlots > 0; freeSlots--) {
        sentAt[newest] = now;
        newest = nextSlot(newest);
      }
    }
    channel.write(unsent);
    int interest = SelectionKey.OP_READ | (unsent.hasRemaining() ? SelectionKey.OP_WRITE : 0);
    if (key.interestOps() != interest) {
      key.interestOps(interest);
    }
  }

  private int take(ByteBuffer buffer, Histogram latencies) throws IOException {
    long now = System.nanoTime();
    int replies = 0;
    while (buffer.hasRemaining()) {
      if (missing == 0 && !takeHeader(buffer)) {
        cutLength = buffer.remaining();
        buffer.get(cutHeader, 0, cutLength);
        return replies;
      }
      int length = Math.min(missing, buffer.remaining());
      if (untilSample == 0
          && !ring.matches(expectedMessage, ring.size() - missing, buffer, length, maskingKey)) {
        throw new IOException("wrong echo: the content of a reply is not what was sent");
      }
      buffer.position(buffer.position() + length);
      missing -= length;
      if (missing == 0) {
        latencies.recordValue(Math.min(now - sentAt[oldest], latencies.getHighestTrackableValue()));
        oldest = nextSlot(oldest);
        expectedMessage = MessageRing.next(expectedMessage, 1);
        untilSample = untilSample == 0 ? SAMPLING - 1 : untilSample - 1;
        freeSlots++;
        replies++;
      }
    }
    return replies;
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

  /** Whether every message sent has been answered. */
  boolean drained() {
    return freeSlots == sentAt.length;
  }

  /** Sends an empty Close and no more; what comes until the server closes is dropped. */
  void close() throws IOException {
    closing = true;
    channel.write(ByteBuffer.wrap(new byte[] {(byte) 0x88, (byte) 0x80, 0, 0, 0, 0}));
    channel.shutdownOutput();
  }

  boolean closed() {
    return !channel.isOpen();
  }

  private int nextSlot(int slot) {
    return slot + 1 == sentAt.length ? 0 : slot + 1;
  }

  @Override
  public String toString() {
    return name;
  }
}
