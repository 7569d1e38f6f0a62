package dev.windhover.verification.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * An HTTP/2 connection to a server, frame by frame (RFC 9113). It sends what the test tells it to,
 * malformed or not, and keeps what comes. It answers SETTINGS and PINGs, and gives credit: for the
 * connection when bytes come, for a stream when they are read.
 */
public final class Http2Wire implements AutoCloseable {
  public static final int DATA = 0;
  public static final int HEADERS = 1;
  public static final int PRIORITY = 2;
  public static final int RST_STREAM = 3;
  public static final int SETTINGS = 4;
  public static final int PUSH_PROMISE = 5;
  public static final int PING = 6;
  public static final int GOAWAY = 7;
  public static final int WINDOW_UPDATE = 8;
  public static final int CONTINUATION = 9;

  public static final int END_STREAM = 0x1;
  public static final int ACK = 0x1;
  public static final int END_HEADERS = 0x4;
  public static final int PADDED = 0x8;

  public static final int NO_ERROR = 0;
  public static final int PROTOCOL_ERROR = 1;
  public static final int FLOW_CONTROL_ERROR = 3;
  public static final int SETTINGS_TIMEOUT = 4;
  public static final int STREAM_CLOSED = 5;
  public static final int FRAME_SIZE_ERROR = 6;
  public static final int REFUSED_STREAM = 7;
  public static final int CANCEL = 8;
  public static final int COMPRESSION_ERROR = 9;
  public static final int ENHANCE_YOUR_CALM = 11;

  private static final byte[] PREFACE =
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

  private static final int INITIAL_WINDOW = 65_535;
  private static final int MAX_FRAME = 16_384;
  private static final int BLOCKED_MILLIS = 700;

  /** One frame, as it came. */
  @SuppressWarnings("ArrayRecordComponent") // nobody compares them
  public record Http2Frame(int type, int flags, int stream, byte[] payload) {
    /** Reads one, of which the first byte has been read. */
    public static Http2Frame read(int first, DataInputStream in) throws IOException {
      int length = (first << 16) | in.readUnsignedShort();
      int type = in.readUnsignedByte();
      int flags = in.readUnsignedByte();
      int stream = in.readInt();
      byte[] payload = new byte[length];
      in.readFully(payload);
      return new Http2Frame(type, flags, stream, payload);
    }

    /** Returns it as it stands on the wire. */
    public byte[] bytes() {
      return Http2Wire.bytes(type, flags, stream, payload);
    }

    /** Returns whether a flag is set. */
    public boolean has(int flag) {
      return (flags & flag) != 0;
    }

    /** Returns the 32 bits at {@code offset} of the payload. */
    public int number(int offset) {
      return ByteBuffer.wrap(payload).getInt(offset);
    }

    @Override
    public String toString() {
      return "type %d flags %02x stream %d %s".formatted(type, flags, stream, Hex.of(payload));
    }
  }

  private final Wire wire;
  private final String scheme;
  private final DefaultHttp2HeadersDecoder headersDecoder = new DefaultHttp2HeadersDecoder(false);
  private final List<Http2Frame> came = new CopyOnWriteArrayList<>();
  private final Map<Integer, Stream> streams = new ConcurrentHashMap<>();
  private final int streamWindow;
  private int nextStream = 1;

  // Guarded by this.
  private long window = INITIAL_WINDOW;
  private long serversStreamWindow = INITIAL_WINDOW;
  private boolean settingsAnswered;
  private @Nullable Http2Frame goAway;
  private @Nullable String end; // how the connection ended

  private Http2Wire(Wire wire, String scheme, int streamWindow) {
    this.wire = wire;
    this.scheme = scheme;
    this.streamWindow = streamWindow;
  }

  /** Connects, sends preface and SETTINGS, and waits for the server's. */
  public static Http2Wire connect(int port) throws IOException {
    return connect(port, INITIAL_WINDOW);
  }

  /** As {@link #connect(int)}, with another window for each stream. */
  public static Http2Wire connect(int port, int streamWindow) throws IOException {
    Http2Wire wire = raw(port, streamWindow);
    wire.preface();
    wire.awaitSettings();
    return wire;
  }

  /** As {@link #connect(int, int)}, over TLS 1.3, where ALPN must choose {@code h2}. */
  public static Http2Wire connectSecure(int port, int streamWindow) throws IOException {
    Wire secure = Wire.connect(port).secure("TLSv1.3", "h2", "http/1.1");
    if (!secure.applicationProtocol().equals("h2")) {
      throw new AssertionError("ALPN chose " + secure.applicationProtocol());
    }
    Http2Wire wire = new Http2Wire(secure, "https", streamWindow);
    wire.preface(); // before reading: the server's SETTINGS are there, and would be answered first
    wire.reading().awaitSettings();
    return wire;
  }

