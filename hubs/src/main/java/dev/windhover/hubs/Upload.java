package dev.windhover.hubs;

import dev.windhover.http.host.Loop;
import java.lang.reflect.Type;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A stream that a client uploads. The loop puts items in; the method that reads it takes them out,
 * and waits if there is none. If many wait, the loop stops reading the client.
 */
final class Upload {
  /** What an item costs in addition to its message: about that. */
  private static final int ITEM_COST = 64;

  /**
   * An item that waits.
   *
   * @param bytes the size of its message
   */
  private record Item(@Nullable Object value, int bytes) {}

  private final Loop loop;
  private final int capacity;
  private final Type itemType;

  /** To be run on the loop when there is room again. */
  private final Runnable onRoom;

  private final Queue<Item> items = new ConcurrentLinkedQueue<>();
  private final AtomicInteger size = new AtomicInteger();

  /** What the items cost that wait. */
  private final AtomicLong heldBytes = new AtomicLong();

  private final Queue<Thread> waiting = new ConcurrentLinkedQueue<>();

  /** The loop waits for room. */
  private volatile boolean full;

  private volatile @Nullable End end;

  /**
   * How it has ended.
   *
   * @param error why the client ended it; null if nothing is wrong
   * @param cancelled whether nobody has: the connection is gone
   */
  private record End(@Nullable String error, boolean cancelled) {}

  Upload(Loop loop, int capacity, Type itemType, Runnable onRoom) {
    this.loop = loop;
    this.capacity = capacity;
    this.itemType = itemType;
    this.onRoom = onRoom;
  }

  /** Returns of what type its items are. */
  Type itemType() {
    return itemType;
  }

  // ---- The loop's side

  /**
   * Adds an item; to be called only if it {@link #hasRoom}, or the client is not read then.
   *
   * @param bytes the size of its message
   */
  void add(@Nullable Object item, int bytes) {
    if (end != null) {
      return;
    }
    heldBytes.addAndGet(bytes + ITEM_COST);
    items.add(new Item(item, bytes + ITEM_COST));
    size.incrementAndGet();
    wake();
  }

  /** Returns what the items cost that wait, in bytes. */
  long heldBytes() {
    return heldBytes.get();
  }

  /** Returns whether there is room for an item; if not, it says when there is. */
  boolean hasRoom() {
    if (size.get() < capacity || end != null) {
      return true;
    }
    full = true;
    if (size.get() < capacity || end != null) {
      full = false;
      return true;
    }
    return false;
  }

  /** The client has sent all of it, or has failed to: then {@code error} says why. */
  void complete(@Nullable String error) {
    end(new End(error, false));
  }

  /** The connection is gone. Any thread. */
  void cancel() {
    end(new End(null, true));
  }

  private void end(End how) {
    if (end == null) {
      end = how;
      wake();
    }
  }

  private void wake() {
    if (!waiting.isEmpty()) {
      waiting.forEach(loop::unpark);
    }
  }

  // ---- The reader's side

  /** Nobody reads it any more: what comes is dropped. Any thread. */
  void close() {
    end(new End(null, true));
    for (Item item; (item = items.poll()) != null; ) {
      taken(item);
    }
    room();
    wake();
  }

  private void room() {
    if (full) {
      full = false;
      loop.execute(onRoom);
    }
  }

  /** Starts what reads it, on a thread of its own. */
  void start(Runnable reader) {
    Thread _ = loop.startHandler("upload", reader);
  }

  /** Waits until {@code ready}, or until the stream has ended and all of it was read. */
  void awaitUnlessOver(BooleanSupplier ready) {
    Thread self = Thread.currentThread();
    waiting.add(self);
    try {
      while (!ready.getAsBoolean() && !(end != null && items.isEmpty()) && !self.isInterrupted()) {
        LockSupport.park(this);
      }
    } finally {
      waiting.remove(self);
    }
  }

  /** Returns the items in order; for one thread at a time. */
  Iterator<@Nullable Object> items() {
    return new Iterator<>() {
      private @Nullable Item next;

      @Override
      public boolean hasNext() {
        if (next == null) {
          next = take();
        }
        return next != null;
      }

      @Override
      public @Nullable Object next() {
        if (!hasNext()) {
          throw new NoSuchElementException("the client has uploaded no more");
        }
        Item item = Objects.requireNonNull(next);
        next = null;
        return item.value();
      }
    };
  }

  /**
   * Waits for an item, and returns it; null at the end.
   *
   * @throws HubException if the client has ended the stream with an error
   * @throws CancellationException if the connection is gone, or the thread was interrupted
   */
  private @Nullable Item take() {
    Item item = items.poll();
    if (item == null) {
      item = await();
    }
    if (item != null) {
      taken(item);
      room();
    }
    return item;
  }

  private void taken(Item item) {
    heldBytes.addAndGet(-item.bytes());
    size.decrementAndGet();
  }

  private @Nullable Item await() {
    Thread self = Thread.currentThread();
    waiting.add(self);
    try {
      while (true) {
        End ended = end; // before looking for the items that came before it
        Item item = items.poll();
        if (item != null) {
          return item;
        }
        if (ended != null) {
          return ended(ended);
        }
        if (self.isInterrupted()) {
          throw new CancellationException("interrupted while waiting for the client's stream");
        }
        LockSupport.park(this);
      }
    } finally {
      waiting.remove(self);
    }
  }

  private static @Nullable Item ended(End end) {
    if (end.cancelled()) {
      throw new CancellationException("the client's stream was cancelled");
    }
    if (end.error() != null) {
      throw new HubException(end.error());
    }
    return null;
  }
}
