package dev.windhover.websocket;

import dev.windhover.http.Limit;
import dev.windhover.http.host.Burst;
import dev.windhover.http.host.Delivery;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.http.websocket.WhenFull;
import dev.windhover.protocol.FrameWriter;
import dev.windhover.protocol.Opcode;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a socket is sent with a policy, as a member of groups or by itself. These messages wait in
 * the socket's one queue, but in a room of their own, and when that is full, the policy says who
 * goes. Loop only, in the order of what is sent to many; except where it says otherwise.
 */
final class Deliveries {
  /**
   * As much as is handed over ahead of time of what is soon outdated. With what the system holds,
   * that is a few of the largest chunks.
   */
  private static final int SHORT_SHARE = 16 * 1024;

  private final Session session;
  private final SendMarks marks;
  private final Outbox out;
  private final SendQueue queue;

  /**
   * Those that may be dropped, because none of them has begun to leave: they leave in this order,
   * so that looking for one costs nothing.
   */
  private final Deque<OutgoingMessage> droppable = new ArrayDeque<>(0);

  /** Those of them that may be replaced, by key. */
  private final Map<Object, OutgoingMessage> latest = new HashMap<>();

  /** The bytes that wait; written by the loop. */
  private volatile long waits;

  /** How many messages were dropped; written by the loop. */
  private volatile long dropped;

  /** A message found no room, which is told once until the low mark is reached. */
  private boolean full;

  /** Little is handed over ahead of time, because it is soon outdated. */
  private boolean keepsShort;

  private boolean fallenBehind;

  Deliveries(Session session, SendMarks marks, Outbox out, SendQueue queue) {
    this.session = session;
    this.marks = marks;
    this.out = out;
    this.queue = queue;
  }

  /** Returns the bytes that wait. Any thread. */
  long waits() {
    return waits;
  }

  /** Returns how many messages were dropped because there was no room. Any thread. */
  long dropped() {
    return dropped;
  }

  /** Returns whether a message was lost that had to get out: nothing leaves any more. */
  boolean hasFallenBehind() {
    return fallenBehind;
  }

  /** Returns how much the transport may hold for more to be handed over. */
  int share() {
    return keepsShort ? Math.min(marks.share(), SHORT_SHARE) : marks.share();
  }

  /** Sends messages as far as there is room. */
  void deliver(Burst burst, WhenFull whenFull) {
    boolean keepsLatest = whenFull == WhenFull.KEEP_LATEST || burst.keepsLatest();
    if (!writeThrough(burst, keepsLatest)) {
      List<Delivery> all = burst.deliveries();
      for (int i = 0; i < all.size(); i++) { // there are many, and mostly one
        Delivery each = all.get(i);
        WhenFull given = each.whenFull();
        deliver(each, given == null ? whenFull : given);
      }
    }
    if (session.isOpened()) {
      out.batchEnd();
    }
  }

  // ---- Past the queue

  /**
   * Sends messages without looking at each of them, as frames that were made for all sockets alike:
   * if nothing waits, they are few, and none is to be compressed.
   *
   * @param keepsLatest whether any of them may be replaced
   * @return false if nothing was sent
   */
  private boolean writeThrough(Burst burst, boolean keepsLatest) {
    if (out.compresses()
        || (keepsLatest && !keepsShort)
        || burst.bytes() > marks.largestChunk()
        || fallenBehind
        || !out.isQuiet()
        || session.pending() > 0) {
      return false;
    }
    session.conversation().frames(burst.frames(Deliveries::toFrames));
    List<Delivery> all = burst.deliveries();
    for (int i = 0; i < all.size(); i++) {
      PreparedMessage each = all.get(i).message();
      session.sent(each.type(), each.size());
    }
    return true;
  }

  private static ByteBuffer toFrames(Burst burst) {
    List<Delivery> all = burst.deliveries();
    long most = burst.bytes() + (long) all.size() * FrameWriter.MAX_HEADER_BYTES;
    ByteBuffer frames = ByteBuffer.allocate(Math.toIntExact(most));
    for (Delivery each : all) {
      Opcode opcode = OutgoingMessage.opcodeOf(each.message().type());
      FrameWriter.server().frame(frames, opcode, true, each.payload());
    }
    return frames.flip();
  }

  // ---- Into the queue

