package dev.windhover.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.HdrHistogram.Histogram;

/**
 * Measures sends to many: {@code bench --groups [--members 1000] [--size 128] [--burst 100]
 * [--rounds 3] [--seconds 3] [--stuck 0]}. One {@link GroupServer} of each kind, all on one core,
 * take turns; this process opens the sockets and takes what they are sent. It orders single
 * messages, then bursts, each when the one before has arrived everywhere. The rates are deliveries
 * per second of the server's CPU; the times are from the order to the last arrival.
 *
 * <p>{@code --stuck} adds sockets to the group that never read; the group drops what they miss.
 * With them, only {@code group} is measured, first without and then with them, and the live heap of
 * the server is shown.
 */
final class GroupLoad implements AutoCloseable {
  private static final int SERVER_CORE = 0;
  private static final int STARTUP_SECONDS = 30;
  private static final int WARM_UP_SECONDS = 4;
  private static final long PATIENCE_NANOS = Duration.ofSeconds(60).toNanos();
  private static final Pattern READY = Pattern.compile("ready on ports (\\d+) and (\\d+)");
  private static final byte[] REQUEST =
      """
      GET / HTTP/1.1\r
      Host: bench\r
      Upgrade: websocket\r
      Connection: Upgrade\r
      Sec-WebSocket-Version: 13\r
      Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r
      \r
      """
          .getBytes(StandardCharsets.US_ASCII);

  /** What sends. */
  enum Sender {
    GROUP("Group"),
    SEND("a loop of send"),
    NETTY("Netty's ChannelGroup");

    private final String words;

    Sender(String words) {
      this.words = words;
    }
  }

  /** Deliveries per second of the server's CPU, and how long a round takes, in microseconds. */
  record Rate(double deliveries, double p50, double p99) {}

  private record Settings(int members, int size, int burst, int rounds, int seconds, int stuck) {}

  private final Settings settings;
  private final ChildProcess server;
  private final int port;
  private final Socket orders;
  private final BufferedReader answers;
  private final Selector selector = Selector.open();
  private final List<SocketChannel> channels = new ArrayList<>();
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(256 * 1024);
  private long received;
  private int opened;

