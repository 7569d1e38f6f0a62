package dev.windhover.benchmarks;

import java.nio.charset.StandardCharsets;

/**
 * A contender: a server that echoes every WebSocket message as one frame of the same type (or as
 * fragments, if it compresses), on any path but one, where it answers plain requests.
 *
 * <p>To add one, implement this interface, configure it as {@link NettyTransport} says if it uses
 * Netty, and name it in {@link BenchServer}.
 */
interface EchoServer {
  /** The path that is answered with {@link #ANSWER}; netty-raw does not support HTTP. */
  String ANSWER_PATH = "/answer";

  /** The body of a plain response, 1 KiB. */
  byte[] ANSWER = "0123456789abcdef".repeat(64).getBytes(StandardCharsets.US_ASCII);

  /** No message is larger; more than the load generator can be told to send. */
  int MAX_MESSAGE = 2 << 20;

  /** How many WebSockets may be opened on one HTTP/2 connection. */
  int MAX_STREAMS = 10_000;

  /** Whether it can negotiate this; a contender that cannot is not asked to. */
  boolean agreesTo(Compression compression);

  /** Listens on loopback, on threads that keep the JVM alive, and returns the port. */
  int start(Options options) throws Exception;

  /**
   * The options of all contenders.
   *
   * @param api the way the handler runs; a contender with only one way ignores it
   * @param port the port to listen on, 0 for any free one
   * @param loops the number of event loops, which accept and serve
   * @param compression what it accepts if it is offered
   */
  record Options(Api api, int port, int loops, NettyTransport transport, Compression compression) {}

  /** The ways to run a handler. */
  enum Api {
    LISTENER,
    BLOCKING
  }
}
