package dev.windhover.http.host;

import dev.windhover.http.websocket.PreparedMessage;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.IdentityHashMap;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * What is sent to many sockets of one loop, in one order. Any thread leaves a task here; the loop
 * runs them one after the other, a part in each turn.
 *
 * <p>A socket has a queue of its own as well, so there are two ways to it. A thread that sends to a
 * group and then to one of its sockets expects that order. Therefore, what is sent to a socket
 * while something {@linkplain #isPending() is pending} here goes through here as well, and whoever
 * runs a task first takes what waits in the socket's own queue. No lock is taken.
 */
public final class FanOut {
  /** A turn ends after about this many deliveries, which take less than a millisecond. */
  private static final int TURN_DELIVERIES = 1024;

  /** A receiver costs a system call, however little it is sent. */
  private static final int RECEIVER_COST = 4;

  /**
   * Senders wait when this much waits for the loop: enough for it to be busy for a while. With what
   * receivers cost, it is at most 262,144 deliveries, which take some tenths of a second: whatever
   * is sent to one of them after that has to wait no longer.
   */
  private static final long MOST_BACKLOG = 4L << 20;

  /** What a task costs in addition to its message: about that. */
  private static final int TASK_BYTES = 256;

  /** What each receiver adds to that: it takes no memory, but time. */
  private static final int RECEIVER_BYTES = 16;

  /** A loop that does not get there for so long has ended, or somebody holds it. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private static final VarHandle MAILBOX;

  static {
    try {
      MAILBOX = MethodHandles.lookup().findVarHandle(FanOut.class, "mailbox", Task.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** Something to do in turn. */
  public abstract static class Task {
    private final long cost;
    private @Nullable Task next;

    /** Creates one that takes no part in the backlog: somebody else limits how many there are. */
    protected Task() {
      this.cost = 0;
    }

    /** Creates one that keeps a message of {@code bytes} for {@code receivers} until it has run. */
    protected Task(int bytes, int receivers) {
      this.cost = bytes + TASK_BYTES + (long) RECEIVER_BYTES * receivers;
    }

    /**
     * Runs it, on the loop.
     *
     * @return false if the {@linkplain FanOut#hasTurn() turn} ended before it was done: then it is
     *     called again in another turn
     */
    protected abstract boolean run();

    /**
     * Returns whether {@code before}, which comes right before it and has not run, has taken this
     * in, so that this need not run. Loop only.
     */
    protected boolean joins(Task before) {
      return false;
    }
  }

  /** Something short. */
  private static final class Step extends Task {
    private final Runnable step;

    Step(Runnable step) {
      this.step = step;
    }

    @Override
    protected boolean run() {
      step.run();
      return true;
    }
  }

  private final Loop loop;

  /** At the end of the mailbox while the loop is at work, so that it never looks empty then. */
  private final Task atWork = new Step(() -> {});

  /** What was left since the loop last looked, the latest first; null if all of it was run. */
  private volatile @Nullable Task mailbox;

  /** What the tasks cost that have not run. */
  private final AtomicLong backlog = new AtomicLong();

  /** The payloads that wait in the queues of sockets; written by the loop. */
  private volatile long waitingBytes;

  /** Those that wait for less of that. */
  private final Queue<Thread> waiting = new ConcurrentLinkedQueue<>();

  // Loop only.

  /** The messages that wait although they were sent to sockets one by one. */
  private final IdentityHashMap<PreparedMessage, Delivery> sentAlone = new IdentityHashMap<>();

  private @Nullable Task current;
  private @Nullable Task following;

  /** What {@link #current} costs, with those that have joined it. */
  private long currentCost;

  private int left;
  private boolean working;

  /** Creates one without tasks. */
  public FanOut(Loop loop) {
    this.loop = loop;
  }

  /** Returns the loop on which tasks run. */
  public Loop loop() {
    return loop;
  }

  /**
   * To be called before messages are sent: whoever sends faster than the loop delivers is slowed
   * down. A thread waits, at most for 5 s or until it is interrupted, which changes nothing else.
   * The loop itself goes to work; another one, which cannot wait, goes on.
   */
  public void awaitRoom() {
    if (backlog.get() <= MOST_BACKLOG) {
      return;
    }
    if (loop.inLoop()) {
      while (!working && backlog.get() > MOST_BACKLOG) {
        work();
      }
    } else if (!LoopThread.isCurrent()) {
      Thread self = Thread.currentThread();
      waiting.add(self);
      long end = loop.nanoTime() + PATIENCE.toNanos();
      long nanos;
      while (backlog.get() > MOST_BACKLOG / 2
          && (nanos = end - loop.nanoTime()) > 0
          && !self.isInterrupted()) {
        LockSupport.parkNanos(this, nanos);
      }
      waiting.remove(self);
    }
  }

  /** Runs {@code task} on the loop, after all that was left before. Any thread. */
  public void execute(Task task) {
    if (task.cost > 0) {
      backlog.addAndGet(task.cost);
    }
    Task before;
    do {
      before = mailbox;
      task.next = before;
    } while (!MAILBOX.compareAndSet(this, before, task));
    if (before == null) {
      loop.execute(this::turn);
    }
  }

  /** Runs something short on the loop, as {@link #execute(Task)} does. Any thread. */
  public void execute(Runnable step) {
    execute(new Step(step));
  }

  /** Returns whether a task was left that has not come to its end. Any thread. */
  public boolean isPending() {
    return mailbox != null;
  }

  /** Returns whether the turn has not ended. Loop only. */
  public boolean hasTurn() {
    return left > 0;
  }

  /** A receiver was sent so many messages. Loop only. */
  public void delivered(int messages) {
    left -= RECEIVER_COST + messages;
  }

  /**
   * A message has begun to wait in the queue of a socket. Its payload counts once, however many
   * queues of this loop it waits in. Loop only.
   *
   * @param bytes what it keeps in memory
   */
  public void waits(Delivery delivery, long bytes) {
    long sum = waitingBytes + delivery.waits(bytes);
    waitingBytes = sum;
  }

  /**
   * As {@link #waits(Delivery, long)}, for a message that was sent to a socket by itself and
   * perhaps to others as well. Loop only.
   *
   * @return the delivery that waits
   */
  public Delivery waits(PreparedMessage message, long bytes) {
    Delivery delivery =
        sentAlone.computeIfAbsent(message, shared -> new Delivery(shared, null, shared));
    waits(delivery, bytes);
    return delivery;
  }

  /** A message waits no more in the queue of a socket. Loop only. */
  public void waitsNoMore(Delivery delivery) {
    long sum = waitingBytes - delivery.waitsNoMore();
    waitingBytes = sum;
    if (!delivery.isWaiting()) {
      sentAlone.remove(delivery.message(), delivery);
    }
  }

  /** Returns the bytes of the payloads that wait in queues of this loop. Any thread. */
  public long waitingBytes() {
    return waitingBytes;
  }

  private void turn() {
    boolean isOver = false;
    try {
      work();
      isOver = current == null && peek() == null && MAILBOX.compareAndSet(this, atWork, null);
    } finally {
      if (!isOver) {
        loop.execute(this::turn);
      }
    }
  }

  /** Runs as many tasks as belong into a turn. */
  private void work() {
    working = true;
    left = TURN_DELIVERIES;
    try {
      while (hasTurn() && (current != null || begin())) {
        if (Objects.requireNonNull(current).run()) {
          ended();
        }
      }
    } catch (RuntimeException | Error e) {
      ended(); // the others have their turn nevertheless
      throw e;
    } finally {
      working = false;
    }
  }

  /** Takes the next task, with those that join it; returns false if there is none. */
  private boolean begin() {
    Task first = poll();
    if (first != null) {
      currentCost = first.cost;
      for (Task then; (then = peek()) != null && then.joins(first); ) {
        currentCost += then.cost;
        poll();
      }
      current = first;
    }
    return first != null;
  }

  private void ended() {
    left--;
    current = null;
    if (currentCost > 0) {
      long sum = backlog.addAndGet(-currentCost);
      currentCost = 0;
      if (sum <= MOST_BACKLOG / 2) {
        waiting.forEach(loop::unpark);
      }
    }
  }

  private @Nullable Task poll() {
    Task first = peek();
    if (first != null) {
      following = first.next;
      first.next = null;
    }
    return first;
  }

  private @Nullable Task peek() {
    if (following == null) {
      Task latest = (Task) MAILBOX.getAndSet(this, atWork);
      while (latest != null && !latest.equals(atWork)) { // turns the order around
        Task before = latest.next;
        latest.next = following;
        following = latest;
        latest = before;
      }
    }
    return following;
  }
}
