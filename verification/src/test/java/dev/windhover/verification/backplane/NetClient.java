package dev.windhover.verification.backplane;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

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
import java.lang.reflect.Type;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A client of the hub server or of the reference, over the JDK's WebSocket. It hears {@code
 * Message(text)}, and answers {@code Result()} with 7 unless it is told otherwise.
 */
final class NetClient implements AutoCloseable, WebSocket.Listener, InvocationBinder {
  /** What it does when it is asked. */
  enum Answer {
    SEVEN,
    ERROR,
    NOTHING
  }

  private final String name;
  private final HubProtocol protocol;
  private final Map<String, CompletableFuture<Object>> calls = new ConcurrentHashMap<>();
  private final BlockingQueue<String> heard = new LinkedBlockingQueue<>();
  private final BlockingQueue<String> asked = new LinkedBlockingQueue<>();
  private final AtomicInteger ids = new AtomicInteger();
  private final CompletableFuture<Void> begun = new CompletableFuture<>();
  private volatile Answer answer = Answer.SEVEN;

  // The thread of the socket's listener only.
  private RecordReader records = new RecordReader(RecordFormat.SEPARATED, 0);

  private @Nullable WebSocket socket;

  private NetClient(String name, HubProtocol protocol) {
    this.name = name;
    this.protocol = protocol;
  }

  /** Connects a client to {@code http://…/testhub}. */
  static NetClient connect(HttpClient http, String server, String user, boolean isBinary)
      throws Exception {
    HubProtocol protocol =
        isBinary
            ? new MessagePackHubProtocol(ValueOptions.DEFAULT)
            : new JsonHubProtocol(ValueOptions.DEFAULT);
    NetClient client = new NetClient(protocol.name() + " client of " + server, protocol);
    WebSocket socket =
        http.newWebSocketBuilder()
            .buildAsync(
                URI.create(server.replaceFirst("^http", "ws") + "/testhub?user=" + user), client)
            .get(20, TimeUnit.SECONDS);
    client.socket = socket;
    String handshake = "{\"protocol\":\"%s\",\"version\":1}\u001e".formatted(protocol.name());
    client.write(ByteBuffer.wrap(handshake.getBytes(UTF_8)));
    client.begun.get(20, TimeUnit.SECONDS);
    return client;
  }

  // ---- What it does

  /** Calls a method and returns its result. */
  @Nullable Object call(String method, Object... arguments) throws Exception {
    String id = String.valueOf(ids.incrementAndGet());
    CompletableFuture<Object> result = new CompletableFuture<>();
    calls.put(id, result);
    write(protocol.write(new HubMessage.Invocation(id, method, Arrays.asList(arguments))));
    return result.get(20, TimeUnit.SECONDS);
  }

  String id() throws Exception {
    return String.valueOf(call("ConnectionId"));
  }

  void answers(Answer how) {
    answer = how;
  }

  /** The next that it hears is this. */
  void hears(String text) throws InterruptedException {
    assertThat(heard.poll(20, TimeUnit.SECONDS)).as(name).isEqualTo(text);
  }

  /** It has heard nothing else. */
  void hasHeardNothing() {
    assertThat(heard).as(name).isEmpty();
  }

  /** It is asked now. */
  void isAsked() throws InterruptedException {
    assertThat(asked.poll(20, TimeUnit.SECONDS)).as(name).isNotNull();
  }

  /** Goes without a word. */
  void lose() {
    Objects.requireNonNull(socket).abort();
  }

  private synchronized void write(ByteBuffer record) {
    WebSocket open = Objects.requireNonNull(socket);
    (protocol.transferFormat() == TransferFormat.TEXT
            ? open.sendText(UTF_8.decode(record), true)
            : open.sendBinary(record, true))
        .join();
  }

  // ---- What comes

  @Override
  public @Nullable CompletionStage<?> onText(WebSocket from, CharSequence text, boolean last) {
    take(ByteBuffer.wrap(text.toString().getBytes(UTF_8)));
    from.request(1);
    return null;
  }

  @Override
  public @Nullable CompletionStage<?> onBinary(WebSocket from, ByteBuffer bytes, boolean last) {
    take(bytes);
    from.request(1);
    return null;
  }

  private void take(ByteBuffer bytes) {
    try {
      for (ByteBuffer record; (record = records.next(bytes)) != null; ) {
        if (begun.isDone()) {
          on(protocol.read(record, this));
        } else {
          assertThat(UTF_8.decode(record).toString()).isEqualTo("{}");
          records = new RecordReader(protocol.recordFormat(), 0);
          begun.complete(null);
        }
      }
    } catch (InvalidDataException e) {
      throw new AssertionError(name, e);
    }
  }

  private void on(@Nullable HubMessage message) {
    switch (message) {
      case HubMessage.Invocation(_, var id, _, var arguments, _) -> {
        if (id == null) {
          heard.add(String.valueOf(arguments.getFirst()));
        } else {
          asked.add(id);
          // Not on the thread that reads.
          Thread.ofVirtual().start(() -> answer(id));
        }
      }
      case HubMessage.Completion end -> {
        CompletableFuture<Object> call = calls.remove(end.invocationId());
        if (call != null && end.error() != null) {
          call.completeExceptionally(new AssertionError(name + ": " + end.error()));
        } else if (call != null) {
          call.complete(String.valueOf(end.result()));
        }
      }
      case null, default -> {}
    }
  }

  private void answer(String id) {
    switch (answer) {
      case SEVEN -> write(protocol.write(HubMessage.Completion.of(id, 7)));
      case ERROR -> write(protocol.write(HubMessage.Completion.failed(id, "no")));
      case NOTHING -> {}
    }
  }

  @Override
  public List<Type> parameterTypes(String target) {
    return target.equals("Message") ? List.of(String.class) : List.of();
  }

  @Override
  public @Nullable Type streamItemType(String streamId) {
    return null;
  }

  @Override
  public Type resultType(String invocationId) {
    return Object.class;
  }

  @Override
  public void close() {
    lose();
  }
}
