package dev.windhover.hubs.testing;

import dev.windhover.hubs.protocol.HubMessage;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * Numbers what a client that may come back sends and receives. Written from the protocol and not
 * shared with the hub, whose numbers it checks.
 */
final class MessageNumbers {
  // What was sent: the last of the kept ones has the number sent.
  private final Deque<ByteBuffer> kept = new ArrayDeque<>();
  private long sent;

  private long received;

  /** The number of the last message that has come; after a return, some come again. */
  private long position;

  private long acknowledged;
  private boolean awaitsSequence;

  static boolean isNumbered(HubMessage message) {
    return switch (message) {
      case HubMessage.Ping _, HubMessage.Close _, HubMessage.Ack _, HubMessage.Sequence _ -> false;
      default -> true;
    };
  }

  // ---- Sending

  /** A record is sent, or will be when the client is back. */
  void keep(ByteBuffer record) {
    kept.add(record);
    sent++;
  }

  /** Returns the number of the first record that is kept, or will be. */
  private long first() {
    return sent - kept.size() + 1;
  }

  private void acknowledge(long number) {
    if (number > sent) {
      throw new AssertionError(
          "the hub acknowledges message %d of %d that were sent".formatted(number, sent));
    }
    while (!kept.isEmpty() && first() <= number) {
      kept.remove();
    }
  }

  /** The transport is lost; the hub will say where it begins. */
  void lost() {
    awaitsSequence = true;
  }

  /** Returns what the client says first when it is back. */
  HubMessage.Sequence sequence() {
    return new HubMessage.Sequence(first());
  }

  /** Returns what the hub may not have received. */
  List<ByteBuffer> kept() {
    return List.copyOf(kept);
  }

  // ---- Receiving

  /** A message has come; returns whether it is to be handled. */
  boolean receive(HubMessage message) {
    switch (message) {
      case HubMessage.Sequence(long number) -> begin(number);
      case HubMessage.Ack(long number) -> acknowledge(number);
      default -> {
        return !awaitsSequence && (!isNumbered(message) || isNew());
      }
    }
    return false;
  }

  private boolean isNew() {
    position++;
    boolean isNew = position > received;
    received = Math.max(received, position);
    return isNew;
  }

  private void begin(long number) {
    if (number > received + 1) {
      throw new AssertionError(
          "the hub begins with message %d, but %d have come".formatted(number, received));
    }
    position = number - 1;
    awaitsSequence = false;
  }

  boolean owesAck() {
    return acknowledged < received;
  }

  HubMessage.Ack ack() {
    acknowledged = received;
    return new HubMessage.Ack(received);
  }
}
