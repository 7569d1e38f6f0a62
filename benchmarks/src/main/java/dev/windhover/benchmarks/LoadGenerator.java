package dev.windhover.benchmarks;

import dev.windhover.benchmarks.Arguments.UsageException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.HdrHistogram.Histogram;

/**
 * Drives a server on loopback in a closed loop, and prints a {@link Measurement}: {@code bench-load
 * --port N --connections 64 --size 64 --in-flight 8 --warmup 3 --seconds 4 [--binary | --http]
 * [--compression takeover] [--http2 1] [--hub PATH [--sends 100]] [--server-pid PID]}. With {@code
 * --http}, a message is a request, and its reply is a response of {@code size} bytes; otherwise it
 * is an echo. {@link Compression} lists the compressions; the default is {@code off}, and with
 * compression the messages are JSON. {@code --http2} sets how many WebSockets there are on each
 * HTTP/2 connection. {@code --hub} calls the hub at a path of the hub server, with a text of {@code
 * size} bytes that it returns. With {@code --sends}, only the first connection calls, one call
 * after the other, and has the hub send so many texts to all connections; each that arrives is a
 * message.
 *
 * <p>Every WebSocket keeps {@code in-flight} messages outstanding. One thread does all the work,
 * with frames that were masked beforehand, so it costs less than a server that looks at the frames,
 * and about as much as one that does not. Give it a core of its own ({@code taskset -c 1}). It
 * fails on any error, lost connection, and wrong or missing echo, and if nothing comes for 5 s.
 */
final class LoadGenerator {
  private static final String USAGE =
      """
      usage: ./run bench-load --port N [options]
        --connections 64  --size 64  --in-flight 1  --warmup 3  --seconds 4
        --server-pid PID       also measures the CPU time of the server
        --binary               binary messages
        --http                 requests instead of WebSockets
        --http2 1              so many WebSockets on each HTTP/2 connection
        --compression off      takeover, no-takeover, takeover:9, no-takeover:9
        --hub /bench           calls of a hub of ./run hub-server
          --sends 100          one call at a time, which sends so many messages to all
      """;

  private static final Duration PATIENCE = Duration.ofSeconds(5);

  /** A call that sends to many may take long. */
  private static final Duration PATIENCE_AT_THE_END = Duration.ofSeconds(30);

  private final Selector selector = Selector.open();
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(64 * 1024); // more is slower
  private final Histogram latencies = new Histogram(100, Duration.ofSeconds(60).toNanos(), 3);
  private final List<LoadConnection> connections = new ArrayList<>();
  private boolean sending = true;
  private long replies;

  private LoadGenerator() throws IOException {}

  /** How a connection of the load is made. */
  @FunctionalInterface
  private interface Connector {
    LoadConnection connect(int number, Selector selector) throws IOException;
  }

  static void main(String[] args) {
    Arguments.run("bench-load", USAGE, args, LoadGenerator::run);
  }

  private static void run(Arguments arguments) throws IOException {
    System.out.print(measure(arguments).report());
  }

  /** Runs the measurement that the command line describes. */
  static Measurement measure(Arguments arguments) throws IOException {
    int port = arguments.number("--port", 1, 65535);
    int count = arguments.number("--connections", 1, 10_000, 64);
    int size = arguments.number("--size", 1, 1 << 20, 64);
    int inFlight = arguments.number("--in-flight", 1, 1024, 1);
    int warmup = arguments.number("--warmup", 0, 3600, 3);
    int seconds = arguments.number("--seconds", 1, 3600, 4);
    boolean binary = arguments.flag("--binary");
    long serverPid = arguments.number("--server-pid", 1, Integer.MAX_VALUE, 0);
    boolean http = arguments.flag("--http");
    int sockets = arguments.number("--http2", 1, 10_000, 0);
    var hub = arguments.value("--hub");
    int sends = hub.isPresent() ? arguments.number("--sends", 1, 1000, 0) : 0;
    var compression =
        Compression.parse("--compression", arguments.value("--compression").orElse("off"));
    arguments.end();
    if (serverPid != 0 && ProcessHandle.of(serverPid).isEmpty()) {
      throw new UsageException("--server-pid " + serverPid + " is not running");
    }

    if (sockets > 0 && (http || compression.on() || size > Http2Load.MAX_SIZE)) {
      throw new UsageException(
          "--http2 goes with plain messages of up to " + Http2Load.MAX_SIZE + " bytes only");
    }

    Connector connector;
    if (sockets > 0) {
      var ring = MessageRing.plain(binary, size, 1);
      connector =
          (number, selector) ->
              new Http2Load(name(number), port, ring, inFlight, sockets, selector);
    } else if (sends > 0) {
      var calls = HubCalls.sends(hub.orElseThrow(), size, sends);
      connector =
          (number, selector) ->
              new HubLoad(name(number), port, calls, number == 1 ? 1 : 0, selector);
    } else if (hub.isPresent()) {
      var calls = HubCalls.echo(hub.orElseThrow(), size, inFlight);
      connector = (number, selector) -> new HubLoad(name(number), port, calls, inFlight, selector);
    } else if (http) {
      connector = (number, selector) -> new HttpLoad(name(number), port, size, inFlight, selector);
    } else if (compression.on()) {
      var ring = MessageRing.compressed(binary, size, inFlight, compression);
      connector =
          (number, selector) ->
              new CompressedLoad(name(number), port, ring, compression, inFlight, selector);
    } else {
      var ring = MessageRing.plain(binary, size, inFlight);
      connector = (number, selector) -> new PlainLoad(name(number), port, ring, inFlight, selector);
    }
    var generator = new LoadGenerator();
    for (int i = 1; i <= count; i++) {
      generator.connections.add(connector.connect(i, generator.selector));
    }
    Measurement measurement = generator.measure(warmup, seconds, serverPid);
    if (inFlight >= 8 && measurement.serverStarved()) {
      System.err.printf(
          "warning: the server's core was only %.0f %% busy, so client or machine was the"
              + " bottleneck%n",
          100 * measurement.serverBusy());
    }
    return measurement;
  }

