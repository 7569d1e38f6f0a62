package dev.windhover.benchmarks;

import dev.windhover.benchmarks.Arguments.UsageException;
import dev.windhover.benchmarks.HubServers.Kind;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Compares hubs, in JSON over WebSockets, and prints tables in Markdown: {@code bench --hubs
 * [--parts rates,latency,memory] [--servers loop,threads,reference] [--rounds 3] [--seconds 4]
 * [--warmup 5] [--connections 8000] [--reference ../shared/oracle/reference/start]}.
 *
 * <ul>
 *   <li><em>rates</em>: calls that are answered, and messages that arrive at clients, per second of
 *       the server's CPU, with ratios to {@code netty-raw}, which echoes 64 B over 64 connections.
 *       Messages to all are sent by calls that send 100 of them, so that several can leave
 *       together.
 *   <li><em>latency</em>: how long calls of {@value #CALLERS} connections take while another one
 *       has messages sent to {@value #AUDIENCE} all the time. Both loads are processes of their own
 *       on the same core, so that one does not wait for the other's work.
 *   <li><em>memory</em>: see {@link HubMemory}.
 * </ul>
 *
 * <p>In each round the servers are started anew and measured in turn, as {@link Compare} does.
 */
final class HubCompare {
  private static final int CLIENT_CORE = 1;
  private static final int STARTUP_SECONDS = 60;
  private static final int CALLERS = 8;
  private static final int AUDIENCE = 1000;

  /** What is measured, and the load; a ratio is one to the limit with so many in flight. */
  private enum Row {
    CALLS_1("calls, 64 B, 64 connections, 1 in flight", 1, "--connections 64 --size 64"),
    CALLS_8("the same, 8 in flight", 8, "--connections 64 --size 64 --in-flight 8"),
    SENDS_100(
        "sends to all, 128 B, 100 connections", 8, "--connections 100 --size 128 --sends 100"),
    SENDS_1000("the same, 1,000 connections", 8, "--connections 1000 --size 128 --sends 100");

    private final String words;
    private final int limit;
    private final String load;

    Row(String words, int limit, String load) {
      this.words = words;
      this.limit = limit;
      this.load = load;
    }
  }

  private record Settings(HubServers servers, int rounds, int seconds, int warmup) {}

  /** Calls while messages are sent to all. */
  private record Latency(Measurement calls, Measurement sends) {}

  private final Settings settings;

  private HubCompare(Settings settings) {
    this.settings = settings;
  }

  static void measure(Arguments arguments) throws IOException, InterruptedException {
    List<String> parts = arguments.list("--parts", "rates,latency,memory", HubCompare::part);
    var servers = HubServers.of(arguments);
    var settings =
        new Settings(
            servers,
            arguments.number("--rounds", 1, 100, 3),
            arguments.number("--seconds", 1, 3600, 4),
            arguments.number("--warmup", 1, 3600, 5));
    int connections = arguments.number("--connections", 1, 16_000, 8000);
    arguments.end();
    var compare = new HubCompare(settings);
    if (parts.contains("rates")) {
      compare.rates();
    }
    if (parts.contains("latency")) {
      compare.latency();
    }
    if (parts.contains("memory")) {
      new HubMemory(servers, connections).measure();
    }
  }

  private static String part(String text) {
    if (!List.of("rates", "latency", "memory").contains(text)) {
      throw new UsageException("unknown part " + text + ", expected rates, latency or memory");
    }
    return text;
  }

  // ---- Rates

  private void rates() throws IOException, InterruptedException {
    var limits = new LinkedHashMap<Integer, List<Measurement>>();
    var all = new LinkedHashMap<Row, Map<Kind, List<Measurement>>>();
    for (int round = 1; round <= settings.rounds(); round++) {
      System.out.println("round " + round);
      ratesOfRound(limits, all);
    }
    System.out.println(
        "\n| per second of server CPU (ratio to netty-raw) | netty-raw |" + titles());
    System.out.println("|---|---|" + "---|".repeat(settings.servers().kinds().size()));
    all.forEach((row, measured) -> {
      double limit = rate(limits.getOrDefault(row.limit, List.of()));
      String cells =
          measured.values().stream()
              .map(runs -> {
                double rate = rate(runs);
                return String.format(Locale.ROOT, " %,.0f (%.2f) |", rate, rate / limit);
              })
              .collect(Collectors.joining());
      System.out.printf(Locale.ROOT, "| %s | %,.0f |%s%n", row.words, limit, cells);
    });
  }

  private void ratesOfRound(
      Map<Integer, List<Measurement>> limits, Map<Row, Map<Kind, List<Measurement>>> all)
      throws IOException, InterruptedException {
    var running = new LinkedHashMap<Kind, Contender.Running>();
    try (var raw = Contender.parse("netty-raw").start(Compression.OFF, List.of())) {
      for (Kind kind : settings.servers().kinds()) {
        running.put(kind, settings.servers().start(kind, List.of()));
      }
      for (int inFlight : new int[] {1, 8}) {
        Measurement measured =
            finished(load(raw, settings.seconds(), "--connections 64 --in-flight " + inFlight));
        print("netty-raw, " + inFlight + " in flight", measured);
        limits.computeIfAbsent(inFlight, _ -> new ArrayList<>()).add(measured);
      }
      for (Row row : Row.values()) {
        for (var each : running.entrySet()) {
          Kind kind = each.getKey();
          Measurement measured =
              finished(
                  load(each.getValue(), settings.seconds(), row.load + " --hub " + kind.path()));
          print(kind + ", " + row.words, measured);
          all.computeIfAbsent(row, _ -> new LinkedHashMap<>())
              .computeIfAbsent(kind, _ -> new ArrayList<>())
              .add(measured);
        }
      }
    } finally {
      running.values().forEach(Contender.Running::close);
    }
  }

  private static double rate(List<Measurement> runs) {
    return median(runs, Measurement::messagesPerServerCpuSecond);
  }

  // ---- Latency

  private void latency() throws IOException, InterruptedException {
    var all = new LinkedHashMap<Kind, List<Latency>>();
    for (int round = 1; round <= settings.rounds(); round++) {
      System.out.println("round " + round);
      for (Kind kind : settings.servers().kinds()) {
        Latency measured = latency(kind);
        print(kind + ", calls", measured.calls());
        print(kind + ", sends", measured.sends());
        all.computeIfAbsent(kind, _ -> new ArrayList<>()).add(measured);
      }
    }
    System.out.println("\n| calls while messages are sent to all |" + titles());
    System.out.println("|---|" + "---|".repeat(settings.servers().kinds().size()));
    print("median of the time for a call, ms", all, one -> one.calls().p50Micros() / 1e3);
    print("99th percentile, ms", all, one -> one.calls().p99Micros() / 1e3);
    print("calls a second", all, one -> one.calls().messagesPerSecond());
    print(
        "messages that arrive, in thousands a second",
        all,
        one -> one.sends().messagesPerSecond() / 1e3);
  }

  private Latency latency(Kind kind) throws IOException, InterruptedException {
    String hub = " --hub " + kind.path();
    try (var server = settings.servers().start(kind, List.of());
        var sends =
            load(
                server,
                settings.seconds() + 1, // it connects more slowly
                "--size 128 --sends 100 --connections " + AUDIENCE + hub);
        var calls = load(server, settings.seconds(), "--connections " + CALLERS + hub)) {
      return new Latency(finished(calls), finished(sends));
    }
  }

  private static void print(
      String title, Map<Kind, List<Latency>> all, ToDoubleFunction<Latency> figure) {
    System.out.println(
        all.values().stream()
            .map(runs -> String.format(Locale.ROOT, "%,.1f", median(runs, figure)))
            .collect(Collectors.joining(" | ", "| " + title + " | ", " |")));
  }

  // ---- Both

  private ChildProcess load(Contender.Running server, int seconds, String words)
      throws IOException {
    String common =
        "--port %d --server-pid %d --warmup %d --seconds %d "
            .formatted(server.port(), server.process().pid(), settings.warmup(), seconds);
    return ChildProcess.jvm(
        CLIENT_CORE,
        List.of(),
        LoadGenerator.class,
        Stream.of((common + words).split(" ", -1)).toList());
  }

  private Measurement finished(ChildProcess load) throws IOException, InterruptedException {
    try (load) {
      return Measurement.parse(
          load.finish(settings.warmup() + settings.seconds() + STARTUP_SECONDS));
    }
  }

  private String titles() {
    return settings.servers().kinds().stream()
        .map(kind -> " " + kind + " |")
        .collect(Collectors.joining());
  }

  private static void print(String title, Measurement measured) {
    System.out.printf(
        Locale.ROOT,
        "  %-60s %,10.0f, server %3.0f %%, client %3.0f %%, p50 %,.0f us, p99 %,.0f us%n",
        title,
        measured.messagesPerServerCpuSecond(),
        100 * measured.serverBusy(),
        100 * measured.clientBusy(),
        measured.p50Micros(),
        measured.p99Micros());
  }

  private static <T> double median(List<T> runs, ToDoubleFunction<T> figure) {
    double[] sorted = runs.stream().mapToDouble(figure).sorted().toArray();
    return sorted.length == 0
        ? Double.NaN
        : (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
  }
}
