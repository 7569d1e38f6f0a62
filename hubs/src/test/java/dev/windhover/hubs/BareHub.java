package dev.windhover.hubs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.Application;
import dev.windhover.http.host.Recipient;
import dev.windhover.hubs.connections.ConnectionContext;
import dev.windhover.hubs.connections.ConnectionEnding;
import dev.windhover.hubs.connections.ConnectionEndpoint;
import dev.windhover.hubs.connections.ConnectionListener;
import dev.windhover.hubs.connections.TransferFormat;
import dev.windhover.hubs.protocol.HubMessage;
import dev.windhover.hubs.protocol.HubProtocol;
import dev.windhover.hubs.protocol.InvalidDataException;
import dev.windhover.hubs.protocol.InvocationBinder;
import dev.windhover.hubs.protocol.JsonHubProtocol;
import dev.windhover.hubs.protocol.RecordFormat;
import dev.windhover.hubs.protocol.RecordReader;
import dev.windhover.hubs.protocol.ValueOptions;
import dev.windhover.testing.TestHost;
import dev.windhover.testing.TestWebSocket;
import dev.windhover.websocket.WebSocketOptions;
import dev.windhover.websocket.WebSockets;
import java.lang.reflect.Type;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * The connections of a hub, for one test. They speak the protocols of hubs over real WebSockets,
 * but dispatch no calls: what clients send is taken as answers.
 */
final class BareHub<C> implements AfterEachCallback {
  private static final char END = 0x1E;

  private final HubOptions options;
  private final HubConnections<C> hub;
  private final BlockingQueue<Connection> connected = new LinkedBlockingQueue<>();
  private final List<Counted> protocols = List.of(new Counted(), new Counted());
  private final WebSocketOptions sockets = new WebSocketOptions().allowedOrigins("*");
  private @Nullable TestHost host;

  BareHub(Class<? extends Hub<C>> hub) {
    this(hub, new HubOptions());
  }

  BareHub(Class<? extends Hub<C>> hub, HubOptions options) {
    this.options = options;
    this.hub = new HubConnections<>(hub, options);
  }

  // ---- Protocols

  /** JSON that counts what it writes. */
  static final class Counted implements HubProtocol {
    private final JsonHubProtocol json = new JsonHubProtocol(ValueOptions.DEFAULT);
    private final AtomicInteger written = new AtomicInteger();

    int written() {
      return written.get();
    }

    @Override
    public String name() {
      return json.name();
    }

    @Override
    public int version() {
      return json.version();
    }

    @Override
    public TransferFormat transferFormat() {
      return json.transferFormat();
    }

    @Override
    public RecordFormat recordFormat() {
      return json.recordFormat();
    }

    @Override
    public @Nullable HubMessage read(ByteBuffer record, InvocationBinder binder)
        throws InvalidDataException {
      return json.read(record, binder);
    }

    @Override
    public ByteBuffer write(HubMessage message) {
      written.incrementAndGet();
      return json.write(message);
    }
  }

  Counted protocol(int index) {
    return protocols.get(index);
  }

  // ---- Connections

  /** A connection, and its client. */
  static final class Connection extends HubConnection implements ConnectionListener {
    private final HubConnections<?> hub;
    private final ConnectionContext context;
    private final Counted protocol;
    private final HubOptions options;
    private final RecordReader reader = new RecordReader(RecordFormat.SEPARATED, 0);
    private volatile boolean inOnConnected;
    private @Nullable TestWebSocket client;

    /** The answers that were refused, because another connection owes them. */
    final List<String> refused = new java.util.concurrent.CopyOnWriteArrayList<>();

    /** How often a call let others begin. */
    final AtomicInteger released = new AtomicInteger();

    Connection(
        HubConnections<?> hub, ConnectionContext context, Counted protocol, HubOptions options) {
      this.hub = hub;
      this.options = options;
      this.context = context;
      this.protocol = protocol;
    }

    TestWebSocket client() {
      return Objects.requireNonNull(client);
    }

    HubCallerContext call() {
      return new HubCallerContext(this, released::incrementAndGet);
    }

    void inOnConnected(boolean is) {
      inOnConnected = is;
    }

    /** The client hears a call of this method. */
    Connection hears(String method, String... arguments) {
      assertThat(next())
          .isEqualTo(
              "{\"type\":1,\"target\":\"%s\",\"arguments\":[%s]}"
                  .formatted(method, String.join(",", arguments)));
      return this;
    }

