package dev.windhover.benchmarks;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A compressed WebSocket that sends one message after another and verifies each reply. Not built
 * for speed.
 */
final class EchoClient implements MemoryCompare.Client {
  private static final int TIMEOUT_MILLIS = 5_000;

  private final SocketChannel channel;
  private final DataInputStream in;
  private final MessageRing ring;
  private final @Nullable ReplyInflater inflater; // null without compression
  private final ByteArrayOutputStream plain = new ByteArrayOutputStream(0);
  private int next; // of the ring

  EchoClient(int port, MessageRing ring, Compression compression) throws IOException {
    this.ring = ring;
    channel = SocketChannel.open();
    Socket socket = channel.socket();
    socket.setTcpNoDelay(true);
    socket.setSoTimeout(TIMEOUT_MILLIS);
    socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), TIMEOUT_MILLIS);
    OpeningHandshake.of("/", compression).perform(socket);
    in = new DataInputStream(socket.getInputStream());
    inflater = compression.on() ? new ReplyInflater(compression.takeover(), ring.size()) : null;
  }

  /**
   * Sends the ring's next messages, each after the reply to the one before. All must come back
   * compressed, if that was agreed.
   */
  @Override
  public void echo(int count) throws IOException {
    for (int i = 0; i < count; i++) {
      echo();
    }
  }

  private void echo() throws IOException {
    ByteBuffer frame = ring.view();
    ring.window(frame, next, 1);
    while (frame.hasRemaining()) {
      channel.write(frame);
    }
    int first = in.readUnsignedByte();
    if ((first & 0x7f) != (ring.firstByte() & 0x7f)) {
      throw new IOException("wrong echo: a frame that starts with 0x%02x".formatted(first));
    }
    takePayload();
    while (first < 0x80) {
      first = in.readUnsignedByte();
      if ((first & 0x7f) != 0) {
        throw new IOException("wrong echo: a fragment that starts with 0x%02x".formatted(first));
      }
      takePayload();
    }
    if (inflater != null) {
      inflater.end(ring.payload(next));
    } else if (!Arrays.equals(plain.toByteArray(), ring.payload(next))) {
      throw new IOException("wrong echo: another payload");
    }
    plain.reset();
    next = ring.next(next, 1);
  }

  private void takePayload() throws IOException {
    int length7 = in.readUnsignedByte();
    long length =
        switch (length7) {
          case 126 -> in.readUnsignedShort();
          case 127 -> in.readLong();
          default -> length7;
        };
    if (length > ring.size()) {
      throw new IOException("wrong echo: a frame of " + length + " bytes");
    }
    byte[] payload = in.readNBytes((int) length);
    if (payload.length < length) {
      throw new EOFException("wrong echo: closed within a frame");
    }
    if (inflater != null) {
      inflater.add(ByteBuffer.wrap(payload));
    } else {
      plain.writeBytes(payload);
    }
  }

  /** Closes without waiting for the server, which may have ended. */
  @Override
  public void close() {
    if (inflater != null) {
      inflater.close();
    }
    try (channel) {
      channel.write(WebSocketLoad.emptyClose());
    } catch (IOException e) {
      // then it knows
    }
  }
}
