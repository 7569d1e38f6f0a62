package dev.windhover.hubs;

import dev.windhover.http.host.Loop;
import dev.windhover.hubs.connections.ConnectionContext;
import dev.windhover.hubs.protocol.HubMessage;
import dev.windhover.hubs.protocol.HubProtocol;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What a connection sends, until its Close. Any thread, except where a method says otherwise. */
final class SessionOutput {
  private final ConnectionContext connection;
  private final Loop loop;

  /** Is told of a message that cannot be written. */
  private final Consumer<RuntimeException> onUnwritable;

  private final AtomicBoolean closed = new AtomicBoolean();
  private final Queue<Thread> waiting = new ConcurrentLinkedQueue<>();

  // Set before any other thread knows of the connection.
  private volatile @Nullable HubProtocol protocol;
  private @Nullable Resumption resumption;

  /** How many times there has been room again; written by the loop. */
  private volatile int timesWritable;

  /** Nobody needs to wait any more. */
  private volatile boolean over;

  /** The loop has sent more than there is room for. Loop only. */
  private boolean full;

  SessionOutput(ConnectionContext connection, Consumer<RuntimeException> onUnwritable) {
    this.connection = connection;
    this.loop = connection.loop();
    this.onUnwritable = onUnwritable;
  }

  /**
   * From now on, messages can be sent.
   *
   * @param resumption how the client comes back; null if it cannot
   */
  void begin(HubProtocol spoken, @Nullable Resumption resumption) {
    this.resumption = resumption;
    protocol = spoken;
  }

  /** Returns whether there is a protocol. */
  boolean hasBegun() {
    return protocol != null;
  }

  /** Returns the protocol, once there is one. */
  HubProtocol protocol() {
    return Objects.requireNonNull(protocol, "protocol before the handshake");
  }

  // ---- Messages

  /** Sends a message; returns whether there is room for more. Never blocks. */
  boolean send(HubMessage message) {
    ByteBuffer bytes = written(message);
    return bytes == null || send(bytes);
  }

  private boolean send(ByteBuffer bytes) {
    boolean hasRoom = connection.send(bytes);
    return hasRoom && (resumption == null || resumption.hasRoom());
  }

  /** Sends a message that has no number, before what waits. Loop only. */
  void sendAhead(HubMessage message) {
    ByteBuffer bytes = written(message);
    if (bytes != null) {
      connection.sendAhead(bytes);
    }
  }

  /**
   * Sends an answer. If the client does not take what it is sent, a thread waits, and the loop is
   * {@linkplain #isFull() full}.
   */
  void answer(HubMessage message) {
    if (!loop.inLoop()) {
      sendWithRoom(message, () -> false);
    } else if (!send(message)) {
      full = true;
    }
  }

  /** Sends a message, and waits until there is room for more, or {@code givenUp}. Not on a loop. */
  void sendWithRoom(HubMessage message, BooleanSupplier givenUp) {
    ByteBuffer bytes = written(message);
    int before = timesWritable; // before sending: there may be room again at once
    if (bytes == null || send(bytes)) {
      return;
    }
    Thread self = Thread.currentThread();
    waiting.add(self);
    try {
      while (timesWritable == before && !over && !givenUp.getAsBoolean() && !self.isInterrupted()) {
        LockSupport.park(this);
      }
    } finally {
      waiting.remove(self);
    }
  }

  /** Returns a message's bytes; null if it is not sent. */
  private @Nullable ByteBuffer written(HubMessage message) {
    if (closed.get()) {
      return null;
    }
    try {
      return protocol().write(message);
    } catch (RuntimeException e) {
      onUnwritable.accept(e);
      return null;
    }
  }

  // ---- Room

  /** Returns whether the client must take something before the loop reads on. Loop only. */
  boolean isFull() {
    return full;
  }

  /** There is room again. Loop only; returns whether the loop was full. */
  boolean writable() {
    int times = timesWritable + 1; // nobody else counts
    timesWritable = times;
    wake();
    boolean was = full;
    full = false;
    return was;
  }

  /** Lets threads that wait for room look again. */
  void wake() {
    waiting.forEach(loop::unpark);
  }

  /** The connection has ended: nobody waits any more. */
  void over() {
    closed.set(true);
    over = true;
    wake();
  }

  // ---- The end

  /** Returns whether the last message was sent, or nothing can be sent any more. */
  boolean isClosed() {
    return closed.get();
  }

  /** Sends {@code close} as the last message, and ends the connection; the first time only. */
  void close(HubMessage.Close close) {
    if (hasBegun() && closed.compareAndSet(false, true)) {
      sendLast(protocol().write(close));
    }
  }

  /** Sends {@code bytes}, which are no message, as the last; the first time only. */
  boolean close(ByteBuffer bytes) {
    boolean first = closed.compareAndSet(false, true);
    if (first) {
      sendLast(bytes);
    }
    return first;
  }

  private void sendLast(ByteBuffer bytes) {
    connection.send(bytes);
    connection.close();
  }

  /** Drops the connection, with what waits. */
  void drop() {
    closed.set(true);
    connection.abort();
  }
}