  private static String name(int number) {
    return "connection " + number;
  }

  private Measurement measure(int warmup, int seconds, long serverPid) throws IOException {
    for (LoadConnection connection : connections) {
      connection.send(true);
    }
    runFor(Duration.ofSeconds(warmup), () -> false);
    if (!runFor(PATIENCE, () -> connections.stream().allMatch(LoadConnection::verified))) {
      throw new IOException("too few replies to verify, a longer --warmup may help");
    }

    latencies.reset();
    long repliesBefore = replies;
    long receivedBefore = received();
    long serverBefore = cpuNanos(serverPid);
    long clientBefore = cpuNanos(ProcessHandle.current().pid());
    long start = System.nanoTime();
    runFor(Duration.ofSeconds(seconds), () -> false);
    double wall = System.nanoTime() - start;
    double server = serverPid == 0 ? Double.NaN : cpuNanos(serverPid) - serverBefore;
    double client = cpuNanos(ProcessHandle.current().pid()) - clientBefore;
    double messages = replies - repliesBefore;
    var measurement =
        new Measurement(
            messages * 1e9 / wall,
            messages * 1e9 / server,
            server / wall,
            client / wall,
            (received() - receivedBefore) / messages,
            latencies.getValueAtPercentile(50) / 1e3,
            latencies.getValueAtPercentile(99) / 1e3);

    sending = false;
    if (!runFor(
        PATIENCE_AT_THE_END, () -> connections.stream().allMatch(LoadConnection::drained))) {
      throw new IOException("wrong echo: some replies never came");
    }
    for (LoadConnection connection : connections) {
      connection.close();
    }
    runFor(Duration.ofSeconds(1), () -> connections.stream().allMatch(LoadConnection::closed));
    return measurement;
  }

  /**
   * Serves the connections until the time is over or the goal is reached, which it checks after
   * each batch.
   */
  private boolean runFor(Duration time, BooleanSupplier goal) throws IOException {
    long end = System.nanoTime() + time.toNanos();
    long lastReply = System.nanoTime();
    for (long now = lastReply; now - end < 0; now = System.nanoTime()) {
      if (goal.getAsBoolean()) {
        return true;
      }
      long repliesBefore = replies;
      selector.select(this::ready, 100);
      if (replies != repliesBefore) {
        lastReply = now;
      } else if (sending && now - lastReply > PATIENCE.toNanos()) {
        throw new IOException("no reply for " + PATIENCE.toSeconds() + " s");
      }
    }
    return false;
  }

  private void ready(SelectionKey key) {
    var connection = (LoadConnection) key.attachment();
    try {
      replies += connection.ready(buffer, latencies, sending);
    } catch (IOException e) {
      throw new UncheckedIOException(connection + ": " + e.getMessage(), e);
    }
  }

  private long received() {
    return connections.stream().mapToLong(LoadConnection::received).sum();
  }

  /** User and system time of a process so far, in steps of the kernel's clock tick (10 ms). */
  static long cpuNanos(long pid) {
    return ProcessHandle.of(pid)
        .flatMap(process -> process.info().totalCpuDuration())
        .map(Duration::toNanos)
        .orElse(0L);
  }
}
