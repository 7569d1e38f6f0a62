package dev.windhover.hubs.testing;

import dev.windhover.http.websocket.MessageType;
import dev.windhover.hubs.HubException;
import dev.windhover.hubs.connections.TransferFormat;
import dev.windhover.hubs.protocol.HubMessage;
import dev.windhover.hubs.protocol.HubProtocol;
import dev.windhover.hubs.protocol.InvalidDataException;
import dev.windhover.hubs.protocol.InvocationBinder;
import dev.windhover.hubs.protocol.RecordFormat;
import dev.windhover.hubs.protocol.RecordReader;
import dev.windhover.testing.TestHost;
import dev.windhover.testing.TestWebSocket;
import java.lang.reflect.Type;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A client of a hub, for tests.
 *
 * <pre>{@code
 * try (TestHubClient client = TestHubClient.connect(host, "/chat")) {
 *   client.invoke("send", "hello");
 *   client.expectCall("receiveMessage", "ann", "hello");
 *   client.expectCall("confirm", "really?").answer(true);
 *   assertThat(client.invoke(Integer.class, "count")).isEqualTo(1);
 * }
 * }</pre>
 *
 * <p>It negotiates, connects and speaks the real protocol in memory, over the transport that the
 * test chooses. Every wait is limited to 10 seconds of real time; then it fails. What the hub calls
 * is kept in order until the test expects it; what no test has looked at fails {@link #close}. It
 * sends no ping by itself: {@link #ping} is the test's to call, as the clock is the test's to move.
 * One thread uses it.
 */
public final class TestHubClient implements AutoCloseable {
  private final TestHost host;
  private final String target;
  private final TestHubClientOptions options;
  private final HubProtocol protocol;

  private final Map<String, TestHubCall<?>> calls = new HashMap<>();
  private final Deque<ReceivedCall> received = new ArrayDeque<>();
  private Endpoint endpoint;
  private @Nullable Transport transport; // null while it is lost
  private RecordReader records = new RecordReader(RecordFormat.SEPARATED, 0);
  private @Nullable MessageNumbers numbers; // null if the client cannot come back
  private HubMessage.@Nullable Close closed;
  private int ids;

  private TestHubClient(TestHost host, String target, TestHubClientOptions options) {
    this.host = host;
    this.target = target;
    this.options = options;
    this.protocol = options.protocol();
    this.endpoint = Endpoint.negotiate(host, target, options);
    begin();
  }

  // ---- Connecting

  /**
   * Connects a client that speaks JSON over a WebSocket.
   *
   * @param target where the hub is, with a query if there is one
   * @throws AssertionError if the hub refuses the connection or the handshake
   */
  public static TestHubClient connect(TestHost host, String target) {
    return connect(host, target, _ -> {});
  }

  /**
   * Connects a client of another kind: {@code o -> o.messagePack().user("ann")}.
   *
   * @throws AssertionError if the hub refuses the connection or the handshake, or does not offer
   *     what the client wants
   */
  public static TestHubClient connect(
      TestHost host, String target, Consumer<TestHubClientOptions> change) {
    TestHubClientOptions options = new TestHubClientOptions();
    change.accept(options);
    return new TestHubClient(host, target, options);
  }

  /** Opens the transport and shakes hands, on a connection that was negotiated. */
  private void begin() {
    Transport opened = open();
    transport = opened;
    numbers = options.isStateful() ? new MessageNumbers() : null;
    records = new RecordReader(RecordFormat.SEPARATED, 0); // whatever the protocol
    int version = options.isStateful() ? 2 : 1;
    String request =
        "{\"protocol\":\"%s\",\"version\":%d}\u001e".formatted(protocol.name(), version);
    opened.send(ByteBuffer.wrap(request.getBytes(StandardCharsets.UTF_8)));
    ByteBuffer bytes;
    ByteBuffer answer;
    do {
      bytes = receive();
      answer = next(bytes);
    } while (answer == null);
    String text = StandardCharsets.UTF_8.decode(answer).toString();
    if (!text.equals("{}")) {
      throw new AssertionError("the handshake was refused: " + text);
    }
    records = new RecordReader(protocol.recordFormat(), 0);
    take(bytes);
    if (numbers != null) {
      write(numbers.ack()); // the hub sends nothing with a number before the client has spoken
    }
  }

  private Transport open() {
    return switch (options.transport()) {
      case WEB_SOCKETS ->
          new SocketTransport(
              endpoint.webSocket().connect(),
              protocol.transferFormat() == TransferFormat.TEXT
                  ? MessageType.TEXT
                  : MessageType.BINARY);
      case SERVER_SENT_EVENTS -> new EventTransport(endpoint);
      case LONG_POLLING -> new PollTransport(endpoint);
    };
  }

  /**
   * Loses the transport, without a word to the hub. What the hub has sent so far counts as
   * received.
   */
  public void lose() {
    host.awaitIdle();
    Transport lost = requireTransport();
    transport = null;
    for (ByteBuffer bytes; (bytes = lost.poll()) != null; ) {
      take(bytes);
    }
    lost.lose();
    host.awaitIdle();
  }

  /**
   * Connects anew after the connection was lost or closed, as clients do: with another id, in no
   * group.
   */
  public void reconnect() {
    requireNothingLeft();
    calls.clear();
    closed = null;
    endpoint = Endpoint.negotiate(host, target, options);
    begin();
  }

  /**
   * Comes back to the connection whose transport was {@linkplain #lose lost}: with the same id, in
   * the same groups. Both sides send what the other has missed, each message once.
   *
   * @throws IllegalStateException without {@link TestHubClientOptions#statefulReconnect}, or if the
   *     transport was not lost
   * @throws AssertionError if the hub refuses: it has ended the connection
   */
  public void resume() {
    MessageNumbers known = numbers;
    if (known == null || transport != null) {
      throw new IllegalStateException(
          known == null ? "the client has no stateful reconnect" : "the transport was not lost");
    }
    known.lost();
    records.reset();
    Transport opened = open();
    transport = opened;
    opened.send(protocol.write(known.sequence()));
    known.kept().forEach(record -> opened.send(record.duplicate()));
  }

  /** Returns the id by which the hub knows the connection. */
  public String connectionId() {
    return endpoint.connectionId();
  }

  /**
   * Returns the socket, for its faults.
   *
   * @throws IllegalStateException if there is none
   */
  public TestWebSocket socket() {
    if (transport instanceof SocketTransport open) {
      return open.socket();
    }
    throw new IllegalStateException("the client has no socket");
  }

  // ---- Calling

  /** Calls a method and waits for its answer, whose result is dropped. */
  public void invoke(String method, @Nullable Object... arguments) {
    call(Object.class, method, arguments).result();
  }

  /**
   * Calls a method and waits for its result.
   *
   * @throws HubException if the call fails: with the error that the client is told
   */
  public <T> @Nullable T invoke(Class<T> type, String method, @Nullable Object... arguments) {
    return call(type, method, arguments).result();
  }

  /** Calls a method; the answer is waited for later. An argument may be a {@link TestUpload}. */
  public <T> TestHubCall<T> call(Class<T> type, String method, @Nullable Object... arguments) {
    return begin(type, false, method, arguments);
  }

  /** Calls a method that returns a stream. */
  public <T> TestHubCall<T> stream(Class<T> type, String method, @Nullable Object... arguments) {
    return begin(type, true, method, arguments);
  }

  /** Calls a method and wants no answer. */
  public void send(String method, @Nullable Object... arguments) {
    write(new HubMessage.Invocation(Map.of(), null, method, values(arguments), uploads(arguments)));
  }

  /** Returns a stream to upload, as an argument of a call. */
  public TestUpload upload() {
    return new TestUpload(this, nextId());
  }

  private <T> TestHubCall<T> begin(
      Type type, boolean isStream, String method, @Nullable Object... arguments) {
    TestHubCall<T> call = new TestHubCall<>(this, nextId(), type);
    calls.put(call.id(), call);
    List<@Nullable Object> values = values(arguments);
    List<String> uploads = uploads(arguments);
    write(
        isStream
            ? new HubMessage.StreamInvocation(Map.of(), call.id(), method, values, uploads)
            : new HubMessage.Invocation(Map.of(), call.id(), method, values, uploads));
    return call;
  }

  private String nextId() {
    return String.valueOf(ids++);
  }

  private static List<@Nullable Object> values(@Nullable Object[] arguments) {
    List<@Nullable Object> values = new ArrayList<@Nullable Object>(Arrays.asList(arguments));
    values.removeIf(TestUpload.class::isInstance);
    return values;
  }

  private static List<String> uploads(@Nullable Object[] arguments) {
    List<String> ids = new ArrayList<>();
    for (Object each : arguments) {
      if (each instanceof TestUpload upload) {
        ids.add(upload.id());
      }
    }
    return ids;
  }

  /** Sends a Ping. */
  public void ping() {
    write(HubMessage.Ping.INSTANCE);
  }

  // ---- Being called

  /** The hub calls this method next, with these arguments. */
  public ReceivedCall expectCall(String method, @Nullable Object... arguments) {
    ReceivedCall call = nextCall();
    call.require(method, Arrays.asList(arguments));
    return call;
  }

  /** Returns what the hub calls next. */
  public ReceivedCall nextCall() {
    await(() -> !received.isEmpty());
    return received.remove();
  }

  /** Nothing that the hub has done so far calls this client. */
  public void expectNoCall() {
    takeAll();
    if (!received.isEmpty()) {
      throw new AssertionError("left over: " + received);
    }
  }

  private void requireNothingLeft() {
    List<Object> left = new ArrayList<>(received);
    calls.values().stream().filter(TestHubCall::isLeftOver).forEach(left::add);
    if (closed != null) {
      left.add(closed);
    }
    if (!left.isEmpty()) {
      throw new AssertionError("left over: " + left);
    }
  }

  /**
   * The hub ends the connection.
   *
   * @param error what it says; null if nothing is wrong
   */
  public void expectClose(@Nullable String error, boolean allowReconnect) {
    await(() -> closed != null);
    var expected = new HubMessage.Close(error, allowReconnect);
    if (!expected.equals(closed)) {
      throw new AssertionError("expected " + expected + "\n but got " + closed);
    }
    requireTransport().expectEnd();
    transport = null;
    numbers = null;
    closed = null;
  }

  /** The hub drops the connection, without a Close. */
  public void expectLost() {
    Transport open = requireTransport();
    for (ByteBuffer bytes; (bytes = open.receive()) != null; ) {
      take(bytes);
    }
    if (closed != null) {
      throw new AssertionError("expected the connection to be lost\n but got " + closed);
    }
    open.close();
    transport = null;
    numbers = null;
  }

  /**
   * Closes the connection, if it is open.
   *
   * @throws AssertionError if the hub has called a method, answered a call or ended the connection,
   *     and nobody has looked at it
   */
  @Override
  public void close() {
    Transport open = transport;
    if (open == null) {
      requireNothingLeft();
      return;
    }
    takeAll();
    boolean isDropped = closed == null && !open.isOpen();
    transport = null;
    open.close();
    requireNothingLeft();
    if (isDropped) {
      throw new AssertionError("left over: a connection that was lost");
    }
  }

  // ---- Messages

  HubProtocol protocol() {
    return protocol;
  }

  void write(HubMessage message) {
    ByteBuffer record = protocol.write(message);
    MessageNumbers known = numbers;
    if (known == null) {
      requireTransport().send(record);
      return;
    }
    if (MessageNumbers.isNumbered(message)) {
      known.keep(record.duplicate());
    }
    if (transport != null) { // otherwise it is sent when the client is back
      transport.send(record);
    }
  }

  private Transport requireTransport() {
    Transport open = transport;
    if (open == null) {
      throw new IllegalStateException("the client is not connected");
    }
    return open;
  }

  /** Takes messages until {@code isThere}. */
  void await(BooleanSupplier isThere) {
    while (!isThere.getAsBoolean()) {
      take(receive());
    }
  }

  /** Takes what has come of all that the hub has done so far. */
  private void takeAll() {
    host.awaitIdle();
    for (ByteBuffer bytes; transport != null && (bytes = transport.poll()) != null; ) {
      take(bytes);
    }
  }

  private ByteBuffer receive() {
    ByteBuffer bytes = requireTransport().receive();
    if (bytes == null) {
      throw new AssertionError("the connection has ended, with " + closed);
    }
    return bytes;
  }

  private @Nullable ByteBuffer next(ByteBuffer message) {
    try {
      return records.next(message);
    } catch (InvalidDataException e) {
      throw new AssertionError("the hub has sent no record: " + e.getMessage(), e);
    }
  }

  private void take(ByteBuffer message) {
    for (ByteBuffer record; (record = next(message)) != null; ) {
      byte[] bytes = bytes(record);
      try {
        HubMessage read = protocol.read(ByteBuffer.wrap(bytes), new Binder());
        if (read != null && numbers != null && !numbers.receive(read)) {
          continue;
        }
        on(read, bytes);
      } catch (InvalidDataException e) {
        throw new AssertionError("the hub has sent no message: " + e.getMessage(), e);
      }
    }
    if (numbers != null && numbers.owesAck() && transport != null) {
      write(numbers.ack());
    }
  }

  private static byte[] bytes(ByteBuffer record) {
    byte[] bytes = new byte[record.remaining()];
    record.duplicate().get(bytes);
    return bytes;
  }

  private void on(@Nullable HubMessage message, byte[] record) {
    switch (message) {
      case HubMessage.Invocation call ->
          received.add(new ReceivedCall(this, call.invocationId(), call.target(), record));
      case HubMessage.StreamItem item -> known(item.invocationId()).add(item.item());
      case HubMessage.Completion end -> known(end.invocationId()).end(end);
      case HubMessage.Close close -> closed = close;
      case HubMessage.Ping _ -> {}
      case HubMessage.StreamBindingFailure failure ->
          throw new AssertionError("an item has another type", failure.error());
      case HubMessage.ResultBindingFailure failure ->
          throw new AssertionError("the result has another type", failure.error());
      case null, default -> throw new AssertionError("unexpected: " + message);
    }
  }

  private TestHubCall<?> known(String id) {
    return Objects.requireNonNull(calls.get(id), () -> "no call has the id " + id);
  }

  private final class Binder implements InvocationBinder {
    @Override
    public @Nullable List<Type> parameterTypes(String target) {
      return null; // what is expected is compared as it is written
    }

    @Override
    public @Nullable Type streamItemType(String streamId) {
      return resultType(streamId);
    }

    @Override
    public @Nullable Type resultType(String invocationId) {
      TestHubCall<?> call = calls.get(invocationId);
      return call == null ? null : call.type();
    }
  }
}
