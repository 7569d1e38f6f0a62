package dev.windhover.testing;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a client can do below its messages and frames: put faults into the connection, see what has
 * come, and how the connection ended.
 *
 * <p>Faults take effect behind what was sent before, and count bytes from there on. TCP's words
 * stand for those of HTTP/2 as well: an end is END_STREAM, a reset RST_STREAM.
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

  /** Cuts what is sent: it arrives {@code bytes} at a time, each in a read of its own. */
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

  /** Lets arrive what {@link #holdAfter} has held back, and what is sent from here on. */
  public C release() {
    wire.uplink(Uplink::release);
    return self();
  }

  /**
   * Lets what is sent arrive so much later, on the {@linkplain HandClock clock} that the test
   * moves; with {@link Duration#ZERO} at once again, but never before what was sent earlier.
   */
  public C delay(Duration by) {
    requireNotNegative(by.toNanos());
    wire.uplink(way -> way.delay(by));
    return self();
  }

  /** Inverts one byte of what is sent, that with this index; 0 is the next one. */
  public C corruptAt(long index) {
    requireNotNegative(index);
    wire.uplink(way -> way.corruptAt(index));
    return self();
  }

  /** Ends this direction, as TCP's FIN: the server may still send. */
  public C end() {
    wire.uplink(Uplink::end);
    return self();
  }

  /** Drops the connection, as TCP's RST. */
  public C reset() {
    wire.reset();
    return self();
  }

  // ---- Faults on the way from the server

  /** Takes nothing more from the server, as a client that does not read: its output piles up. */
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

  /** Takes whatever the server sends: the beginning, and after {@link #stopTaking} again. */
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
   * Drops the connection as {@link #resetAfter} does, but so that the server finds out inside of
   * the write itself; with 0 in its next one.
   */
  public C failWriteAfter(long bytes) {
    requireNotNegative(bytes);
    wire.drop(open -> open.failWriteAfter(bytes));
    return self();
  }

  /** Lets what is sent from here on reach a server that has paused: it was on its way already. */
  C overrun() {
    wire.onLoop(MemoryDuplex::overrun);
    return self();
  }

  // ---- What has come

  /**
   * Returns every frame that has come, the last 1,000 of them, once the host is {@linkplain
   * TestHost#awaitIdle() idle}. They count as looked at, and may still be received.
   */
  public List<Frame> received() {
    wire.host().awaitIdle();
    return wire.received();
  }

  /**
   * Waits until the host is {@linkplain TestHost#awaitIdle() idle}, and fails if anything has come
   * that the test has not looked at.
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

  /** Returns how many delivered bytes the server still holds, by the credit it gave back. */
  public long uncredited() {
    return wire.ask(MemoryDuplex::uncredited);
  }

  /** Returns whether the server takes what this end sends; if not, it has had too much. */
  public boolean isServerReading() {
    return wire.ask(MemoryDuplex::isReading);
  }

  /** Returns the bytes that the server has given to its transport and this end has not taken. */
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
