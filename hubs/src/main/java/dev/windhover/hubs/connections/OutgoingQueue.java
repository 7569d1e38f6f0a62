package dev.windhover.hubs.connections;

import dev.windhover.http.host.Burst;
import dev.windhover.http.host.Delivery;
import dev.windhover.http.host.FanOut;
import dev.windhover.http.host.Memberships;
import dev.windhover.http.host.Recipient;
import dev.windhover.http.websocket.WhenFull;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * What waits for a client without a socket of its own: over event streams and long polling, and
 * where it may come back on another socket. It makes the promises of a socket's queue: what a
 * thread sends, here or to groups, leaves in that order; a message with a policy may be dropped or
 * replaced until it leaves.
 *
 * <p>Everything comes through the {@link FanOut} of the loop while something is pending there, so
 * there is one order. Loop only, unless it says more.
 */
final class OutgoingQueue implements Recipient {
  /** What waits at most, unless the listener says otherwise: the default of a socket's queue. */
  static final int MOST_BYTES = 1 << 20;

  /** What a message costs beside its bytes, so that tiny ones cannot outgrow the bound. */
  private static final int OVERHEAD = 64;

  private static final VarHandle WAITING;

  static {
    try {
      WAITING = MethodHandles.lookup().findVarHandle(OutgoingQueue.class, "waiting", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** A message that waits, and perhaps is kept after it has left. */
  private final class Entry implements SentMessage {
    ByteBuffer payload;

    /** How it was sent to many; null for one of the connection's own. */
    @Nullable Delivery delivery;

    long cost;
    @Nullable Object key;
    @Nullable Entry before;
    @Nullable Entry after;

    Entry(ByteBuffer payload, @Nullable Delivery delivery) {
      this.payload = payload;
      this.delivery = delivery;
      this.cost = (long) payload.remaining() + OVERHEAD;
    }

    /** Takes over what is in {@code newer}, in the place of this one. */
    void become(Entry newer) {
      payload = newer.payload;
      delivery = newer.delivery;
      cost = newer.cost;
    }

    @Override
    public ByteBuffer bytes() {
      return payload.duplicate();
    }

    @Override
    public void forget() {
      Delivery known = delivery;
      if (known == null) {
        kept -= cost;
      } else {
        keptShared -= cost;
        sharedEntries--;
        fanOut.waitsNoMore(known);
      }
    }
  }

  private final ClientConnection connection;
  private final FanOut fanOut;
  private final Memberships groups = new Memberships();

  /** When senders are told that there is no room, in bytes. */
  private final int mark;

  // ---- Any thread

  /** What the messages without a policy cost, from the time when they are sent. */
  private volatile long waiting;

  /** What the others cost; written by the loop. */
  private volatile long shared;

  /** What may wait; written by the loop. */
  private volatile long bound = MOST_BYTES;

  /** A sender was told that there is no room, and not yet that there is room again. */
  private volatile boolean full;

  // ---- Loop only

  /** What overtakes the others. */
  private final Queue<ByteBuffer> ahead = new ArrayDeque<>(0);

  /** The bytes in {@link #ahead}. */
  private long aheadBytes;

  private @Nullable Entry first;
  private @Nullable Entry last;

  /** Those that may be dropped, the oldest first; those with a key by that, too. */
  private final Deque<Entry> droppable = new ArrayDeque<>(0);

  private final Map<Object, Entry> latest = new HashMap<>(0);

  /** What has left and is not forgotten costs this, without and with what others share. */
  private long kept;

  private long keptShared;

  /** How many messages wait, or are kept, whose payload others share. */
  private int sharedEntries;

  /** How many bytes have left, but for those that overtook. */
  private long left;

  private boolean isHeldBack;
  private boolean sealed;

  OutgoingQueue(ClientConnection connection, FanOut fanOut, int mark) {
    this.connection = connection;
    this.fanOut = fanOut;
    this.mark = mark == 0 ? MOST_BYTES : Math.min(mark, MOST_BYTES);
  }

  // ---- Sending to this client

  /** Sends a copy of {@code message}, and returns whether there is room for more; any thread. */
  boolean send(ByteBuffer message) {
    Entry entry = new Entry(copy(message), null);
    long before = (long) WAITING.getAndAdd(this, entry.cost) + shared;
    if (before >= bound) {
      WAITING.getAndAdd(this, -entry.cost);
      fallenBehind(before);
      return true; // what follows is dropped
    }
    boolean hasRoom = before + entry.cost < mark;
    if (!hasRoom) {
      full = true; // before the loop can take it and miss who is to be told
    }
    inOrder(() -> {
      if (sealed) {
        release(entry);
      } else {
        add(entry);
        connection.drain();
      }
    });
    return hasRoom;
  }

  private static ByteBuffer copy(ByteBuffer message) {
    return ByteBuffer.allocate(message.remaining()).put(message).flip();
  }

  /** Sends a copy of {@code message} before all that waits, unless its client is away. */
  void sendAhead(ByteBuffer message) {
    if (connection.isAway()) {
      message.position(message.limit());
    } else {
      aheadBytes += message.remaining();
      ahead.add(copy(message));
      connection.drain();
    }
  }

  /** Runs {@code task} on the loop after everything that this thread has sent; any thread. */
  private void inOrder(Runnable task) {
    if (fanOut.loop().inLoop() && !fanOut.isPending()) {
      task.run();
    } else {
      fanOut.execute(new InOrder(task));
    }
  }

  private static final class InOrder extends FanOut.Task {
    private final Runnable task;

    InOrder(Runnable task) {
      this.task = task;
    }

    @Override
    protected boolean run() {
      task.run();
      return true;
    }
  }

  /** Returns what waits here, in bytes; any thread. */
  long waits() {
    return waiting + shared;
  }

  /** Sets what may wait. */
  void bound(long bytes) {
    bound = bytes;
  }

  private void fallenBehind(long bytes) {
    connection.fallenBehind(
        new IOException(
            connection.isAway()
                ? "client is away, and " + bytes + " bytes wait for it"
                : "client reads too slowly: " + bytes + " bytes wait for it"));
  }

  // ---- Sending to many

  @Override
  public FanOut fanOut() {
    return fanOut;
  }

  @Override
  public @Nullable Encoder encoder() {
    return null;
  }

  @Override
  public boolean add(Membership membership) {
    return groups.add(membership);
  }

  @Override
  public @Nullable Membership remove(Object group) {
    return groups.remove(group);
  }

  @Override
  public void deliver(Burst burst, WhenFull whenFull) {
    for (Delivery each : burst.deliveries()) {
      WhenFull given = each.whenFull();
      deliver(each, given == null ? whenFull : given);
    }
    connection.drain();
  }

  private void deliver(Delivery delivery, WhenFull whenFull) {
    if (sealed) {
      return; // it is leaving its groups
    }
    boolean keepsLatest = whenFull == WhenFull.KEEP_LATEST;
    Entry entry = new Entry(delivery.message().payload(), delivery);
    Entry before = keepsLatest ? latest.get(delivery.key()) : null;
    if (before != null) {
      release(before);
      before.become(entry);
      claim(before);
    } else if (hasRoomFor(entry, whenFull)) {
      entry.key = keepsLatest ? delivery.key() : null;
      if (entry.key != null) {
        latest.put(entry.key, entry);
      }
      if (keepsLatest || whenFull == WhenFull.DROP_OLDEST) {
        droppable.add(entry);
      }
      claim(entry);
      add(entry);
    }
  }

  /** Returns whether there is room now; what may be dropped for that is. */
  private boolean hasRoomFor(Entry entry, WhenFull whenFull) {
    boolean dropsOthers = whenFull == WhenFull.DROP_OLDEST || whenFull == WhenFull.KEEP_LATEST;
    while (shared > 0 && shared + connection.pendingInTransport() + entry.cost > bound) {
      Entry oldest = dropsOthers ? droppable.peek() : null;
      if (oldest != null) {
        unlink(oldest);
        release(oldest);
      } else if (whenFull == WhenFull.DISCONNECT) {
        long bytes = shared;
        seal();
        fallenBehind(bytes);
        return false;
      } else {
        return false;
      }
    }
    return true;
  }

  private void claim(Entry entry) {
    Delivery delivery = entry.delivery;
    if (delivery != null) {
      long sum = shared + entry.cost;
      shared = sum;
      sharedEntries++;
      fanOut.waits(delivery, delivery.message().size());
    }
  }

  /** It does not wait any more. */
  private void release(Entry entry) {
    Delivery delivery = entry.delivery;
    if (delivery == null) {
      WAITING.getAndAdd(this, -entry.cost);
    } else {
      long sum = shared - entry.cost;
      shared = sum;
      sharedEntries--;
      fanOut.waitsNoMore(delivery);
    }
  }

  // ---- The queue

  private void add(Entry entry) {
    Entry end = last;
    entry.before = end;
    if (end == null) {
      first = entry;
    } else {
      end.after = entry;
    }
    last = entry;
  }

  private void unlink(Entry entry) {
    if (entry.before == null) {
      first = entry.after;
    } else {
      entry.before.after = entry.after;
    }
    if (entry.after == null) {
      last = entry.before;
    } else {
      entry.after.before = entry.before;
    }
    if (entry.equals(droppable.peek())) { // if it is there, it is the first
      droppable.poll();
    }
    if (entry.key != null) {
      latest.remove(entry.key);
    }
  }

  /** Returns whether nothing waits. */
  boolean isEmpty() {
    return first == null && ahead.isEmpty();
  }

  /** Returns how many bytes all messages have together. */
  long payloadBytes() {
    long sum = aheadBytes;
    for (Entry each = first; each != null; each = each.after) {
      sum += each.payload.remaining();
    }
    return sum;
  }

  /** Takes the next message; null if none may leave. {@link #taken} follows. */
  @Nullable ByteBuffer poll() {
    ByteBuffer overtaking = ahead.poll();
    if (overtaking != null) {
      aheadBytes -= overtaking.remaining();
      return overtaking;
    }
    Entry entry = first;
    if (entry == null || isHeldBack) {
      return null;
    }
    unlink(entry);
    left += entry.payload.remaining();
    if (!connection.isStateful()) {
      release(entry);
      return entry.payload;
    }
    keep(entry); // first, so that others never see less than there is
    release(entry);
    return entry.bytes();
  }

  private void keep(Entry entry) {
    Delivery delivery = entry.delivery;
    if (delivery == null) {
      kept += entry.cost;
    } else {
      keptShared += entry.cost;
      sharedEntries++;
      fanOut.waits(delivery, delivery.message().size());
    }
    connection.sent(entry);
  }

  /** States what is left, and tells whoever waits for room, if there is some again. */
  void taken() {
    connection.stateMemory();
    if (full && waits() <= mark / 2) {
      full = false;
      connection.roomAgain();
    }
  }

  /** Lets what is sent wait, except what overtakes; or lets it leave again. */
  void holdBack(boolean hold) {
    isHeldBack = hold;
    if (!hold) {
      connection.drain();
    }
  }

  /** The transport is lost: what overtook the others was for this one. */
  void lost() {
    dropAhead();
  }

  private void dropAhead() {
    ahead.clear();
    aheadBytes = 0;
  }

  /** Takes nothing more, and drops what waits. */
  void seal() {
    sealed = true;
    dropAhead();
    for (Entry entry; (entry = first) != null; ) {
      unlink(entry);
      release(entry);
    }
  }

  /** Closes {@code transport} after what this thread has sent; takes nothing more. Any thread. */
  void close(Transport transport, Transport.Closing how) {
    inOrder(() -> {
      if (how == Transport.Closing.TOO_SLOW) {
        seal();
      } else { // what waits may still leave
        sealed = true;
        isHeldBack = false;
      }
      transport.close(how);
    });
  }

  /** The connection leaves its groups; any thread. */
  void leaveGroups() {
    groups.end();
  }

  // ---- Memory

  /** Returns what is kept for this client alone, in bytes. */
  long held() {
    return waiting + kept + aheadBytes + (long) sharedEntries * OVERHEAD;
  }

  /** Returns what is kept for this client and others, in bytes. */
  long heldShared() {
    return shared + keptShared;
  }

  /** Returns how many bytes have left so far. */
  long left() {
    return left;
  }
}
