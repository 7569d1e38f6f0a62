package dev.windhover.benchmarks;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.regex.Pattern;

/**
 * A server of {@link BenchServer} in one of its forms, written {@code netty} or {@code
 * windhover:blocking}; with {@code @1.1} at the end, it uses HTTP/1.1 where the others use HTTP/2.
 */
record Contender(String server, String api, boolean http1) {
  private static final String HTTP_1 = "@1.1";
  private static final int CORE = 0;
  private static final int STARTUP_SECONDS = 30;
  private static final Pattern READY = Pattern.compile(".*ready .*port (\\d+).*");

  static Contender parse(String text) {
    boolean http1 = text.endsWith(HTTP_1);
    String name = http1 ? text.substring(0, text.length() - HTTP_1.length()) : text;
    int colon = name.indexOf(':');
    var contender =
        colon < 0
            ? new Contender(name, "listener", http1)
            : new Contender(name.substring(0, colon), name.substring(colon + 1), http1);
    EchoServer _ = BenchServer.server(contender.server()); // fails early if there is none
    return contender;
  }

  /** Whether it can be compared with this compression. */
  boolean agreesTo(Compression compression) {
    return BenchServer.server(server).agreesTo(compression);
  }

  /** Whether it is ours, and does the same as the others. */
  boolean isOurs() {
    return server.equals("windhover") && !http1;
  }

  /** Starts it in a JVM of its own, with further flags, on the servers' core. */
  Running start(Compression compression, List<String> flags) throws IOException {
    var arguments = new ArrayList<String>();
    Collections.addAll(arguments, server, "--api", api, "--port", "0");
    Collections.addAll(arguments, "--compression", compression.toString());
    var process = ChildProcess.jvm(CORE, flags, BenchServer.class, arguments);
    int port = Integer.parseInt(process.awaitLine(READY, STARTUP_SECONDS).group(1));
    return new Running(process, port);
  }

  /** A running contender. */
  record Running(ChildProcess process, int port) implements AutoCloseable {
    @Override
    public void close() {
      process.close();
    }
  }

  @Override
  public String toString() {
    String form = server.equals("windhover") ? server + ", " + api : server;
    return http1 ? form + ", HTTP/1.1" : form;
  }
}
