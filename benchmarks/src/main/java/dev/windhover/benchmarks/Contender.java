package dev.windhover.benchmarks;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.regex.Pattern;

/**
 * A server of {@link BenchServer} in one of its forms, written {@code netty} or {@code
 * windhover:blocking}.
 */
record Contender(String server, String api) {
  private static final int CORE = 0;
  private static final int STARTUP_SECONDS = 30;
  private static final Pattern READY = Pattern.compile(".*ready .*port (\\d+).*");

  static Contender parse(String text) {
    int colon = text.indexOf(':');
    var contender =
        colon < 0
            ? new Contender(text, "listener")
            : new Contender(text.substring(0, colon), text.substring(colon + 1));
    EchoServer _ = BenchServer.server(contender.server()); // says so early if there is none
    return contender;
  }

  /** Whether it can be compared with this compression. */
  boolean agreesTo(Compression compression) {
    return BenchServer.server(server).agreesTo(compression);
  }

  boolean isOurs() {
    return server.equals("windhover");
  }

  /** Starts it in a JVM of its own, with further flags, on the servers' core. */
  Running start(Compression compression, List<String> flags) throws IOException {
    var arguments = new ArrayList<String>();
    Collections.addAll(arguments, server, "--api", api, "--port", "0");
    Collections.addAll(arguments, "--compression", compression.toString());
    var process = new ChildJvm(CORE, flags, BenchServer.class, arguments);
    int port = Integer.parseInt(process.awaitLine(READY, STARTUP_SECONDS).group(1));
    return new Running(process, port);
  }

  /** One that runs. */
  record Running(ChildJvm process, int port) implements AutoCloseable {
    @Override
    public void close() {
      process.close();
    }
  }

  @Override
  public String toString() {
    return isOurs() ? server + ", " + api : server;
  }
}
