package dev.windhover.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A client's side of one HTTP/2 connection in clear text, by prior knowledge, and of the WebSockets
 * on it (RFC 8441). It handles frames by hand: anything that is not expected of an echo server
 * fails.
 */
final class Http2Opening {
  static final int FRAME_HEADER = 9;
  static final int DATA = 0;
  static final int HEADERS = 1;
  static final int SETTINGS = 4;
  static final int PING = 6;
  static final int GOAWAY = 7;
  static final int WINDOW_UPDATE = 8;
  static final int ACK = 1;

  /** RFC 9113 6.5.2: the largest frame that a peer accepts by default. */
  static final int MAX_FRAME = 16 * 1024;

  /** The windows that we announce, so large that they need updates only once in a while. */
  static final int OUR_WINDOW = Integer.MAX_VALUE;

  private static final String PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  private static final int DEFAULT_WINDOW = 65_535;
  private static final int END_HEADERS = 4;
  private static final int INITIAL_WINDOW_SIZE = 4;
  private static final int ENABLE_CONNECT_PROTOCOL = 8;

  private final int sockets;
  private boolean mayConnect;
  private int streamWindow = DEFAULT_WINDOW;
  private long connectionCredit = DEFAULT_WINDOW;

  /** Prepares a connection with this many WebSockets, on the streams 1, 3, 5 and so on. */
  Http2Opening(int sockets) {
    this.sockets = sockets;
  }

  /** Opens the connection and its WebSockets. */
  void perform(Socket socket) throws IOException {
    ByteBuffer hello = ByteBuffer.allocate(256);
    hello.put(PREFACE.getBytes(US_ASCII));
    frame(hello, 6, SETTINGS, 0, 0);
    hello.putShort((short) INITIAL_WINDOW_SIZE).putInt(OUR_WINDOW);
    windowUpdate(hello, 0, OUR_WINDOW - DEFAULT_WINDOW);
    write(socket, hello);

    var in = new DataInputStream(socket.getInputStream());
    while (!mayConnect) {
      Frame other = read(socket, in);
      if (other != null) {
        throw new IOException("not the server's SETTINGS but " + other);
      }
    }
    byte[] request = request(socket.getPort());
    ByteBuffer connect = ByteBuffer.allocate(sockets * (FRAME_HEADER + request.length));
    for (int i = 0; i < sockets; i++) {
      frame(connect, request.length, HEADERS, END_HEADERS, streamOf(i));
      connect.put(request);
    }
    write(socket, connect);
    var decoder = new DefaultHttp2HeadersDecoder();
    for (int open = 0; open < sockets; ) {
      Frame answer = read(socket, in);
      if (answer != null) {
        requireOk(answer, decoder);
        open++;
      }
    }
  }

  private static void requireOk(Frame answer, DefaultHttp2HeadersDecoder decoder)
      throws IOException {
    if (answer.type() != HEADERS || answer.flags() != END_HEADERS) {
      throw new IOException("not an upgrade but " + answer);
    }
    try {
      Http2Headers head =
          decoder.decodeHeaders(answer.stream(), Unpooled.wrappedBuffer(answer.payload()));
      if (!"200".contentEquals(head.status())) {
        throw new IOException("no upgrade but " + head.status());
      }
    } catch (Http2Exception e) {
      throw new IOException("malformed answer: " + e.getMessage(), e);
    }
  }

  /** A frame that is an answer to something. */
  private record Frame(int type, int flags, int stream, ByteBuffer payload) {
    @Override
    public String toString() {
      return "a frame of type %d on stream %d, %s"
          .formatted(type, stream, US_ASCII.decode(payload.duplicate()));
    }
  }

  /** Reads a frame; handles frames that concern only the connection, and returns null for them. */
  private @Nullable Frame read(Socket socket, DataInputStream in) throws IOException {
    int lengthAndType = in.readInt();
    int flags = in.readUnsignedByte();
    int stream = in.readInt();
    byte[] payload = in.readNBytes(lengthAndType >>> 8);
    ByteBuffer answer = ByteBuffer.allocate(32);
    switch (lengthAndType & 0xff) {
      case SETTINGS -> {
        if (flags != ACK) {
          takeSettings(ByteBuffer.wrap(payload));
          frame(answer, 0, SETTINGS, ACK, 0);
        }
      }
      case WINDOW_UPDATE -> {
        if (stream == 0) {
          connectionCredit += ByteBuffer.wrap(payload).getInt();
        }
      }
      case PING -> {
        if (flags != ACK) {
          frame(answer, payload.length, PING, ACK, 0);
          answer.put(payload);
        }
      }
      default -> {
        return new Frame(lengthAndType & 0xff, flags, stream, ByteBuffer.wrap(payload));
      }
    }
    write(socket, answer);
    return null;
  }

  private void takeSettings(ByteBuffer settings) throws IOException {
    while (settings.hasRemaining()) {
      int name = settings.getShort();
      int value = settings.getInt();
      if (name == INITIAL_WINDOW_SIZE) {
        streamWindow = value;
      } else if (name == ENABLE_CONNECT_PROTOCOL) {
        mayConnect = value == 1;
      }
    }
    if (!mayConnect) {
      throw new IOException("the server takes no WebSocket over HTTP/2");
    }
  }

  private static void write(Socket socket, ByteBuffer bytes) throws IOException {
    byte[] written = new byte[bytes.position()];
    bytes.get(0, written);
    socket.getOutputStream().write(written);
  }

  /** An extended CONNECT, every field a literal without Huffman coding (RFC 7541 6.2.2). */
  private static byte[] request(int port) {
    ByteBuffer block = ByteBuffer.allocate(256);
    field(block, ":method", "CONNECT");
    field(block, ":protocol", "websocket");
    field(block, ":scheme", "http");
    field(block, ":path", "/");
    field(block, ":authority", "localhost:" + port);
    field(block, "sec-websocket-version", "13");
    byte[] bytes = new byte[block.position()];
    block.get(0, bytes);
    return bytes;
  }

  private static void field(ByteBuffer block, String name, String value) {
    block.put((byte) 0);
    block.put((byte) name.length()).put(name.getBytes(US_ASCII));
    block.put((byte) value.length()).put(value.getBytes(US_ASCII));
  }

  static void frame(ByteBuffer buffer, int length, int type, int flags, int stream) {
    buffer.putInt(length << 8 | type).put((byte) flags).putInt(stream);
  }

  static void windowUpdate(ByteBuffer buffer, int stream, int credit) {
    frame(buffer, 4, WINDOW_UPDATE, 0, stream);
    buffer.putInt(credit);
  }

  /** The stream of the n-th socket, from 0. */
  static int streamOf(int socket) {
    return 2 * socket + 1;
  }

  static int socketOf(int stream) {
    return stream >>> 1;
  }

  /** How much the server accepted on each stream when it opened. */
  int streamWindow() {
    return streamWindow;
  }

  /** How much the server accepted in total by then. */
  long connectionCredit() {
    return connectionCredit;
  }
}
