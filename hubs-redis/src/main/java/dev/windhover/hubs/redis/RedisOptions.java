package dev.windhover.hubs.redis;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a {@link RedisBackplane}. A method with an argument sets a value and returns
 * this. The backplane takes a copy.
 */
public final class RedisOptions {
  private String channelPrefix = "";
  private Function<Class<?>, String> hubName = Class::getName;
  private Duration timeLimit = Duration.ofSeconds(2);
  private Duration acknowledgementLimit = Duration.ofSeconds(5);
  private Duration heartbeat = Duration.ofSeconds(1);
  private Duration firstRetry = Duration.ofMillis(100);
  private Duration longestRetry = Duration.ofSeconds(5);
  private int maximumMessageSize = 4 << 20;
  private long maximumWaiting = 16L << 20;
  private long maximumReceived = 32L << 20;
  private WhenAway whenAway = new WhenAway.Keep(Duration.ofSeconds(10));
  private boolean localFirst;
  private boolean eachConnection;
  private @Nullable Path trustedCertificates;
  private Consumer<BackplaneHealth> onHealth = _ -> {};

  RedisOptions() {}

  RedisOptions(RedisOptions other) {
    channelPrefix = other.channelPrefix;
    hubName = other.hubName;
    timeLimit = other.timeLimit;
    acknowledgementLimit = other.acknowledgementLimit;
    heartbeat = other.heartbeat;
    firstRetry = other.firstRetry;
    longestRetry = other.longestRetry;
    maximumMessageSize = other.maximumMessageSize;
    maximumWaiting = other.maximumWaiting;
    maximumReceived = other.maximumReceived;
    whenAway = other.whenAway;
    localFirst = other.localFirst;
    eachConnection = other.eachConnection;
    trustedCertificates = other.trustedCertificates;
    onHealth = other.onHealth;
  }

  // ---- Names

  /**
   * Lets all channels begin with {@code prefix}, as the {@code ChannelPrefix} of .NET's options
   * does. Nothing by default.
   */
  public RedisOptions channelPrefix(String prefix) {
    channelPrefix = Objects.requireNonNull(prefix, "prefix");
    return this;
  }

  String channelPrefix() {
    return channelPrefix;
  }

  /**
   * Says what a hub is called in the channels. Servers of .NET use the full name of the hub's type,
   * with its namespace: give the same name here, and both kinds of servers share the hub's clients.
   * The full name of the class by default.
   */
  public RedisOptions hubName(Function<Class<?>, String> name) {
    hubName = Objects.requireNonNull(name, "name");
    return this;
  }

  String hubName(Class<?> hub) {
    return Objects.requireNonNull(hubName.apply(hub), () -> "no name for " + hub);
  }

  /**
   * Subscribes to the channel of each connection, as servers of .NET do, in place of one pattern
   * for all of this server's. For a user of Redis who may use some channels only: Redis lets such a
   * user subscribe to no pattern of them.
   */
  public RedisOptions subscribeToEachConnection() {
    eachConnection = true;
    return this;
  }

  boolean isEachConnection() {
    return eachConnection;
  }

  // ---- Time limits

  /**
   * Limits how long Redis may take to answer. Then it counts as away, and no hub method waits
   * longer than this for Redis. 2 s by default: a Redis that is not overloaded answers within
   * milliseconds.
   *
   * @throws IllegalArgumentException if not positive
   */
  public RedisOptions timeLimit(Duration limit) {
    timeLimit = positive("timeLimit", limit);
    return this;
  }

  Duration timeLimit() {
    return timeLimit;
  }

  /**
   * Limits how long a change of a group waits for the server of a connection elsewhere. 5 s by
   * default; no server says that it does not know a connection, so that is also how long the change
   * takes if the connection is gone.
   *
   * @throws IllegalArgumentException if not positive
   */
  public RedisOptions acknowledgementLimit(Duration limit) {
    acknowledgementLimit = positive("acknowledgementLimit", limit);
    return this;
  }

