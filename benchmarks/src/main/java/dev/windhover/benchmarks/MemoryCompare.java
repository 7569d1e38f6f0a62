package dev.windhover.benchmarks;

import java.io.IOException;
import java.nio.channels.Selector;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Compares how much of a server's memory idle compressed connections take, and prints a table in
 * Markdown: {@code bench --memory [--contenders netty,jetty,undertow,windhover:listener] [--modes
 * takeover,no-takeover,takeover:9,no-takeover:9] [--connections 2000] [--messages 3] [--size 4096]
 * [--idle 12,35] [--binary]}. With {@code --http2} it compares WebSockets over HTTP/2, without
 * compression: each of the {@code --connections} is a WebSocket, and a mode says how many of them
 * share a connection, for example {@code --modes 100,1}.
 *
 * <p>Each contender is restarted for each mode. It first serves the same number of connections, a
 * tenth at a time, which then end, so that classes, code and pools do not count as the connections'
 * cost. With fewer connections, the JVM would compile methods that a connection calls once during
 * the measurement, and that code, up to 1.5 MB, would be most of the growth outside of the heap.
 * Then the connections come one by one; each exchanges its messages and stays open. What they take
 * is the growth since before they came, measured <em>right after</em> the last message, and when
 * all have been <em>idle</em> for each of the given seconds, by when a server may have given back
 * what it holds for traffic. Finally, every connection exchanges one more message, to show that
 * none was lost. The growth is that of the sum of:
 *
 * <ul>
 *   <li><em>heap</em>: the bytes of live objects, after a full collection;
 *   <li><em>native</em>: resident anonymous memory ({@code Anonymous} of {@code
 *       /proc/PID/smaps_rollup}), after {@code malloc_trim}. The heap has a fixed size and is
 *       touched beforehand, so it is not part of the growth, and neither are the kernel's socket
 *       buffers. The JVM compiles only with C1, because C2's working memory would be most of the
 *       growth.
 * </ul>
 */
