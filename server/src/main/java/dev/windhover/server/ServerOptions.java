package dev.windhover.server;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The options of a {@link Server}. A method with an argument sets a value and returns this. */
public final class ServerOptions {
  static final String DEFAULT_URL = "http://localhost:5000";

  private final Map<String, AddressOptions> urls = new LinkedHashMap<>();
  private Transport transport = Transport.AUTO;
  private int loops = Math.max(1, Runtime.getRuntime().availableProcessors());
  private int sendBuffer;
  private Duration stopTimeout = Duration.ofSeconds(10);
  private @Nullable Duration heldLoopThreshold;
  private final ServerLimits limits = new ServerLimits();
  private final TlsOptions tls = new TlsOptions();

  /** Creates the defaults. */
  public ServerOptions() {}

  /**
   * Listens on these addresses instead of {@code http://localhost:5000}.
   *
   * @param urls {@code http://host:port} or {@code https://host:port}; the host {@code *} means all
   *     interfaces, and with port 0 the system chooses one. {@code https} needs a certificate:
   *     {@link #tls()}
   * @throws IllegalArgumentException if one is malformed
   */
  public ServerOptions urls(String... urls) {
    Objects.requireNonNull(urls, "urls");
    this.urls.clear();
    for (String url : urls) {
      ListenAddress.parse(url);
      this.urls.put(url, new AddressOptions());
    }
    return this;
  }

  /**
   * Listens on one more address, or changes the options of that address.
   *
   * @param url as in {@link #urls(String...)}
   * @throws IllegalArgumentException if it is malformed
   */
  public ServerOptions url(String url, Consumer<AddressOptions> change) {
    Objects.requireNonNull(change, "change");
    ListenAddress.parse(url);
    change.accept(urls.computeIfAbsent(url, _ -> new AddressOptions()));
    return this;
  }

  AddressOptions address(String url) {
    return urls.getOrDefault(url, new AddressOptions());
  }

  /** Returns the addresses on which the server listens. */
  public List<String> urls() {
    return urls.isEmpty() ? List.of(DEFAULT_URL) : List.copyOf(urls.keySet());
  }

  /** Sets the transport; {@link Transport#AUTO} by default. */
  public ServerOptions transport(Transport transport) {
    this.transport = Objects.requireNonNull(transport, "transport");
    return this;
  }

  /** Returns the transport. */
  public Transport transport() {
    return transport;
  }

  /** Sets the number of event loops; by default there is one for each processor. */
  public ServerOptions loops(int loops) {
    if (loops < 1) {
      throw new IllegalArgumentException("loops " + loops + " is less than 1");
    }
    this.loops = loops;
    return this;
  }

  /** Returns the number of event loops. */
  public int loops() {
    return loops;
  }

  /**
   * Sets the size of the system's send buffer of each connection ({@code SO_SNDBUF}), which bounds
   * what the system holds for a client. It also bounds how fast one connection can be: one buffer
   * for each round trip. By default, Linux chooses the size, and holds no more than 128 KiB that it
   * has not sent ({@code TCP_NOTSENT_LOWAT}); with {@link Transport#NIO}, which cannot be told that
   * and does not tell what has arrived, the buffer has 256 KiB.
   *
   * @param bytes 0 for the default
   * @throws IllegalArgumentException below 0
   */
  public ServerOptions sendBuffer(int bytes) {
    sendBuffer = Ranges.notNegative("sendBuffer", bytes);
    return this;
  }

  /** Returns the size of the system's send buffer in bytes; 0 for the default. */
  public int sendBuffer() {
    return sendBuffer;
  }

  /** Sets how long a stop waits for requests and sockets before it drops them; 10 s by default. */
  public ServerOptions stopTimeout(Duration timeout) {
    if (timeout.isNegative()) {
      throw new IllegalArgumentException("stopTimeout " + timeout + " is negative");
    }
    this.stopTimeout = timeout;
    return this;
  }

  /** Returns how long a stop waits. */
  public Duration stopTimeout() {
    return stopTimeout;
  }

  /**
   * Names code that holds an event loop for longer than this, in the log with its stack and once
   * for each place: a listener, or a handler that declared itself non-blocking, that computes or
   * waits in one call while other connections of that loop wait for it. By default 200 ms in the
   * environment {@code Development}, and off otherwise.
   *
   * <p>A thread of its own wakes each loop four times within this time, which costs each loop some
   * microseconds every time, and nothing for each message.
   *
   * @param threshold zero turns it off
   */
  public ServerOptions heldLoopThreshold(Duration threshold) {
    if (threshold.isNegative()) {
      throw new IllegalArgumentException("heldLoopThreshold " + threshold + " is negative");
    }
    this.heldLoopThreshold = threshold;
    return this;
  }

  /** Returns how long a loop may be held; null if that was not set. */
  public @Nullable Duration heldLoopThreshold() {
    return heldLoopThreshold;
  }

  /** Returns the options of {@code https} addresses; you may change them. */
  public TlsOptions tls() {
    return tls;
  }

  /** Returns the limits; you may change them. */
  public ServerLimits limits() {
    return limits;
  }
}
