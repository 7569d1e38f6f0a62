package dev.windhover.benchmarks;

import dev.windhover.benchmarks.Arguments.UsageException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Compares the echo servers side by side and prints a table in Markdown: {@code bench [--contenders
 * netty-raw,netty,windhover:listener,windhover:blocking] [--cells 64x1,64x8,1024x8,16384x1,16384x8]
 * [--rounds 3] [--seconds 4] [--warmup 3] [--connections 64] [--binary]}. A cell is the size of a
 * message and the number of messages in flight on each connection. {@code jetty} and {@code
 * undertow} are contenders too. There are other comparisons, with their own cells and contenders:
 *
 * <ul>
 *   <li>{@code --compressed [--modes takeover,no-takeover]}: JSON over permessage-deflate, with and
 *       without context takeover; {@code takeover:9} means a window of 9 bits. Besides the rates,
 *       it prints our rates relative to those of the others, and the bytes of a reply. These must
 *       be similar, or zlib did less work for one contender than for another.
 *   <li>{@code --http}: plain HTTP, with 1 KiB responses over keep-alive connections. Here, {@code
 *       listener} is a handler on the loop and {@code blocking} a handler on a virtual thread.
 *   <li>{@code --http2}: WebSockets over HTTP/2, in clear text. The third number of a cell, as in
 *       {@code 64x8x100}, is the number of sockets, all on one connection; without it, each socket
 *       has a connection of its own. {@code windhover:listener@1.1} is the same socket over
 *       HTTP/1.1, which always has a connection of its own. {@code netty-data} is the limit; see
 *       {@link NettyDataEchoServer}.
 *   <li>{@code --memory}: see {@link MemoryCompare}.
 *   <li>{@code --events}: see {@link EventStreamsLoad}.
 *   <li>{@code --groups}: see {@link GroupLoad}.
 *   <li>{@code --hubs}: see {@link HubCompare}.
 * </ul>
 *
 * <p>Each round starts every contender once for each mode and takes the cells in turn. A cell is
 * measured for one contender after the other, so that a drift of the machine affects all of them
 * equally. A contender thus serves all sizes in one JVM, as a real server does, and idles while the
 * others are measured. Each round has newly compiled code. Figures are medians over the rounds, and
 * ratios refer to the first contender. A contender that cannot negotiate a mode has a dash.
 */
final class Compare {
  private static final String USAGE =
      """
      usage: ./run bench [--compressed | --http | --http2] [options]   messages, or answers, a second
             ./run bench --memory [--http2] [options]                  memory of idle sockets
             ./run bench --events | --groups | --hubs [options]        streams, sends to many, hubs

      of the first two:
        --contenders netty-raw,netty,windhover:listener,windhover:blocking
                               also jetty, undertow; --http2: netty-data, netty-mux, jetty
        --cells 64x1,1024x8    size of a message x number in flight [x sockets on a connection]
        --rounds 3  --seconds 4  --warmup 3  --connections 64  --binary
        --modes takeover,no-takeover,takeover:9      with --compressed
      --memory:  --contenders  --modes takeover,no-takeover  --connections 2000  --messages 3
                 --size 4096  --idle 12,35  --binary
      --events:  --connections 10000  --events 100  --size 64  --rounds 10
      --groups:  --members 1000  --size 128  --burst 100  --rounds 3  --seconds 3  --stuck 0
      --hubs:    --parts rates,latency,memory  --servers loop,threads,reference
                 --rounds 3  --seconds 4  --warmup 5  --connections 8000
                 --reference ../shared/oracle/reference/start
      """;

  private static final int CLIENT_CORE = 1;
  private static final int STARTUP_SECONDS = 30;
  private static final double NOISY = 1.1;

  private final Settings settings;
  private final List<Run> runs = new ArrayList<>();

  private Compare(Settings settings) {
    this.settings = settings;
  }

  private record Settings(
      List<Contender> contenders,
      List<Cell> cells,
      int rounds,
      int seconds,
      int warmup,
      int connections,
      boolean binary,
      boolean http,
      boolean http2,
      boolean compressed) {
    String what() {
      return http
          ? "answers"
          : (compressed ? "compressed " : "") + (binary ? "binary" : "text") + " messages";
    }

    List<Contender> contenders(Compression compression) {
      return contenders.stream().filter(one -> one.agreesTo(compression)).toList();
    }
  }

  /**
   * What is measured.
   *
   * @param sockets the number of sockets on one HTTP/2 connection; 0 means no HTTP/2, or one on
   *     each connection
   */
  record Cell(Compression compression, int size, int inFlight, int sockets) {
    static Cell parse(Compression compression, boolean http2, String text) {
      String[] parts = text.split("x", -1);
      if (parts.length != 2 && !(http2 && parts.length == 3)) {
        throw new UsageException(
            "--cells "
                + text
                + " is not a size and a number in flight, such as 64x8"
                + (http2 ? ", or 64x8x100 with that of the sockets on one connection" : ""));
      }
      return new Cell(
          compression,
          Arguments.parse("--cells", parts[0], 1, http2 ? Http2Load.MAX_SIZE : 1 << 20),
          Arguments.parse("--cells", parts[1], 1, 1024),
          parts.length == 2 ? 0 : Arguments.parse("--cells", parts[2], 1, EchoServer.MAX_STREAMS));
    }

