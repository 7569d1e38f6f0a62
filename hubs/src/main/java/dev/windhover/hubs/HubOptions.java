package dev.windhover.hubs;

import dev.windhover.http.User;
import dev.windhover.http.websocket.WhenFull;
import dev.windhover.hubs.connections.ConnectionContext;
import dev.windhover.hubs.connections.ConnectionOptions;
import dev.windhover.hubs.protocol.HubProtocol;
import dev.windhover.hubs.protocol.ValueOptions;
import java.lang.invoke.MethodHandles;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The settings of hubs, with the names and defaults of ASP.NET Core's {@code HubOptions}. Those of
 * {@link Hubs#options} are for all hubs that are mapped later; {@link Hubs#map} changes a copy of
 * them for one hub. A method with an argument sets a value and returns this.
 */
public final class HubOptions {
  private Duration clientTimeoutInterval = Duration.ofSeconds(30);
  private Duration keepAliveInterval = Duration.ofSeconds(15);
  private Duration handshakeTimeout = Duration.ofSeconds(15);
  private Duration clientResultTimeout = Duration.ofSeconds(30);
  private long maximumReceiveMessageSize = 32 * 1024;
  private int streamBufferCapacity = 10;
  private int maximumParallelInvocationsPerClient = 1;
  private boolean enableDetailedErrors;
  private long statefulReconnectBufferSize = 100_000;
  private int maximumStreamsPerClient = 100;
  private int maximumClientResultsPerClient = 100;
  private int maximumGroupNameLength = 256;
  private int maximumCallsPerSecond;
  private int maximumCallsPerSecondOfUser;
  private List<String> supportedProtocols = List.of();
  private WhenFull whenFull = WhenFull.DISCONNECT;
  private ClientNames clientNames = ClientNames.AS_DECLARED;
  private Function<ConnectionContext, @Nullable String> userIdentifier = HubOptions::nameOfUser;
  private MethodHandles.@Nullable Lookup lookup;
  private boolean annotatedMethodsOnly;
  private ValueOptions values = ValueOptions.DEFAULT;
  private final List<HubProtocol> protocols = new ArrayList<>();
  private final List<HubFilter> filters = new ArrayList<>();
  private final List<Consumer<ConnectionOptions>> connections = new ArrayList<>();

  /** Creates the defaults. */
  public HubOptions() {}

  HubOptions(HubOptions other) {
    clientTimeoutInterval = other.clientTimeoutInterval;
    keepAliveInterval = other.keepAliveInterval;
    handshakeTimeout = other.handshakeTimeout;
    clientResultTimeout = other.clientResultTimeout;
    maximumReceiveMessageSize = other.maximumReceiveMessageSize;
    streamBufferCapacity = other.streamBufferCapacity;
    maximumParallelInvocationsPerClient = other.maximumParallelInvocationsPerClient;
    enableDetailedErrors = other.enableDetailedErrors;
    statefulReconnectBufferSize = other.statefulReconnectBufferSize;
    maximumStreamsPerClient = other.maximumStreamsPerClient;
    maximumClientResultsPerClient = other.maximumClientResultsPerClient;
    maximumGroupNameLength = other.maximumGroupNameLength;
    maximumCallsPerSecond = other.maximumCallsPerSecond;
    maximumCallsPerSecondOfUser = other.maximumCallsPerSecondOfUser;
    supportedProtocols = other.supportedProtocols;
    whenFull = other.whenFull;
    clientNames = other.clientNames;
    userIdentifier = other.userIdentifier;
    lookup = other.lookup;
    annotatedMethodsOnly = other.annotatedMethodsOnly;
    values = other.values;
    protocols.addAll(other.protocols);
    filters.addAll(other.filters);
    connections.addAll(other.connections);
  }

  // ---- Connections

  /**
   * Changes the settings of the connections below: transports, time limits of polls, stateful
   * reconnects, who may connect.
   *
   * @param change called when the hub is mapped, after those that were given before
   */
  public HubOptions connections(Consumer<ConnectionOptions> change) {
    connections.add(Objects.requireNonNull(change, "change"));
    return this;
  }

  ConnectionOptions connections() {
    ConnectionOptions changed = new ConnectionOptions();
    connections.forEach(change -> change.accept(changed));
    return changed;
  }

  // ---- Time limits

  /**
   * Closes a connection from which nothing has come for this long, once its client has sent a Ping:
   * one that never does is not timed out. While calls of the client keep it from being read, the
   * time does not count. 30 s by default; at least twice the clients' keep-alive interval, which is
   * 15 s, makes sense.
   *
   * @throws IllegalArgumentException if not positive
   */
  public HubOptions clientTimeoutInterval(Duration interval) {
    clientTimeoutInterval = positive("clientTimeoutInterval", interval);
    return this;
  }

  /** Returns the time limit for silent clients. */
  public Duration clientTimeoutInterval() {
    return clientTimeoutInterval;
  }

  /**
   * Sends a Ping this often. 15 s by default; clients give up after 30 s without a message.
   *
   * @throws IllegalArgumentException if not positive
   */
  public HubOptions keepAliveInterval(Duration interval) {
    keepAliveInterval = positive("keepAliveInterval", interval);
    return this;
  }

  /** Returns how often a Ping is sent. */
  public Duration keepAliveInterval() {
    return keepAliveInterval;
  }

  /**
   * Closes a connection whose client has not said in time which protocol it speaks; 15 s by
   * default.
   *
   * @throws IllegalArgumentException if not positive
   */
  public HubOptions handshakeTimeout(Duration timeout) {
    handshakeTimeout = positive("handshakeTimeout", timeout);
    return this;
  }

  /** Returns the time limit for handshakes. */
  public Duration handshakeTimeout() {
    return handshakeTimeout;
  }

  /**
   * Limits how long a hub waits for a client's result; 30 s by default. The reference waits without
   * a limit.
   *
   * @throws IllegalArgumentException if not positive
   */
  public HubOptions clientResultTimeout(Duration timeout) {
    clientResultTimeout = positive("clientResultTimeout", timeout);
    return this;
  }

  /** Returns the time limit for clients' results. */
  public Duration clientResultTimeout() {
    return clientResultTimeout;
  }

  // ---- Limits

  /**
   * Limits each message of a client, in bytes on the wire, with what sets it apart from the next.
   * It is checked before a message is parsed; the connection that exceeds it is closed. 32 KiB by
   * default.
   *
   * @throws IllegalArgumentException if not positive; see {@link #unlimitedReceiveMessageSize}
   */
  public HubOptions maximumReceiveMessageSize(long bytes) {
    maximumReceiveMessageSize = positive("maximumReceiveMessageSize", bytes);
    return this;
  }

  /** Lets messages be as large as memory allows: any client can then use up all of it. */
  public HubOptions unlimitedReceiveMessageSize() {
    maximumReceiveMessageSize = 0;
    return this;
  }

  /** Returns the limit in bytes; 0 for none. */
  public long maximumReceiveMessageSize() {
    return maximumReceiveMessageSize;
  }

  /**
   * Limits how many items of an uploaded stream wait for the method that reads it; beyond, the
   * client is not read. 10 by default.
   *
   * @throws IllegalArgumentException if not positive
   */
  public HubOptions streamBufferCapacity(int items) {
    streamBufferCapacity = positive("streamBufferCapacity", items);
    return this;
  }

  /** Returns how many items of a stream may wait. */
  public int streamBufferCapacity() {
    return streamBufferCapacity;
  }

  /**
   * Lets so many calls of one client run at a time. With 1, the default, they run one after the
   * other, in the order in which they came. With more, they begin in that order. Calls with streams
   * do not count: they begin in order, and then run beside the others. A call that waits for a
   * client's result does not count from then on.
   *
   * @throws IllegalArgumentException if not positive
   */
  public HubOptions maximumParallelInvocationsPerClient(int calls) {
    maximumParallelInvocationsPerClient = positive("maximumParallelInvocationsPerClient", calls);
    return this;
  }

  /** Returns how many calls of one client run at a time. */
  public int maximumParallelInvocationsPerClient() {
    return maximumParallelInvocationsPerClient;
  }

  /**
   * Limits the streams of one client, in both directions together; a call beyond fails. One that
   * was cancelled counts until its method has ended. 100 by default. The reference has no limit.
   *
   * @throws IllegalArgumentException if not positive
   */
  public HubOptions maximumStreamsPerClient(int streams) {
    maximumStreamsPerClient = positive("maximumStreamsPerClient", streams);
    return this;
  }

  /** Returns how many streams one client may have. */
  public int maximumStreamsPerClient() {
    return maximumStreamsPerClient;
  }

  /**
   * Limits the results that are awaited of one client at a time; to ask for one more fails. 100 by
   * default. The reference has no limit.
   *
   * @throws IllegalArgumentException if not positive
   */
  public HubOptions maximumClientResultsPerClient(int results) {
    maximumClientResultsPerClient = positive("maximumClientResultsPerClient", results);
    return this;
  }

  /** Returns how many results may be awaited of one client. */
  public int maximumClientResultsPerClient() {
    return maximumClientResultsPerClient;
  }

  /**
   * Limits the names of groups, in characters, because clients often choose them; 256 by default.
   * The reference has no limit.
   *
   * @throws IllegalArgumentException if not positive
   */
  public HubOptions maximumGroupNameLength(int characters) {
    maximumGroupNameLength = positive("maximumGroupNameLength", characters);
    return this;
  }

  /** Returns how long the name of a group may be. */
  public int maximumGroupNameLength() {
    return maximumGroupNameLength;
  }

  /**
   * Limits how many calls of a connection are read in a second, also those of methods that do not
   * exist or that cannot be. A client that sends more is not read for a while; it loses nothing.
   * What it has not used adds up for a second. Off by default.
   *
   * @throws IllegalArgumentException if not positive
   */
  public HubOptions maximumCallsPerSecond(int calls) {
    maximumCallsPerSecond = positive("maximumCallsPerSecond", calls);
    return this;
  }

  /** Returns how many calls of a connection are read in a second; 0 for any number. */
  public int maximumCallsPerSecond() {
    return maximumCallsPerSecond;
  }

  /**
   * As {@link #maximumCallsPerSecond(int)}, for all connections of a {@linkplain #userIdentifier
   * user} at this path together. Off by default.
   *
   * @throws IllegalArgumentException if not positive
   */
  public HubOptions maximumCallsPerSecondOfUser(int calls) {
    maximumCallsPerSecondOfUser = positive("maximumCallsPerSecondOfUser", calls);
    return this;
  }

  /** Returns how many calls of a user are read in a second; 0 for any number. */
  public int maximumCallsPerSecondOfUser() {
    return maximumCallsPerSecondOfUser;
  }

  /**
   * Limits what is kept for a client that may come back ({@code useStatefulReconnect}), in bytes of
   * messages that it has not acknowledged. A client that is away and for whom more waits is
   * disconnected, unless what waits may be dropped ({@link #whenFull}). 100,000 by default.
   *
   * @throws IllegalArgumentException if not positive
   */
  public HubOptions statefulReconnectBufferSize(long bytes) {
    statefulReconnectBufferSize = positive("statefulReconnectBufferSize", bytes);
    return this;
  }

  /** Returns how much is kept for a client that may come back. */
  public long statefulReconnectBufferSize() {
    return statefulReconnectBufferSize;
  }

  /**
   * Says what happens to a client that reads more slowly than it is sent to. By default it is
   * disconnected, and nobody waits for it. Only calls of clients without a result are ever dropped
   * or replaced; answers, items of streams, and calls with a result never are.
   *
   * @throws IllegalArgumentException for {@link WhenFull#WAIT}
   */
  public HubOptions whenFull(WhenFull policy) {
    if (policy == WhenFull.WAIT) {
      throw new IllegalArgumentException("WAIT would let all clients wait for the slowest");
    }
    whenFull = Objects.requireNonNull(policy, "policy");
    return this;
  }

  /** Returns what happens to a slow client. */
  public WhenFull whenFull() {
    return whenFull;
  }

  // ---- What clients see

  /**
   * Tells clients the type and message of any exception, not only of a {@link HubException}. Off by
   * default: messages may hold what clients must not know.
   */
  public HubOptions enableDetailedErrors(boolean enable) {
    enableDetailedErrors = enable;
    return this;
  }

  /** Returns whether clients are told of any exception. */
  public boolean enableDetailedErrors() {
    return enableDetailedErrors;
  }

  /**
   * Allows only these protocols, for example {@code json}. {@code json}, {@code messagepack} and
   * those that were {@linkplain #protocol added} are allowed by default.
   *
   * @throws IllegalArgumentException if there is none
   */
  public HubOptions supportedProtocols(String... names) {
    List<String> all = List.of(Objects.requireNonNull(names, "names"));
    if (all.isEmpty()) {
      throw new IllegalArgumentException("a hub needs a protocol");
    }
    supportedProtocols = all;
    return this;
  }

  /** Returns the allowed protocols; empty for all. */
  public List<String> supportedProtocols() {
    return supportedProtocols;
  }

  /** Says how the methods of the client interface are named on the wire; as declared by default. */
  public HubOptions clientNames(ClientNames names) {
    clientNames = Objects.requireNonNull(names, "names");
    return this;
  }

  /** Returns how clients' methods are named. */
  public ClientNames clientNames() {
    return clientNames;
  }

  /**
   * Says whose connection it is, for {@code clients().user(…)}: called after the handshake, on the
   * connection's loop, so it must not block. By default it is the name of the {@linkplain
   * ConnectionContext#user() user}. Compared exactly; null for nobody.
   */
  public HubOptions userIdentifier(Function<ConnectionContext, @Nullable String> provider) {
    userIdentifier = Objects.requireNonNull(provider, "provider");
    return this;
  }

  /** Returns what says whose connection it is. */
  public Function<ConnectionContext, @Nullable String> userIdentifier() {
    return userIdentifier;
  }

  private static @Nullable String nameOfUser(ConnectionContext connection) {
    User user = connection.user();
    return user == null ? null : user.name();
  }

  /** Says how values are written, in both protocols. */
  public HubOptions values(ValueOptions options) {
    values = Objects.requireNonNull(options, "options");
    return this;
  }

  /** Returns how values are written. */
  public ValueOptions values() {
    return values;
  }

  /** Adds a protocol, or replaces the one of that name. */
  public HubOptions protocol(HubProtocol protocol) {
    protocols.add(Objects.requireNonNull(protocol, "protocol"));
    return this;
  }

  List<HubProtocol> protocols() {
    return protocols;
  }

  // ---- How calls reach methods

  /** Adds a step around calls, after those that were added before. */
  public HubOptions filter(HubFilter filter) {
    filters.add(Objects.requireNonNull(filter, "filter"));
    return this;
  }

  /** Returns the filters; the first is the outermost. */
  public List<HubFilter> filters() {
    return List.copyOf(filters);
  }

  /**
   * Takes only methods with {@link HubMethod}. Off by default, as in the reference; for hubs that
   * have public setters and getters, or whose language generates such.
   */
  public HubOptions annotatedMethodsOnly(boolean only) {
    annotatedMethodsOnly = only;
    return this;
  }

  /** Returns whether only annotated methods are taken. */
  public boolean annotatedMethodsOnly() {
    return annotatedMethodsOnly;
  }

  /**
   * Calls methods with the access of {@code lookup}: {@code MethodHandles.lookup()} in a class that
   * may call them, for hubs whose package is neither exported nor opened.
   */
  public HubOptions lookup(MethodHandles.Lookup lookup) {
    this.lookup = Objects.requireNonNull(lookup, "lookup");
    return this;
  }

  /** Returns whose access is used, or null. */
  public MethodHandles.@Nullable Lookup lookup() {
    return lookup;
  }

  private static Duration positive(String name, Duration duration) {
    if (!duration.isPositive()) {
      throw new IllegalArgumentException(name + " " + duration + " is not positive");
    }
    return duration;
  }

  private static long positive(String name, long number) {
    if (number <= 0) {
      throw new IllegalArgumentException(name + " " + number + " is not positive");
    }
    return number;
  }

  private static int positive(String name, int number) {
    return (int) positive(name, (long) number);
  }
}
