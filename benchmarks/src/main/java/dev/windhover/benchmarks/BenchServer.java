package dev.windhover.benchmarks;

import dev.windhover.benchmarks.Arguments.UsageException;
import dev.windhover.benchmarks.EchoServer.Api;
import java.io.IOException;
import java.util.Locale;

/**
 * Starts one echo server and prints a line with {@code ready} in it: {@code bench-server
 * <windhover|netty-raw|netty> --api <listener|blocking> --port N [--loops N] [--transport
 * epoll|nio]}.
 */
final class BenchServer {
  private BenchServer() {}

  static void main(String[] args) {
    Arguments.run("bench-server", args, BenchServer::run);
  }

  private static void run(Arguments arguments) throws Exception {
    String name = arguments.word("windhover, netty-raw or netty");
    EchoServer server = server(name);
    Api api =
        Api.valueOf(arguments.choice("--api", "listener", "blocking").toUpperCase(Locale.ROOT));
    int port = arguments.number("--port", 0, 65535);
    int loops = arguments.number("--loops", 1, 1024, 1);
    String transport =
        arguments.choice("--transport", NettyTransport.preferred().toString(), "epoll", "nio");
    arguments.end();

    var options =
        new EchoServer.Options(
            api, port, loops, NettyTransport.valueOf(transport.toUpperCase(Locale.ROOT)));
    int bound;
    try {
      bound = server.start(options);
    } catch (IOException e) {
      throw new IOException("cannot listen on port " + port + ": " + e.getMessage(), e);
    }
    System.out.printf(
        "ready %s on port %d (%s, loops: %d, pid: %d)%n",
        name, bound, transport, loops, ProcessHandle.current().pid());
  }

  private static EchoServer server(String name) {
    return switch (name) {
      case "netty-raw" -> new NettyRawEchoServer();
      case "netty" -> new NettyEchoServer();
      case "windhover" -> new WindhoverEchoServer();
      default ->
          throw new UsageException(
              "unknown server " + name + ", expected windhover, netty-raw or netty");
    };
  }
}
