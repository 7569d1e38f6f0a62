package dev.windhover.app;

import static dev.windhover.app.Value.FILE;
import static dev.windhover.app.Value.LARGE_SIZE;
import static dev.windhover.app.Value.NUMBER;
import static dev.windhover.app.Value.SIZE;
import static dev.windhover.app.Value.SWITCH;
import static dev.windhover.app.Value.TEXT;
import static dev.windhover.app.Value.TIME;

import dev.windhover.server.Http2Limits;
import dev.windhover.server.ServerLimits;
import dev.windhover.server.ServerOptions;
import dev.windhover.server.TlsOptions;
import dev.windhover.server.TlsProvider;
import dev.windhover.server.Transport;
import dev.windhover.websocket.WebSocketLimits;
import dev.windhover.websocket.WebSocketOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * An option that a user can set without changing the program, and what it sets. The constants are
 * the one table of all options: arguments, environment, file, help and the documentation follow it.
 *
 * @param name its name in arguments, after {@code --}, and in files
 * @param value how its value is written
 * @param range which values are allowed, for the user; empty if that goes without saying
 * @param preset its default, for the user; empty if it is not set by default
 * @param help what it does, in a few words
 * @param code the method that sets it in a program; empty if there is none
 * @param apply changes the options of the host or of sockets; throws {@link
 *     IllegalArgumentException} if the value is no good
 */
