package dev.windhover.hubs;

import dev.windhover.hubs.connections.SentMessage;
import dev.windhover.hubs.protocol.HubMessage;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Numbers the messages of a connection whose client may come back, so that none is lost and none is
 * handled twice. Both sides count what they send and receive, from 1; the numbers are not on the
 * wire. Knows no time and no socket.
 *
 * <p>A message gets its number when it leaves. Until then it may be dropped; from then on it is
 * kept until it is acknowledged. A connected client is never slowed down. If it is sent more than
 * there is room for, the kept messages are forgotten; it cannot come back until it has acknowledged
 * them.
 */
final class MessageBuffer {
  private final long capacity;

  // What we have sent.
  private final Deque<SentMessage> kept = new ArrayDeque<>();
  private volatile long keptBytes; // written by the loop, read by any thread
  private long sent;

  /** All up to here was acknowledged, or forgotten. */
  private long settled;

  /** The last that was forgotten; the client must have acknowledged it before it can come back. */
  private long forgotten;

  // What we have received.
  private long received;

  /** The number of the last message that has come; not more than {@link #received}, usually it. */
  private long position;

  private long acknowledged;
  private boolean awaitsSequence;

  MessageBuffer(long capacity) {
    this.capacity = capacity;
  }

  /** Returns whether messages of this kind have numbers. */
  static boolean isNumbered(HubMessage message) {
    return switch (message) {
      case HubMessage.Ping _, HubMessage.Close _, HubMessage.Ack _, HubMessage.Sequence _ -> false;
      default -> true;
    };
  }

  // ---- Sending

  /** Keeps a message that is leaving and gets the next number. */
  void add(SentMessage message) {
    sent++;
    kept.add(message);
    long sum = keptBytes + message.bytes().remaining();
    keptBytes = sum;
  }

  /** Returns whether what is kept exceeds its limit. */
  boolean isOverfull() {
    return keptBytes > capacity;
  }

  /**
   * Returns whether there is room for more than is needed at once, if {@code waiting} bytes are
   * about to leave. Any thread.
   */
  boolean hasRoomBeside(long waiting) {
    return keptBytes + waiting <= capacity / 2;
  }

  /** Returns how many bytes may wait for a client that is away. */
  long left() {
    return capacity - keptBytes;
  }

  /** Forgets what is kept. */
  void forget() {
    kept.forEach(SentMessage::forget);
    kept.clear();
    keptBytes = 0;
    settled = sent;
    forgotten = sent;
  }

  /** The client has processed all up to {@code number}. */
  void acknowledge(long number) {
    long sum = keptBytes;
    while (settled < number && !kept.isEmpty()) {
      SentMessage first = kept.remove();
      sum -= first.bytes().remaining();
      first.forget();
      settled++;
    }
    keptBytes = sum;
    if (number >= forgotten) {
      forgotten = 0;
    }
  }

  /** Returns whether the client can come back: all that it may have missed is kept. */
  boolean canResume() {
    return forgotten == 0;
  }

  /** Returns the number of the first message that is kept, or will be. */
  long first() {
    return settled + 1;
  }

  /** Returns what is kept, in order; not to be changed. */
  Iterable<SentMessage> kept() {
    return kept;
  }

  // ---- Receiving

  /** The client has lost its transport: it will say where it begins. */
  void lost() {
    awaitsSequence = true;
  }

  /**
   * A message has come.
   *
   * @return whether it is to be handled: not if it was before, or if it comes where the client must
   *     say first where it begins
   * @throws Errors.Fault if the client begins after messages that we have not received
   */
  boolean receive(HubMessage message) {
    if (message instanceof HubMessage.Sequence(long number)) {
      if (number > received + 1 || number < 1) {
        throw Errors.sequenceTooHigh();
      }
      position = number - 1;
      awaitsSequence = false;
      return false;
    }
    if (awaitsSequence) {
      return false;
    }
    if (!isNumbered(message)) {
      return true;
    }
    position++;
    if (position <= received) {
      acknowledged = Math.min(acknowledged, position - 1); // it has not heard that we have it
      return false;
    }
    received = position;
    return true;
  }

  /** Returns whether we have processed something that we have not acknowledged. */
  boolean owesAck() {
    return acknowledged < received;
  }

  /** Acknowledges all that was received. */
  HubMessage.Ack ack() {
    acknowledged = received;
    return new HubMessage.Ack(received);
  }
}