    /** Returns the next message that the client hears. */
    String next() {
      String text = client().receiveText();
      assertThat(text).endsWith(String.valueOf(END));
      return text.substring(0, text.length() - 1);
    }

    /** The client is asked; returns the id of the call. */
    String isAsked(String method, String... arguments) {
      String asked = next();
      String id = asked.replaceFirst(".*\"invocationId\":\"(s[0-9]+)\".*", "$1");
      assertThat(asked)
          .isEqualTo(
              "{\"type\":1,\"invocationId\":\"%s\",\"target\":\"%s\",\"arguments\":[%s]}"
                  .formatted(id, method, String.join(",", arguments)));
      return id;
    }

    /** The client says this. */
    Connection says(String json) {
      client().sendText(json + END);
      return this;
    }

    Connection answers(String id, String result) {
      return says("{\"type\":3,\"invocationId\":\"%s\",\"result\":%s}".formatted(id, result));
    }

    @Override
    public void onBytes(ByteBuffer bytes) throws InvalidDataException {
      for (ByteBuffer record; (record = reader.next(bytes)) != null; ) {
        boolean taken =
            switch (protocol.read(record, new Binder())) {
              case HubMessage.Completion answer -> hub.complete(this, answer);
              case HubMessage.ResultBindingFailure answer -> hub.complete(this, answer);
              case null, default -> throw new AssertionError("no answer");
            };
        if (!taken) {
          refused.add(java.nio.charset.StandardCharsets.UTF_8.decode(record.rewind()).toString());
        }
      }
    }

    @Override
    public void onEnded(ConnectionEnding ending) {
      hub.remove(this);
    }

    private final class Binder implements InvocationBinder {
      @Override
      public @Nullable List<Type> parameterTypes(String target) {
        return null;
      }

      @Override
      public @Nullable Type streamItemType(String streamId) {
        return null;
      }

      @Override
      public @Nullable Type resultType(String invocationId) {
        return hub.resultType(Connection.this, invocationId);
      }
    }

    @Override
    String id() {
      return context.connectionId();
    }

    @Override
    @Nullable String userIdentifier() {
      return context.request().query().get("user");
    }

    @Override
    HubProtocol protocol() {
      return protocol;
    }

    @Override
    ConnectionContext connection() {
      return context;
    }

    @Override
    Recipient recipient() {
      return context.recipient();
    }

    @Override
    HubOptions options() {
      return options;
    }

    @Override
    @SuppressWarnings("unchecked")
    <C> HubConnections<C> connections() {
      return (HubConnections<C>) hub;
    }

    @Override
    void send(HubMessage message) {
      context.send(protocol.write(message));
    }

    @Override
    Cancellation aborted() {
      return new Cancellation();
    }

    @Override
    boolean isInOnConnected() {
      return inOnConnected;
    }

    @Override
    void abort() {
      context.close();
    }
  }

  HubConnections<C> hub() {
    return hub;
  }

  HubCallerClients<C> clientsOf(Connection caller) {
    return hub.clientsOf(caller.call());
  }

  HubGroups groupsOf(Connection caller) {
    return hub.groupsOf(caller.call());
  }

  /** Limits what may wait for a slow client. */
  BareHub<C> sendQueue(int bytes) {
    sockets.limits(limits -> limits.sendQueue(bytes, bytes / 2));
    return this;
  }

  TestHost host() {
    TestHost known = host;
    if (known == null) {
      Application application = new Application().use(new WebSockets(sockets));
      ConnectionEndpoint.map(application, "/hub", this::onConnected);
      known = TestHost.start(application);
      host = known;
    }
    return known;
  }

  private ConnectionListener onConnected(ConnectionContext context) {
    String index = context.request().query().get("protocol");
    Counted protocol = protocols.get(index == null ? 0 : Integer.parseInt(index));
    context.transferFormat(protocol.transferFormat());
    Connection connection = new Connection(hub, context, protocol, options);
    hub.add(connection);
    connected.add(connection);
    return connection;
  }

  Connection connect() throws InterruptedException {
    return connect("");
  }

  Connection connectAs(String user) throws InterruptedException {
    return connect("?user=" + user);
  }

  Connection connect(String query) throws InterruptedException {
    TestWebSocket client = host().webSocket("/hub" + query).connect();
    Connection connection = connected.poll(10, TimeUnit.SECONDS);
    assertThat(connection).isNotNull();
    connection.client = client;
    return connection;
  }

  @Override
  public void afterEach(ExtensionContext context) {
    close();
  }

  void close() {
    if (host != null) {
      host.close(); // which fails if a client has heard what nobody expected
    }
  }
}
