package dev.windhover.benchmarks;

import dev.windhover.benchmarks.Arguments.UsageException;
import dev.windhover.samples.hub.server.HubServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The servers whose hubs are compared, each with the same hub: {@link HubServer} with the hub's
 * methods on the loop or on virtual threads, and the reference, where it is.
 */
final class HubServers {
  private static final int CORE = 0;
  private static final int STARTUP_SECONDS = 60; // the reference unpacks itself the first time
  private static final Pattern READY = Pattern.compile("ready: .*:(\\d+)");
  private static final Pattern READY_ON_GIVEN_PORT = Pattern.compile(".*ready.*");

  private final Path reference;
  private final List<Kind> kinds;

  /** A server, and where its hub is. */
  enum Kind {
    LOOP("on the loop", "/bench-loop"),
    THREADS("on virtual threads", "/bench"),
    REFERENCE("the reference", "/bench");

    private final String words;
    private final String path;

    Kind(String words, String path) {
      this.words = words;
      this.path = path;
    }

    static Kind parse(String text) {
      return Stream.of(values())
          .filter(kind -> kind.name().toLowerCase(Locale.ROOT).equals(text))
          .findFirst()
          .orElseThrow(() ->
              new UsageException("unknown server " + text + ", expected loop, threads, reference"));
    }

    /** Returns the path of its hub. */
    String path() {
      return path;
    }

    @Override
    public String toString() {
      return words;
    }
  }

  private HubServers(Path reference, List<Kind> kinds) {
    this.reference = reference;
    this.kinds = kinds;
  }

  /** Takes the servers of the command line, and leaves out the reference if it is not there. */
  static HubServers of(Arguments arguments) {
    Path reference =
        Path.of(arguments.value("--reference").orElse("../shared/oracle/reference/start"));
    List<Kind> kinds =
        new ArrayList<>(arguments.list("--servers", "loop,threads,reference", Kind::parse));
    if (kinds.contains(Kind.REFERENCE) && !Files.isExecutable(reference)) {
      System.out.println("without the reference: there is no program " + reference);
      kinds.remove(Kind.REFERENCE);
    }
    return new HubServers(reference, List.copyOf(kinds));
  }

  List<Kind> kinds() {
    return kinds;
  }

  /** Starts one on the servers' core. */
  Contender.Running start(Kind kind, List<String> flags) throws IOException {
    if (kind == Kind.REFERENCE) {
      int port = freePort();
      var process =
          ChildProcess.program(CORE, List.of(reference.toString(), "hubs", Integer.toString(port)));
      process.awaitLine(READY_ON_GIVEN_PORT, STARTUP_SECONDS);
      return new Contender.Running(process, port);
    }
    var process =
        ChildProcess.jvm(CORE, flags, HubServer.class, List.of("--urls", "http://127.0.0.1:0"));
    int port = Integer.parseInt(process.awaitLine(READY, STARTUP_SECONDS).group(1));
    return new Contender.Running(process, port);
  }

  private static int freePort() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
