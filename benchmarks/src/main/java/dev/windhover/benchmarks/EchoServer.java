package dev.windhover.benchmarks;

import java.nio.charset.StandardCharsets;

/**
 * A contender: a server that echoes every WebSocket message whole, as one frame of the same type,
 * on any path but one, where it answers plain requests.
 *
 * <p>To add one, implement this, configure it as {@link NettyTransport} says, and name it in {@link
 * BenchServer}.
 */
interface EchoServer {
  /** The path that is answered with {@link #ANSWER}; netty-raw knows no HTTP. */
  String ANSWER_PATH = "/answer";

  /** The body of a plain answer, 1 KiB. */
  byte[] ANSWER = "0123456789abcdef".repeat(64).getBytes(StandardCharsets.US_ASCII);

  /** Listens on loopback, on threads that keep the JVM alive, and returns the port. */
  int start(Options options) throws Exception;

  /**
   * What all contenders are told.
   *
   * @param api the way the handler runs; a contender with only one way ignores it
   * @param port the port to listen on, 0 for any free one
   * @param loops the number of event loops, which accept and serve
   */
  record Options(Api api, int port, int loops, NettyTransport transport) {}

  /** The ways to run a handler. */
  enum Api {
    LISTENER,
    BLOCKING
  }
}
