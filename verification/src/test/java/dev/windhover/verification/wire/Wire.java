package dev.windhover.verification.wire;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A connection to a server, by TCP or by TLS above it, read strictly and never for longer than
 * {@link #MOST_MILLIS}.
 */
public final class Wire implements Peer {
  /** The longest wait for anything; far above what is needed, for machines that are busy. */
  public static final int MOST_MILLIS = 15_000;

  private static final int BLOCKED_MILLIS = 700;

  /** The key of RFC 6455 1.3. */
  public static final String KEY = "dGhlIHNhbXBsZSBub25jZQ==";

  /** The answer to {@link #KEY}. */
  public static final String ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

  private final SocketChannel channel;
  private @Nullable TlsEnd tls;
  private DataInputStream in;

  private Wire(SocketChannel channel) throws IOException {
    this.channel = channel;
    this.in = new DataInputStream(new BufferedInputStream(channel.socket().getInputStream()));
  }

  /** Connects to a port of this machine. */
  public static Wire connect(int port) throws IOException {
    return connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
  }

  /** Connects; {@code receiveBuffer} above 0 keeps the kernel from taking much in our place. */
  public static Wire connect(InetSocketAddress address, int receiveBuffer) throws IOException {
    SocketChannel channel = SocketChannel.open();
    if (receiveBuffer > 0) {
      channel.setOption(StandardSocketOptions.SO_RCVBUF, receiveBuffer);
    }
    channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    channel.socket().connect(address, MOST_MILLIS);
    channel.socket().setSoTimeout(MOST_MILLIS);
    return new Wire(channel);
  }

  /** Connects from one of this machine's own addresses: each has ports of its own. */
  public static Wire connect(int port, InetAddress from) throws IOException {
    return connect(port, from, MOST_MILLIS);
  }

  /** The same, with another limit than {@link #MOST_MILLIS} for each wait. */
  public static Wire connect(int port, InetAddress from, int mostMillis) throws IOException {
    SocketChannel channel = SocketChannel.open();
    channel.bind(new InetSocketAddress(from, 0));
    channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    channel
        .socket()
        .connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), mostMillis);
    channel.socket().setSoTimeout(mostMillis);
    return new Wire(channel);
  }

  // ---- TLS

  /** Goes through the handshake of TLS 1.3. */
  public Wire secure() throws IOException {
    return secure("TLSv1.3");
  }

  /** Goes through the handshake of one version of TLS, offering the protocols of {@code alpn}. */
  public Wire secure(String version, String... alpn) throws IOException {
    TlsEnd end = new TlsEnd(channel, version, alpn);
    end.handshake();
    tls = end;
    in = new DataInputStream(new BufferedInputStream(end.input()));
    return this;
  }

  /** Returns what a client begins its handshake with, offering the protocols of {@code alpn}. */
  public static byte[] clientHello(String... alpn) throws IOException {
    try (SocketChannel unconnected = SocketChannel.open()) {
      return new TlsEnd(unconnected, "TLSv1.3", alpn).hello();
    }
  }

  private TlsEnd tls() {
    return Objects.requireNonNull(tls);
  }

  /** Returns what was agreed upon by ALPN; empty for nothing. */
  public String applicationProtocol() {
    return tls().applicationProtocol();
  }

  /** Returns the server's certificate. */
  public X509Certificate certificate() throws IOException {
    return tls().certificate();
  }

  /** Ends this direction as TLS has it, without FIN. */
  public void closeNotify() throws IOException {
    tls().closeNotify();
  }

  /** Ends this direction as TCP has it, without close_notify. */
  public void fin() throws IOException {
    channel.shutdownOutput();
  }

  /** Sends bytes as they are, whatever was agreed upon. */
  public void sendRaw(byte... bytes) throws IOException {
    ByteBuffer left = ByteBuffer.wrap(bytes);
    while (left.hasRemaining()) {
      channel.write(left);
    }
  }

  // ---- The opening handshake

  /** Returns the request of a valid opening handshake, with further header lines. */
  public static String handshake(String path, String... headers) {
    StringBuilder request = new StringBuilder("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n");
    request.append("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
    request.append("Sec-WebSocket-Key: " + KEY + "\r\n");
    for (String header : headers) {
      request.append(header).append("\r\n");
    }
    return request.append("\r\n").toString();
  }

  /** Connects and goes through the opening handshake. */
  public static Wire open(int port, String path) throws IOException {
    return connect(port).upgrade(path);
  }

  /** Goes through the opening handshake. */
  public Wire upgrade(String path) throws IOException {
    send(handshake(path));
    response().expectUpgrade();
    return this;
  }

  // ---- Sending

  @Override
  public void send(byte... bytes) throws IOException {
    send(ByteBuffer.wrap(bytes));
  }

  /** Sends bytes. */
  public void send(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      write(bytes);
    }
  }

  private int write(ByteBuffer bytes) throws IOException {
    return tls == null ? channel.write(bytes) : tls.write(bytes);
  }

  /** Sends text as ISO 8859-1. */
  public Wire send(String text) throws IOException {
    send(text.getBytes(StandardCharsets.ISO_8859_1));
    return this;
  }

  @Override
  public long sendUntilBlocked(byte[] piece, long most) throws IOException {
    channel.configureBlocking(false);
    long sent = 0;
    try (Selector selector = Selector.open()) {
      SelectionKey key = channel.register(selector, SelectionKey.OP_WRITE);
      ByteBuffer bytes = ByteBuffer.wrap(piece);
      while (sent < most) {
        int n = write(bytes);
        sent += n;
        if (!bytes.hasRemaining()) {
          bytes.rewind();
        }
        if (n == 0 && selector.select(BLOCKED_MILLIS) == 0) {
          break;
        }
        selector.selectedKeys().clear();
      }
      key.cancel();
    }
    channel.configureBlocking(true);
    return sent;
  }

  @Override
  public void endOutput() throws IOException {
    if (tls != null) {
      tls.closeNotify();
    }
    channel.shutdownOutput();
  }

  @Override
  public void abort() throws IOException {
    channel.setOption(StandardSocketOptions.SO_LINGER, 0);
    channel.close();
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  /** Returns whether the server has sent nothing, and not ended, for {@code millis}. */
  public boolean isQuietFor(int millis) throws IOException {
    channel.socket().setSoTimeout(millis);
    in.mark(1);
    try {
      in.read();
      in.reset();
      return false;
    } catch (SocketTimeoutException e) {
      return true;
    } finally {
      channel.socket().setSoTimeout(MOST_MILLIS);
    }
  }

  // ---- Reading

  /** Returns what comes, for a reader that waits as long as it takes. */
  public InputStream patientInput() throws SocketException {
    channel.socket().setSoTimeout(0);
    return in;
  }

  /** Reads that many bytes. */
  public void read(byte[] into, int count) throws IOException {
    in.readFully(into, 0, count);
  }

  @Override
  public int receive(byte[] into) throws IOException {
    return in.read(into, 0, into.length);
  }

  @Override
  public Frame frame() throws IOException {
    return Frame.read(in);
  }

  @Override
  public void expectEnd() throws IOException {
    int next;
    try {
      next = in.read();
    } catch (SocketException e) {
      throw new AssertionError("the end is not in order: " + e.getMessage(), e);
    }
    if (next >= 0) {
      throw new AssertionError("more than expected came: 0x" + Integer.toHexString(next));
    }
    requireEnd(false);
  }

  @Override
  public void requireEnd(boolean withLastBytes) throws IOException {
    if (tls != null) {
      tls.expectFin();
    }
  }

  @Override
  public void expectAbort() throws IOException {
    try {
      while (true) {
        int next = in.read();
        if (next < 0) {
          throw new AssertionError("the connection was ended in order rather than reset");
        }
      }
    } catch (SocketException e) {
      // "Connection reset"
    }
  }

  /** Reads a response with its body. */
  public Response response() throws IOException {
    return response(false);
  }

  /** Reads a response to HEAD: it has no body, whatever it says. */
  public Response headResponse() throws IOException {
    return response(true);
  }

  private Response response(boolean head) throws IOException {
    Response response = responseHead();
    int status = response.status();
    if (head || status < 200 || status == 204 || status == 304) {
      return response;
    }
    return new Response(status, response.headers(), body(response).readAllBytes());
  }

  /** Reads status and headers; {@link #body} is the rest. */
  public Response responseHead() throws IOException {
    String statusLine = line();
    if (!statusLine.matches("HTTP/1\\.1 \\d{3} .*")) {
      throw new AssertionError("not a status line: " + statusLine);
    }
    int status = Integer.parseInt(statusLine.substring(9, 12));
    List<String> headers = new ArrayList<>();
    for (String line = line(); !line.isEmpty(); line = line()) {
      headers.add(line);
    }
    return new Response(status, headers, new byte[0]);
  }

  /** Returns the body that follows, to be read piece by piece; it ends only where it should. */
  public InputStream body(Response head) {
    String length = head.header("Content-Length");
    if ("chunked".equals(head.header("Transfer-Encoding"))) {
      if (length != null) {
        throw new AssertionError("Content-Length and Transfer-Encoding in " + head);
      }
      return new Body(-1);
    }
    // Without a length the end of the body is the end of the connection.
    return length == null ? in : new Body(Long.parseLong(length));
  }

  private final class Body extends InputStream {
    private final boolean chunked;
    private boolean ended;
    private long left;

    Body(long length) {
      this.chunked = length < 0;
      this.left = chunked ? 0 : length;
      this.ended = length == 0;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      if (length == 0) {
        return 0;
      }
      if (left == 0 && !ended) {
        left = Long.parseLong(line(), 16);
        ended = left == 0;
        if (ended) {
          requireLineEnd();
        }
      }
      if (ended) {
        return -1;
      }
      int n = in.read(bytes, offset, (int) Math.min(left, length));
      if (n < 0) {
        throw new EOFException(left + " bytes of the body are due and the server ended");
      }
      left -= n;
      if (left == 0 && chunked) {
        requireLineEnd();
      }
      ended = left == 0 && !chunked;
      return n;
    }

    private void requireLineEnd() throws IOException {
      if (!line().isEmpty()) {
        throw new AssertionError("a chunk is longer than its size, or a trailer came");
      }
    }
  }

  private String line() throws IOException {
    StringBuilder line = new StringBuilder();
    for (int b = in.read(); b != '\r'; b = in.read()) {
      if (b < 0) {
        throw new EndedError("a line", line);
      }
      line.append((char) b);
    }
    if (in.read() != '\n') {
      throw new AssertionError("CR without LF after " + line);
    }
    return line.toString();
  }
}
