package dev.windhover.hubs;

import dev.windhover.http.host.Loop;
import dev.windhover.hubs.connections.ConnectionContext;
import dev.windhover.hubs.protocol.HubMessage;
import dev.windhover.hubs.protocol.HubProtocol;
import java.time.Duration;
import java.util.function.Consumer;

/** How a client that has lost its transport comes back (stateful reconnect). Loop only. */
final class Resumption {
  /** How long a client has to say something before it is sent anything that it must count. */
  private static final Duration UNTIL_READY = Duration.ofSeconds(1);

  /** How long a message waits for its acknowledgement, at most: as in the reference. */
  private static final Duration ACK_INTERVAL = Duration.ofSeconds(1);

  private final MessageBuffer buffer;
  private final StatefulOutput output;
  private final HubProtocol protocol;
  private final Loop loop;

  /** Sends what has no number. */
  private final Consumer<HubMessage> sender;

  private boolean away;

  /**
   * Creates it for a client that is there.
   *
   * @param capacity how many bytes are kept at most
   * @param dropped ends the connection, and is told why
   */
  Resumption(
      ConnectionContext connection,
      HubProtocol protocol,
      long capacity,
      Consumer<HubMessage> sender,
      Consumer<String> dropped) {
    this.buffer = new MessageBuffer(capacity);
    this.output = new StatefulOutput(connection, buffer, dropped);
    this.protocol = protocol;
    this.loop = connection.loop();
    this.sender = sender;
    Loop.Timer _ = loop.schedule(UNTIL_READY, output::open);
  }

  /** Returns what gives messages their numbers. */
  StatefulOutput output() {
    return output;
  }

  /** Returns whether the client has lost its transport. */
  boolean isAway() {
    return away;
  }

  /**
   * A message has come. The first shows that the client counts what it is sent from now on:
   * JavaScript does not count what comes together with the answer to its handshake.
   *
   * @return whether the message is to be handled; not if that has been done before
   * @throws Errors.Fault if the client leaves something out
   */
  boolean receive(HubMessage message) {
    output.open();
    boolean owed = buffer.owesAck();
    boolean isNew = buffer.receive(message);
    if (!owed && buffer.owesAck()) {
      Loop.Timer _ = loop.schedule(ACK_INTERVAL, this::acknowledge);
    }
    return isNew;
  }

  private void acknowledge() {
    if (buffer.owesAck()) {
      sender.accept(buffer.ack());
    }
  }

  /** The client has processed what it was sent; returns whether there is room for more. */
  boolean acknowledged(HubMessage.Ack ack) {
    buffer.acknowledge(ack.sequenceId());
    return buffer.hasRoom();
  }

  /** The transport is lost; returns false if the client cannot come back. */
  boolean lost() {
    away = true;
    buffer.lost();
    output.lost();
    return buffer.canResume();
  }

  /** The client is back. */
  void restored() {
    away = false;
    output.restored(protocol.write(new HubMessage.Sequence(buffer.first())));
  }
}
