package dev.windhover.websocket;

import dev.windhover.http.Limit;
import dev.windhover.http.host.Duplex;
import dev.windhover.http.host.FanOut;
import dev.windhover.http.host.Loggers;
import dev.windhover.http.host.Loop;
import dev.windhover.http.host.MemoryBudget;
import dev.windhover.http.host.RequestSummary;
import dev.windhover.http.host.Takeover;
import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.WebSocketClosedException;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.protocol.CloseCode;
import dev.windhover.protocol.CloseReason;
import dev.windhover.protocol.Conversation;
import dev.windhover.protocol.Violation;
import dev.windhover.websocket.Causes.Outcome;
import dev.windhover.websocket.deflate.Compression;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * One socket between its conversation and its host. The {@link Inbox} reads what comes, the {@link
 * Outbox} holds what is sent, {@link TimeLimits} watch both, and {@link Life} says how it ends; the
 * session passes on what the host and the handler report. Lives on the connection's loop; methods
 * that other threads call say so, and take no lock.
 */
final class Session implements Duplex.Receiver, Takeover {
  private static final Logger log = Loggers.get(Session.class);

  // What a Close of ours says.
  private static final CloseReason HANDLER_ENDED = CloseReason.of(CloseCode.NORMAL_CLOSURE);
  private static final CloseReason FAILED = CloseReason.of(CloseCode.INTERNAL_ERROR);
  private static final CloseReason NOT_FINISHED =
      new CloseReason(CloseCode.INTERNAL_ERROR, "a message was not finished");

  private final WebSockets owner;
  private final SocketEvents events;
  private final RequestSummary request;
  private final Loop loop;
  private final SessionSettings settings;
  private final @Nullable Compression compression;
  private final @Nullable MessageCompressor compressor;
  private final Conversation conversation;
  private final SendGate gate;
  private final Outbox out;
  private final Inbox in;
  private final ServerWebSocket socket;
  private final Life life = new Life(this);
  private final TimeLimits limits = new TimeLimits(this);
  private final HeldMemory memory;

  // ---- Loop only

  /** Null before it is open; other threads only ask it what is pending. */
  private volatile @Nullable Duplex duplex;

  /** The loop's thread; plain, since only that thread finds itself here. */
  private @Nullable Thread loopThread;

  private boolean delivering;
  private boolean lost;

  // ---- Any thread

  private volatile boolean handlerEnded;

  /** What puts in order what many sockets are sent; null if this never was one of them. */
  private volatile @Nullable FanOut fanOut;

  Session(
      SocketEvents events,
      RequestSummary request,
      Loop loop,
      SessionSettings settings,
      @Nullable String subprotocol,
      @Nullable Compression compression,
      @Nullable WebSocketListener listener,
      MemoryBudget budget,
      WebSockets owner) {
    this.owner = owner;
    this.events = events;
    this.request = request;
    this.loop = loop;
    this.settings = settings;
    this.compression = compression;
    SendMarks marks = settings.sendMarks();
    this.compressor =
        compression == null ? null : new MessageCompressor(compression, marks.largestChunk());
    this.conversation =
        Conversation.ofServer(
            settings.terms(), compression == null ? null : compression.extension());
    this.gate = new SendGate(this, marks);
    this.out = new Outbox(this, marks, gate, compressor);
    this.in = listener == null ? new Receiver(this) : new ListenerPump(this, listener);
    this.socket =
        new ServerWebSocket(this, new Sender(this, marks, gate, out), out, in, subprotocol);
    this.memory = new HeldMemory(this, budget);
  }

  // ---- Its parts

  ServerWebSocket socket() {
    return socket;
  }

  SessionSettings settings() {
    return settings;
  }

  Conversation conversation() {
    return conversation;
  }

  Life life() {
    return life;
  }

  Inbox in() {
    return in;
  }

  Outbox out() {
    return out;
  }

  HeldMemory memory() {
    return memory;
  }

  @Nullable MessageCompressor compressor() {
    return compressor;
  }

  /** Returns the connection's loop, the only clock here. */
  Loop loop() {
    return loop;
  }

  // ---- The connection

  /** Returns the connection, once it is open. */
  Duplex duplex() {
    return Objects.requireNonNull(duplex);
  }

  /** Returns the bytes that the connection has not sent yet. Any thread. */
  long pending() {
    Duplex opened = duplex;
    return opened == null ? 0 : opened.pending();
  }

  /** Returns whether the connection is open, and not lost. Loop only. */
  boolean isOpened() {
    return duplex != null && !lost;
  }