  Duration acknowledgementLimit() {
    return acknowledgementLimit;
  }

  /**
   * Sends itself a message this often, to know that messages pass. 1 s by default.
   *
   * @throws IllegalArgumentException if not positive
   */
  public RedisOptions heartbeat(Duration interval) {
    heartbeat = positive("heartbeat", interval);
    return this;
  }

  Duration heartbeat() {
    return heartbeat;
  }

  /**
   * Says how long to wait before Redis is tried again: at random up to {@code first}, then up to
   * twice as long each time, up to {@code longest}. 100 ms and 5 s by default.
   *
   * @throws IllegalArgumentException if {@code first} is not positive, or longer than {@code
   *     longest}
   */
  public RedisOptions retries(Duration first, Duration longest) {
    if (positive("first", first).compareTo(longest) > 0) {
      throw new IllegalArgumentException("first retry %s exceeds %s".formatted(first, longest));
    }
    firstRetry = first;
    longestRetry = longest;
    return this;
  }

  Duration firstRetry() {
    return firstRetry;
  }

  Duration longestRetry() {
    return longestRetry;
  }

  // ---- Bounds

  /**
   * Limits a message in bytes, in all protocols together. A larger one cannot be sent, and one that
   * comes is dropped. 4 MiB by default: Redis disconnects a subscriber for whom 32 MiB wait.
   *
   * @throws IllegalArgumentException if not positive
   */
  public RedisOptions maximumMessageSize(int bytes) {
    maximumMessageSize = (int) positive("maximumMessageSize", bytes);
    return this;
  }

  int maximumMessageSize() {
    return maximumMessageSize;
  }

  /**
   * Limits what waits for Redis, in bytes; see {@link #whenAway}. 16 MiB by default.
   *
   * @throws IllegalArgumentException if not positive
   */
  public RedisOptions maximumWaiting(long bytes) {
    maximumWaiting = positive("maximumWaiting", bytes);
    return this;
  }

  long maximumWaiting() {
    return maximumWaiting;
  }

  /**
   * Limits what has come from Redis and waits for the event loops, in bytes. They are busy if
   * anything does; what comes beyond is dropped. 32 MiB by default, which is what Redis itself
   * would keep.
   *
   * @throws IllegalArgumentException if not positive
   */
  public RedisOptions maximumReceived(long bytes) {
    maximumReceived = positive("maximumReceived", bytes);
    return this;
  }

  long maximumReceived() {
    return maximumReceived;
  }

  // ---- Behaviour

  /** Says what happens to messages while Redis is away; they are kept for 10 s by default. */
  public RedisOptions whenAway(WhenAway policy) {
    whenAway = Objects.requireNonNull(policy, "policy");
    return this;
  }

  WhenAway whenAway() {
    return whenAway;
  }

  /**
   * Delivers to the clients of this server at once. By default, they too get what Redis sends back,
   * a moment later, so that everybody sees the messages of a group, or those to all, in one order.
   */
  public RedisOptions localFirst() {
    localFirst = true;
    return this;
  }

  boolean isLocalFirst() {
    return localFirst;
  }

  /**
   * Trusts the certificates in a PEM file, for addresses that begin with {@code rediss:}; by
   * default, those that the Java platform trusts.
   */
  public RedisOptions trustedCertificates(Path file) {
    trustedCertificates = Objects.requireNonNull(file, "file");
    return this;
  }

  @Nullable Path trustedCertificates() {
    return trustedCertificates;
  }

  /** Tells {@code listener} of each change, on a thread of the backplane: it must not block. */
  public RedisOptions onHealth(Consumer<BackplaneHealth> listener) {
    onHealth = Objects.requireNonNull(listener, "listener");
    return this;
  }

  Consumer<BackplaneHealth> onHealth() {
    return onHealth;
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
}
