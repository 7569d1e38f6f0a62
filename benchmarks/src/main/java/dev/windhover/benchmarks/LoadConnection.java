package dev.windhover.benchmarks;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import org.HdrHistogram.Histogram;

/**
 * One connection of the load generator: keeps a fixed number of messages outstanding, and checks
 * what comes back.
 *
 * <p>All replies that are completed by one read free their slots at once, and the messages that
 * fill these slots go out in one write.
 */
abstract class LoadConnection {
  private static final int TIMEOUT_MILLIS = 5_000;

  private final String name;
  private final SocketChannel channel;
  private final SelectionKey key;
  private final ByteBuffer unsent;
  private final byte[] cut = new byte[1024]; // the start of a header, from the end of a read
  private int cutLength;
  private int freeSlots;
  private final long[] sentAt; // when each outstanding message was sent, a circle
  private int newest;
  private int oldest;
  private long received;
  private boolean closing;

  /** The exchange on a new connection before the messages. */
  @FunctionalInterface
  interface Opening {
    void perform(Socket socket) throws IOException;
  }

  /** Connects, and performs the exchange that precedes the messages. */
  LoadConnection(
      String name, int port, Opening opening, ByteBuffer unsent, int inFlight, Selector selector)
      throws IOException {
    this.name = name;
    this.unsent = unsent;
    freeSlots = inFlight;
    sentAt = new long[inFlight];
    channel = SocketChannel.open();
    channel.socket().setTcpNoDelay(true);
    channel.socket().setSoTimeout(TIMEOUT_MILLIS);
    try {
      channel
          .socket()
          .connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), TIMEOUT_MILLIS);
      opening.perform(channel.socket());
    } catch (IOException e) {
      throw new IOException(this + ": cannot connect to port " + port + ": " + e.getMessage(), e);
    }
    channel.configureBlocking(false);
    key = channel.register(selector, SelectionKey.OP_READ, this);
  }

  /**
   * Makes {@code unsent} hold the next {@code count} messages, or fewer if the server has no room
   * for them, and returns how many.
   */
  abstract int next(ByteBuffer unsent, int count);

  /**
   * Takes the bytes that have come, except for an incomplete header at the end, and calls {@link
   * #answered} for each reply that is complete.
   */
  abstract void take(ByteBuffer buffer) throws IOException;

  /** Returns the last bytes before our direction ends. */
  abstract ByteBuffer farewell();

  /** Reads and writes what is ready, and returns how much of what has come counts. */
  int ready(ByteBuffer buffer, Histogram latencies, boolean sending) throws IOException {
    int replies = 0;
    if (key.isReadable()) {
      buffer.clear().put(cut, 0, cutLength);
      cutLength = 0;
      int read = channel.read(buffer);
      if (read < 0) {
        if (!closing) {
          throw new IOException("closed by the server");
        }
        channel.close();
        return 0;
      }
      if (closing) {
        return 0;
      }
      received += read;
      int before = freeSlots;
      take(buffer.flip());
      replies = freeSlots - before;
      record(replies, latencies);
      cutLength = buffer.remaining();
      if (cutLength > cut.length) {
        throw new IOException("wrong reply: a header of " + cutLength + " bytes");
      }
      buffer.get(cut, 0, cutLength);
    }
    if (sending || unsent.hasRemaining()) {
      send(sending);
    }
    return counted(replies);
  }

  private void record(int replies, Histogram latencies) {
    long now = System.nanoTime();
    for (int i = 0; i < replies; i++) {
      latencies.recordValue(Math.min(now - sentAt[oldest], latencies.getHighestTrackableValue()));
      oldest = nextSlot(oldest);
    }
  }

  /** Marks the oldest outstanding message as answered; with several streams, roughly the oldest. */
  final void answered() throws IOException {
    if (drained()) {
      throw new IOException("wrong echo: more replies than messages");
    }
    freeSlots++;
  }

  /** Returns what counts of what has just come: each reply, unless something else is measured. */
  int counted(int replies) {
    return replies;
  }

  /** Fills the free slots, unless the socket is full. */
  void send(boolean fill) throws IOException {
    if (!unsent.hasRemaining() && fill && freeSlots > 0) {
      int count = next(unsent, freeSlots);
      freeSlots -= count;
      long now = System.nanoTime();
      for (int i = 0; i < count; i++) {
        sentAt[newest] = now;
        newest = nextSlot(newest);
      }
    }
    channel.write(unsent);
    int interest = SelectionKey.OP_READ | (unsent.hasRemaining() ? SelectionKey.OP_WRITE : 0);
    if (key.interestOps() != interest) {
      key.interestOps(interest);
    }
  }

  /** Whether all replies that are checked in full have come. */
  boolean verified() {
    return true;
  }

  /** The bytes that have come. */
  final long received() {
    return received;
  }

  /** Whether every message sent has been answered. */
  final boolean drained() {
    return freeSlots == sentAt.length;
  }

  /**
   * Sends the farewell and nothing more. Everything that comes until the server closes is dropped.
   */
  final void close() throws IOException {
    closing = true;
    channel.write(farewell());
    channel.shutdownOutput();
  }

  final boolean closed() {
    return !channel.isOpen();
  }

  private int nextSlot(int slot) {
    return slot + 1 == sentAt.length ? 0 : slot + 1;
  }

  @Override
  public String toString() {
    return name;
  }
}
