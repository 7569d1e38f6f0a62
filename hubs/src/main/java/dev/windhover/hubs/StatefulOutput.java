package dev.windhover.hubs;

import dev.windhover.http.host.Burst;
import dev.windhover.http.host.Delivery;
import dev.windhover.http.host.FanOut;
import dev.windhover.http.host.Loop;
import dev.windhover.http.host.Recipient;
import dev.windhover.http.websocket.WhenFull;
import dev.windhover.hubs.connections.ConnectionContext;
import java.nio.ByteBuffer;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What is sent to a client that may come back. Numbers must have the order of what leaves, so the
 * loop gives them: all goes through the {@link FanOut}, where it has one order with what is sent to
 * many. Whatever may be dropped is dropped before it has a number.
 */
final class StatefulOutput implements Recipient {
  /** A client is slow when so much waits for it: as much as the default of a socket's queue. */
  private static final long MOST_WAITING = 1 << 20;

  private final ConnectionContext connection;
  private final Recipient inner;
  private final Loop loop;
  private final MessageBuffer buffer;

  /** Ends the connection, and is told why. Loop only. */
  private final Consumer<String> dropped;

  /** Whether messages with a number may leave. Loop only. */
  private boolean live;

  /** Whether the client has lost its transport. Loop only. */
  private boolean away;

  StatefulOutput(ConnectionContext connection, MessageBuffer buffer, Consumer<String> dropped) {
    this.connection = connection;
    this.inner = connection.recipient();
    this.loop = connection.loop();
    this.buffer = buffer;
    this.dropped = dropped;
  }

  // ---- To this client alone

  /**
   * Sends a message, after what the same thread has sent before. Any thread; does not wait.
   *
   * @return whether there is room for more, as far as this thread knows
   */
  boolean send(ByteBuffer message, boolean numbered) {
    FanOut fanOut = fanOut();
    if (loop.inLoop() && !fanOut.isPending()) {
      return write(message, numbered);
    }
    fanOut.execute(new Send(message, numbered, null));
    return true;
  }

  /** As {@link #send}, and waits until the loop has done so. Not on the loop. */
  boolean sendAndWait(ByteBuffer message) {
    Send task = new Send(message, true, Thread.currentThread());
    fanOut().execute(task);
    while (!task.done) {
      LockSupport.park(this);
    }
    return task.room;
  }

  /** Runs {@code task} after what the same thread has sent before. Any thread. */
  void afterwards(Runnable task) {
    if (loop.inLoop() && !fanOut().isPending()) {
      task.run();
      return;
    }
    fanOut()
        .execute(
            new FanOut.Task() {
              @Override
              protected boolean run() {
                task.run();
                return true;
              }
            });
  }

  private final class Send extends FanOut.Task {
    private final ByteBuffer message;
    private final boolean numbered;
    private final @Nullable Thread waiting;
    private boolean room;
    private volatile boolean done;

    Send(ByteBuffer message, boolean numbered, @Nullable Thread waiting) {
      super(message.remaining());
      this.message = message;
      this.numbered = numbered;
      this.waiting = waiting;
    }

    @Override
    protected boolean run() {
      room = write(message, numbered);
      done = true;
      if (waiting != null) {
        loop.unpark(waiting);
      }
      return true;
    }
  }

  /** Loop only; returns whether there is room for more. */
  private boolean write(ByteBuffer message, boolean numbered) {
    if (!numbered) {
      return connection.send(message);
    }
    buffer.add(message.duplicate());
    boolean room = !live || connection.send(message);
    if (buffer.isOverfull()) {
      if (away) {
        dropped.accept("its client is away, and there is no room for what it misses");
      } else if (live) {
        buffer.forget(); // until that was acknowledged, the client cannot come back
      }
    }
    return room && buffer.hasRoom();
  }

  // ---- Coming and going; loop only

  /** The client is ready: what was sent so far leaves. */
  void open() {
    if (!live && !away) {
      live = true;
      buffer.kept().forEach(message -> connection.send(message.duplicate()));
    }
  }

  /** The client has lost its transport. */
  void lost() {
    live = false;
    away = true;
  }

  /** The client is back: it is told where we begin, and gets what it may have missed. */
  void restored(ByteBuffer sequence) {
    away = false;
    connection.send(sequence);
    open();
  }

  // ---- Recipient

  @Override
  public FanOut fanOut() {
    return inner.fanOut();
  }

  @Override
  public @Nullable Encoder encoder() {
    return null; // what is kept is kept as it is
  }

  @Override
  public boolean add(Membership membership) {
    return inner.add(membership);
  }

  @Override
  public @Nullable Membership remove(Object group) {
    return inner.remove(group);
  }

  @Override
  public void deliver(Burst burst, WhenFull whenFull) {
    for (Delivery delivery : burst.deliveries()) {
      WhenFull policy = delivery.whenFull() == null ? whenFull : delivery.whenFull();
      boolean slow = connection.bufferedAmount() > MOST_WAITING;
      if (policy == WhenFull.DISCONNECT) {
        if (slow) {
          dropped.accept("its client reads too slowly");
          return;
        }
        write(delivery.message().payload(), true);
      } else if (!slow && (live || buffer.hasRoom())) {
        write(delivery.message().payload(), true);
      }
    }
  }
}
