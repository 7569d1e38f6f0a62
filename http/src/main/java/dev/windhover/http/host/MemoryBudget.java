package dev.windhover.http.host;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * The memory that the connections of a host may take together, on the heap and, with a limit of its
 * own, outside of it: what was received and not taken, what is being assembled, and what waits to
 * be sent. Each connection, socket and request has bounds of its own; thousands that each keep
 * within theirs would still exhaust the process.
 *
 * <p>Whoever holds memory has an {@link Account}, and states on its loop how much it holds now. An
 * account takes what it needs from the common count in steps, and keeps a little in reserve, so
 * that ordinary traffic does not touch the common count. The count is therefore never less than
 * what was stated, but for one step of each account.
 *
 * <p>When the count has reached the limit, all accounts that hold something state it anew, each on
 * its loop. If that does not free enough, those that hold the most and move the least are
 * {@linkplain Holder#evict evicted}, until a quarter of the budget is free. Until then, the budget
 * {@linkplain #isShort is short}, and connections are read a little at a time. No lock is taken.
 */
public final class MemoryBudget {
  private static final Logger log = Loggers.get(MemoryBudget.class);

  /** What an account takes from the common count at once: about what the least object costs. */
  private static final int STEP_BYTES = 4 * 1024;

  /** An account that has this much more than it needs gives it back. */
  private static final int MOST_SPARE_BYTES = 64 * 1024;

  /** One line a minute at most, because clients could fill the log otherwise. */
  private static final long QUIET_NANOS = 60_000_000_000L;

  /** A loop that does not answer for this long does not hold up the others. */
  private static final long PATIENCE_NANOS = 1_000_000_000L;

  private static final long NEVER_LOGGED = Long.MIN_VALUE;

  private final Pool heap;
  private final Pool direct;
  private final AtomicLong numbers = new AtomicLong();
  private final AtomicReference<@Nullable Relief> current = new AtomicReference<>();
  private final AtomicLong nextLine = new AtomicLong(NEVER_LOGGED);

  /** A kind of memory, and what is taken of it. */
  private static final class Pool {
    final String name;
    final long limit;
    final AtomicLong taken = new AtomicLong();

    /** The accounts that have taken some. This set takes no lock. */
    final Set<Account> accounts =
        new ConcurrentSkipListSet<>(Comparator.comparingLong(account -> account.number));

    /** Counts of what no account holds. */
    final Queue<LongSupplier> others = new ConcurrentLinkedQueue<>();

    Pool(String name, long limit) {
      this.name = name;
      this.limit = limit;
    }

    long used() {
      long sum = taken.get();
      for (LongSupplier other : others) {
        sum += other.getAsLong();
      }
      return sum;
    }

    /** Returns whether an eighth is free, so that nobody has to go. */
    boolean hasRoom() {
      return used() <= limit - limit / 8;
    }
  }

  /** Whoever has an {@link Account}. Its methods are called on the account's loop. */
  public interface Holder {
    /** States what it holds now: calls {@link Account#holds}. */
    void stateMemory();

    /** Returns how many bytes have come in and gone out so far, in total. */
    long moved();

    /**
     * Ends it, because it holds the most and moves the least, and frees what it holds: at once if
     * it is ending already. Called at most once; its account is closed by then.
     */
    void evict();
  }

  /**
   * Creates a budget.
   *
   * @param heap bytes on the heap, 1 or more
   * @param direct bytes outside of the heap, 1 or more
   */
  public MemoryBudget(long heap, long direct) {
    if (heap < 1 || direct < 1) {
      throw new IllegalArgumentException(
          "memory of " + heap + " bytes, direct memory of " + direct + ": must be at least 1");
    }
    this.heap = new Pool("memory", heap);
    this.direct = new Pool("direct memory", direct);
  }

  /** Returns the usual limit of the memory on the heap: a third of the largest heap, in bytes. */
  public static long defaultLimit() {
    return Runtime.getRuntime().maxMemory() / 3;
  }

  /** Creates a budget that is never used up. */
  public static MemoryBudget unlimited() {
    return new MemoryBudget(Long.MAX_VALUE, Long.MAX_VALUE);
  }

  /** Returns the limit of the memory on the heap, in bytes. */
  public long limit() {
    return heap.limit;
  }

  /** Returns the limit of the memory outside of the heap, in bytes. */
  public long directLimit() {
    return direct.limit;
  }

  /** Returns how much memory on the heap counts as used, in bytes. Any thread. */
  public long used() {
    return heap.used();
  }

  /** Returns how much memory outside of the heap counts as used, in bytes. Any thread. */
  public long directUsed() {
    return direct.used();
  }

  /**
   * Returns whether the budget is used up and room is being made, which takes a few turns of each
   * loop. Until then, take in as little as possible. Any thread.
   */
  public boolean isShort() {
    Relief last = current.get();
    return last != null && last.mayFree() && !last.pool.hasRoom();
  }

  /** Counts what {@code other} returns as used, on the heap. It is asked by any thread. */
  public void include(LongSupplier other) {
    heap.others.add(other);
  }

  /** Opens an account for {@code holder}, which holds nothing yet. */
  public Account open(Loop loop, Holder holder) {
    return new Account(loop, holder);
  }

  // ---- Accounts

  /** What one holder has taken of a pool; loop only. */
  private static final class Share {
    private final Pool pool;
    private long taken;
    private long held;

    /** What it holds together with others, and what is counted elsewhere. */
    private long alsoHeld;

    Share(Pool pool) {
      this.pool = pool;
    }

    /** States what is held; returns whether the pool may be used up. */
    boolean hold(Account account, long bytes) {
      held = bytes;
      if (bytes > taken) {
        long more = roundedUp(bytes) - taken;
        if (taken == 0) {
          pool.accounts.add(account);
        }
        taken += more;
        pool.taken.addAndGet(more);
        return pool.used() > pool.limit;
      }
      if (taken - bytes > MOST_SPARE_BYTES) {
        trim(account);
      }
      return false;
    }

    /** States what is held together with others; returns whether the pool may be used up. */
    boolean holdToo(long bytes) {
      boolean isMore = bytes > alsoHeld;
      alsoHeld = bytes;
      return isMore && pool.used() > pool.limit;
    }

    /** Gives back what is not needed. */
    void trim(Account account) {
      long spare = taken - roundedUp(held);
      if (spare > 0) {
        taken -= spare;
        pool.taken.addAndGet(-spare);
        if (taken == 0) {
          pool.accounts.remove(account);
        }
      }
    }

    private static long roundedUp(long bytes) {
      return Math.ceilDiv(bytes, (long) STEP_BYTES) * STEP_BYTES;
    }
  }

  /** What one holder holds. Loop only. */
  public final class Account {
    /** Somebody who moves this little cannot hold much for long. */
    private static final double LEAST_RATE = 16 * 1024;

    private static final double NANOS_PER_SECOND = 1e9;

    /** Movement is judged by what happened since at least this long ago. */
    private static final long WINDOW_NANOS = 1_000_000_000L;

    private final long number = numbers.incrementAndGet();
    private final Loop loop;
    private final Holder holder;
    private final Share heapShare = new Share(heap);
    private final Share directShare = new Share(direct);
    private boolean closed;

    // The movement when it was looked at last.
    private long sampledAt;
    private long sampledMoved;

    private Account(Loop loop, Holder holder) {
      this.loop = loop;
      this.holder = holder;
      this.sampledAt = loop.nanoTime();
      this.sampledMoved = holder.moved();
    }

    /**
     * States what is held now. If that uses the budget up, the holder itself may be evicted soon,
     * but not within this call.
     *
     * @param heapBytes on the heap
     * @param directBytes outside of it
     */
    public void holds(long heapBytes, long directBytes) {
      holds(heapBytes, directBytes, 0);
    }

    /**
     * As {@link #holds(long, long)}, for a holder that keeps others' memory as well.
     *
     * @param sharedBytes what it holds on the heap together with other holders, and what
     *     {@linkplain #include counts} only once for all of them: if the budget is used up, it
     *     decides who goes first. Nothing, unless {@code heapBytes} are more than 0
     */
    public void holds(long heapBytes, long directBytes, long sharedBytes) {
      if (closed) {
        return;
      }
      boolean isHeapUsedUp = heapShare.hold(this, heapBytes);
      boolean isSharedUsedUp = heapShare.holdToo(sharedBytes);
      boolean isDirectUsedUp = directShare.hold(this, directBytes);
      if (isHeapUsedUp || isSharedUsedUp || isDirectUsedUp) {
        relieve(loop);
      }
    }

    /** Returns whether nothing is taken from the budget for it. */
    public boolean isEmpty() {
      return heapShare.taken == 0 && directShare.taken == 0;
    }

    /** Ends it: nothing is held any more. May be called again. */
    public void close() {
      holds(0, 0);
      trim();
      closed = true;
    }

    private Share share(Pool pool) {
      return heapShare.pool == pool ? heapShare : directShare;
    }

    private void trim() {
      heapShare.trim(this);
      directShare.trim(this);
    }

    /** Returns how long it will hold what it holds at its present rate, in seconds. */
    private double slowness(Share share) {
      long now = loop.nanoTime();
      long moved = holder.moved();
      long passed = now - sampledAt;
      double rate =
          Math.max(0, moved - sampledMoved) * NANOS_PER_SECOND / Math.max(passed, WINDOW_NANOS);
      if (passed >= WINDOW_NANOS) {
        sampledAt = now;
        sampledMoved = moved;
      }
      return (share.held + share.alsoHeld) / (rate + LEAST_RATE);
    }

    private void evict() {
      if (!closed) {
        close();
        holder.evict();
      }
    }
  }

  // ---- At the limit

  private void relieve(Loop loop) {
    Relief last = current.get();
    long now = loop.nanoTime();
    if (last != null && last.progress != Progress.OVER && now - last.began < PATIENCE_NANOS) {
      return;
    }
    Relief relief = new Relief(heap.used() > heap.limit ? heap : direct, now);
    if (current.compareAndSet(last, relief)) {
      relief.begin(last == null ? Set.of() : last.silentLoops());
    }
  }

  /** What an account was found to hold. */
  private record Found(Account account, long held, double slowness) {}

  /** One loop's part of a relief. */
  private static final class Part {
    final Loop loop;
    final List<Account> accounts = new ArrayList<>();
    volatile boolean isAnswered;

    Part(Loop loop) {
      this.loop = loop;
    }
  }

  /** How far a relief has come. */
  private enum Progress {
    /** The accounts are looked at; an answer still counts. */
    LOOKING,
    EVICTING,
    /** There is no room, and nobody to evict: the next relief has to wait. */
    HELPLESS,
    /** The next relief may begin. */
    OVER
  }

  /** Looks at all accounts, and evicts some if that is necessary. */
  private final class Relief {
    final Pool pool;
    final long began;
    volatile Progress progress = Progress.LOOKING;

    private volatile List<Part> parts = List.of();
    private final Queue<Found> found = new ConcurrentLinkedQueue<>();

    /** What the next step waits for. */
    private final AtomicInteger awaited = new AtomicInteger();

    Relief(Pool pool, long now) {
      this.pool = pool;
      this.began = now;
    }

    /** Returns whether it is not done yet. */
    boolean mayFree() {
      return progress == Progress.LOOKING || progress == Progress.EVICTING;
    }

    /** Returns the loops that have not answered; somebody holds them up. */
    Set<Loop> silentLoops() {
      return parts.stream()
          .filter(part -> !part.isAnswered)
          .map(part -> part.loop)
          .collect(Collectors.toSet());
    }

    void begin(Set<Loop> without) {
      Map<Loop, Part> byLoop = new HashMap<>();
      for (Account account : pool.accounts) {
        byLoop.computeIfAbsent(account.loop, Part::new).accounts.add(account);
      }
      List<Part> all = List.copyOf(byLoop.values());
      parts = all;
      List<Part> asked = all.stream().filter(part -> !without.contains(part.loop)).toList();
      awaited.set(asked.size());
      if (asked.isEmpty()) {
        choose();
      }
      for (Part part : all) { // the silent ones too: what they hold is stated anew
        part.loop.execute(() -> {
          part.accounts.forEach(this::look);
          part.accounts.clear(); // this outlives them
          part.isAnswered = true;
          if (asked.contains(part) && awaited.decrementAndGet() == 0) {
            choose();
          }
        });
      }
    }

    private void look(Account account) {
      account.holder.stateMemory();
      account.trim();
      Share share = account.share(pool);
      if (share.taken > 0 && progress == Progress.LOOKING) {
        found.add(new Found(account, share.taken + share.alsoHeld, account.slowness(share)));
      }
    }

    private void choose() {
      progress = Progress.EVICTING;
      if (pool.hasRoom()) {
        found.clear();
        progress = Progress.OVER;
        return;
      }
      long used = pool.used();
      long most = pool.limit - pool.limit / 4;
      List<Found> victims = new ArrayList<>();
      List<Found> slowestFirst = new ArrayList<>(found);
      found.clear(); // this outlives them
      slowestFirst.sort(Comparator.comparingDouble(Found::slowness).reversed());
      long freed = 0;
      for (Found each : slowestFirst) {
        if (used - freed > most) {
          victims.add(each);
          freed += each.held;
        }
      }
      if (isDue()) {
        log.warn(
            "{} of {} bytes is used up: the connections that hold the most and move the least are"
                + " ended, now {} of {}, which hold {} bytes",
            pool.name,
            pool.limit,
            victims.size(),
            slowestFirst.size(),
            freed);
      }
      awaited.set(victims.size());
      if (victims.isEmpty()) {
        progress = Progress.HELPLESS;
      }
      for (Found victim : victims) {
        victim.account.loop.execute(() -> {
          try {
            victim.account.evict();
          } finally {
            if (awaited.decrementAndGet() == 0) {
              progress = Progress.OVER;
              lookAgain(victim.account.loop);
            }
          }
        });
      }
    }

    /**
     * What was taken while room was made has begun no relief, and nobody may take more. Some of
     * what was evicted is freed a little later.
     */
    private void lookAgain(Loop loop) {
      if (pool.used() > pool.limit) {
        loop.schedule(
            Duration.ofNanos(PATIENCE_NANOS),
            () -> {
              if (pool.used() > pool.limit) {
                relieve(loop);
              }
            });
      }
    }

    private boolean isDue() {
      long due = nextLine.get();
      return (due == NEVER_LOGGED || began - due >= 0)
          && nextLine.compareAndSet(due, began + QUIET_NANOS);
    }
  }
}
