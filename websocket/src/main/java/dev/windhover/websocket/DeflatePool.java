package dev.windhover.websocket;

import dev.windhover.http.host.Loop;
import dev.windhover.protocol.Extension;
import dev.windhover.protocol.Extension.PayloadException;
import dev.windhover.protocol.deflate.DeflateAgreement;
import dev.windhover.protocol.deflate.DeflateCodec;
import dev.windhover.protocol.deflate.DeflateStream;
import dev.windhover.protocol.deflate.InflateStream;
import dev.windhover.protocol.deflate.MessageDeflater;
import dev.windhover.protocol.deflate.MessageInflater;
import dev.windhover.protocol.deflate.StreamSource;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The compression contexts of all sockets of a server, under one budget. A context is made at first
 * use. Without context takeover a socket has one only during a message; with it the socket's {@link
 * Lease} reserves what its contexts may take, whether they are made yet or not, until it is closed.
 * When the budget is spent:
 *
 * <ul>
 *   <li>{@link #affordable} has less to offer to new sockets;
 *   <li>a message to be sent finds no context, and goes out plain;
 *   <li>a peer's message is read all the same, since it may be under way: so the budget may be
 *       overdrawn, by one decompressing context for each socket without the client's takeover.
 * </ul>
 *
 * Contexts that nobody uses wait here, within the budget, until {@link #clean} finds them unneeded
 * or the last lease is closed. Any thread; a {@link Lease} says who may use it.
 */
final class DeflatePool {
  /** 64 MiB: about 150 sockets that take over contexts of 15 bits, as most clients ask for. */
  static final long DEFAULT_BUDGET = 64L << 20;

  /** How long a context waits at least before {@link #clean} ends it, and at most twice as long. */
  static final long IDLE_NANOS = 10_000_000_000L;

  private static final long NEVER = Long.MIN_VALUE;

  /** Threads that compress at once seldom meet at the same shelf. */
  private static final int STRIPES =
      Integer.highestOneBit(Math.max(1, 2 * Runtime.getRuntime().availableProcessors() - 1));

  private record KindKey(boolean deflates, int windowBits, int level) {}

  private final DeflateCodec codec;
  private final long budget;
  private final Map<KindKey, Kind<?>> kinds = new ConcurrentHashMap<>();

  /** Bytes of contexts that are made, and that takeover has reserved. */
  private final AtomicLong used = new AtomicLong();

  private final AtomicInteger leases = new AtomicInteger();

  /** When {@link #clean} looked last; {@link #NEVER} where nobody is to look again. */
  private final AtomicLong looked = new AtomicLong(NEVER);

  /**
   * Creates an empty one.
   *
   * @param budget in bytes, not negative
   */
  DeflatePool(DeflateCodec codec, long budget) {
    if (budget < 0) {
      throw new IllegalArgumentException("budget of " + budget + " bytes is negative");
    }
    this.codec = codec;
    this.budget = budget;
  }

  // ---- Budget

  /**
   * Returns what a server that asks for {@code wanted} can offer to another socket: the same,
   * without takeover in either direction, or null for no compression. Takeover stops at three
   * quarters of the budget, the rest is for those without. What several handshakes are told at once
   * may not be there for all of them; the next ones are told less.
   */
  DeflateAgreement.@Nullable Terms affordable(DeflateAgreement.Terms wanted) {
    long deflating = codec.deflateBytes(wanted.serverMaxWindowBits());
    long inflating = codec.inflateBytes(DeflateAgreement.MAX_WINDOW_BITS); // the client's to choose
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

  /** Returns the bytes that contexts take or have reserved. */
  long used() {
    return used.get();
  }

  /** Returns the bytes of contexts that wait. */
  private long idle() {
    long sum = 0;
    for (Kind<?> kind : kinds.values()) {
      sum += kind.idle();
    }
    return sum;
  }

  /** Counts {@code bytes} more, if they are within the budget once nothing waits here unused. */
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
    for (Kind<?> kind : kinds.values()) {
      if (kind.dropOne()) {
        return true;
      }
    }
    return false;
  }

  // ---- Time

  /**
   * Sees to it that contexts end which were not needed for {@link #IDLE_NANOS}: looks now, and on
   * {@code loop} again and again, while any wait. Costs nothing while somebody looks.
   */
  void clean(Loop loop) {
    long last = looked.get();
    // Twice: then the loop that was to look has ended.
    if (last == NEVER || loop.nanoTime() - last >= 2 * IDLE_NANOS) {
      look(loop, last);
    }
  }

  /** Looks, unless somebody has since {@code last}. */
  private void look(Loop loop, long last) {
    long now = loop.nanoTime();
    if (!looked.compareAndSet(last, now)) {
      return;
    }
    kinds.values().forEach(Kind::dropUnneeded);
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

  /** Contexts of one kind that wait, the last used first. */
  private static final class Shelf<T> {
    private final Deque<T> contexts = new ArrayDeque<>();

    /** How many have not been needed since the last look: those that came first. */
    private int unneeded;

    synchronized @Nullable T pop() {
      T context = contexts.pollLast();
      unneeded = Math.min(unneeded, contexts.size());
      return context;
    }

    synchronized void push(T context) {
      contexts.addLast(context);
    }

    synchronized int size() {
      return contexts.size();
    }

    synchronized List<T> popUnneeded() {
      List<T> popped = new ArrayList<>();
      for (; unneeded > 0; unneeded--) {
        popped.add(contexts.removeFirst());
      }
      unneeded = contexts.size();
      return popped;
    }
  }

  /** Contexts that can stand for each other; the source of messages that refer to no other. */
  private final class Kind<T> implements StreamSource<T> {
    private final int bytes;

    /** Whether one is made beyond the budget, too: what a peer has begun must be read. */
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

    /** Takes one that waits; it is counted. */
    @Nullable T pop() {
      for (int i = 0; i < STRIPES; i++) {
        T context = shelf(i).pop();
        if (context != null) {
          return context;
        }
      }
      return null;
    }

    /** Lets one wait that is counted. */
    void push(T context) {
      shelf(0).push(context);
    }

    /** Ends one that is counted. */
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

    void dropUnneeded() {
      for (Shelf<T> shelf : shelves) {
        shelf.popUnneeded().forEach(this::drop);
      }
    }
  }

  @SuppressWarnings("unchecked") // the key says which
  private Kind<DeflateStream> deflating(int windowBits, int level) {
    return (Kind<DeflateStream>)
        kinds.computeIfAbsent(
            new KindKey(true, windowBits, level),
            key ->
                new Kind<>(
                    codec.deflateBytes(windowBits),
                    false,
                    () -> codec.deflate(windowBits, level),
                    DeflateStream::end));
  }

  @SuppressWarnings("unchecked")
  private Kind<InflateStream> inflating(int windowBits) {
    return (Kind<InflateStream>)
        kinds.computeIfAbsent(
            new KindKey(false, windowBits, 0),
            key ->
                new Kind<>(
                    codec.inflateBytes(windowBits),
                    true,
                    () -> codec.inflate(windowBits),
                    InflateStream::end));
  }

  // ---- One socket

  /**
   * A context of its own for one direction of one socket, counted for good, whether there is one or
   * not; used as its message class is.
   */
  private final class Reservation<T> implements StreamSource<T> {
    private final Kind<T> kind;

    Reservation(Kind<T> kind) {
      this.kind = kind;
      if (!use(kind.bytes)) {
        used.addAndGet(kind.bytes); // the handshake was told that it may
      }
    }

    @Override
    public T take() {
      T context = kind.pop();
      if (context != null) {
        used.addAndGet(-kind.bytes); // it was counted by itself
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

    /** Nothing is taken any more; what was is given back next, and counts by itself if it waits. */
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
   * Creates the contexts' holder for a socket that has agreed to compression; nothing is made yet.
   *
   * @param level 0–9, for what is sent
   */
  Lease lease(DeflateAgreement agreement, int level) {
    leases.incrementAndGet();
    return new Lease(agreement, level);
  }

  /**
   * The compression of one socket; as a transform it decompresses. {@link #deflater}, {@link
   * #restDeflater} and {@link #closeDeflater} are used under the lock of the socket's sending, the
   * transform, {@link #restInflater} and {@link #closeInflater} on its loop. Both directions are
   * closed when the socket has ended, however it has, and may be closed again.
   */
  final class Lease implements Extension.Transform {
    private final StreamSource<DeflateStream> sending;
    private final StreamSource<InflateStream> receiving;

    /** Made at first use, and let go of by a socket that rests. */
    private @Nullable MessageDeflater deflater;

    /** The same, unless the peer's next message may refer to those before. */
    private @Nullable MessageInflater inflater;

    private boolean sendingClosed;
    private boolean receivingClosed;
    private boolean halfClosed;

    private Lease(DeflateAgreement agreement, int level) {
      boolean serverTakeover = agreement.serverContextTakeover();
      boolean clientTakeover = agreement.clientContextTakeover();
      sending = source(deflating(agreement.serverMaxWindowBits(), level), serverTakeover);
      receiving = source(inflating(agreement.clientMaxWindowBits()), clientTakeover);
    }

    /** Returns what stands for all that decides what {@link #deflateAlone} makes of a payload. */
    Object sendSetting() {
      return shared();
    }

    private StreamSource<DeflateStream> shared() {
      return sending instanceof Reservation<DeflateStream> own ? own.kind : sending;
    }

    /**
     * Compresses a whole message for any number of sockets with this one's setting; it refers to
     * nothing before it. Any thread.
     *
     * @return the payload itself if it does not shrink; null if there is no context to be had
     */
    @Nullable ByteBuffer deflateAlone(ByteBuffer payload) {
      leases.incrementAndGet(); // the context may come back after the last socket has ended
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

    /** Returns whether what is sent refers to messages before. */
    boolean takesOver() {
      return sending instanceof Reservation;
    }

    /** Returns both directions as the frame reader wants them. */
    Extension extension() {
      return new Extension(
          DeflateAgreement.TOKEN,
          Extension.RSV1,
          this,
          (in, out, endOfMessage) -> deflater().apply(in, out, endOfMessage));
    }

    /** Gives back what sending holds between messages. */
    void restDeflater() {
      MessageDeflater known = deflater;
      if (known != null && !sendingClosed) {
        known.rest();
        deflater = known.holdsStream() ? known : null;
      }
    }

    /** Gives back what receiving holds between messages. */
    void restInflater() {
      MessageInflater known = inflater;
      if (known != null && !receivingClosed) {
        known.rest();
        inflater = known.holdsState() ? known : null;
      }
    }

    /** Lets go of the contexts that nobody needs. */
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

    /** Two threads may find both closed: the second to close, and nobody else, ends this. */
    private synchronized void closedOne() {
      if (halfClosed) {
        ended();
      }
      halfClosed = true;
    }
  }

  /** A lease has ended. */
  private void ended() {
    if (leases.decrementAndGet() == 0) {
      while (dropOne()) {} // nobody would clean
    }
  }
}
