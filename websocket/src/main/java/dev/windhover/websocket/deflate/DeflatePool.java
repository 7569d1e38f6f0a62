package dev.windhover.websocket.deflate;

import dev.windhover.http.host.Loop;
import dev.windhover.protocol.Extension;
import dev.windhover.protocol.Extension.PayloadException;
import dev.windhover.protocol.deflate.DeflateAgreement;
import dev.windhover.protocol.deflate.MessageDeflater;
import dev.windhover.protocol.deflate.MessageInflater;
import dev.windhover.protocol.deflate.StreamSource;
import dev.windhover.protocol.spi.DeflateCodec;
import dev.windhover.protocol.spi.DeflateStream;
import dev.windhover.protocol.spi.InflateStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The compression contexts of all sockets of a server, under one budget. A context is created on
 * first use. Without context takeover, a socket has one only during a message. With context
 * takeover, the socket's {@link Lease} reserves the memory that its contexts may take, whether or
 * not they exist yet, until it is closed. When the budget is spent:
 *
 * <ul>
 *   <li>{@link #affordable} offers less to new sockets;
 *   <li>an outgoing message finds no context and is sent uncompressed;
 *   <li>a peer's message is still read, because it may already be on its way. So the budget may be
 *       overdrawn by one decompressing context for each socket without client context takeover.
 * </ul>
 *
 * Unused contexts wait here, within the budget, until {@link #clean} finds that they were not
 * needed, or the last lease is closed. Any thread may call this class, which takes no lock; a
 * {@link Lease} belongs to its socket's loop.
 */
public final class DeflatePool {
  /**
   * 64 MiB: about 160 sockets with context takeover and 15-bit windows in both directions (140 with
   * the JDK's zlib), as most clients ask for. They may use three quarters of it, and each reserves
   * 302 KiB (346 KiB).
   */
  public static final long DEFAULT_BUDGET = 64L << 20;

  /**
   * {@link #clean} ends a context that has waited for at least this long, and at most for twice as
   * long.
   */
  public static final long IDLE_NANOS = 10_000_000_000L;

  private static final long NEVER = Long.MIN_VALUE;

  /** Enough shelves that threads which compress at the same time seldom meet at one. */
  private static final int STRIPES =
      Integer.highestOneBit(Math.max(1, 2 * Runtime.getRuntime().availableProcessors() - 1));

  private static final int LEVELS = 10;
  private static final int WINDOWS =
      DeflateAgreement.MAX_WINDOW_BITS - DeflateAgreement.MIN_WINDOW_BITS + 1;

  private final DeflateCodec codec;
  private final long budget;

  /** By window and level; each is created when a socket first needs it. */
  private final AtomicReferenceArray<@Nullable Kind<DeflateStream>> deflating =
      new AtomicReferenceArray<>(WINDOWS * LEVELS);

  /** By window. */
  private final AtomicReferenceArray<@Nullable Kind<InflateStream>> inflating =
      new AtomicReferenceArray<>(WINDOWS);

  /** Those of both arrays. */
  private final Queue<Kind<?>> kinds = new ConcurrentLinkedQueue<>();

  /** Bytes of contexts that exist or are reserved for context takeover. */
  private final AtomicLong used = new AtomicLong();

  private final AtomicInteger leases = new AtomicInteger();

  /** When {@link #clean} looked last; {@link #NEVER} if no further look is scheduled. */
  private final AtomicLong looked = new AtomicLong(NEVER);

  /** How often it has looked. */
  private final AtomicInteger looks = new AtomicInteger();

  /**
   * Creates an empty pool.
   *
   * @param budget in bytes, not negative
   */
  public DeflatePool(DeflateCodec codec, long budget) {
    if (budget < 0) {
      throw new IllegalArgumentException("budget of " + budget + " bytes is negative");
    }
    this.codec = codec;
    this.budget = budget;
  }

  // ---- Budget

  /**
   * Returns what a server that wants {@code wanted} can offer to another socket: the same, or the
   * same without takeover in either direction, or null for no compression. Takeover may use three
   * quarters of the budget; the rest is for sockets without it. Several handshakes at the same time
   * may be offered more than is left; later handshakes are then offered less.
   */
  public DeflateAgreement.@Nullable Terms affordable(DeflateAgreement.Terms wanted) {
    long deflating = codec.deflateBytes(wanted.serverMaxWindowBits());
    long inflating = codec.inflateBytes(DeflateAgreement.MAX_WINDOW_BITS); // the client may choose
    long reserves =
        (wanted.serverContextTakeover() ? deflating : 0)
            + (wanted.clientContextTakeover() ? inflating : 0);
    long needed = used.get() - idle();
    if (reserves > 0 && needed + reserves <= budget - budget / 4) {
      return wanted;
    }
    return needed + deflating + inflating <= budget
        ? new DeflateAgreement.Terms(
            false, wanted.serverMaxWindowBits(), false, wanted.clientMaxWindowBits())
        : null;
  }

  /** Returns how many bytes contexts take or have reserved. */
  public long used() {
    return used.get();
  }

  /** Returns how many bytes unused contexts take. */
  private long idle() {
    long sum = 0;
    for (Kind<?> kind : kinds) {
      sum += kind.idle();
    }
    return sum;
  }

  /**
   * Counts {@code bytes} more if they fit into the budget, dropping unused contexts to make room.
   */
  private boolean use(long bytes) {
    while (!useWithoutMakingRoom(bytes)) {
      if (!dropOne()) {
        return false;
      }
    }
    return true;
  }

  private boolean useWithoutMakingRoom(long bytes) {
    long before;
    do {
      before = used.get();
      if (before + bytes > budget) {
        return false;
      }
    } while (!used.compareAndSet(before, before + bytes));
    return true;
  }

  private boolean dropOne() {
    for (Kind<?> kind : kinds) {
      if (kind.dropOne()) {
        return true;
      }
    }
    return false;
  }

  // ---- Time

  /**
   * Ends contexts that were not needed for {@link #IDLE_NANOS}: looks now, and then repeatedly on
   * {@code loop} as long as there are unused contexts. Costs nothing while looks are already
   * scheduled.
   */
  void clean(Loop loop) {
    long last = looked.get();
    // After twice the time, the loop that should have looked must have ended.
    if (last == NEVER || loop.nanoTime() - last >= 2 * IDLE_NANOS) {
      look(loop, last);
    }
  }

  /** Looks, unless another thread has looked since {@code last}. */
  private void look(Loop loop, long last) {
    long now = loop.nanoTime();
    if (!looked.compareAndSet(last, now)) {
      return;
    }
    int before = looks.getAndIncrement();
    kinds.forEach(kind -> kind.dropUnneeded(before));
    if (idle() > 0) {
      loop.schedule(Duration.ofNanos(IDLE_NANOS), () -> look(loop, now));
      return;
    }
    looked.set(NEVER);
    if (idle() > 0) { // since the look
      clean(loop);
    }
  }

  // ---- Contexts

  /**
   * An unused context on a {@link Shelf}.
   *
   * @param depth how many there are, with those below
   * @param look how often {@link #look} had looked before it was put there
   */
  private record Shelved<T>(T context, @Nullable Shelved<T> below, int depth, int look) {
    static <T> Shelved<T> on(@Nullable Shelved<T> below, T context, int look) {
      return new Shelved<>(context, below, below == null ? 1 : below.depth + 1, look);
    }
  }

  /** Unused contexts of one kind, the last used on top: a stack without a lock. */
  private static final class Shelf<T> {
    private final AtomicReference<@Nullable Shelved<T>> top = new AtomicReference<>();

    @Nullable T pop() {
      Shelved<T> first = top.get();
      while (first != null && !top.compareAndSet(first, first.below)) {
        first = top.get();
      }
      return first == null ? null : first.context;
    }

    void push(T context, int look) {
      Shelved<T> below;
      do {
        below = top.get();
      } while (!top.compareAndSet(below, Shelved.on(below, context, look)));
    }

    int size() {
      Shelved<T> first = top.get();
      return first == null ? 0 : first.depth;
    }

    /** Takes the contexts that have been here since before {@code look}: the lowest ones. */
    List<T> popUnneeded(int look) {
      Shelved<T> first;
      Shelved<T> kept;
      List<T> unneeded = new ArrayList<>();
      do {
        unneeded.clear();
        first = top.get();
        List<Shelved<T>> needed = new ArrayList<>();
        Shelved<T> each = first;
        for (; each != null && each.look - look >= 0; each = each.below) {
          needed.add(each);
        }
        for (; each != null; each = each.below) {
          unneeded.add(each.context);
        }
        kept = null;
        for (Shelved<T> one : needed.reversed()) {
          kept = Shelved.on(kept, one.context, one.look);
        }
      } while (!unneeded.isEmpty() && !top.compareAndSet(first, kept));
      return unneeded;
    }
  }

  /** Interchangeable contexts; the source for messages that do not refer to others. */
  private final class Kind<T> implements StreamSource<T> {
    private final int bytes;

    /**
     * Whether one may be created beyond the budget, because a message that a peer has begun must be
     * read.
     */
    private final boolean overdraws;

    private final Supplier<T> maker;
    private final Consumer<T> end;
    private final List<Shelf<T>> shelves = new ArrayList<>();

    Kind(int bytes, boolean overdraws, Supplier<T> maker, Consumer<T> end) {
      this.bytes = bytes;
      this.overdraws = overdraws;
      this.maker = maker;
      this.end = end;
      for (int i = 0; i < STRIPES; i++) {
        shelves.add(new Shelf<>());
      }
    }

    @Override
    public @Nullable T take() {
      T context = pop();
      if (context != null) {
        return context;
      }
      if (!use(bytes)) {
        if (!overdraws) {
          return null;
        }
        used.addAndGet(bytes);
      }
      boolean made = false;
      try {
        context = maker.get();
        made = true;
        return context;
      } finally {
        if (!made) {
          used.addAndGet(-bytes);
        }
      }
    }

    @Override
    public void give(T context, boolean reusable) {
      if (reusable && used.get() <= budget) {
        push(context);
      } else {
        drop(context);
      }
    }

    private Shelf<T> shelf(int further) {
      long own = Thread.currentThread().threadId();
      return shelves.get((int) (own + further) & (STRIPES - 1));
    }

    /** Takes an unused context, which stays counted. */
    @Nullable T pop() {
      for (int i = 0; i < STRIPES; i++) {
        T context = shelf(i).pop();
        if (context != null) {
          return context;
        }
      }
      return null;
    }

    /** Stores a context that is counted. */
    void push(T context) {
      shelf(0).push(context, looks.get());
    }

    /** Ends a context that is counted. */
    void drop(T context) {
      used.addAndGet(-bytes);
      end.accept(context);
    }

    long idle() {
      long number = 0;
      for (Shelf<T> shelf : shelves) {
        number += shelf.size();
      }
      return number * bytes;
    }

    boolean dropOne() {
      T context = pop();
      if (context != null) {
        drop(context);
      }
      return context != null;
    }

    void dropUnneeded(int look) {
      for (Shelf<T> shelf : shelves) {
        shelf.popUnneeded(look).forEach(this::drop);
      }
    }
  }

  private Kind<DeflateStream> deflating(int windowBits, int level) {
    return kind(
        deflating,
        (windowBits - DeflateAgreement.MIN_WINDOW_BITS) * LEVELS + level,
        () ->
            new Kind<>(
                codec.deflateBytes(windowBits),
                false,
                () -> codec.deflate(windowBits, level),
                DeflateStream::end));
  }

  private Kind<InflateStream> inflating(int windowBits) {
    return kind(
        inflating,
        windowBits - DeflateAgreement.MIN_WINDOW_BITS,
        () ->
            new Kind<>(
                codec.inflateBytes(windowBits),
                true,
                () -> codec.inflate(windowBits),
                InflateStream::end));
  }

  private <T> Kind<T> kind(
      AtomicReferenceArray<@Nullable Kind<T>> known, int index, Supplier<Kind<T>> maker) {
    Kind<T> kind = known.get(index);
    if (kind == null) {
      Kind<T> made = maker.get();
      kind = known.compareAndExchange(index, null, made);
      if (kind == null) {
        kinds.add(made);
        return made;
      }
    }
    return kind;
  }

  // ---- One socket

  /**
   * A context for one direction of one socket. It is counted until its end, whether or not it
   * exists. Used on the socket's loop, as the deflater or inflater that it serves.
   */
  private final class Reservation<T> implements StreamSource<T> {
    private final Kind<T> kind;

    Reservation(Kind<T> kind) {
      this.kind = kind;
      if (!use(kind.bytes)) {
        used.addAndGet(kind.bytes); // the handshake was promised it
      }
    }

    @Override
    public T take() {
      T context = kind.pop();
      if (context != null) {
        used.addAndGet(-kind.bytes); // it was counted separately
        return context;
      }
      return kind.maker.get();
    }

    @Override
    public void give(T context, boolean reusable) {
      if (reusable && useWithoutMakingRoom(kind.bytes)) {
        kind.push(context);
      } else {
        kind.end.accept(context);
      }
    }

    /**
     * Ends the reservation. Nothing is taken any more; a context that was taken is given back next,
     * and is counted separately if it is kept.
     */
    void end() {
      used.addAndGet(-kind.bytes);
    }
  }

  private <T> StreamSource<T> source(Kind<T> kind, boolean takeover) {
    return takeover ? new Reservation<>(kind) : kind;
  }

  private static void end(StreamSource<?> source) {
    if (source instanceof Reservation<?> reservation) {
      reservation.end();
    }
  }

  /**
   * Creates the lease of a socket that has negotiated compression. No context is created yet.
   *
   * @param level the level of sent messages, 0–9
   */
  Lease lease(DeflateAgreement agreement, int level) {
    leases.incrementAndGet();
    return new Lease(agreement, level);
  }

  /**
   * The compression of one socket. As a transform it decompresses. Used on the socket's loop only,
   * except for {@link #sendSetting}, {@link #takesOver} and {@link #deflateAlone}. Both directions
   * must be closed when the socket has ended in any way, and may be closed again.
   */
  final class Lease implements Extension.Transform {
    private final StreamSource<DeflateStream> sending;
    private final StreamSource<InflateStream> receiving;

    /** Created on first use, and released when the socket rests. */
    private @Nullable MessageDeflater deflater;

    /** The same, unless the peer's next message may refer to earlier ones. */
    private @Nullable MessageInflater inflater;

    private boolean sendingClosed;
    private boolean receivingClosed;

    private Lease(DeflateAgreement agreement, int level) {
      boolean serverTakeover = agreement.serverContextTakeover();
      boolean clientTakeover = agreement.clientContextTakeover();
      sending = source(deflating(agreement.serverMaxWindowBits(), level), serverTakeover);
      receiving = source(inflating(agreement.clientMaxWindowBits()), clientTakeover);
    }

    /** Returns a key for all settings on which the result of {@link #deflateAlone} depends. */
    Object sendSetting() {
      return shared();
    }

    private StreamSource<DeflateStream> shared() {
      return sending instanceof Reservation<DeflateStream> own ? own.kind : sending;
    }

    /**
     * Compresses a whole message, without reference to earlier ones, for any number of sockets with
     * the same settings. Any thread.
     *
     * @return the payload itself if it does not shrink; null if no context is available
     */
    @Nullable ByteBuffer deflateAlone(ByteBuffer payload) {
      leases.incrementAndGet(); // the context may be returned after the last socket has ended
      try {
        var once = new MessageDeflater(shared(), false);
        return once.begin() ? deflateAlone(once, payload) : null;
      } finally {
        ended();
      }
    }

    private static ByteBuffer deflateAlone(MessageDeflater once, ByteBuffer payload) {
      int size = payload.remaining();
      ByteBuffer out = ByteBuffer.allocate(size + MessageDeflater.LEAST_ROOM);
      boolean done = once.deflate(payload.duplicate(), out, MessageDeflater.End.MESSAGE);
      if (!done) {
        once.close();
      }
      int n = out.position();
      return done && n < size ? ByteBuffer.wrap(Arrays.copyOf(out.array(), n)) : payload;
    }

    MessageDeflater deflater() {
      MessageDeflater known = deflater;
      if (known == null) {
        known = new MessageDeflater(sending, takesOver());
        deflater = known;
      }
      return known;
    }

    MessageInflater inflater() {
      MessageInflater known = inflater;
      if (known == null) {
        known = new MessageInflater(receiving, receiving instanceof Reservation);
        inflater = known;
      }
      return known;
    }

    @Override
    public boolean apply(ByteBuffer in, ByteBuffer out, boolean endOfMessage)
        throws PayloadException {
      return inflater().apply(in, out, endOfMessage);
    }

    /** Returns whether sent messages may refer to earlier ones. */
    boolean takesOver() {
      return sending instanceof Reservation;
    }

    /** Returns both directions as an extension for the frame reader. */
    Extension extension() {
      return new Extension(
          DeflateAgreement.TOKEN,
          Extension.RSV1,
          this,
          (in, out, endOfMessage) -> deflater().apply(in, out, endOfMessage));
    }

    /** Gives back what sending holds, between messages. */
    void restDeflater() {
      MessageDeflater known = deflater;
      if (known != null && !sendingClosed) {
        known.rest();
        deflater = known.holdsStream() ? known : null;
      }
    }

    /** Gives back what receiving holds, between messages. */
    void restInflater() {
      MessageInflater known = inflater;
      if (known != null && !receivingClosed) {
        known.rest();
        inflater = known.holdsState() ? known : null;
      }
    }

    /** Ends contexts that are not needed. */
    void clean(Loop loop) {
      DeflatePool.this.clean(loop);
    }

    /** Gives back what sending holds; nothing is compressed any more. */
    void closeDeflater() {
      if (!sendingClosed) {
        sendingClosed = true;
        end(sending);
        deflater().close();
        closedOne();
      }
    }

    /** Gives back what receiving holds; nothing is decompressed any more. */
    void closeInflater() {
      if (!receivingClosed) {
        receivingClosed = true;
        end(receiving);
        inflater().close();
        closedOne();
      }
    }

    private void closedOne() {
      if (sendingClosed && receivingClosed) {
        ended();
      }
    }
  }

  /** Counts the end of a lease. */
  private void ended() {
    if (leases.decrementAndGet() == 0) {
      while (dropOne()) {} // nobody would clean any more
    }
  }
}
