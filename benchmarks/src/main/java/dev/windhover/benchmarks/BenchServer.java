package dev.windhover.benchmarks;

import dev.windhover.benchmarks.Arguments.UsageException;
import dev.windhover.benchmarks.EchoServer.Api;
import java.io.IOException;
import java.util.Locale;

/**
 * Starts one echo server and prints a line that contains {@code ready}: {@code bench-server
 * <windhover|netty-raw|netty|netty-data|netty-mux|jetty|undertow> --api <listener|blocking> --port
 * N [--loops N] [--transport epoll|nio] [--compression off|takeover|no-takeover|takeover:9]}. Jetty
 * and Undertow have transports of their own. {@code windhover} and {@code jetty} also speak HTTP/2;
 * {@code netty-data} and {@code netty-mux} speak only HTTP/2.
 */
final class BenchServer {
  private static final String USAGE =
      """
      usage: ./run bench-server <windhover|netty-raw|netty|netty-data|netty-mux|jetty|undertow>
        --port N               0 for any free one
        --api listener         or blocking
        --loops 1
        --transport epoll      or nio
        --compression off      takeover, no-takeover, takeover:9, no-takeover:9
      """;

  private BenchServer() {}

  static void main(String[] args) {
    Arguments.run("bench-server", USAGE, args, BenchServer::run);
  }

  private static void run(Arguments arguments) throws Exception {
    String name = arguments.word("the name of a server");
    EchoServer server = server(name);
    Api api =
        Api.valueOf(arguments.choice("--api", "listener", "blocking").toUpperCase(Locale.ROOT));
    int port = arguments.number("--port", 0, 65535);
    int loops = arguments.number("--loops", 1, 1024, 1);
    String transport =
        arguments.choice("--transport", NettyTransport.preferred().toString(), "epoll", "nio");
    var compression =
        Compression.parse("--compression", arguments.value("--compression").orElse("off"));
    arguments.end();
    if (!server.agreesTo(compression)) {
      throw new UsageException(name + " does not agree to compression " + compression);
    }

    var options =
        new EchoServer.Options(
            api,
            port,
            loops,
            NettyTransport.valueOf(transport.toUpperCase(Locale.ROOT)),
            compression);
    int bound;
    try {
      bound = server.start(options);
    } catch (IOException e) {
      throw new IOException("cannot listen on port " + port + ": " + e.getMessage(), e);
    }
    System.out.printf(
        "ready %s on port %d (%s, loops: %d, compression: %s, pid: %d)%n",
        name, bound, transport, loops, compression, ProcessHandle.current().pid());
  }

  /** Returns the server of this name, not started. */
  static EchoServer server(String name) {
    return switch (name) {
      case "netty-raw" -> new NettyRawEchoServer();
      case "netty" -> new NettyEchoServer();
      case "netty-data" -> new NettyDataEchoServer();
      case "netty-mux" -> new NettyMuxEchoServer();
      case "jetty" -> new JettyEchoServer();
      case "undertow" -> new UndertowEchoServer();
      case "windhover" -> new WindhoverEchoServer();
      default ->
          throw new UsageException(
              "unknown server "
                  + name
                  + ", expected windhover, netty-raw, netty, netty-data, netty-mux, jetty or"
                  + " undertow");
    };
  }
}