record Setting<T>(
    String name,
    Value<?> value,
    String range,
    String preset,
    String help,
    String code,
    BiConsumer<T, String> apply) {
  private static final String URL_OF_DEVELOPMENT = "https://localhost:5001";
  private static final String UNLIMITED = "unlimited";
  private static final Pattern WORD_START = Pattern.compile("-(\\w)");

  private static final ServerOptions SERVER_DEFAULTS = new ServerOptions();
  private static final WebSocketOptions SOCKET_DEFAULTS = new WebSocketOptions();

  // Ranges.
  private static final String ANY = "";
  private static final String FROM_0 = "0 or more";
  private static final String FROM_1 = "1 or more";
  private static final String FROM_0_OFF = "0 or more; 0 is off";
  private static final String ABOVE_0 = "more than 0";
  private static final String WINDOW = "65535 or more";

  // ---- The application

  static final Setting<Void> ENVIRONMENT =
      own(
          "environment",
          new Value<>("name", name -> name, name -> name),
          "Production",
          "Development shows errors to clients",
          "WebApplication.environment");

  static final Setting<Void> CONFIG =
      own("config", FILE, Settings.FILE, "a file with more of these options", "");

  static final Setting<Void> HELP = own("help", SWITCH, "", "lists the options", "");

  // ---- The host

  static final Setting<ServerOptions> URLS =
      server(
          "urls",
          Value.several("addresses"),
          "http or https, host and port; * is all hosts, port 0 any free one",
          "where to listen, separated by ;",
          o -> o.urls().toArray(String[]::new),
          ServerOptions::urls);

  static final List<Setting<ServerOptions>> OF_HOST =
      List.of(
          URLS,
          new Setting<>(
              "https",
              SWITCH,
              ANY,
              "",
              "listens on " + URL_OF_DEVELOPMENT + " too",
              "",
              Setting::addHttps),
          tls(
              "certificate",
              "certificate",
              FILE,
              "the certificate, PEM or PKCS#12",
              (t, v) -> t.certificate(v)),
          tls(
              "certificate-key",
              "key",
              FILE,
              "its private key, if that is in another file",
              (t, v) -> t.key(v)),
          tls(
              "certificate-password",
              "password",
              TEXT,
              "the password of either",
              (t, v) -> t.password(v)),
          server(
                  "tls.provider",
                  Value.oneOf(TlsProvider.class),
                  ANY,
                  "which TLS: auto, boringssl or jdk",
                  o -> o.tls().provider(),
                  (o, v) -> o.tls().provider(v))
              .in("TlsOptions.provider"),
          server(
                  "tls.reload-interval",
                  TIME,
                  ABOVE_0,
                  "how often the certificate's files are looked at",
                  o -> o.tls().reloadInterval(),
                  (o, v) -> o.tls().reloadInterval(v))
              .in("TlsOptions.reloadInterval"),
          server(
              "transport",
              Value.oneOf(Transport.class),
              ANY,
              "how to reach the network: auto, epoll, io_uring or nio",
              ServerOptions::transport,
              ServerOptions::transport),
          server("loops", NUMBER, FROM_1, "event loops", ServerOptions::loops, ServerOptions::loops)
              .preset("one for each processor"),
          server(
              "send-buffer",
              SIZE,
              "0 or more; 0 lets the system choose",
              "the system's send buffer of a connection",
              ServerOptions::sendBuffer,
              ServerOptions::sendBuffer),
          server(
              "stop-timeout",
              TIME,
              FROM_0,
              "how long a stop waits for requests and sockets",
              ServerOptions::stopTimeout,
              ServerOptions::stopTimeout),
          server(
                  "held-loop-threshold",
                  TIME,
                  FROM_0_OFF,
                  "names code that holds an event loop for longer",
                  _ -> Duration.ZERO,
                  ServerOptions::heldLoopThreshold)
              .preset("200ms in Development, else 0"));

  static final List<Setting<ServerOptions>> OF_LIMITS =
      List.of(
          limit(
              "max-request-line",
              SIZE,
              FROM_1,
              "the longest request line",
              ServerLimits::maxRequestLine,
              ServerLimits::maxRequestLine),
          limit(
              "max-headers",
              SIZE,
              FROM_1,
              "the headers of a request together",
              ServerLimits::maxHeaders,
              ServerLimits::maxHeaders),
          limit(
              "max-header-count",
              NUMBER,
              FROM_1,
              "header fields of a request",
              ServerLimits::maxHeaderCount,
              ServerLimits::maxHeaderCount),
          limit(
              "headers-timeout",
              TIME,
              ABOVE_0,
              "how long the head of a request may take",
              ServerLimits::headersTimeout,
              ServerLimits::headersTimeout),
          limit(
              "max-body-size",
              new Value<>("size", Setting::bodySize, LARGE_SIZE.show()),
              FROM_0 + ", or " + UNLIMITED,
              "the largest body of a request",
              ServerLimits::maxBodySize,
              ServerLimits::maxBodySize),
          limit(
              "min-body-rate",
              SIZE,
              FROM_0_OFF,
              "bytes of a body that must come each second",
              l -> l.minBodyRate().bytesPerSecond(),
              (l, v) -> l.minBodyRate(v, l.minBodyRate().grace())),
          limit(
                  "min-body-rate-grace",
                  TIME,
                  ABOVE_0,
                  "how far a body may fall behind",
                  l -> l.minBodyRate().grace(),
                  (l, v) -> l.minBodyRate(l.minBodyRate().bytesPerSecond(), v))
              .in("ServerLimits.minBodyRate"),
          limit(
              "min-response-rate",
              SIZE,
              FROM_0_OFF,
              "bytes of a response that a client must take each second",
              l -> l.minResponseRate().bytesPerSecond(),
              (l, v) -> l.minResponseRate(v, l.minResponseRate().grace())),
          limit(
                  "min-response-rate-grace",
                  TIME,
                  ABOVE_0,
                  "how far a client may fall behind",
                  l -> l.minResponseRate().grace(),
                  (l, v) -> l.minResponseRate(l.minResponseRate().bytesPerSecond(), v))
              .in("ServerLimits.minResponseRate"),
          limit(
              "tls-handshake-timeout",
              TIME,
              ABOVE_0,
              "how long the TLS handshake may take",
              ServerLimits::tlsHandshakeTimeout,
              ServerLimits::tlsHandshakeTimeout),
          limit(
              "idle-timeout",
              TIME,
              ABOVE_0,
              "how long a connection may stay idle",
              ServerLimits::idleTimeout,
              ServerLimits::idleTimeout),
          limit(
              "max-connections",
              NUMBER,
              FROM_1,
              "open connections, without sockets",
              ServerLimits::maxConnections,
              ServerLimits::maxConnections),
          limit(
              "max-upgraded-connections",
              NUMBER,
              FROM_0,
              "open sockets",
              ServerLimits::maxUpgradedConnections,
              ServerLimits::maxUpgradedConnections),
          limit(
                  "max-connections-per-address",
                  NUMBER,
                  FROM_1,
                  "connections of one client address",
                  ServerLimits::maxConnectionsPerAddress,
                  ServerLimits::maxConnectionsPerAddress)
              .preset("a quarter of all"),
          limit(
                  "max-upgraded-connections-per-address",
                  NUMBER,
                  FROM_0,
                  "sockets of one client address",
                  ServerLimits::maxUpgradedConnectionsPerAddress,
                  ServerLimits::maxUpgradedConnectionsPerAddress)
              .preset("a quarter of all"),
          limit(
                  "memory",
                  LARGE_SIZE,
                  FROM_1,
                  "heap that all connections may take together",
                  ServerLimits::memory,
                  ServerLimits::memory)
              .preset("a third of the maximum heap"),
          limit(
                  "direct-memory",
                  LARGE_SIZE,
                  FROM_1,
                  "direct memory that all connections may take together",
                  ServerLimits::directMemory,
                  ServerLimits::directMemory)
              .preset("a third of the JVM's limit"));

  static final List<Setting<ServerOptions>> OF_HTTP2 =
      List.of(
          http2(
              "max-streams-per-connection",
              NUMBER,
              FROM_1,
              "open streams on one connection",
              Http2Limits::maxStreamsPerConnection,
              Http2Limits::maxStreamsPerConnection),
          http2(
              "max-web-sockets-per-connection",
              NUMBER,
              FROM_0,
              "sockets on one connection",
              Http2Limits::maxWebSocketsPerConnection,
              Http2Limits::maxWebSocketsPerConnection),
          http2(
              "initial-stream-window-size",
              SIZE,
              WINDOW,
              "what a client may send on a stream before it is read",
              Http2Limits::initialStreamWindowSize,
              Http2Limits::initialStreamWindowSize),
          http2(
              "initial-connection-window-size",
              SIZE,
              WINDOW,
              "the same for all streams of a connection",
              Http2Limits::initialConnectionWindowSize,
              Http2Limits::initialConnectionWindowSize),
          http2(
              "body-window-size",
              SIZE,
              FROM_0,
              "the window of a body that is being read",
              Http2Limits::bodyWindowSize,
              Http2Limits::bodyWindowSize),
          http2(
              "body-window-budget",
              SIZE,
              FROM_0,
              "how much larger the windows of a connection's bodies may be",
              Http2Limits::bodyWindowBudget,
              Http2Limits::bodyWindowBudget),
          http2(
              "max-resets",
              NUMBER,
              FROM_1,
              "streams that a client may cancel within 30 s",
              Http2Limits::maxResets,
              Http2Limits::maxResets),
          http2(
              "max-control-frames",
              NUMBER,
              FROM_1,
              "frames without data within 10 s",
              Http2Limits::maxControlFrames,
              Http2Limits::maxControlFrames),
          http2(
              "settings-timeout",
              TIME,
              ABOVE_0,
              "how long the client's first SETTINGS may take",
              Http2Limits::settingsTimeout,
              Http2Limits::settingsTimeout),
          http2(
              "keep-alive-ping-delay",
              TIME,
              "1s or more; 0 is off",
              "how quiet a connection is before a PING",
              Http2Limits::keepAlivePingDelay,
              Http2Limits::keepAlivePingDelay),
          http2(
              "keep-alive-ping-timeout",
              TIME,
              ABOVE_0,
              "how long the answer to that PING may take",
              Http2Limits::keepAlivePingTimeout,
              Http2Limits::keepAlivePingTimeout));

  /** All options of the host. */
  static final List<Setting<ServerOptions>> OF_SERVER =
      Stream.of(OF_HOST, OF_LIMITS, OF_HTTP2).flatMap(List::stream).toList();

  // ---- Sockets

  static final List<Setting<WebSocketOptions>> OF_SOCKETS =
      List.of(
          socket(
              "keep-alive-interval",
              TIME,
              FROM_0_OFF,
              "how quiet a socket is before a Ping",
              WebSocketOptions::keepAliveInterval,
              WebSocketOptions::keepAliveInterval),
          socket(
              "keep-alive-timeout",
              TIME,
              "0 or more; 0 waits for nothing",
              "how long a sign of life may take after that Ping",
              WebSocketOptions::keepAliveTimeout,
              WebSocketOptions::keepAliveTimeout),
          socket(
                  "allowed-origins",
                  Value.several("origins"),
                  "such as https://example.com; * is all",
                  "pages that may connect, instead of those in the program, separated by ;",
                  o -> o.allowedOrigins().toArray(String[]::new),
                  (o, v) -> o.resetOrigins().allowedOrigins(v))
              .preset("all"),
          socketLimit(
              "max-message-size",
              LARGE_SIZE,
              FROM_1,
              "the largest message that is received whole",
              WebSocketLimits::maxMessageSize,
              WebSocketLimits::maxMessageSize),
          socketLimit(
              "inbound-bytes",
              SIZE,
              "1KiB or more",
              "bytes that are kept while nobody receives",
              WebSocketLimits::inboundBytes,
              WebSocketLimits::inboundBytes),
          socketLimit(
                  "send-queue-high",
                  SIZE,
                  "1KiB or more",
                  "queued bytes at which senders block",
                  WebSocketLimits::sendQueueHigh,
                  Setting::sendQueueHigh)
              .in("WebSocketLimits.sendQueue"),
          socketLimit(
                  "send-queue-low",
                  SIZE,
                  "1 or more, and less than send-queue-high",
                  "queued bytes at which senders go on",
                  WebSocketLimits::sendQueueLow,
                  (l, v) -> l.sendQueue(l.sendQueueHigh(), v))
              .in("WebSocketLimits.sendQueue")
              .preset("256KiB, at most a quarter of send-queue-high"),
          socketLimit(
                  "compression-memory",
                  LARGE_SIZE,
                  FROM_0,
                  "memory of all compression contexts together",
                  WebSocketLimits::compressionMemory,
                  WebSocketLimits::compressionMemory)
              .preset("64MiB, at most a twelfth of the maximum heap"),
          socketLimit(
              "compression-memory-level",
              NUMBER,
              "1 to 9",
              "zlib's memory level",
              WebSocketLimits::compressionMemoryLevel,
              WebSocketLimits::compressionMemoryLevel),
          socketLimit(
              "close-timeout",
              TIME,
              ABOVE_0,
              "how long the peer's part of the closing handshake may take",
              WebSocketLimits::closeTimeout,
              WebSocketLimits::closeTimeout),
          socketLimit(
              "write-stall-timeout",
              TIME,
              ABOVE_0,
              "how long a peer may take nothing",
              WebSocketLimits::writeStallTimeout,
              WebSocketLimits::writeStallTimeout),
          socketLimit(
              "unfinished-send-timeout",
              TIME,
              ABOVE_0,
              "how long an unfinished message may keep others waiting",
              WebSocketLimits::unfinishedSendTimeout,
              WebSocketLimits::unfinishedSendTimeout),
          socketLimit(
                  "control-frames-per-second",
                  NUMBER,
                  FROM_1,
                  "Pings and Pongs of a peer, in the long run",
                  WebSocketLimits::controlFramesPerSecond,
                  (l, v) -> l.controlFrames(v, l.controlFrameBurst()))
              .in("WebSocketLimits.controlFrames"),
          socketLimit(
                  "control-frame-burst",
                  NUMBER,
                  FROM_1,
                  "Pings and Pongs of a peer, at once",
                  WebSocketLimits::controlFrameBurst,
                  (l, v) -> l.controlFrames(l.controlFramesPerSecond(), v))
              .in("WebSocketLimits.controlFrames"),
          socketLimit(
              "min-message-rate",
              SIZE,
              FROM_0_OFF,
              "bytes of a message that must come each second",
              l -> l.minMessageRate().bytesPerSecond(),
              (l, v) -> l.minMessageRate(v, l.minMessageRate().grace())),
          socketLimit(
                  "min-message-rate-grace",
                  TIME,
                  ABOVE_0,
                  "how far a message may fall behind",
                  l -> l.minMessageRate().grace(),
                  (l, v) -> l.minMessageRate(l.minMessageRate().bytesPerSecond(), v))
              .in("WebSocketLimits.minMessageRate"));

  // ---- All

  /** Options under a heading, in the order in which they are listed. */
  record Section(String heading, List<? extends Setting<?>> settings) {}

  static List<Section> sections() {
    return List.of(
        new Section("Application", List.of(ENVIRONMENT, CONFIG, HELP)),
        new Section("Host", OF_HOST),
        new Section("Limits of the host", OF_LIMITS),
        new Section("HTTP/2", OF_HTTP2),
        new Section("WebSockets", OF_SOCKETS));
  }

  static List<Setting<?>> all() {
    return sections().stream().<Setting<?>>flatMap(each -> each.settings().stream()).toList();
  }

  /** Returns whether its name alone switches it on. */
  boolean isSwitch() {
    return value.name().isEmpty();
  }

  /** Returns its name in arguments. */
  String argument() {
    return "--" + name;
  }

  /** Returns how it is written in arguments. */
  String synopsis() {
    return isSwitch() ? argument() : argument() + "=<" + value.name() + ">";
  }

  /** Returns the environment variable that sets it. */
  String variable() {
    return "WINDHOVER_" + name.toUpperCase(Locale.ROOT).replace('-', '_').replace('.', '_');
  }

  // ---- Making them

  private static Setting<Void> own(
      String name, Value<?> value, String preset, String help, String code) {
    return new Setting<>(name, value, ANY, preset, help, code, (_, _) -> {});
  }

  private static <V> Setting<ServerOptions> server(
      String name,
      Value<V> value,
      String range,
      String help,
      Function<ServerOptions, V> get,
      BiConsumer<ServerOptions, V> set) {
    return new Setting<>(
        name,
        value,
        range,
        value.show().apply(get.apply(SERVER_DEFAULTS)),
        help,
        "ServerOptions." + methodOf(name),
        (options, text) -> set.accept(options, value.read().apply(text)));
  }

  private static <V> Setting<ServerOptions> tls(
      String name, String method, Value<V> value, String help, BiConsumer<TlsOptions, V> set) {
    return new Setting<>(
        name,
        value,
        ANY,
        "",
        help,
        "TlsOptions." + method,
        (options, text) -> set.accept(options.tls(), value.read().apply(text)));
  }

  private static <V> Setting<ServerOptions> limit(
      String name,
      Value<V> value,
      String range,
      String help,
      Function<ServerLimits, V> get,
      BiConsumer<ServerLimits, V> set) {
    return server(
            "limits." + name,
            value,
            range,
            help,
            o -> get.apply(o.limits()),
            (o, v) -> set.accept(o.limits(), v))
        .in("ServerLimits." + methodOf(name));
  }

  private static <V> Setting<ServerOptions> http2(
      String name,
      Value<V> value,
      String range,
      String help,
      Function<Http2Limits, V> get,
      BiConsumer<Http2Limits, V> set) {
    return server(
            "http2." + name,
            value,
            range,
            help,
            o -> get.apply(o.limits().http2()),
            (o, v) -> set.accept(o.limits().http2(), v))
        .in("Http2Limits." + methodOf(name));
  }

  private static <V> Setting<WebSocketOptions> socket(
      String name,
      Value<V> value,
      String range,
      String help,
      Function<WebSocketOptions, V> get,
      BiConsumer<WebSocketOptions, V> set) {
    return new Setting<>(
        "websocket." + name,
        value,
        range,
        value.show().apply(get.apply(SOCKET_DEFAULTS)),
        help,
        "WebSocketOptions." + methodOf(name),
        (options, text) -> set.accept(options, value.read().apply(text)));
  }

  private static <V> Setting<WebSocketOptions> socketLimit(
      String name,
      Value<V> value,
      String range,
      String help,
      Function<WebSocketLimits, V> get,
      BiConsumer<WebSocketLimits, V> set) {
    return socket(
            name,
            value,
            range,
            help,
            o -> get.apply(o.limits()),
            (o, v) -> set.accept(o.limits(), v))
        .in("WebSocketLimits." + methodOf(name));
  }

  /** Returns this with a default that depends on the machine or on other options. */
  private Setting<T> preset(String words) {
    return new Setting<>(name, value, range, words, help, code, apply);
  }

  /** Returns this as an option that another method sets than the one with its name. */
  private Setting<T> in(String method) {
    return new Setting<>(name, value, range, preset, help, method, apply);
  }

  /** Returns {@code maxBodySize} for {@code max-body-size}. */
  private static String methodOf(String name) {
    return WORD_START.matcher(name).replaceAll(word -> word.group(1).toUpperCase(Locale.ROOT));
  }

  // ---- What some of them set

  private static void addHttps(ServerOptions options, String text) {
    if (SWITCH.read().apply(text)) {
      List<String> all = new ArrayList<>(options.urls());
      all.add(URL_OF_DEVELOPMENT);
      options.urls(all.toArray(String[]::new));
    }
  }

  private static long bodySize(String text) {
    return text.equalsIgnoreCase(UNLIMITED) ? Long.MAX_VALUE : LARGE_SIZE.read().apply(text);
  }

  private static WebSocketLimits sendQueueHigh(WebSocketLimits limits, int high) {
    return limits.sendQueue(high, Math.min(limits.sendQueueLow(), Math.max(1, high / 4)));
  }
}