final class MemoryCompare {
  /** Flags with which the heap has a fixed size and nothing but its use grows. */
  static final List<String> FLAGS =
      List.of(
          "-Xms1g", "-Xmx1g", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");

  private static final int WARM_UP_ROUNDS = 10;
  private static final int WARM_UP_MESSAGES = 10;
  private static final int JCMD_SECONDS = 60;
  private static final double KIB = 1024;
  private static final Pattern TOTAL = Pattern.compile("Total\\s+\\d+\\s+(\\d+)");
  private static final Pattern ANONYMOUS = Pattern.compile("Anonymous:\\s+(\\d+) kB");

  private final Settings settings;

  private MemoryCompare(Settings settings) {
    this.settings = settings;
  }

  private record Settings(
      List<Contender> contenders,
      List<Mode> modes,
      int connections,
      int messages,
      int size,
      List<Integer> idle,
      boolean binary) {}

  /**
   * The kind of the connections.
   *
   * @param shared the number of WebSockets on each HTTP/2 connection; 0 means no HTTP/2
   */
  record Mode(Compression compression, int shared) {
    static Mode compressed(String text) {
      return new Mode(Compression.parse("--modes", text), 0);
    }

    static Mode http2(String text) {
      return new Mode(Compression.OFF, Arguments.parse("--modes", text, 1, EchoServer.MAX_STREAMS));
    }

    @Override
    public String toString() {
      return shared > 0 ? "HTTP/2, " + shared + " on each" : compression.label();
    }
  }

  /** One connection. */
  interface Client extends AutoCloseable {
    /** Exchanges messages on each of its WebSockets, and checks the replies. */
    void echo(int count) throws IOException;

    @Override
    void close();
  }

  /** Creates a connection with a number of WebSockets. */
  @FunctionalInterface
  private interface Connector {
    Client connect(int sockets) throws IOException;
  }

  /** Bytes of a process or of one connection. */
  record Memory(double heap, double outside) {
    /** Returns the growth since {@code before} for each connection. */
    Memory growth(Memory before, int connections) {
      return new Memory(
          (heap - before.heap) / connections, (outside - before.outside) / connections);
    }

    @Override
    public String toString() {
      return String.format(
          Locale.ROOT, "%.1f (%.1f + %.1f)", (heap + outside) / KIB, heap / KIB, outside / KIB);
    }
  }

  /** The memory right after the traffic, and after each idle time. */
  record Row(Contender contender, Mode mode, List<Memory> memory) {
    @Override
    public String toString() {
      return memory.stream()
          .map(Memory::toString)
          .collect(Collectors.joining(" | ", "| " + contender + " | " + mode + " | ", " |"));
    }
  }

  /** Runs the measurement that the command line describes, and returns the table's rows. */
  static List<Row> measure(Arguments arguments, boolean http2)
      throws IOException, InterruptedException {
    var settings =
        new Settings(
            arguments.list(
                "--contenders",
                http2
                    ? "netty-data,netty-mux,jetty,windhover:listener"
                    : "netty,jetty,undertow,windhover:listener",
                Contender::parse),
            http2
                ? arguments.list("--modes", "100,1", Mode::http2)
                : arguments.list(
                    "--modes", "takeover,no-takeover,takeover:9,no-takeover:9", Mode::compressed),
            arguments.number("--connections", 1, 20_000, 2000),
            arguments.number("--messages", 1, 1000, 3),
            arguments.number("--size", 1, http2 ? Http2Load.MAX_SIZE : 1 << 20, 4096),
            arguments
                .list("--idle", "12,35", text -> Arguments.parse("--idle", text, 1, 3600))
                .stream()
                .sorted()
                .toList(),
            arguments.flag("--binary"));
    arguments.end();
    return new MemoryCompare(settings).measure();
  }

  private List<Row> measure() throws IOException, InterruptedException {
    var rows = new ArrayList<Row>();
    for (Mode mode : settings.modes()) {
      for (Contender contender : settings.contenders()) {
        if (contender.agreesTo(mode.compression())) {
          rows.add(measure(contender, mode));
          System.out.println("  " + rows.getLast());
        }
      }
    }
    System.out.printf(
        "%n| KiB for each of %,d connections, sum (heap + native) | mode | right after | %s |%n",
        settings.connections(),
        settings.idle().stream()
            .map(seconds -> "idle for " + seconds + " s")
            .collect(Collectors.joining(" | ")));
    System.out.println("|---|---|---|" + "---|".repeat(settings.idle().size()));
    rows.forEach(System.out::println);
    return rows;
  }

  private Row measure(Contender contender, Mode mode) throws IOException, InterruptedException {
    try (var selector = Selector.open();
        var server = contender.start(mode.compression(), FLAGS)) {
      return measure(contender, mode, server, connector(mode, server.port(), selector));
    } catch (IOException e) {
      throw new IOException(contender + ", " + mode + ": " + e.getMessage(), e);
    }
  }

  private Row measure(Contender contender, Mode mode, Contender.Running server, Connector connector)
      throws IOException, InterruptedException {
    var clients = new ArrayList<Client>();
    try {
      long pid = server.process().pid();
      for (int i = 0; i < WARM_UP_ROUNDS; i++) {
        connect(clients, connector, mode, Math.ceilDiv(settings.connections(), 10));
        for (Client client : clients) {
          client.echo(WARM_UP_MESSAGES);
        }
        close(clients);
      }
      read(pid); // warms up, too
      // As below, so that memory that the JVM gives back does not affect the growth.
      TimeUnit.SECONDS.sleep(settings.idle().getFirst());
      Memory before = read(pid);

      connect(clients, connector, mode, settings.connections());
      var memory = new ArrayList<Memory>();
      memory.add(read(pid));
      int slept = 0;
      for (int seconds : settings.idle()) {
        TimeUnit.SECONDS.sleep(seconds - slept);
        slept = seconds;
        memory.add(read(pid));
      }
      for (Client client : clients) {
        client.echo(1);
      }
      memory.replaceAll(after -> after.growth(before, settings.connections()));
      return new Row(contender, mode, memory);
    } finally {
      close(clients);
    }
  }

  private Connector connector(Mode mode, int port, Selector selector) {
    if (mode.shared() > 0) {
      var ring = MessageRing.plain(settings.binary(), settings.size(), 1);
      return sockets -> new Http2EchoClient(port, ring, sockets, selector);
    }
    var ring =
        mode.compression().on()
            ? MessageRing.compressed(settings.binary(), settings.size(), 1, mode.compression())
            : MessageRing.plain(settings.binary(), settings.size(), 1);
    return _ -> new EchoClient(port, ring, mode.compression());
  }

  private void connect(List<Client> clients, Connector connector, Mode mode, int sockets)
      throws IOException {
    int each = Math.max(mode.shared(), 1);
    for (int left = sockets; left > 0; left -= each) {
      Client client = connector.connect(Math.min(left, each));
      clients.add(client);
      client.echo(settings.messages());
    }
  }

  private static void close(List<Client> clients) {
    for (Client client : clients) {
      client.close();
    }
    clients.clear();
  }

  /** Returns what a process holds, after a full collection. */
  static Memory read(long pid) throws IOException, InterruptedException {
    String histogram = jcmd(pid, "GC.class_histogram"); // collects first
    jcmd(pid, "System.trim_native_heap");
    return new Memory(
        last(TOTAL, histogram),
        last(ANONYMOUS, Files.readString(Path.of("/proc/" + pid + "/smaps_rollup"))) * KIB);
  }

  static double last(Pattern pattern, String text) throws IOException {
    return pattern
        .matcher(text)
        .results()
        .map(result -> Double.parseDouble(result.group(1)))
        .reduce((_, second) -> second)
        .orElseThrow(() -> new IOException("no " + pattern + " in: " + text));
  }

  private static String jcmd(long pid, String command) throws IOException, InterruptedException {
    Process jcmd =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                Long.toString(pid),
                command)
            .redirectErrorStream(true)
            .start();
    String output = jcmd.inputReader().readAllAsString();
    if (!jcmd.waitFor(JCMD_SECONDS, TimeUnit.SECONDS) || jcmd.exitValue() != 0) {
      throw new IOException("jcmd " + command + " failed: " + output);
    }
    return output;
  }
}
