package dev.windhover.testing;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a client can do below the level of messages and frames: inject faults into the connection,
 * see what has come, and see how the connection ended.
 *
 * <p>A fault applies to bytes that are sent after the call, and counts from there. The methods are
 * named after TCP; over HTTP/2, an end is END_STREAM and a reset is RST_STREAM.
 *
 * @param <C> the client itself, which most methods return
 */
public abstract sealed class TestConnection<C extends TestConnection<C>>
    permits TestWebSocket, TestFrames {
  private final Wire wire;
  private @Nullable TestResponse response;

  TestConnection(Wire wire, @Nullable TestResponse response) {
    this.wire = wire;
    this.response = response;
  }

  /** Returns this. */
  abstract C self();

  Wire wire() {
    return wire;
  }

  /** Returns the answer to the opening handshake. */
  public TestResponse response() {
    return Objects.requireNonNull(response);
  }

  void response(TestResponse given) {
    response = given;
  }

  // ---- Faults on the way to the server

  /** Splits what is sent: it arrives {@code bytes} at a time, each part in a separate read. */
  public C cutEvery(int bytes) {
    requirePositive(bytes);
    wire.uplink(way -> way.cutEvery(bytes));
    return self();
  }

  /** Lets {@code bytes} more arrive and holds back the rest, until {@link #release}. */
  public C holdAfter(long bytes) {
    requireNotNegative(bytes);
    wire.uplink(way -> way.holdAfter(bytes));
    return self();
  }

  /** Delivers what {@link #holdAfter} has held back, and everything that is sent from now on. */
  public C release() {
    wire.uplink(Uplink::release);
    return self();
  }

  /**
   * Delays what is sent by this much, on the {@linkplain HandClock clock} that the test moves.
   * {@link Duration#ZERO} ends the delay, but nothing arrives before what was sent earlier.
   */
  public C delay(Duration by) {
    requireNotNegative(by.toNanos());
    wire.uplink(way -> way.delay(by));
    return self();
  }

  /** Inverts the byte with this index; 0 is the next byte that is sent. */
  public C corruptAt(long index) {
    requireNotNegative(index);
    wire.uplink(way -> way.corruptAt(index));
    return self();
  }

  /** Ends this direction, like TCP's FIN: the server may still send. */
  public C end() {
    wire.uplink(Uplink::end);
    return self();
  }

  /** Drops the connection, like TCP's RST. */
  public C reset() {
    wire.reset();
    return self();
  }

  // ---- Faults on the way from the server

  /**
   * Takes nothing more from the server, like a client that does not read: the server's output piles
   * up.
   */
  public C stopTaking() {
    return take(0);
  }

  /** Takes {@code bytes} more from the server, then nothing. */
  public C take(long bytes) {
    requireNotNegative(bytes);
    wire.onLoop(open -> open.window(bytes));
    wire.host().loop().awaitIdle();
    return self();
  }

  /** Takes whatever the server sends, which is the default; reverses {@link #stopTaking}. */
  public C takeAll() {
    return take(Long.MAX_VALUE);
  }

  /** Drops the connection as soon as {@code bytes} more have come from the server. */
  public C resetAfter(long bytes) {
    requireNotNegative(bytes);
    wire.drop(open -> open.resetAfter(bytes));
    return self();
  }

  /**
   * Drops the connection as {@link #resetAfter} does, but the server notices it during the write
   * itself; with 0, during its next write.
   */
  public C failWriteAfter(long bytes) {
    requireNotNegative(bytes);
    wire.drop(open -> open.failWriteAfter(bytes));
    return self();
  }

  /**
   * Delivers what is sent from now on even to a server that has paused, as if it had already been
   * on its way.
   */
  C overrun() {
    wire.onLoop(MemoryDuplex::overrun);
    return self();
  }

  // ---- What has come

  /**
   * Returns the frames that have come, at most the last 1,000, once the host is {@linkplain
   * TestHost#awaitIdle() idle}. They no longer count as left over, and can still be received.
   */
  public List<Frame> received() {
    wire.host().awaitIdle();
    return wire.received();
  }

  /**
   * Waits until the host is {@linkplain TestHost#awaitIdle() idle}, and fails if anything has come
   * that the test has not received.
   */
  public C expectNothing() {
    wire.host().awaitIdle();
    String left = wire.leftOver();
    if (left != null) {
      throw wire.failed("expected nothing, got " + left);
    }
    return self();
  }

  /** Waits until the server has ended its direction, and sent nothing before that. */
  public void expectEnd() {
    wire.expectEnd();
  }

  /** Waits until the server has dropped the connection, and sent nothing before that. */
  public void expectReset() {
    wire.expectReset();
  }

  // ---- What the server holds

  /**
   * Returns how many delivered bytes the server still holds, because it has not given back credit
   * for them.
   */
  public long uncredited() {
    return wire.ask(MemoryDuplex::uncredited);
  }

  /**
   * Returns whether the server reads what this end sends. If not, it has reached its inbound limit.
   */
  public boolean isServerReading() {
    return wire.ask(MemoryDuplex::isReading);
  }

  /** Returns how many bytes the server has written to its transport that this end has not taken. */
  public long pending() {
    return wire.ask(MemoryDuplex::pending);
  }

  /** Returns how often the server has flushed output. */
  long flushes() {
    return wire.ask(MemoryDuplex::flushes);
  }

  private static void requirePositive(long bytes) {
    if (bytes <= 0) {
      throw new IllegalArgumentException(bytes + " is not positive");
    }
  }

  private static void requireNotNegative(long number) {
    if (number < 0) {
      throw new IllegalArgumentException(number + " is negative");
    }
  }
}