  /** Connects and sends nothing. */
  public static Http2Wire raw(int port, int streamWindow) throws IOException {
    return new Http2Wire(Wire.connect(port), "http", streamWindow).reading();
  }

  private Http2Wire reading() {
    Thread.ofVirtual().start(this::read);
    return this;
  }

  /** Sends the preface, and SETTINGS that say how large the streams' windows are. */
  public void preface() throws IOException {
    byte[] settings = ByteBuffer.allocate(6).putShort((short) 4).putInt(streamWindow).array();
    send(concat(PREFACE, bytes(SETTINGS, 0, 0, settings)));
    if (streamWindow > INITIAL_WINDOW) {
      windowUpdate(0, streamWindow);
    }
  }

  // ---- Sending

  /** Sends bytes as they are. */
  public synchronized void send(byte... bytes) throws IOException {
    try {
      wire.send(bytes);
    } catch (IOException e) { // a channel says it so, a socket by its own kind
      throw new SocketException(e.toString());
    }
  }

  /** Sends bytes one by one, and nothing between them that an answer may ask for. */
  public synchronized void sendEach(byte... bytes) throws IOException {
    for (byte b : bytes) {
      send(b);
    }
  }

  /** Returns the bytes of a frame. */
  public static byte[] bytes(int type, int flags, int stream, byte... payload) {
    return ByteBuffer.allocate(9 + payload.length)
        .putInt((payload.length << 8) | type)
        .put((byte) flags)
        .putInt(stream)
        .put(payload)
        .array();
  }

  /** Returns these behind each other. */
  public static byte[] concat(byte[]... pieces) {
    ByteArrayOutputStream whole = new ByteArrayOutputStream();
    for (byte[] piece : pieces) {
      whole.writeBytes(piece);
    }
    return whole.toByteArray();
  }

  /** Sends a frame, whatever it is. */
  public void frame(int type, int flags, int stream, byte... payload) throws IOException {
    send(bytes(type, flags, stream, payload));
  }

  /** Gives credit. */
  public void windowUpdate(int stream, int bytes) throws IOException {
    frame(WINDOW_UPDATE, 0, stream, ByteBuffer.allocate(4).putInt(bytes).array());
  }

  /** Returns a block of fields, each {@code name: value}, in the plainest form (RFC 7541 6.2.2). */
  public static byte[] block(String... fields) {
    ByteArrayOutputStream block = new ByteArrayOutputStream();
    for (String field : fields) {
      int colon = field.indexOf(": ");
      block.write(0x00);
      literal(block, field.substring(0, colon));
      literal(block, field.substring(colon + 2));
    }
    return block.toByteArray();
  }

  private static void literal(ByteArrayOutputStream block, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    int rest = bytes.length;
    if (rest < 127) {
      block.write(rest);
    } else {
      block.write(127);
      for (rest -= 127; rest >= 128; rest >>>= 7) {
        block.write((rest & 127) | 128);
      }
      block.write(rest);
    }
    block.writeBytes(bytes);
  }

  /**
   * Returns the frames of a head: HEADERS, and CONTINUATION where the fields need more than one.
   */
  public static byte[] headers(int stream, boolean end, String... fields) {
    byte[] block = block(fields);
    ByteArrayOutputStream frames = new ByteArrayOutputStream();
    for (int from = 0; from == 0 || from < block.length; from += MAX_FRAME) {
      int to = Math.min(from + MAX_FRAME, block.length);
      int type = from == 0 ? HEADERS : CONTINUATION;
      int flags = (from == 0 && end ? END_STREAM : 0) | (to == block.length ? END_HEADERS : 0);
      byte[] piece = java.util.Arrays.copyOfRange(block, from, to);
      frames.writeBytes(bytes(type, flags, stream, piece));
    }
    return frames.toByteArray();
  }

  /** Begins a stream with these fields. */
  public Stream request(boolean end, String... fields) throws IOException {
    Stream stream = newStream();
    stream.headers(end, fields);
    return stream;
  }

  /** Sends GET. */
  public Stream get(String path, String... more) throws IOException {
    return request(true, ours(head("GET", path, more)));
  }

  private String[] ours(String... fields) {
    fields[1] = ":scheme: " + scheme;
    return fields;
  }

  /** Returns the fields of a request that needs no more. */
  public static String[] head(String method, String path, String... more) {
    List<String> fields =
        new ArrayList<>(
            List.of(
                ":method: " + method, ":scheme: http", ":path: " + path, ":authority: localhost"));
    fields.addAll(List.of(more));
    return fields.toArray(String[]::new);
  }

