package dev.windhover.websocket;

import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.http.websocket.WebSocketClosedException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * How a message gets past the {@link SendGate} into the {@link Outbox}: from a thread that may wait
 * for its turn and for room ({@link #send}), or without waiting ({@link #offer}, {@link #trySend}).
 * A message in pieces keeps others back until it ends: in the first case their senders wait, in the
 * second the messages do. Any thread.
 */
final class Sender {
  private final Session session;
  private final SendMarks marks;
  private final SendGate gate;
  private final Outbox out;

  Sender(Session session, SendMarks marks, SendGate gate, Outbox out) {
    this.session = session;
    this.marks = marks;
    this.gate = gate;
    this.out = out;
  }

  // ---- Sending by a thread that may wait

  /**
   * Sends one frame of a message, and waits for its turn and for room.
   *
   * @param by whose message it is: a thread, or a message writer
   * @param prepared whose payload it is, if it is that of a prepared message
   * @return whether there is room for more
   */
  boolean send(
      Object by,
      ByteBuffer payload,
      MessageType type,
      boolean end,
      SendAs as,
      @Nullable PreparedMessage prepared)
      throws IOException, InterruptedException {
    OpenMessage message = gate.enter(by, type, end, as);
    if (message != null) {
      message.enterCall();
    }
    try {
      OutgoingMessage sent = new OutgoingMessage(payload, type, end, as, prepared, message);
      long frame = out.frameSize(payload);
      sent.charge = gate.claim(message, frame, end);
      OutgoingMessage.Loan loan = sent.charge == frame ? null : sent.lend();
      if (loan == null) {
        copy(sent);
      }
      long whole = wholeSize(sent, type);
      out.post(sent);
      gate.leave(); // the next sender's message comes after this one
      if (end && message != null) {
        gate.end(message);
      }
      if (loan != null) {
        gate.tellFull();
        awaitOut(loan, message == null);
      }
      if (end) {
        session.sent(type, whole);
      }
      return gate.hasRoom();
    } finally {
      if (message != null) {
        message.leaveCall();
      }
    }
  }

  /** Copies a payload for which room was claimed. */
  private void copy(OutgoingMessage sent) {
    boolean isCopied = false;
    try {
      sent.copy(marks.largestChunk(), out.compresses() && !sent.as.isPlain());
      isCopied = true;
    } finally {
      if (!isCopied) { // the payload's memory was freed, or there is none for a copy
        gate.disclaim(sent.part, sent.charge);
        session.loop().execute(out::drain); // which wakes others, and lets a Close out
      }
    }
  }

  /** Returns the size of the message so far. */
  private static long wholeSize(OutgoingMessage sent, MessageType type) {
    return sent.part == null ? sent.size : sent.part.sent(type, sent.as, sent.size);
  }

  /** Begins a message of {@code by}, as soon as no other is under way; its pieces follow. */
  void startMessage(Object by) throws IOException, InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    gate.requireOpen();
    gate.begin(by).begun = true;
  }

  /**
   * Waits until the loop has taken all of a payload, which is the caller's again then.
   *
   * @param isWhole whether no other frame may have to follow it
   */
  private void awaitOut(OutgoingMessage.Loan loan, boolean isWhole)
      throws IOException, InterruptedException {
    boolean interrupted = false;
    while (!loan.isOver()) {
      if (Thread.interrupted() && !interrupted) {
        if (isWhole && loan.withdraw()) {
          session.onLoop(out::drain); // which finds it in the way
          throw new InterruptedException();
        }
        interrupted = true;
        String why = "a sender was interrupted in the middle of a frame";
        session.life().abort(Ending.By.APPLICATION, why);
        continue; // that may have used up a wake-up
      }
      LockSupport.park(this);
    }
    if (interrupted) {
      throw new InterruptedException();
    }
    if (!loan.isOut()) {
      throw gate.closed();
    }
  }

  // ---- Sending without waiting

  /**
   * Sends one frame of a message without waiting, from the loop or another thread. Parameters as in
   * {@link #send}.
   *
   * @return whether what waits is below the high mark
   * @throws IllegalStateException if it is not, and that was told before
   */
  boolean offer(
      Object by,
      ByteBuffer payload,
      MessageType type,
      boolean end,
      SendAs as,
      @Nullable PreparedMessage prepared)
      throws IOException {
    boolean delivering = session.isDelivering();
    boolean inLoop = delivering || session.loop().inLoop();
    gate.requireOpen();
    int size = prepared == null ? payload.remaining() : prepared.size();
    if (inLoop && end && out.isIdle() && out.standsAlone(size, as)) {
      return out.write(payload, size, type, as, delivering);
    }
    out.requireRoom(gate.openOf(by));
    OpenMessage message = gate.enterAtOnce(by, type, end, as);
    OutgoingMessage sent = new OutgoingMessage(payload, type, end, as, prepared, message);
    sent.charge = out.frameSize(payload);
    gate.claimAtOnce(sent.charge);
    copy(sent);
    long whole = wholeSize(sent, type);
    if (message != null) {
      message.leaveCall();
      if (end) {
        endAfter(message);
      }
    }
    boolean below;
    if (inLoop && !session.isFanOutPending()) {
      out.queue(sent, delivering);
      below = out.isBelowHigh();
    } else {
      below = out.isBelowHigh(); // before the loop can drain it and miss who is to be told
      out.post(sent);
    }
    if (end) {
      session.sent(type, whole);
    }
    return below;
  }

  /**
   * Sends a whole message if nobody would have to wait for that, from the loop or another thread.
   *
   * @return false if nothing was sent
   */
  boolean trySend(
      ByteBuffer payload, MessageType type, SendAs as, @Nullable PreparedMessage prepared)
      throws WebSocketClosedException {
    boolean delivering = session.isDelivering();
    boolean inLoop = delivering || session.loop().inLoop();
    gate.requireOpen();
    long frame = out.frameSize(payload);
    int size = prepared == null ? payload.remaining() : prepared.size();
    if (inLoop && out.isIdle() && gate.fits(frame) && out.standsAlone(size, as)) {
      out.write(payload, size, type, as, delivering);
      return true;
    }
    OutgoingMessage sent = new OutgoingMessage(payload, type, true, as, prepared, null);
    if (!gate.tryClaim(frame)) {
      return false;
    }
    sent.charge = frame;
    copy(sent);
    if (inLoop && !session.isFanOutPending()) {
      out.queue(sent, delivering);
    } else {
      out.post(sent);
    }
    session.sent(type, size);
    return true;
  }

  /** The message ends with a piece that is about to be left. */
  private void endAfter(OpenMessage message) {
    if (out.amount() > gate.ahead(message)) {
      gate.refill(); // those kept back may have been refused since room was told
    }
    gate.end(message);
  }

  void requireOpen() throws WebSocketClosedException {
    gate.requireOpen();
  }

  /** Returns whether {@link #trySend} has a chance. Any thread. */
  boolean mayTrySend() throws WebSocketClosedException {
    gate.requireOpen();
    return gate.tryClaim(0);
  }
}
