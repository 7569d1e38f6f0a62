package dev.windhover.verification;

import dev.windhover.hubs.protocol.HubMessage;
import dev.windhover.hubs.protocol.HubMessage.Invocation;
import dev.windhover.hubs.protocol.HubProtocol;
import dev.windhover.hubs.protocol.InvalidDataException;
import dev.windhover.hubs.protocol.InvocationBinder;
import dev.windhover.hubs.protocol.JsonHubProtocol;
import dev.windhover.hubs.protocol.MessagePackHubProtocol;
import dev.windhover.hubs.protocol.RecordFormat;
import dev.windhover.hubs.protocol.RecordReader;
import dev.windhover.hubs.protocol.ValueOptions;
import dev.windhover.verification.wire.EndedError;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Response;
import dev.windhover.verification.wire.Wire;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.reflect.Type;
import java.net.InetAddress;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A hub's client over the network, for tests that need many, or rude ones. For one thread. */
final class HubWire implements AutoCloseable {
  private static final Pattern TOKEN = Pattern.compile("\"connectionToken\":\"([\\w-]+)\"");
  private static final HubProtocol JSON = new JsonHubProtocol(ValueOptions.DEFAULT);
  private static final HubProtocol MESSAGE_PACK = new MessagePackHubProtocol(ValueOptions.DEFAULT);

  /** What carries the connection, and in which protocol. */
  enum Way {
    SOCKET_JSON(JSON),
    SOCKET_MESSAGE_PACK(MESSAGE_PACK),
    EVENTS_JSON(JSON),
    POLLS_JSON(JSON),
    POLLS_MESSAGE_PACK(MESSAGE_PACK);

    private static final List<Way> ALL = List.of(values());

    @SuppressWarnings("ImmutableEnumChecker") // it has no state
    final HubProtocol protocol;

    Way(HubProtocol protocol) {
      this.protocol = protocol;
    }

    /** Returns one after the other, for numbers from 0 on. */
    static Way of(int number) {
      return ALL.get(number % ALL.size());
    }

    boolean isSocket() {
      return this == SOCKET_JSON || this == SOCKET_MESSAGE_PACK;
    }

    boolean isPolls() {
      return this == POLLS_JSON || this == POLLS_MESSAGE_PACK;
    }
  }

  /** The server has answered a request with another status than is usual. */
  static final class RefusedException extends IOException {
    private static final long serialVersionUID = 1;

    private final int status;
    private final boolean saysWhen;

    RefusedException(Response response) {
      super(response.toString());
      this.status = response.status();
      this.saysWhen = response.header("Retry-After") != null;
    }

    int status() {
      return status;
    }

    /** Returns whether it says when to come again. */
    boolean saysWhen() {
      return saysWhen;
    }
  }

  /**
   * Returns whether the server has ended a connection, or forgotten it, as it does with clients
   * that say nothing for too long. That it does not answer, or answers wrongly, is something else.
   */
  static boolean isGivenUp(Throwable failure) {
    return failure instanceof EOFException
        || failure instanceof EndedError
        || failure instanceof SocketException
        || (failure instanceof RefusedException refused
            && (refused.status() == 404 || refused.status() == 204));
  }

  private static final InvocationBinder ANYTHING =
      new InvocationBinder() {
        @Override
        public List<Type> parameterTypes(String target) {
          return List.of(String.class);
        }

        @Override
        public Type streamItemType(String streamId) {
          return Object.class;
        }

        @Override
        public Type resultType(String invocationId) {
          return Object.class;
        }
      };

  private final int port;
  private final InetAddress from;
  private final String path;
  private final Way way;
  private final int mostMillis;
  private String token = "";

  /** The socket, the stream of events, or where polls are sent. */
  private final Wire wire;

  /** Where POSTs are sent; over a socket, null. */
  private @Nullable Wire posts;

  private @Nullable BufferedReader events;
  private RecordReader records = new RecordReader(RecordFormat.SEPARATED, 0);
  private ByteBuffer unread = ByteBuffer.allocate(0);