  /** Asks for a WebSocket (RFC 8441 5). */
  public Stream connectWebSocket(String path, String... more) throws IOException {
    List<String> fields = new ArrayList<>(List.of(ours(head("CONNECT", path))));
    fields.add(":protocol: websocket");
    fields.add("sec-websocket-version: 13");
    fields.addAll(List.of(more));
    return request(false, fields.toArray(String[]::new));
  }

  /** Opens a WebSocket. */
  public Stream open(String path) throws IOException {
    Stream stream = connectWebSocket(path);
    if (stream.status() != 200) {
      throw new AssertionError("not accepted: " + stream.responseHeaders());
    }
    return stream;
  }

  /** Returns a stream of which nothing was sent yet. */
  public Stream newStream() {
    Stream stream = new Stream(nextStream);
    nextStream += 2;
    streams.put(stream.id, stream);
    return stream;
  }

  // ---- What came

  /** Returns all frames that came so far. */
  public List<Http2Frame> frames() {
    return came;
  }

  /** Waits for the server's SETTINGS, and until their ACK has left: it would come in between. */
  public synchronized void awaitSettings() throws IOException {
    awaitUntil(() -> settingsAnswered || end != null);
    if (!settingsAnswered) {
      throw new AssertionError("SETTINGS are due and the connection ended: " + end);
    }
  }

  /** Waits for the answer to a PING, and so until everything before it has been dealt with. */
  public void ping() throws IOException {
    byte[] payload = ByteBuffer.allocate(8).putLong(System.nanoTime()).array();
    frame(PING, 0, 0, payload);
    synchronized (this) {
      awaitUntil(() -> end != null || answered(payload));
      if (!answered(payload)) {
        throw new AssertionError("PING is not answered, the connection ended: " + end);
      }
    }
  }

  private boolean answered(byte[] payload) {
    return came.stream()
        .anyMatch(frame ->
            frame.type == PING
                && frame.has(ACK)
                && java.util.Arrays.equals(frame.payload, payload));
  }

  /** Waits for GOAWAY and returns its error code. */
  public synchronized int goAway() throws IOException {
    awaitUntil(() -> goAway != null || end != null);
    if (goAway == null) {
      throw new AssertionError("GOAWAY is due and the connection ended: " + end);
    }
    return goAway.number(4);
  }

  /** Returns whether the connection has ended. */
  public synchronized boolean hasEnded() {
    return end != null;
  }

  /** Waits for the end of the connection, and returns how it was. */
  public synchronized String end() throws IOException {
    awaitUntil(() -> end != null);
    return Objects.requireNonNull(end);
  }

  private interface Condition {
    boolean holds();
  }

  private synchronized void awaitUntil(Condition condition) throws IOException {
    await(condition, Wire.MOST_MILLIS);
    if (!condition.holds()) {
      throw new SocketTimeoutException("nothing for " + Wire.MOST_MILLIS + " ms; came: " + came);
    }
  }

