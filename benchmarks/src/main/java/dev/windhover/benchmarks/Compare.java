package dev.windhover.benchmarks;

import dev.windhover.benchmarks.Arguments.UsageException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Compares the echo servers side by side and prints a table in Markdown: {@code bench [--contenders
 * netty-raw,netty,windhover:listener,windhover:blocking] [--cells 64x1,64x8,1024x8,16384x1,16384x8]
 * [--rounds 3] [--seconds 4] [--warmup 3] [--connections 64] [--binary]}. A cell is the size of a
 * message and the number in flight on each connection. With {@code --http} it compares plain HTTP
 * instead, answers of 1 KiB over connections that are kept alive; then {@code listener} is a
 * handler on the loop and {@code blocking} one on its virtual thread.
 *
 * <p>Each round starts every contender once and takes the cells in turn; a cell is measured for one
 * contender after the other, so that a drift of the machine hits all of them alike. A contender
 * thus serves all sizes in one JVM, as a server does in life, and idles while the others are
 * measured; the next round has newly compiled code. Figures are medians over the rounds, ratios are
 * to the first contender.
 */
final class Compare {
  private static final int SERVER_CORE = 0;
  private static final int CLIENT_CORE = 1;
  private static final int STARTUP_SECONDS = 30;
  private static final Pattern READY = Pattern.compile(".*ready .*port (\\d+).*");
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
      boolean http) {
    String what() {
      return http ? "answers" : (binary ? "binary" : "text") + " messages";
    }
  }

  private record Contender(String server, String api) {
    static Contender parse(String text) {
      int colon = text.indexOf(':');
      return colon < 0
          ? new Contender(text, "listener")
          : new Contender(text.substring(0, colon), text.substring(colon + 1));
    }

    @Override
    public String toString() {
      return server.equals("windhover") ? server + ", " + api : server;
    }
  }

  private record Cell(int size, int inFlight) {
    static Cell parse(String text) {
      int x = text.indexOf('x');
      if (x < 0) {
        throw new UsageException(
            "--cells " + text + " is not a size and a number in flight, such as 64x8");
      }
      return new Cell(
          Arguments.parse("--cells", text.substring(0, x), 1, 1 << 20),
          Arguments.parse("--cells", text.substring(x + 1), 1, 1024));
    }

    @Override
    public String toString() {
      return (size % 1024 == 0 ? size / 1024 + " KiB, " : size + " B, ") + inFlight;
    }
  }

  private record Server(ChildJvm process, String port) {
    static Server start(Contender contender) throws IOException {
      var process =
          new ChildJvm(
              SERVER_CORE,
              BenchServer.class,
              List.of(contender.server(), "--api", contender.api(), "--port", "0"));
      return new Server(process, process.awaitLine(READY, STARTUP_SECONDS).group(1));
    }
  }

  private record Run(Contender contender, Cell cell, Measurement measurement) {
    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "%-19s %-9s %,7.0f k, server %3.0f %%, client %3.0f %%, p50 %,.0f us, p99 %,.0f us",
          contender,
          cell,
          measurement.messagesPerServerCpuSecond() / 1000,
          100 * measurement.serverBusy(),
          100 * measurement.clientBusy(),
          measurement.p50Micros(),
          measurement.p99Micros());
    }
  }

  static void main(String[] args) {
    Arguments.run("bench", args, Compare::run);
  }

  private static void run(Arguments arguments) throws Exception {
    boolean http = arguments.flag("--http");
    String contenders =
        (http ? "netty" : "netty-raw,netty") + ",windhover:listener,windhover:blocking";
    String cells = http ? "1024x1" : "64x1,64x8,1024x8,16384x1,16384x8";
    var settings =
        new Settings(
            list(arguments, "--contenders", contenders, Contender::parse),
            list(arguments, "--cells", cells, Cell::parse),
            arguments.number("--rounds", 1, 100, 3),
            arguments.number("--seconds", 1, 3600, 4),
            arguments.number("--warmup", 0, 3600, 3),
            arguments.number("--connections", 1, 10_000, 64),
            arguments.flag("--binary"),
            http);
    arguments.end();
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> ProcessHandle.current().children().forEach(ProcessHandle::destroyForcibly)));
    if (!ChildJvm.canPin()) {
      System.err.println(
          "warning: no taskset or only one core, so server and client are not pinned");
    }

    var compare = new Compare(settings);
    for (int round = 1; round <= settings.rounds(); round++) {
      System.out.println("round " + round);
      compare.round();
    }
    compare.printTable();
    compare.printDoubts();
  }

  private static <T> List<T> list(
      Arguments arguments, String name, String defaults, Function<String, T> parser) {
    return Stream.of(arguments.value(name).orElse(defaults).split(",", -1))
        .map(parser)
        .distinct()
        .toList();
  }

  private void round() throws IOException, InterruptedException {
    var servers = new LinkedHashMap<Contender, Server>();
    try {
      for (Contender contender : settings.contenders()) {
        servers.put(contender, Server.start(contender));
      }
      for (Cell cell : settings.cells()) {
        for (var entry : servers.entrySet()) {
          var run = new Run(entry.getKey(), cell, measure(entry.getValue(), cell));
          System.out.println("  " + run);
          runs.add(run);
        }
      }
    } finally {
      servers.values().forEach(server -> server.process().close());
    }
  }

  private Measurement measure(Server server, Cell cell) throws IOException, InterruptedException {
    var arguments = new ArrayList<Object>();
    Collections.addAll(arguments, "--port", server.port(), "--server-pid", server.process().pid());
    Collections.addAll(arguments, "--size", cell.size(), "--in-flight", cell.inFlight());
    Collections.addAll(arguments, "--connections", settings.connections());
    Collections.addAll(arguments, "--warmup", settings.warmup(), "--seconds", settings.seconds());
    if (settings.binary()) {
      arguments.add("--binary");
    }
    if (settings.http()) {
      arguments.add("--http");
    }
    try (var client =
        new ChildJvm(
            CLIENT_CORE, LoadGenerator.class, arguments.stream().map(Object::toString).toList())) {
      return Measurement.parse(
          client.finish(settings.warmup() + settings.seconds() + STARTUP_SECONDS));
    }
  }

  private void printTable() {
    System.out.printf(
        "%n| %s per second of server CPU (ratio to %s) |",
        settings.what(), settings.contenders().getFirst());
    settings.cells().forEach(cell -> System.out.print(" " + cell + " |"));
    System.out.println("\n|---|" + "---|".repeat(settings.cells().size()));
    for (Contender contender : settings.contenders()) {
      System.out.print("| " + contender + " |");
      for (Cell cell : settings.cells()) {
        double rate = median(contender, cell);
        double ratio = rate / median(settings.contenders().getFirst(), cell);
        System.out.printf(Locale.ROOT, " %,.0f k (%.2f) |", rate / 1000, ratio);
      }
      System.out.println();
    }
  }

  private double median(Contender contender, Cell cell) {
    double[] rates = rates(contender, cell);
    return (rates[(rates.length - 1) / 2] + rates[rates.length / 2]) / 2;
  }

  /** The figures of a cell in rising order. */
  private double[] rates(Contender contender, Cell cell) {
    return runs.stream()
        .filter(run -> run.contender().equals(contender) && run.cell().equals(cell))
        .mapToDouble(run -> run.measurement().messagesPerServerCpuSecond())
        .sorted()
        .toArray();
  }

  /** Says which figures of the table deserve less trust. */
  private void printDoubts() {
    for (Run run : runs) {
      if (run.cell().inFlight() >= 8 && run.measurement().serverStarved()) {
        System.out.println("warning: the server's core was not busy: " + run);
      }
    }
    for (Contender contender : settings.contenders()) {
      for (Cell cell : settings.cells()) {
        double[] rates = rates(contender, cell);
        if (rates[rates.length - 1] > NOISY * rates[0]) {
          System.out.printf(
              Locale.ROOT,
              "warning: the rounds differ: %s, %s: %,.0f k to %,.0f k%n",
              contender,
              cell,
              rates[0] / 1000,
              rates[rates.length - 1] / 1000);
        }
      }
    }
  }
}