  private void deliver(Delivery delivery, WhenFull whenFull) {
    if (out.isSealed() || fallenBehind) {
      return; // it is leaving its groups
    }
    PreparedMessage message = delivery.message();
    boolean keepsLatest = whenFull == WhenFull.KEEP_LATEST;
    if (keepsLatest) {
      keepShort();
    }
    Outbox.Encoded encoded = out.encode(message, delivery.payload());
    if (writeIfQuiet(message, encoded)) {
      return;
    }
    out.takeMail();
    ByteBuffer payload = encoded.payload();
    long frame = out.frameSize(payload);
    OutgoingMessage before = keepsLatest ? latest.get(delivery.key()) : null;
    if (before != null) {
      addWaits(frame - before.charge);
      before.charge = frame;
      session.fanOut().waitsNoMore(Objects.requireNonNull(before.counted));
      before.replace(message, encoded.as(), payload);
      countAs(delivery, before);
      countDropped(1);
    } else if (makeRoom(frame, whenFull)) {
      OutgoingMessage sent =
          new OutgoingMessage(payload, message.type(), true, encoded.as(), message, null);
      sent.waitsIn(this, keepsLatest ? delivery.key() : null);
      sent.charge = frame;
      addWaits(frame);
      countAs(delivery, sent);
      if (keepsLatest || whenFull == WhenFull.DROP_OLDEST) {
        mayDrop(sent);
      }
      queue.add(sent);
    }
  }

  private boolean writeIfQuiet(PreparedMessage message, Outbox.Encoded encoded) {
    ByteBuffer payload = encoded.payload();
    SendAs as = encoded.as();
    if (!out.isQuiet()
        || payload.remaining() > marks.largestChunk()
        || session.pending() >= share()
        || !out.standsAlone(message.size(), as)) {
      return false;
    }
    Opcode opcode = OutgoingMessage.opcodeOf(message.type());
    session.conversation().frame(opcode, true, as.reservedBits(), payload);
    session.sent(message.type(), message.size());
    return true;
  }

  /** Its payload counts in the server's memory from now on, once for all sockets of the loop. */
  private void countAs(Delivery delivery, OutgoingMessage message) {
    message.counted = delivery;
    session.fanOut().waits(delivery, message.preparedMemory());
  }

  /** What it is sent is soon outdated: little of it is to be on its way. */
  private void keepShort() {
    if (!keepsShort && session.isOpened()) {
      keepsShort = true;
      session.duplex().mark(share(), out::drain);
      session.duplex().holdLittle();
    }
  }

  private void mayDrop(OutgoingMessage message) {
    droppable.add(message);
    if (message.key != null) {
      latest.put(message.key, message);
    }
  }

  /** A message begins to leave, and cannot be dropped any more. */
  void begun(OutgoingMessage message) {
    if (message.equals(droppable.peek())) {
      oldest();
    }
  }

  /** Takes the oldest one that may be dropped; returns null if there is none. */
  private @Nullable OutgoingMessage oldest() {
    OutgoingMessage oldest = droppable.poll();
    if (oldest != null && oldest.key != null) {
      latest.remove(oldest.key);
    }
    return oldest;
  }

  private void addWaits(long bytes) {
    long sum = waits + bytes;
    waits = sum;
  }

  /** So many bytes have left, or never will. */
  void release(long bytes) {
    addWaits(-bytes);
  }

  /** The transport has taken what it takes: when the low mark is reached, the next is told. */
  void handedOver() {
    full &= waits + session.pending() > marks.low();
  }

  // ---- Full

  /** Returns whether there is room now; what may be dropped for that is. */
  private boolean makeRoom(long frame, WhenFull whenFull) {
    if (hasRoom(frame)) {
      return true;
    }
    out.drain(); // perhaps only this turn has gathered that much
    boolean dropsOthers = whenFull == WhenFull.DROP_OLDEST || whenFull == WhenFull.KEEP_LATEST;
    while (!hasRoom(frame)) {
      if (!full) {
        full = true;
        session.limitReached(Limit.SEND_QUEUE);
      }
      OutgoingMessage oldest = dropsOthers ? oldest() : null;
      countDropped(1);
      if (oldest != null) {
        queue.drop(oldest);
      } else {
        if (whenFull == WhenFull.DISCONNECT) {
          disconnect();
        }
        return false;
      }
    }
    return true;
  }

  /** The rule of {@link WhenFull}. The message under way does not count: nothing waits in it. */
  private boolean hasRoom(long frame) {
    OutgoingMessage first = queue.first();
    long waiting = waits;
    if (first != null && first.begun && first.room() != null) {
      waiting -= first.charge;
    }
    return waiting == 0 || waiting + session.pending() + frame <= marks.high();
  }

  /** Somebody who must get everything cannot: what waits is dropped, and the socket is closed. */
  private void disconnect() {
    fallenBehind = true;
    end();
    countDropped(queue.dropIf(message -> message.room() != null && !message.begun));
    session.life().tryAgainLater("send queue of " + marks.high() + " bytes is full");
  }

  /** Nothing leaves any more. */
  void end() {
    droppable.clear();
    latest.clear();
  }

  private void countDropped(int messages) {
    long sum = dropped + messages;
    dropped = sum;
  }
}