    @Override
    public String toString() {
      return (size % 1024 == 0 ? size / 1024 + " KiB, " : size + " B, ")
          + (compression.on() ? compression.label() + ", " : "")
          + inFlight
          + (sockets > 0 ? ", " + sockets + " on one" : "");
    }
  }

  private record Run(Contender contender, Cell cell, Measurement measurement) {
    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%-29s %-24s %8s, server %3.0f %%, client %3.0f %%, p50 %,.0f us, p99 %,.0f us",
          contender,
          cell,
          thousands(measurement.messagesPerServerCpuSecond()),
          100 * measurement.serverBusy(),
          100 * measurement.clientBusy(),
          measurement.p50Micros(),
          measurement.p99Micros());
    }
  }

  static void main(String[] args) {
    Arguments.run("bench", USAGE, args, Compare::run);
  }

  private static void run(Arguments arguments) throws Exception {
    boolean memory = arguments.flag("--memory");
    boolean events = arguments.flag("--events");
    boolean groups = arguments.flag("--groups");
    boolean hubs = arguments.flag("--hubs");
    boolean compressed = arguments.flag("--compressed");
    boolean http = arguments.flag("--http");
    boolean http2 = arguments.flag("--http2");
    if (http2 && (http || compressed)) {
      throw new UsageException("--http2 goes with neither --http nor --compressed");
    }
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> ProcessHandle.current().children().forEach(ProcessHandle::destroyForcibly)));
    if (!ChildProcess.canPin()) {
      System.err.println(
          "warning: no taskset or only one core, so server and client are not pinned");
    }
    if (groups) {
      var _ = GroupLoad.measure(arguments);
      return;
    }
    if (hubs) {
      HubCompare.measure(arguments);
      return;
    }
    if (events) {
      EventStreamsLoad.Result _ = EventStreamsLoad.measure(arguments);
      return;
    }
    if (memory) {
      List<MemoryCompare.Row> _ = MemoryCompare.measure(arguments, http2);
      return;
    }
    String contenders =
        (compressed
                ? "netty,jetty,undertow"
                : http ? "netty" : http2 ? "netty-data,netty-mux,jetty" : "netty-raw,netty")
            + ",windhover:listener,windhover:blocking"
            + (http2 ? ",windhover:listener@1.1" : "");
    String cells =
        compressed
            ? "256x1,4096x1,65536x1"
            : http
                ? "1024x1"
                : http2
                    ? "64x1,64x8,1024x8,16384x1,64x1x100,64x8x100,1024x8x100"
                    : "64x1,64x8,1024x8,16384x1,16384x8";
    List<Compression> modes =
        compressed
            ? arguments.list(
                "--modes", "takeover,no-takeover", text -> Compression.parse("--modes", text))
            : List.of(Compression.OFF);
    String cellList = arguments.value("--cells").orElse(cells);
    var settings =
        new Settings(
            arguments.list("--contenders", contenders, Contender::parse),
            modes.stream()
                .flatMap(mode ->
                    Stream.of(cellList.split(",", -1)).map(text -> Cell.parse(mode, http2, text)))
                .distinct()
                .toList(),
            arguments.number("--rounds", 1, 100, 3),
            arguments.number("--seconds", 1, 3600, 4),
            arguments.number("--warmup", 0, 3600, 3),
            arguments.number("--connections", 1, 10_000, 64),
            arguments.flag("--binary"),
            http,
            http2,
            compressed);
    arguments.end();

    var compare = new Compare(settings);
    for (int round = 1; round <= settings.rounds(); round++) {
      System.out.println("round " + round);
      for (Compression mode : modes) {
        compare.round(mode);
      }
    }
    compare.printTable();
    if (compressed || http2) {
      compare.printRatios();
    }
    if (compressed) {
      compare.printSizes();
    }
    compare.printDoubts();
  }

  private void round(Compression mode) throws IOException, InterruptedException {
    var servers = new LinkedHashMap<Contender, Contender.Running>();
    try {
      for (Contender contender : settings.contenders(mode)) {
        servers.put(contender, contender.start(mode, List.of()));
      }
      for (Cell cell : settings.cells()) {
        if (!cell.compression().equals(mode)) {
          continue;
        }
        for (var entry : servers.entrySet()) {
          var run = new Run(entry.getKey(), cell, measure(entry.getKey(), entry.getValue(), cell));
          System.out.println("  " + run);
          runs.add(run);
        }
      }
    } finally {
      servers.values().forEach(Contender.Running::close);
    }
  }

  private Measurement measure(Contender contender, Contender.Running server, Cell cell)
      throws IOException, InterruptedException {
    var arguments = new ArrayList<Object>();
    Collections.addAll(arguments, "--port", server.port(), "--server-pid", server.process().pid());
    Collections.addAll(arguments, "--size", cell.size(), "--in-flight", cell.inFlight());
    Collections.addAll(arguments, "--warmup", settings.warmup(), "--seconds", settings.seconds());
    Collections.addAll(arguments, "--compression", cell.compression());
    if (settings.binary()) {
      arguments.add("--binary");
    }
    if (settings.http()) {
      arguments.add("--http");
    }
    int connections = settings.connections();
    if (settings.http2() && !contender.http1()) {
      Collections.addAll(arguments, "--http2", Math.max(cell.sockets(), 1));
      connections = cell.sockets() > 0 ? 1 : connections;
    } else if (cell.sockets() > 0) {
      connections = cell.sockets();
    }
    Collections.addAll(arguments, "--connections", connections);
    try (var client =
        ChildProcess.jvm(
            CLIENT_CORE,
            List.of(),
            LoadGenerator.class,
            arguments.stream().map(Object::toString).toList())) {
      return Measurement.parse(
          client.finish(settings.warmup() + settings.seconds() + STARTUP_SECONDS));
    }
  }

  /** One figure of a contender in a cell; NaN if it was not measured. */
  private interface Figure {
    String of(Contender contender, Cell cell);
  }

  private void printTable() {
    Contender first = settings.contenders().getFirst();
    printTable(
        settings.what() + " per second of server CPU (ratio to " + first + ")",
        settings.contenders(),
        (contender, cell) -> {
          double rate = median(contender, cell);
          return thousands(rate) + " (" + ratio(rate / median(first, cell)) + ")";
        });
  }

  /** Prints the ratio of each of our forms to each contender. */
  private void printRatios() {
    for (Contender ours : settings.contenders()) {
      if (ours.isOurs()) {
        printTable(
            "messages per second of server CPU, ratio of " + ours + " to",
            settings.contenders().stream().filter(peer -> !peer.isOurs()).toList(),
            (peer, cell) -> ratio(median(ours, cell) / median(peer, cell)));
      }
    }
  }

  private void printSizes() {
    printTable(
        "bytes of an answer",
        settings.contenders(),
        (contender, cell) ->
            runs.stream()
                .filter(run -> run.contender().equals(contender) && run.cell().equals(cell))
                .map(run -> String.format(Locale.ROOT, "%,.0f", run.measurement().bytesPerReply()))
                .findFirst()
                .orElseThrow());
  }

  private void printTable(String title, List<Contender> rows, Figure figure) {
    System.out.print("\n| " + title + " |");
    settings.cells().forEach(cell -> System.out.print(" " + cell + " |"));
    System.out.println("\n|---|" + "---|".repeat(settings.cells().size()));
    for (Contender row : rows) {
      System.out.print("| " + row + " |");
      for (Cell cell : settings.cells()) {
        boolean measured = row.agreesTo(cell.compression());
        System.out.print(" " + (measured ? figure.of(row, cell) : "–") + " |");
      }
      System.out.println();
    }
  }

  private static String ratio(double ratio) {
    return Double.isNaN(ratio) ? "–" : String.format(Locale.ROOT, "%.2f", ratio);
  }

  /** In thousands, with at least two digits. */
  private static String thousands(double rate) {
    String format = rate < 10_000 ? "%.2f k" : rate < 100_000 ? "%.1f k" : "%,.0f k";
    return String.format(Locale.ROOT, format, rate / 1000);
  }

  /** NaN if there are no figures. */
  private double median(Contender contender, Cell cell) {
    double[] rates = rates(contender, cell);
    return rates.length == 0
        ? Double.NaN
        : (rates[(rates.length - 1) / 2] + rates[rates.length / 2]) / 2;
  }

  /** The figures of a cell in ascending order. */
  private double[] rates(Contender contender, Cell cell) {
    return runs.stream()
        .filter(run -> run.contender().equals(contender) && run.cell().equals(cell))
        .mapToDouble(run -> run.measurement().messagesPerServerCpuSecond())
        .sorted()
        .toArray();
  }

  /** Prints which figures of the table deserve less trust. */
  private void printDoubts() {
    for (Run run : runs) {
      if ((settings.compressed() || run.cell().inFlight() >= 8)
          && run.measurement().serverStarved()) {
        System.out.println("warning: the server's core was not busy: " + run);
      }
    }
    for (Contender contender : settings.contenders()) {
      for (Cell cell : settings.cells()) {
        double[] rates = rates(contender, cell);
        if (rates.length > 0 && rates[rates.length - 1] > NOISY * rates[0]) {
          System.out.printf(
              "warning: the rounds differ: %s, %s: %s to %s%n",
              contender, cell, thousands(rates[0]), thousands(rates[rates.length - 1]));
        }
      }
    }
  }
}