  boolean isLost() {
    return lost;
  }

  /** Returns whether the peer's side has acknowledged everything. May be a system call. */
  boolean isAllTaken() {
    return isOpened() && out.isAllOut() && duplex().unacknowledged() == 0;
  }

  @Override
  public void onOpen(Duplex opened) {
    loopThread = Thread.currentThread();
    duplex = opened;
    conversation.open(opened, loop.nanoTime());
    opened.mark(settings.sendMarks().share(), out::drain);
    limits.conversationChanged();
    tellOpened();
    owner.opened(this);
    out.drain(); // other threads may have been quicker
  }

  private void tellOpened() {
    log.debug("socket {} opened", request.id());
    events.opened(socket);
    in.opened();
  }

  @Override
  public void onBytes(ByteBuffer bytes) {
    delivering = true;
    in.onBytes(bytes);
  }

  @Override
  public void onBatchEnd() {
    in.batchEnd();
    delivering = false; // a listener that is told of room in the next line sends for itself
    out.batchEnd(); // what the transport takes at once need not be watched
    limits.watchMessage();
  }

  @Override
  public void onEnd() {
    in.onEnd();
  }

  @Override
  public void onLost(String why) {
    lost = true;
    memory.end();
    endReading();
    limits.stop();
    life.lost(why);
    if (duplex == null) {
      loopThread = Thread.currentThread();
      tellOpened(); // accepted, and lost before the answer went out
    }
    Ending ending = life.end(why);
    log.debug("socket {} {}", request.id(), ending);
    events.ended(socket, ending);
    if (in instanceof ListenerPump listener && listener.isCalling()) {
      loop.execute(this::tellEnded); // a send in that call found the connection gone
    } else {
      tellEnded();
    }
  }

  private void tellEnded() {
    in.ended();
    owner.ended(this);
    life.over();
  }

  @Override
  public CompletableFuture<Void> ended() {
    return life.ended();
  }

  // ---- The end of what comes

  /**
   * The peer broke a rule, and nothing after that is read. Loop only.
   *
   * @return -1
   */
  int violated(Violation violation) {
    if (violation.closeCode() == CloseCode.MESSAGE_TOO_BIG) {
      limitReached(Limit.MESSAGE_SIZE);
    } else if (violation.closeCode() == CloseCode.POLICY_VIOLATION) {
      limitReached(Limit.CONTROL_FRAMES);
    }
    fail(violation);
    return -1;
  }

  /** As {@link #violated}, for a rule of our own. Loop only. */
  void fail(Violation violation) {
    log.debug("socket {} violated the protocol: {}", request.id(), violation.text());
    finish(new Outcome.Violated(violation));
  }

  /**
   * The peer's messages have ended; that takes effect when the application gets there, or in time.
   * Loop only.
   */
  void finish(Outcome what) {
    life.found(what);
    endReading();
    if (what instanceof Outcome.PeerClosed) {
      duplex().inputIsOver();
    }
    limits.conversationChanged();
    in.settle();
  }

  private void endReading() {
    conversation.endReading(loop.nanoTime());
    limits.messageEnded();
    in.endReading();
    if (compression != null) {
      compression.endReading();
    }
  }

  /** The receiving thread found a message over the limit; nothing more is read. Any thread. */
  void stopReading(Violation violation) {
    limitReached(Limit.MESSAGE_SIZE);
    life.foundBefore(violation);
    onLoop(this::endReading);
  }

  /** Nothing more is read, and what was read is dropped. Loop only. */
  void dropInput() {
    if (isOpened()) {
      endReading();
      in.discard();
    }
  }

  // ---- What happens on the way

  /** A message has come to its end. Loop only. */
  void received(MessageType type, long bytes) {
    limits.messageEnded();
    events.received(type, bytes);
  }

  /** A message was sent to its end. Any thread. */
  void sent(MessageType type, long bytes) {
    events.sent(type, bytes);
  }

  /** Output was flushed. Loop only. */
  void handedOver() {
    limits.handedOver();
    memory.stateMemory();
  }

  /** The outbox was over its high mark and is below the low one. */
  void writable() {
    in.writable();
  }

  /** The peer's part of the closing handshake is awaited, once ours has arrived. Loop only. */
  void awaitClosing() {
    limits.awaitClosing();
    limits.watchOutput();
  }

  /** Gives the streams of a quiet socket back; those that are within a message stay. */
  void restCompression() {
    if (compression != null && compressor != null) {
      compressor.rest();
      compression.restReading(loop);
    }
  }

