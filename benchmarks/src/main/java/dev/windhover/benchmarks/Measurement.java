package dev.windhover.benchmarks;

import java.util.Locale;

/**
 * What the load generator measured. The server's figures are NaN if its process was not named.
 *
 * @param messagesPerSecond by wall-clock time
 * @param messagesPerServerCpuSecond by the user and system time of the server's process
 * @param serverBusy the CPU time of the server per second, 1.0 is one core
 * @param clientBusy the CPU time of the load generator per second
 * @param bytesPerReply on the wire, with headers
 * @param p50Micros median of the time from the write of a message to the read that ended its reply
 * @param p99Micros 99th percentile of the same
 */
record Measurement(
    double messagesPerSecond,
    double messagesPerServerCpuSecond,
    double serverBusy,
    double clientBusy,
    double bytesPerReply,
    double p50Micros,
    double p99Micros) {

  private static final double BUSY = 0.95;

  /** Whether the server had time to spare, so that the client or the machine was the bottleneck. */
  boolean serverStarved() {
    return serverBusy < BUSY;
  }

  String report() {
    return String.format(
        Locale.ROOT,
        """
        messages/s:            %.0f
        messages/server CPU s: %.0f
        server CPU:            %.3f
        client CPU:            %.3f
        bytes/reply:           %.1f
        latency p50 us:        %.1f
        latency p99 us:        %.1f
        """,
        messagesPerSecond,
        messagesPerServerCpuSecond,
        serverBusy,
        clientBusy,
        bytesPerReply,
        p50Micros,
        p99Micros);
  }

  /** Parses the output of {@link #report}. */
  static Measurement parse(String report) {
    var figures =
        report
            .lines()
            .map(line -> Double.parseDouble(line.substring(line.indexOf(':') + 1)))
            .toList();
    return new Measurement(
        figures.get(0),
        figures.get(1),
        figures.get(2),
        figures.get(3),
        figures.get(4),
        figures.get(5),
        figures.get(6));
  }
}
