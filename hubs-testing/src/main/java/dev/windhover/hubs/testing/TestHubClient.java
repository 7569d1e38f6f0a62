package dev.windhover.hubs.testing;

import dev.windhover.http.websocket.MessageType;
import dev.windhover.hubs.HubException;
import dev.windhover.hubs.connections.TransferFormat;
import dev.windhover.hubs.protocol.HubMessage;
import dev.windhover.hubs.protocol.HubProtocol;
import dev.windhover.hubs.protocol.InvalidDataException;
import dev.windhover.hubs.protocol.InvocationBinder;
import dev.windhover.hubs.protocol.JsonHubProtocol;
import dev.windhover.hubs.protocol.MessagePackHubProtocol;
import dev.windhover.hubs.protocol.RecordFormat;
import dev.windhover.hubs.protocol.RecordReader;
import dev.windhover.hubs.protocol.ValueOptions;
import dev.windhover.testing.TestHost;
import dev.windhover.testing.TestRequest;
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
import java.util.function.UnaryOperator;
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
 * <p>It speaks the real protocol over a WebSocket in memory. Every wait is limited to 10 seconds of
 * real time; then it fails. What the hub calls is kept in order until the test expects it; a call
 * that no test has looked at fails {@link #close}. It sends nothing by itself: {@link #ping} is the
 * test's to call, as the clock is the test's to move. One thread uses it.
 */
public final class TestHubClient implements AutoCloseable {
  private final TestHost host;
  private final String target;
  private final HubProtocol protocol;
  private final UnaryOperator<TestRequest> change;

  private final Map<String, TestHubCall<?>> calls = new HashMap<>();
  private final Deque<ReceivedCall> received = new ArrayDeque<>();
  private TestWebSocket socket;
  private RecordReader records;
  private HubMessage.@Nullable Close closed;
  private int ids;

  private TestHubClient(
      TestHost host, String target, HubProtocol protocol, UnaryOperator<TestRequest> change) {
    this.host = host;
    this.target = target;
    this.protocol = protocol;
    this.change = change;
    this.socket = open();
    this.records = new RecordReader(RecordFormat.SEPARATED, 0);
    shakeHands();
  }

  // ---- Connecting

  /** Connects a client that speaks JSON. */
  public static TestHubClient connect(TestHost host, String target) {
    return connect(host, target, new JsonHubProtocol(ValueOptions.DEFAULT), request -> request);
  }

  /** Connects a client that speaks MessagePack. */
  public static TestHubClient connectMessagePack(TestHost host, String target) {
    return connect(
        host, target, new MessagePackHubProtocol(ValueOptions.DEFAULT), request -> request);
  }

  /**
   * Connects a client.
   *
   * @param target where the hub is, with a query if there is one
   * @param change sets up the request: {@code request -> request.user("ann")}
   * @throws AssertionError if the hub refuses the connection or the handshake
   */
  public static TestHubClient connect(
      TestHost host, String target, HubProtocol protocol, UnaryOperator<TestRequest> change) {
    return new TestHubClient(host, target, protocol, change);
  }

  private TestWebSocket open() {
    return change.apply(host.webSocket(target)).connect();
  }

  private void shakeHands() {
    String request = "{\"protocol\":\"%s\",\"version\":1}\u001e".formatted(protocol.name());
    write(ByteBuffer.wrap(request.getBytes(StandardCharsets.UTF_8)));
    List<byte[]> answers = new ArrayList<>();
    while (answers.isEmpty()) {
      ByteBuffer message = receive();
      records = new RecordReader(RecordFormat.SEPARATED, 0);
      ByteBuffer answer = next(message);
      if (answer != null) {
        answers.add(bytes(answer));
        records = new RecordReader(protocol.recordFormat(), 0);
        take(message);
      }
    }
    String answer = new String(answers.getFirst(), StandardCharsets.UTF_8);
    if (!answer.equals("{}")) {
      throw new AssertionError("the handshake was refused: " + answer);
    }
  }

  /** Loses the connection, without a word to the hub. */
  public void lose() {
    socket.reset();
  }

  /**
   * Connects anew after the connection was lost or closed, as clients do: with another id, in no
   * group.
   */
  public void reconnect() {
    requireNothingLeft();
    calls.clear();
    closed = null;
    socket = open();
    shakeHands();
  }

  /** Returns the socket, for its faults. */
  public TestWebSocket socket() {
    return socket;
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

  /** Calls a method; the answer is waited for later. An argument may be an {@link TestUpload}. */
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
    host.awaitIdle();
    socket.expectNothing();
    requireNothingLeft();
  }

  private void requireNothingLeft() {
    if (!received.isEmpty()) {
      throw new AssertionError("left over: " + received);
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
    socket.expectClose(1000, "");
  }

  /**
   * Closes the connection, if it is open.
   *
   * @throws AssertionError if the hub has called a method that nobody has looked at
   */
  @Override
  public void close() {
    requireNothingLeft();
    socket.close();
  }

  // ---- Messages

  HubProtocol protocol() {
    return protocol;
  }

  void write(HubMessage message) {
    write(protocol.write(message));
  }

  private void write(ByteBuffer record) {
    boolean isText = protocol.transferFormat() == TransferFormat.TEXT;
    socket.send(record, isText ? MessageType.TEXT : MessageType.BINARY, true);
  }

  /** Takes messages until {@code isThere}. */
  void await(BooleanSupplier isThere) {
    while (!isThere.getAsBoolean()) {
      take(receive());
    }
  }

  private ByteBuffer receive() {
    return switch (socket.receiveMessage()) {
      case dev.windhover.http.websocket.Message.Text(var text) ->
          ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
      case dev.windhover.http.websocket.Message.Binary(var payload) -> payload;
      case null -> throw new AssertionError("the connection has ended: " + socket.ending());
    };
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
        on(protocol.read(ByteBuffer.wrap(bytes), new Binder()), bytes);
      } catch (InvalidDataException e) {
        throw new AssertionError("the hub has sent no message: " + e.getMessage(), e);
      }
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