  /** Tells of a bound that was reached. Any thread. */
  void limitReached(Limit limit) {
    events.limitReached(limit);
  }

  // ---- The handler's end

  /** Returns with an exception if the handler has ended, and its socket with it. */
  void requireHandlerRunning() {
    if (handlerEnded) {
      throw new IllegalStateException("the handler of request " + request.id() + " has ended");
    }
  }

  @Override
  public void handlerEnded(@Nullable Throwable failure) {
    if (in instanceof ListenerPump) {
      if (failure != null) {
        listenerFailed(failure);
      }
      return;
    }
    handlerEnded = true;
    CloseReason reason = HANDLER_ENDED;
    String why = "the handler ended";
    if (failure != null && !isOwnEnd(failure)) {
      reason = reasonOf(failure);
      why = "the handler failed";
    } else if (gate.hasUnfinishedMessage()) {
      reason = NOT_FINISHED;
      why = "the handler left a message unfinished";
    }
    life.blame(Ending.By.APPLICATION, reason, why); // first, for those whom the rest wakes
    in.discard(); // a Close or a violation that waits takes effect with this
    if (failure != null && !isOwnEnd(failure)) {
      failed("handler", failure);
      return;
    }
    if (reason.equals(HANDLER_ENDED)) {
      life.answerClose();
    }
    close(reason, why);
  }

  void listenerFailed(Throwable failure) {
    if (!isOwnEnd(failure)) {
      failed("listener", failure);
    }
    in.discard();
  }

  /** A message was left before its end. Any thread. */
  void messageAbandoned(String why) {
    close(NOT_FINISHED, why);
  }

  /** The same, found by those who waited for that end. */
  void sendingFailed(String why) {
    log.error("socket {} failed: {}", request.id(), why);
    limitReached(Limit.UNFINISHED_SEND);
    messageAbandoned(why);
  }

  /**
   * Returns whether {@code failure}, or that of a task which the handler waited for, says that this
   * socket has ended; another's is a failure.
   */
  private boolean isOwnEnd(Throwable failure) {
    boolean ofTask =
        failure instanceof ExecutionException || failure instanceof CompletionException;
    Throwable cause = ofTask ? failure.getCause() : failure;
    return cause instanceof WebSocketClosedException && !life.state().canSend();
  }

  private void failed(String what, Throwable failure) {
    if (life.state().isTerminal() && failure instanceof InterruptedException) {
      log.debug("{} of request {} was interrupted after its socket ended", what, request.id());
    } else {
      log.error("{} of request {} failed: {}", what, request.id(), request, failure);
      events.failed(failure);
    }
    close(reasonOf(failure), "the handler failed");
  }

  /** Returns what the Close says about a failure: in development, what was thrown. */
  private CloseReason reasonOf(Throwable failure) {
    return settings.development()
        ? CloseReason.fitting(CloseCode.INTERNAL_ERROR, failure.toString())
        : FAILED;
  }

  private void close(CloseReason reason, String why) {
    if (life.state().canSend()) {
      life.blame(Ending.By.APPLICATION, reason, why);
      boolean failed = reason.code() == CloseCode.INTERNAL_ERROR;
      life.closeOutput(reason, failed && gate.hasUnfinishedMessage());
    }
  }

  // ---- The loop

  /** Returns what puts in order what many sockets of this loop are sent; any thread. */
  FanOut fanOut() {
    FanOut known = fanOut;
    if (known == null) {
      known = owner.fanOut(loop);
      fanOut = known;
    }
    return known;
  }

  /** Returns whether what is sent now must follow what is on its way to many; any thread. */
  boolean isFanOutPending() {
    FanOut known = fanOut;
    return known != null && known.isPending();
  }

  /** Returns whether the caller is the loop that is delivering bytes, and will flush. */
  boolean isDelivering() {
    return Thread.currentThread().equals(loopThread) && delivering;
  }

  boolean inLoop() {
    return loop.inLoop();
  }

  /** Runs {@code task} on the loop: now, if this is it. Any thread. */
  void onLoop(Runnable task) {
    if (loop.inLoop()) {
      task.run();
    } else {
      loop.execute(task);
    }
  }

  /** Runs {@code task} on the loop after {@code nanos} of the host's time. Any thread. */
  Loop.Timer schedule(long nanos, Runnable task) {
    return loop.schedule(Duration.ofNanos(nanos), task);
  }
}
