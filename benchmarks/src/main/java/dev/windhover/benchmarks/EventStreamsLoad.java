package dev.windhover.benchmarks;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.FutureTask;
import java.util.regex.Pattern;

/**
 * Measures event streams: {@code bench --events [--connections 10000] [--events 100] [--size 64]
 * [--rounds 10]}. One {@link EventServer} on one core; this process opens the streams, each on a
 * connection of its own, and takes what they send. In a round each stream is sent its events, and
 * the round ends when all of them have arrived.
 *
 * <p>The same number of streams is opened, served for a few rounds and closed beforehand, so that
 * classes, code and pools do not count. <em>Heap</em> is what each open stream adds to the live
 * objects after a full collection, the entry in the server's own set included: when it was opened,
 * after the first round, and after the last. What is left when all have been closed shows whether
 * ended streams leak. The rate is that of all rounds after the first.
 */
final class EventStreamsLoad implements AutoCloseable {
  /** Each collection compacts: otherwise gaps that it leaves would count as live objects. */
  private static final List<String> FLAGS =
      List.of(
          "-Xms1g",
          "-Xmx1g",
          "-XX:+AlwaysPreTouch",
          "-XX:+UseSerialGC",
          "-XX:MarkSweepAlwaysCompactCount=1");

  private static final int SERVER_CORE = 0;
  private static final int STARTUP_SECONDS = 30;
  private static final int WARM_UP_ROUNDS = 5;
  private static final long PATIENCE_NANOS = Duration.ofSeconds(60).toNanos();
  private static final Pattern READY = Pattern.compile("ready on port (\\d+)");
  private static final byte[] REQUEST =
      "GET /events HTTP/1.1\r\nHost: bench\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

  private final Settings settings;
  private final ChildProcess server;
  private final int port;
  private final Selector selector = Selector.open();
  private final List<Stream> streams = new ArrayList<>();
  private final ByteBuffer buffer = ByteBuffer.allocate(64 * 1024);
  private long events;

  private record Settings(int connections, int events, int size, int rounds) {}

  /** Bytes of heap for each open stream, and what is left of each; events by the server's CPU. */
  record Result(
      double opened, double afterOne, double afterAll, double afterwards, double eventsPerSecond) {}

  private EventStreamsLoad(Settings settings) throws IOException {
    this.settings = settings;
    server = ChildProcess.jvm(SERVER_CORE, FLAGS, EventServer.class, List.of());
    port = Integer.parseInt(server.awaitLine(READY, STARTUP_SECONDS).group(1));
  }

  static Result measure(Arguments arguments) throws Exception {
    var settings =
        new Settings(
            arguments.number("--connections", 1, 50_000, 10_000),
            arguments.number("--events", 1, 500, 100),
            arguments.number("--size", 1, 64, 64), // a round fits what may wait
            arguments.number("--rounds", 2, 1000, 10));
    arguments.end();
    try (var load = new EventStreamsLoad(settings)) {
      return load.measure();
    }
  }

  private Result measure() throws Exception {
    open();
    for (int i = 0; i < WARM_UP_ROUNDS; i++) {
      round();
    }
    closeAll();
    heap(); // warms up, too
    double before = heap();
    open();
    double opened = heap() - before;
    round();
    double afterOne = heap() - before;
    long cpu = LoadGenerator.cpuNanos(server.pid());
    long start = System.nanoTime();
    for (int i = 1; i < settings.rounds(); i++) {
      round();
    }
    double wall = System.nanoTime() - start;
    double used = LoadGenerator.cpuNanos(server.pid()) - cpu;
    double afterAll = heap() - before;
    closeAll();
    double afterwards = heap() - before;
    int n = settings.connections();
    double sent = (settings.rounds() - 1.0) * n * settings.events();
    var result =
        new Result(opened / n, afterOne / n, afterAll / n, afterwards / n, sent * 1e9 / used);
    System.out.printf(
        Locale.ROOT,
        """
        | %,d streams, %d rounds of %d events of %d B | |
        |---|---|
        | heap for each open stream | %,.0f B |
        | after 1 round | %,.0f B |
        | after %d rounds | %,.0f B |
        | left of each when all have been closed | %,.0f B |
        | events per second of the server's CPU | %,.0f |
        | server busy | %.0f %% |
        """,
        n,
        settings.rounds(),
        settings.events(),
        settings.size(),
        result.opened(),
        result.afterOne(),
        settings.rounds(),
        result.afterAll(),
        result.afterwards(),
        result.eventsPerSecond(),
        100 * used / wall);
    return result;
  }

  private double heap() throws IOException, InterruptedException {
    return MemoryCompare.read(server.pid()).heap();
  }

  private void open() throws IOException {
    for (int i = 0; i < settings.connections(); i++) {
      streams.add(new Stream());
    }
    await(() -> streams.stream().allMatch(stream -> stream.isOpen));
  }

  private void round() throws Exception {
    long goal = events + (long) settings.connections() * settings.events();
    var sending =
        new FutureTask<>(
            () -> ask("/send?count=" + settings.events() + "&size=" + settings.size()));
    Thread.startVirtualThread(sending);
    await(() -> events >= goal);
    sending.get();
    if (events != goal) {
      throw new IOException(events - goal + " events too many");
    }
  }

  private void closeAll() throws IOException {
    for (Stream stream : streams) {
      stream.channel.close();
    }
    streams.clear();
    selector.selectNow(); // forgets them
    long giveUp = System.nanoTime() + PATIENCE_NANOS;
    while (!ask("/open").equals("0\n")) {
      if (System.nanoTime() > giveUp) {
        throw new IOException("the server does not see that its clients are gone");
      }
    }
  }

  private String ask(String target) throws IOException {
    try (var in = URI.create("http://127.0.0.1:" + port + target).toURL().openStream()) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  /** What a wait is for. */
  @FunctionalInterface
  private interface Goal {
    boolean isReached();
  }

  private void await(Goal goal) throws IOException {
    long giveUp = System.nanoTime() + PATIENCE_NANOS;
    while (!goal.isReached()) {
      if (System.nanoTime() > giveUp) {
        throw new IOException("the server is too slow: " + events + " events so far");
      }
      selector.select(key -> ((Stream) key.attachment()).receive(), 100);
    }
  }

  /** One stream; it counts its events by the empty lines at their end. */
  private final class Stream {
    final SocketChannel channel;
    boolean isOpen;
    private byte last;

    Stream() throws IOException {
      channel = SocketChannel.open();
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      channel.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      channel.write(ByteBuffer.wrap(REQUEST));
      channel.configureBlocking(false);
      channel.register(selector, SelectionKey.OP_READ, this);
    }

    void receive() {
      try {
        if (channel.read(buffer.clear()) < 0) {
          throw new IOException("the server ended a stream");
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      isOpen = true; // the head is small, and comes as a whole
      byte[] bytes = buffer.array();
      for (int i = 0; i < buffer.position(); i++) {
        if (bytes[i] == '\n' && last == '\n') { // of the head and the chunks each has a CR before
          events++;
        }
        last = bytes[i];
      }
    }
  }

  @Override
  public void close() throws IOException {
    for (Stream stream : streams) {
      stream.channel.close();
    }
    selector.close();
    server.close();
  }
}
