package dev.windhover.hubs;

import dev.windhover.hubs.protocol.HubMessage;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Numbers the messages of a connection whose client may come back, so that none is lost and none is
 * handled twice. Both sides count what they send and receive, from 1; the numbers are not on the
 * wire. Knows no time and no socket.
 *
 * <p>A client that is there and is sent more than there is room for is not slowed down: what is
 * kept is forgotten, and until it has acknowledged that, it cannot come back.
 */
final class MessageBuffer {
  private final long capacity;

  // What we have sent.
  private final Deque<ByteBuffer> kept = new ArrayDeque<>();
  private long keptBytes;
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

  /** Keeps a message that gets the next number. */
  void add(ByteBuffer message) {
    sent++;
    kept.add(message);
    keptBytes += message.remaining();
  }

  /** Returns whether what is kept exceeds its limit. */
  boolean isOverfull() {
    return keptBytes > capacity;
  }

  /** Returns whether there is room for more than is needed at once. */
  boolean hasRoom() {
    return keptBytes <= capacity / 2;
  }

  /** Forgets what is kept. */
  void forget() {
    kept.clear();
    keptBytes = 0;
    settled = sent;
    forgotten = sent;
  }

  /** The client has processed all up to {@code number}. */
  void acknowledge(long number) {
    while (settled < number && !kept.isEmpty()) {
      keptBytes -= kept.remove().remaining();
      settled++;
    }
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
  Iterable<ByteBuffer> kept() {
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