  private HubWire(int port, InetAddress from, String path, Way way, int mostMillis)
      throws IOException {
    this.port = port;
    this.from = from;
    this.path = path;
    this.way = way;
    this.mostMillis = mostMillis;
    this.wire = newWire();
  }

  private Wire newWire() throws IOException {
    return Wire.connect(port, from, mostMillis);
  }

  // ---- Coming

  /** Negotiates, and returns the token. */
  static String negotiate(int port, InetAddress from, String path) throws IOException {
    try (Wire wire = Wire.connect(port, from)) {
      return negotiate(wire, path);
    }
  }

  /** Negotiates on a connection, and returns the token. */
  static String negotiate(Wire wire, String path) throws IOException {
    wire.send(
        "POST "
            + path
            + "/negotiate?negotiateVersion=1 HTTP/1.1\r\n"
            + "Host: localhost\r\n"
            + "Content-Length: 0\r\n\r\n");
    Matcher token = TOKEN.matcher(require(wire.response(), 200).body());
    if (!token.find()) {
      throw new AssertionError("no token");
    }
    return token.group(1);
  }

  private static Response require(Response response, int status) throws RefusedException {
    if (response.status() != status) {
      throw new RefusedException(response);
    }
    return response;
  }

  /** Opens a transport, and says nothing. */
  static HubWire open(int port, InetAddress from, String path, Way way) throws IOException {
    return open(port, from, path, way, Wire.MOST_MILLIS);
  }

  private static HubWire open(int port, InetAddress from, String path, Way way, int mostMillis)
      throws IOException {
    HubWire opened = new HubWire(port, from, path, way, mostMillis);
    try {
      opened.token = negotiate(opened.wire, path);
      opened.begin();
      return opened;
    } catch (IOException | RuntimeException | AssertionError e) {
      opened.close();
      throw e;
    }
  }

  /** Connects, and goes through the handshake of hubs. */
  static HubWire connect(int port, InetAddress from, String path, Way way) throws IOException {
    return connect(port, from, path, way, Wire.MOST_MILLIS);
  }

  /** The same, for a client that waits that long for each answer. */
  static HubWire connect(int port, InetAddress from, String path, Way way, int mostMillis)
      throws IOException {
    HubWire opened = open(port, from, path, way, mostMillis);
    try {
      opened.handshake();
      return opened;
    } catch (IOException | RuntimeException | AssertionError e) {
      opened.close();
      throw e;
    }
  }

  private void begin() throws IOException {
    String target = path + "?id=" + token;
    if (way.isSocket()) {
      wire.send(Wire.handshake(target));
      require(wire.response(), 101);
    } else if (way.isPolls()) {
      sendPoll(wire);
      require(wire.response(), 200);
    } else {
      wire.send(
          "GET " + target + " HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n");
      Response head = require(wire.responseHead(), 200);
      events =
          new BufferedReader(new InputStreamReader(wire.body(head), StandardCharsets.UTF_8), 1024);
    }
  }

  void handshake() throws IOException {
    String asked = "{\"protocol\":\"" + way.protocol.name() + "\",\"version\":1}\u001e";
    sendRaw(asked.getBytes(StandardCharsets.UTF_8));
    String answer = StandardCharsets.UTF_8.decode(record()).toString();
    if (answer.contains("Handshake was canceled")) {
      throw new EOFException("the server did not wait for the handshake");
    }
    if (!answer.equals("{}")) {
      throw new IOException("the handshake is answered with " + answer);
    }
    records = new RecordReader(way.protocol.recordFormat(), 0);
  }

  // ---- Sending

  /** Sends messages in one piece. */
  void send(HubMessage... messages) throws IOException {
    sendRaw(written(way, List.of(messages)));
  }