  private synchronized void await(Condition condition, long millis) throws IOException {
    long last = System.nanoTime() + millis * 1_000_000;
    try {
      for (long left = millis; left > 0 && !condition.holds(); ) {
        wait(left);
        left = (last - System.nanoTime()) / 1_000_000;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException();
    }
  }

  // ---- Reading, on a thread of its own

  private void read() {
    String how;
    try {
      DataInputStream in = new DataInputStream(wire.patientInput());
      while (true) {
        int first = in.read();
        if (first < 0) {
          wire.requireEnd(false);
          how = "FIN";
          break;
        }
        take(Http2Frame.read(first, in));
      }
    } catch (SocketException e) {
      how = "RST";
    } catch (IOException | RuntimeException | Http2Exception | AssertionError e) {
      how = e.toString();
    }
    synchronized (this) {
      end = how;
      notifyAll();
    }
  }

  private void take(Http2Frame frame) throws IOException, Http2Exception {
    boolean ping = frame.type == PING && !frame.has(ACK);
    boolean settings = frame.type == SETTINGS && !frame.has(ACK);
    synchronized (this) {
      came.add(frame);
      Stream stream = streams.get(frame.stream);
      switch (frame.type) {
        case SETTINGS -> takeSettings(frame);
        case GOAWAY -> goAway = frame;
        case WINDOW_UPDATE -> {
          if (frame.stream == 0) {
            window += frame.number(0);
          } else if (stream != null) {
            stream.window += frame.number(0);
          }
        }
        case HEADERS -> takeHeaders(Objects.requireNonNull(stream), frame);
        case DATA -> Objects.requireNonNull(stream).takeData(frame);
        case RST_STREAM -> {
          if (stream != null) { // else one that a test has made up
            stream.reset = frame;
          }
        }
        default -> {}
      }
      notifyAll();
    }
    try {
      if (ping) {
        frame(PING, ACK, 0, frame.payload);
      } else if (settings) {
        frame(SETTINGS, ACK, 0);
        synchronized (this) {
          settingsAnswered = true;
          notifyAll();
        }
      } else if (frame.type == DATA && frame.payload.length > 0) {
        windowUpdate(0, frame.payload.length);
      }
    } catch (SocketException e) {
      // the server has gone; reading tells
    }
  }

  private void takeSettings(Http2Frame frame) {
    for (int i = 0; i < frame.payload.length; i += 6) {
      if (ByteBuffer.wrap(frame.payload).getShort(i) == 4) {
        long now = frame.number(i + 2);
        streams.values().forEach(stream -> stream.window += now - serversStreamWindow);
        serversStreamWindow = now;
      }
    }
  }

  private void takeHeaders(Stream stream, Http2Frame frame) throws Http2Exception {
    if (!frame.has(END_HEADERS)) {
      throw new AssertionError("CONTINUATION is not what this reads");
    }
    ByteBuf block = Unpooled.wrappedBuffer(frame.payload);
    Http2Headers fields = headersDecoder.decodeHeaders(frame.stream, block);
    Map<String, String> headers = new LinkedHashMap<>();
    fields.forEach(field -> headers.put(field.getKey().toString(), field.getValue().toString()));
    if (Objects.requireNonNull(headers.get(":status")).startsWith("1")) {
      stream.informational = headers;
    } else {
      stream.headers = headers;
    }
    stream.ended |= frame.has(END_STREAM);
  }

  // ---- Ending

  /** Ends our side. */
  public void endOutput() throws IOException {
    wire.endOutput();
  }

  /** Drops the connection. */
  public void abort() throws IOException {
    wire.abort();
  }

  @Override
  public void close() throws IOException {
    wire.close();
  }

  // ---- Streams

  /** One stream, and, once it was accepted, a WebSocket. */
  public final class Stream extends InputStream implements Peer {
    private final int id;
    private final DataInputStream in = new DataInputStream(this);
    private boolean ownsConnection;

    // Guarded by the connection.
    private final Deque<ByteBuffer> data = new ArrayDeque<>();
    private long window = serversStreamWindow;
    private int credit;
    private @Nullable Map<String, String> headers;
    private @Nullable Map<String, String> informational;
    private boolean ended;
    private boolean endedWithBytes;
    private @Nullable Http2Frame reset;

    private Stream(int id) {
      this.id = id;
    }

    /** Returns the stream's number. */
    public int id() {
      return id;
    }

    /** Ends the connection together with this. */
    public Stream owningConnection() {
      ownsConnection = true;
      return this;
    }

    /** Sends HEADERS, and CONTINUATION where the fields need more than one frame. */
    public void headers(boolean end, String... fields) throws IOException {
      Http2Wire.this.send(Http2Wire.headers(id, end, fields));
    }

    /** Sends DATA within what the server takes. */
    public void data(boolean end, byte... bytes) throws IOException {
      int sent = 0;
      do {
        int n;
        synchronized (Http2Wire.this) {
          boolean due = bytes.length > 0;
          awaitUntil(() -> !due || room() > 0 || reset != null || Http2Wire.this.end != null);
          if (reset != null || Http2Wire.this.end != null) {
            throw new SocketException("the server has dropped the stream");
          }
          n = (int) Math.min(Math.min(bytes.length - sent, MAX_FRAME), room());
          window -= n;
          Http2Wire.this.window -= n;
        }
        boolean last = sent + n == bytes.length;
        Http2Wire.this.frame(
            DATA,
            last && end ? END_STREAM : 0,
            id,
            java.util.Arrays.copyOfRange(bytes, sent, sent + n));
        sent += n;
      } while (sent < bytes.length);
    }

    private long room() {
      return Math.min(window, Http2Wire.this.window);
    }

    /** Sends RST_STREAM. */
    public void reset(int code) throws IOException {
      Http2Wire.this.frame(RST_STREAM, 0, id, ByteBuffer.allocate(4).putInt(code).array());
    }

    private void takeData(Http2Frame frame) {
      if (ended) {
        throw new AssertionError("DATA after END_STREAM");
      }
      if (frame.has(PADDED)) {
        throw new AssertionError("padding is not what this reads");
      }
      if (frame.payload.length > 0) {
        data.add(ByteBuffer.wrap(frame.payload));
      }
      ended = frame.has(END_STREAM);
      endedWithBytes = ended && frame.payload.length > 0;
    }

    /** Waits for the response's head and returns its status. */
    public int status() throws IOException {
      return Integer.parseInt(responseHeaders().get(":status"));
    }

    /** Waits for the response's head. */
    public Map<String, String> responseHeaders() throws IOException {
      synchronized (Http2Wire.this) {
        awaitUntil(() -> headers != null || reset != null || Http2Wire.this.end != null);
        if (headers == null) {
          throw new AssertionError(
              "a response is due, and came: " + came + ", " + Http2Wire.this.end);
        }
        return headers;
      }
    }

    /** Waits for a head that announces another one. */
    public @Nullable Map<String, String> informationalHeaders() throws IOException {
      synchronized (Http2Wire.this) {
        awaitUntil(() -> informational != null || headers != null || reset != null);
        return informational;
      }
    }

    /** Waits for RST_STREAM and returns its code. */
    public int resetCode() throws IOException {
      synchronized (Http2Wire.this) {
        awaitUntil(() -> reset != null || Http2Wire.this.end != null);
        if (reset == null) {
          throw new AssertionError("RST_STREAM is due, and the connection ended: " + goAway);
        }
        return reset.number(0);
      }
    }

    /** Reads the response's body to its end. */
    public byte[] body() throws IOException {
      responseHeaders();
      return readAllBytes();
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
      int n;
      int due = 0;
      synchronized (Http2Wire.this) {
        awaitUntil(() -> !data.isEmpty() || ended || reset != null || end != null);
        ByteBuffer first = data.peek();
        if (first == null) {
          if (ended) {
            return -1;
          }
          throw new SocketException("the server has dropped the stream: " + reset + ", " + end);
        }
        n = Math.min(length, first.remaining());
        first.get(bytes, offset, n);
        if (!first.hasRemaining()) {
          data.remove();
        }
        credit += n;
        if (credit >= streamWindow / 2) {
          due = credit;
          credit = 0;
        }
      }
      if (due > 0 && !ended) {
        windowUpdate(id, due);
      }
      return n;
    }

    // ---- As a peer

    @Override
    public void send(byte... bytes) throws IOException {
      data(false, bytes);
    }

    @Override
    public long sendUntilBlocked(byte[] piece, long most) throws IOException {
      long sent = 0;
      while (sent < most) {
        int offset = (int) (sent % piece.length);
        int n;
        synchronized (Http2Wire.this) {
          await(() -> room() > 0, BLOCKED_MILLIS);
          n = (int) Math.min(Math.min(piece.length - offset, MAX_FRAME), room());
          if (n == 0) {
            return sent;
          }
          window -= n;
          Http2Wire.this.window -= n;
        }
        Http2Wire.this.frame(DATA, 0, id, java.util.Arrays.copyOfRange(piece, offset, offset + n));
        sent += n;
      }
      return sent;
    }

    @Override
    public int receive(byte[] into) throws IOException {
      return read(into, 0, into.length);
    }

    @Override
    public Frame frame() throws IOException {
      return Frame.read(in);
    }

    @Override
    public void expectEnd() throws IOException {
      int next;
      try {
        next = read();
      } catch (SocketException e) {
        throw new AssertionError("the end is not in order: " + e.getMessage(), e);
      }
      if (next >= 0) {
        throw new AssertionError("more than expected came: 0x" + Integer.toHexString(next));
      }
    }

    @Override
    public void expectAbort() throws IOException {
      synchronized (Http2Wire.this) {
        awaitUntil(() -> reset != null || ended);
        if (reset == null) {
          awaitUntil(() -> reset != null || Http2Wire.this.end != null);
        }
      }
    }

    @Override
    public void requireEnd(boolean withLastBytes) {
      synchronized (Http2Wire.this) {
        if (withLastBytes && !endedWithBytes) {
          throw new AssertionError("END_STREAM is not on the frame of the last bytes: " + came);
        }
      }
    }

    @Override
    public void requireDropped() {
      synchronized (Http2Wire.this) {
        if (reset == null || reset.number(0) != CANCEL) {
          throw new AssertionError("RST_STREAM with CANCEL is due, and came: " + reset);
        }
      }
    }

    @Override
    public void endOutput() throws IOException {
      data(true);
    }

    @Override
    public void abort() throws IOException {
      if (ownsConnection) {
        Http2Wire.this.abort();
      } else {
        reset(CANCEL);
      }
    }

    @Override
    public void close() throws IOException {
      if (ownsConnection) {
        Http2Wire.this.close();
      }
    }
  }
}
