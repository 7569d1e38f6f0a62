package dev.windhover.hubs;

import dev.windhover.http.host.Loop;
import dev.windhover.hubs.connections.ConnectionContext;
import dev.windhover.hubs.connections.SentMessage;
import dev.windhover.hubs.protocol.HubMessage;
import dev.windhover.hubs.protocol.HubProtocol;
import java.time.Duration;

/**
 * How a client that has lost its transport comes back (stateful reconnect). What is sent waits in
 * the connection's queue, where it may be dropped or replaced; it gets a number when it leaves, and
 * is then kept until the client has acknowledged it. What has no number overtakes what waits. Loop
 * only, unless a method says otherwise.
 */
final class Resumption {
  /** How long a client has to say something before it is sent anything that it must count. */
  private static final Duration UNTIL_READY = Duration.ofSeconds(1);

  /** How long a message waits for its acknowledgement, at most: as in the reference. */
  private static final Duration ACK_INTERVAL = Duration.ofSeconds(1);

  /** What may wait while the client is there: as much as the default of a socket's queue. */
  private static final long MOST_WAITING = 1 << 20;

  private final ConnectionContext connection;
  private final HubProtocol protocol;
  private final MessageBuffer buffer;
  private final long mostWaiting;

  /** A sender was told that there is no room, and not yet that there is room again. */
  private volatile boolean refused;

  private boolean ready;
  private boolean away;

  /**
   * Creates it for a client that is there.
   *
   * @param capacity how many bytes are kept at most
   */
  Resumption(ConnectionContext connection, HubProtocol protocol, long capacity) {
    this.connection = connection;
    this.protocol = protocol;
    this.buffer = new MessageBuffer(capacity);
    this.mostWaiting = Math.max(capacity, MOST_WAITING);
    connection.sendBound(mostWaiting);
    connection.holdBack(true);
    Loop.Timer _ = connection.loop().schedule(UNTIL_READY, this::ready);
  }

  /** The client counts what it is sent from now on: what waits may leave. */
  private void ready() {
    if (!ready) {
      ready = true;
      connection.holdBack(false);
    }
  }

  /** Returns whether the client has lost its transport. */
  boolean isAway() {
    return away;
  }

  // ---- What is sent

  /**
   * Returns whether there is room for more, beside what is kept and what waits. If not, {@link
   * #sent} or {@link #acknowledged} says when there is. Any thread.
   */
  boolean hasRoom() {
    if (isRoomy()) {
      return true;
    }
    refused = true; // before looking again: the loop looks in the other order
    return isRoomy();
  }

  private boolean isRoomy() {
    return buffer.hasRoomBeside(connection.unsentAmount());
  }

  private boolean hasRoomAgain() {
    if (refused && isRoomy()) {
      refused = false;
      return true;
    }
    return false;
  }

  /** A message leaves, and gets its number. Returns whether there is room again. */
  boolean sent(SentMessage message) {
    buffer.add(message);
    if (buffer.isOverfull()) {
      buffer.forget(); // until that was acknowledged, the client cannot come back
    }
    return hasRoomAgain();
  }

  /** The client has processed what it was sent. Returns whether there is room again. */
  boolean acknowledged(HubMessage.Ack ack) {
    buffer.acknowledge(ack.sequenceId());
    return hasRoomAgain();
  }

  // ---- What is received

  /**
   * A message has come. The first shows that the client counts what it is sent from now on:
   * JavaScript does not count what comes together with the answer to its handshake.
   *
   * @return whether the message is to be handled; not if that has been done before
   * @throws Errors.Fault if the client leaves something out
   */
  boolean receive(HubMessage message) {
    ready();
    boolean owed = buffer.owesAck();
    boolean isNew = buffer.receive(message);
    if (!owed && buffer.owesAck()) {
      Loop.Timer _ = connection.loop().schedule(ACK_INTERVAL, this::acknowledge);
    }
    return isNew;
  }

  private void acknowledge() {
    if (buffer.owesAck()) {
      connection.sendAhead(protocol.write(buffer.ack()));
    }
  }

  // ---- Coming and going

  /** The transport is lost; returns false if the client cannot come back. */
  boolean lost() {
    away = true;
    buffer.lost();
    connection.sendBound(buffer.left());
    return buffer.canResume();
  }

  /** The client is back: it is told where we begin, and gets what it may have missed. */
  void restored() {
    away = false;
    connection.sendBound(mostWaiting);
    connection.sendAhead(protocol.write(new HubMessage.Sequence(buffer.first())));
    for (SentMessage each : buffer.kept()) {
      connection.sendAhead(each.bytes());
    }
    ready();
  }

  /** The connection has ended. */
  void over() {
    buffer.forget();
  }
}