  /** Returns messages as a client writes them, one after the other. */
  static byte[] written(Way way, List<? extends HubMessage> messages) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (HubMessage each : messages) {
      ByteBuffer bytes = way.protocol.write(each);
      byte[] copy = new byte[bytes.remaining()];
      bytes.get(copy);
      all.writeBytes(copy);
    }
    return all.toByteArray();
  }

  /** Sends bytes, whatever they are. */
  void sendRaw(byte[] bytes) throws IOException {
    if (way.isSocket()) {
      wire.send(Frame.binary(bytes).masked());
    } else {
      post(bytes);
    }
  }

  private void post(byte[] bytes) throws IOException {
    Wire known = posts;
    if (known == null) {
      known = newWire();
      posts = known;
    }
    beginPost(known, bytes.length);
    known.send(bytes);
    require(known.response(), 200);
  }

  /** Sends the head of a POST, on a connection of its own. */
  void beginPost(Wire wire, long length) throws IOException {
    wire.send(
        "POST %s?id=%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
            .formatted(path, token, length));
  }

  /** Sends a poll on one of several connections. */
  void sendPoll(Wire wire) throws IOException {
    wire.send("GET " + path + "?id=" + token + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }

  /** Returns the connection of the socket, the events, or the polls. */
  Wire wire() {
    return wire;
  }

  // ---- Receiving

  /** Returns the next message, except pings. */
  HubMessage receive() throws IOException {
    while (true) {
      HubMessage message;
      try {
        message = Objects.requireNonNull(way.protocol.read(record(), ANYTHING));
      } catch (InvalidDataException e) {
        throw new AssertionError(e);
      }
      if (!(message instanceof HubMessage.Ping)) {
        return message;
      }
    }
  }

  private ByteBuffer record() throws IOException {
    while (true) {
      ByteBuffer record;
      try {
        record = records.next(unread);
      } catch (InvalidDataException e) {
        throw new AssertionError(e);
      }
      if (record != null) {
        return record;
      }
      unread = ByteBuffer.wrap(more());
    }
  }

  private byte[] more() throws IOException {
    if (way.isSocket()) {
      Frame frame = wire.frame();
      if (frame.first() == 0x88) {
        throw new EOFException("closed");
      }
      return frame.payload();
    }
    if (way.isPolls()) {
      sendPoll(wire);
      return require(wire.response(), 200).bytes();
    }
    return event().getBytes(StandardCharsets.UTF_8);
  }

  private String event() throws IOException {
    BufferedReader lines = Objects.requireNonNull(events);
    StringBuilder event = new StringBuilder();
    for (String line; (line = lines.readLine()) != null; ) {
      if (line.startsWith("data: ")) {
        event.append(line, 6, line.length());
      } else if (line.isEmpty() && !event.isEmpty()) {
        return event.toString();
      }
    }
    throw new EOFException("the events have ended");
  }

  /** Calls a method, and returns its result; fails if anything else comes before. */
  @Nullable Object invoke(String method, Object... arguments) throws IOException {
    send(new Invocation("i", method, Arrays.asList(arguments)));
    return expectResult("i");
  }

  /** Returns the result of a call; fails if anything else comes before. */
  @Nullable Object expectResult(String id) throws IOException {
    HubMessage answer = receive();
    if (answer instanceof HubMessage.Completion(var of, var error, var result, _)
        && of.equals(id)
        && error == null) {
      return result;
    }
    throw new AssertionError("expected the result of " + id + ": " + answer);
  }

  // ---- Leaving

  /** Leaves in order. */
  void leave() throws IOException {
    if (way.isSocket()) {
      wire.send(Frame.close(1000, ""));
      while (wire.frame().first() != 0x88) {
        // what was on its way
      }
      wire.expectEnd();
    } else if (way.isPolls()) {
      wire.send("DELETE " + path + "?id=" + token + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
      require(wire.response(), 202);
    } else {
      send(new HubMessage.Close(null, false));
    }
    close();
  }

  /** Resets its connections. */
  void abort() throws IOException {
    wire.abort();
    if (posts != null) {
      posts.abort();
    }
  }

  @Override
  public void close() throws IOException {
    wire.close();
    if (posts != null) {
      posts.close();
    }
  }
}
