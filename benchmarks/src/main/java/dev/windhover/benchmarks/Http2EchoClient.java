package dev.windhover.benchmarks;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Selector;
import java.time.Duration;
import org.HdrHistogram.Histogram;

/**
 * WebSockets on one HTTP/2 connection, each of which sends one message after another. Not built for
 * speed.
 */
final class Http2EchoClient implements MemoryCompare.Client {
  private static final long PATIENCE = Duration.ofSeconds(5).toNanos();

  private final Selector selector;
  private final Http2Load load;
  private final ByteBuffer buffer = ByteBuffer.allocate(64 * 1024);
  private final Histogram unused = new Histogram(1);

  /** Connects; clients of one thread may share a selector. */
  Http2EchoClient(int port, MessageRing ring, int sockets, Selector selector) throws IOException {
    this.selector = selector;
    load = new Http2Load("connection", port, ring, 1, sockets, selector);
  }

  /** Each socket sends the ring's next messages, each after the reply to the one before. */
  @Override
  public void echo(int count) throws IOException {
    for (int i = 0; i < count; i++) {
      load.send(true);
      for (long start = System.nanoTime(); !load.drained(); ) {
        if (selector.select(100) == 0 && System.nanoTime() - start > PATIENCE) {
          throw new IOException("a reply is missing");
        }
        selector.selectedKeys().clear();
        load.ready(buffer, unused, false);
      }
    }
  }

  /** Closes without waiting for the server, which may have ended. */
  @Override
  public void close() {
    try {
      load.close();
      selector.selectNow(); // removes the cancelled key
    } catch (IOException e) {
      // then it knows
    }
  }
}
