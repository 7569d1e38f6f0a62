package dev.windhover.websocket;

import dev.windhover.http.Limit;
import dev.windhover.http.host.Durations;
import dev.windhover.http.host.Loop;
import dev.windhover.http.host.WriteStall;
import dev.windhover.http.websocket.Ending;
import dev.windhover.protocol.Conversation;
import dev.windhover.protocol.Violation;
import dev.windhover.websocket.deflate.DeflatePool;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The time limits of a socket: those of its conversation, a peer that takes no output, a message
 * that comes too slowly, and how long a quiet socket keeps its compression streams. They share one
 * timer, which is set for the first that is due. Loop only.
 */
final class TimeLimits {
  private static final long NEVER = Conversation.NEVER;

  /** How long a compressed socket may be quiet before its streams are given back. */
  private static final long REST_NANOS = DeflatePool.IDLE_NANOS;

  private final Session session;

  /** Only while output waits. */
  private @Nullable WriteStall writeStall;

  /** Only while a message has begun and not ended: the next one begins with all its credit. */
  private @Nullable MessageRate messageRate;

  private long restDue = NEVER;
  private long armedFor;
  private Loop.@Nullable Timer timer;

  TimeLimits(Session session) {
    this.session = session;
  }

  // ---- The timer

  /** The conversation may have another deadline. */
  void conversationChanged() {
    arm(session.conversation().deadline(now()));
  }

  private long now() {
    return session.loop().nanoTime();
  }

  /** Looks at the time limits at {@code due}, if not before. */
  private void arm(long due) {
    if (due == NEVER || session.isLost()) {
      return;
    }
    if (timer != null) {
      if (armedFor - due <= 0) {
        return; // the armed timer fires first and looks again
      }
      timer.cancel();
    }
    armedFor = due;
    long delay = Math.clamp(due - now(), 0, NEVER / 2);
    timer = session.loop().schedule(Duration.ofNanos(delay), this::look);
  }

  /** Nothing is waited for any more. */
  void stop() {
    session.conversation().stopWaiting();
    writeStall = null;
    messageRate = null;
    restDue = NEVER;
    if (timer != null) {
      timer.cancel();
      timer = null;
    }
  }

  private void look() {
    timer = null;
    if (!session.isOpened()) {
      return;
    }
    Conversation conversation = session.conversation();
    seeAcknowledged();
    Conversation.Passed passed;
    do {
      boolean allTaken = conversation.awaitsAcknowledgement() && session.isAllTaken();
      passed = conversation.check(now(), !session.in().isPaused(), allTaken);
      passed(passed);
    } while (passed != Conversation.Passed.NOTHING && !session.isLost());
    lookAtOutput();
    lookAtMessage();
    if (restDue != NEVER && restDue - now() <= 0) {
      restDue = NEVER;
      session.restCompression();
    }
    if (!session.isLost()) {
      session.duplex().flush();
      seeAcknowledged(); // a Ping's own bytes are no sign of life
      watchOutput();
      if (messageRate != null) {
        arm(messageRate.due());
      }
      conversationChanged();
      arm(restDue);
    }
  }

  // ---- The conversation

  private void seeAcknowledged() {
    if (session.conversation().isPingOutstanding()) {
      session.conversation().acknowledged(session.duplex().transmitted(), now());
    }
  }

  private void passed(Conversation.Passed passed) {
    Conversation.Terms terms = session.settings().terms();
    switch (passed) {
      case NOTHING -> {}
      case EFFECT -> {
        if (session.life().takeEffect()) {
          session.limitReached(Limit.UNREAD_END);
          session.life().answerClose();
        }
      }
      case CLOSING ->
          abort(
              Limit.CLOSING_HANDSHAKE,
              "closing handshake not finished within " + Duration.ofNanos(terms.closeTimeout()));
      case KEEP_ALIVE ->
          abort(
              Limit.KEEP_ALIVE,
              "no sign of life within "
                  + Duration.ofNanos(terms.keepAliveTimeout())
                  + " after a ping");
    }
  }

  private void abort(Limit limit, String why) {
    session.limitReached(limit);
    session.life().abort(Ending.By.SERVER, why);
  }

  /** Our side of the end may still be queued, or on its way: the peer's time begins after that. */
  void awaitClosing() {
    session.conversation().awaitClosing(now(), session.isAllTaken());
    conversationChanged();
  }

  // ---- Output

  /** Output was flushed; what the transport has not taken is watched. */
  void handedOver() {
    if (session.compressor() != null) {
      restDue = now() + REST_NANOS;
      arm(restDue);
    }
    if (session.conversation().isClosingWaiting() && session.isAllTaken()) {
      awaitClosing();
    }
    watchOutput();
  }

  /** Whether output waits for the peer, so that it must make progress. */
  private boolean isOutputWaiting() {
    return session.pending() > 0 || session.conversation().awaitsAcknowledgement();
  }

  void watchOutput() {
    if (writeStall == null && session.isOpened() && isOutputWaiting()) {
      long limit = Durations.nanos(session.settings().writeStallTimeout());
      writeStall = new WriteStall(limit, now(), session.duplex().transmitted());
    }
    if (writeStall != null) {
      arm(writeStall.due());
    }
  }

  private void lookAtOutput() {
    WriteStall stall = writeStall;
    if (stall == null) {
      return;
    }
    if (!isOutputWaiting()) {
      writeStall = null; // watched again when something waits
    } else if (stall.isStalled(now(), session.duplex().transmitted())) {
      Duration limit = session.settings().writeStallTimeout();
      abort(Limit.STALLED_WRITE, "peer took no data for " + limit);
    }
  }

  // ---- The message under way

  /** What was delivered together has ended, perhaps within a message. */
  void watchMessage() {
    Inbox in = session.in();
    if (!in.isWithinMessage() || session.isLost()) {
      return;
    }
    MessageRate known = messageRate;
    WebSocketLimits.Rate rate = session.settings().limits().minMessageRate();
    if (known != null) {
      look(known);
    } else if (!rate.isOff()) {
      in.wasReading(); // from now on
      messageRate = new MessageRate(rate, now(), in.dataBytes());
      arm(messageRate.due());
    }
  }

  /** A message has come to its end, or never will. */
  void messageEnded() {
    messageRate = null;
  }

  private void look(MessageRate rate) {
    Inbox in = session.in();
    rate.look(now(), in.dataBytes(), in.wasReading() && in.assembled() > 0);
  }

  private void lookAtMessage() {
    MessageRate rate = messageRate;
    if (rate == null) {
      return;
    }
    look(rate);
    if (rate.isTooSlow()) {
      session.limitReached(Limit.MESSAGE_RATE);
      int bytes = session.settings().limits().minMessageRate().bytesPerSecond();
      session.fail(Violation.policy("message came at less than " + bytes + " bytes a second"));
    }
  }
}