  private GroupLoad(Settings settings, Sender sender) throws IOException {
    this.settings = settings;
    server =
        ChildProcess.jvm(
            SERVER_CORE,
            List.of("-Xms1g", "-Xmx1g", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC"),
            GroupServer.class,
            List.of(sender.name().toLowerCase(Locale.ROOT)));
    Matcher ready = server.awaitLine(READY, STARTUP_SECONDS);
    port = Integer.parseInt(ready.group(1));
    orders = new Socket(InetAddress.getLoopbackAddress(), Integer.parseInt(ready.group(2)));
    orders.setTcpNoDelay(true);
    answers =
        new BufferedReader(
            new InputStreamReader(orders.getInputStream(), StandardCharsets.US_ASCII));
  }

  /** Measures, prints a table and returns the rates: of single messages, and of bursts. */
  static Map<Sender, List<Rate>> measure(Arguments arguments) throws Exception {
    var settings =
        new Settings(
            arguments.number("--members", 1, 20_000, 1000),
            arguments.number("--size", 1, 16 * 1024, 128),
            arguments.number("--burst", 1, 1000, 100),
            arguments.number("--rounds", 1, 100, 3),
            arguments.number("--seconds", 1, 60, 3),
            arguments.number("--stuck", 0, 1000, 0));
    arguments.end();
    var rates = new EnumMap<Sender, List<Rate>>(Sender.class);
    if (settings.stuck() > 0) {
      rates.put(Sender.GROUP, measureStuck(settings));
      return rates;
    }
    var loads = new EnumMap<Sender, GroupLoad>(Sender.class);
    try {
      for (Sender sender : Sender.values()) {
        GroupLoad load = new GroupLoad(settings, sender);
        loads.put(sender, load);
        load.open(settings.members());
        load.measure(1, WARM_UP_SECONDS);
        load.measure(settings.burst(), WARM_UP_SECONDS);
      }
      var singles = new EnumMap<Sender, List<Rate>>(Sender.class);
      var bursts = new EnumMap<Sender, List<Rate>>(Sender.class);
      for (int i = 0; i < settings.rounds(); i++) {
        for (var each : loads.entrySet()) {
          GroupLoad load = each.getValue();
          singles
              .computeIfAbsent(each.getKey(), _ -> new ArrayList<>())
              .add(load.measure(1, settings.seconds()));
          bursts
              .computeIfAbsent(each.getKey(), _ -> new ArrayList<>())
              .add(load.measure(settings.burst(), settings.seconds()));
        }
      }
      for (Sender sender : Sender.values()) {
        rates.put(sender, List.of(median(singles, sender), median(bursts, sender)));
      }
      print(settings, rates);
    } finally {
      for (GroupLoad load : loads.values()) {
        load.close();
      }
    }
    return rates;
  }

  private static Rate median(Map<Sender, List<Rate>> all, Sender sender) {
    List<Rate> sorted = new ArrayList<>(all.getOrDefault(sender, List.of()));
    sorted.sort((a, b) -> Double.compare(a.deliveries(), b.deliveries()));
    return sorted.get(sorted.size() / 2);
  }

  private static void print(Settings settings, Map<Sender, List<Rate>> rates) {
    System.out.printf(
        Locale.ROOT,
        """
        | deliveries per second of CPU, %d B to %,d sockets | single sends | bursts of %d |
        |---|---|---|
        """,
        settings.size(),
        settings.members(),
        settings.burst());
    rates.forEach((sender, both) ->
        System.out.printf(
            Locale.ROOT,
            "| %s | %,.0f | %,.0f |%n",
            sender.words,
            both.getFirst().deliveries(),
            both.getLast().deliveries()));
    List<Rate> ours = rates.getOrDefault(Sender.GROUP, List.of());
    for (Sender other : List.of(Sender.SEND, Sender.NETTY)) {
      List<Rate> theirs = rates.getOrDefault(other, List.of());
      System.out.printf(
          Locale.ROOT,
          "| Group, as a ratio to %s | %.2f | %.2f |%n",
          other.words,
          ours.getFirst().deliveries() / theirs.getFirst().deliveries(),
          ours.getLast().deliveries() / theirs.getLast().deliveries());
    }
  }

  // ---- With sockets that never read

  private static List<Rate> measureStuck(Settings settings) throws Exception {
    try (var load = new GroupLoad(settings, Sender.GROUP)) {
      load.open(settings.members());
      load.measure(settings.burst(), WARM_UP_SECONDS);
      load.connectStuck(settings.stuck());
      load.measure(settings.burst(), 2 * WARM_UP_SECONDS); // the JIT compiles what drops messages
      load.closeStuck();
      Rate without = load.measure(settings.burst(), settings.seconds());
      double before = MemoryCompare.read(load.server.pid()).heap();
      load.connectStuck(settings.stuck());
      load.measure(settings.burst(), WARM_UP_SECONDS); // their queues fill up
      Rate with = load.measure(settings.burst(), settings.seconds());
      double after = MemoryCompare.read(load.server.pid()).heap();
      System.out.printf(
          Locale.ROOT,
          """
          | bursts of %d × %d B to %,d sockets | deliveries per second of CPU | p50 | p99 |
          |---|---|---|---|
          | all of them read | %,.0f | %,.1f ms | %,.1f ms |
          | and %d never read | %,.0f | %,.1f ms | %,.1f ms |

          Heap for each socket that never reads: %,.0f KiB
          """,
          settings.burst(),
          settings.size(),
          settings.members(),
          without.deliveries(),
          without.p50() / 1000,
          without.p99() / 1000,
          settings.stuck(),
          with.deliveries(),
          with.p50() / 1000,
          with.p99() / 1000,
          (after - before) / settings.stuck() / 1024);
      return List.of(without, with);
    }
  }

  // ---- One server

  private void open(int count) throws IOException {
    for (int i = 0; i < count; i++) {
      SocketChannel channel = connect();
      channels.add(channel);
      channel.configureBlocking(false);
      channel.register(selector, SelectionKey.OP_READ, channel);
    }
    opened = count;
  }

  private void connectStuck(int count) throws IOException {
    for (int i = 0; i < count; i++) {
      channels.add(connect());
    }
  }

  private void closeStuck() throws IOException {
    while (channels.size() > opened) {
      channels.removeLast().close();
    }
  }

  /** Opens a socket: writes the request, and reads the head of the response. */
  private SocketChannel connect() throws IOException {
    SocketChannel channel = SocketChannel.open();
    channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    channel.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    channel.write(ByteBuffer.wrap(REQUEST));
    ByteBuffer one = ByteBuffer.allocate(1);
    int end = 0;
    while (end != 0x0D0A0D0A) {
      if (channel.read(one.clear()) < 0) {
        throw new IOException("the server refused a socket");
      }
      end = end << 8 | one.get(0);
    }
    return channel;
  }

  /** Sends for a while, and measures. */
  private Rate measure(int count, int seconds) throws IOException {
    var times = new Histogram(PATIENCE_NANOS, 3);
    round(count);
    long cpu = LoadGenerator.cpuNanos(server.pid());
    long end = System.nanoTime() + Duration.ofSeconds(seconds).toNanos();
    long deliveries = 0;
    do {
      long start = System.nanoTime();
      round(count);
      times.recordValue(System.nanoTime() - start);
      deliveries += (long) count * opened;
    } while (System.nanoTime() < end);
    double used = LoadGenerator.cpuNanos(server.pid()) - cpu;
    return new Rate(
        deliveries * 1e9 / used,
        times.getValueAtPercentile(50) / 1e3,
        times.getValueAtPercentile(99) / 1e3);
  }

  /** Has the server send {@code count} messages to all, and takes them. */
  private void round(int count) throws IOException {
    int frame = settings.size() + (settings.size() < 126 ? 2 : 4);
    long goal = received + (long) count * opened * frame;
    orders
        .getOutputStream()
        .write((count + " " + settings.size() + "\n").getBytes(StandardCharsets.US_ASCII));
    long giveUp = System.nanoTime() + PATIENCE_NANOS;
    while (received < goal) {
      if (System.nanoTime() > giveUp) {
        throw new IOException("only " + received + " of " + goal + " bytes arrived");
      }
      selector.select(key -> receive((SocketChannel) key.attachment()), 100);
    }
    if (received > goal) {
      throw new IOException(received - goal + " bytes too many");
    }
    String answer = answers.readLine();
    if (answer == null || Integer.parseInt(answer) < opened) {
      throw new IOException("the server has " + answer + " sockets, and not " + opened);
    }
  }

  private void receive(SocketChannel channel) {
    try {
      int n = channel.read(buffer.clear());
      if (n < 0) {
        throw new IOException("the server ended a socket");
      }
      received += n;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() throws IOException {
    for (SocketChannel channel : channels) {
      channel.close();
    }
    selector.close();
    orders.close();
    server.close();
  }
}
