package dev.windhover.benchmarks;

import java.nio.charset.StandardCharsets;

/**
 * A contender: a server that echoes every WebSocket message whole, as one frame of the same type
 * (in fragments, if it likes, where it compresses), on any path but one, where it answers plain
 * requests.
 *
 * <p>To add one, implement this, configure it as {@link NettyTransport} says if it stands on Netty,
 * and name it in {@link BenchServer}.
 */
interface EchoServer {
  /** The path that is answered with {@link #ANSWER}; netty-raw knows no HTTP. */
  String ANSWER_PATH = "/answer";

  /** The body of a plain answer, 1 KiB. */
  byte[] ANSWER = "0123456789abcdef".repeat(64).getBytes(StandardCharsets.US_ASCII);

  /** No message is larger; above what the load generator can be told to send. */
  int MAX_MESSAGE = 2 << 20;

  /** So many WebSockets may be opened on one connection of HTTP/2. */
  int MAX_STREAMS = 10_000;

  /** Whether it can agree to this; one that cannot is not asked to. */
  boolean agreesTo(Compression compression);

  /** Listens on loopback, on threads that keep the JVM alive, and returns the port. */
  int start(Options options) throws Exception;

  /**
   * What all contenders are told.
   *
   * @param api the way the handler runs; a contender with only one way ignores it
   * @param port the port to listen on, 0 for any free one
   * @param loops the number of event loops, which accept and serve
   * @param compression what it agrees to, if it is offered
   */
  record Options(Api api, int port, int loops, NettyTransport transport, Compression compression) {}

  /** The ways to run a handler. */
  enum Api {
    LISTENER,
    BLOCKING
  }
}
