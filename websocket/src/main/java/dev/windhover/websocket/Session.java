package dev.windhover.websocket;

import dev.windhover.http.Limit;
import dev.windhover.http.host.Duplex;
import dev.windhover.http.host.Durations;
import dev.windhover.http.host.FanOut;
import dev.windhover.http.host.Loggers;
import dev.windhover.http.host.Loop;
import dev.windhover.http.host.Memberships;
import dev.windhover.http.host.MemoryBudget;
import dev.windhover.http.host.RequestSummary;
import dev.windhover.http.host.Takeover;
import dev.windhover.http.host.WriteStall;
import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.WebSocketClosedException;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.protocol.CloseCode;
import dev.windhover.protocol.CloseReason;
import dev.windhover.protocol.Conversation;
import dev.windhover.protocol.Violation;
import dev.windhover.protocol.WebSocketState;
import dev.windhover.websocket.Causes.Outcome;
import dev.windhover.websocket.deflate.Compression;
import dev.windhover.websocket.deflate.DeflatePool;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * One socket between its conversation and its host: the {@link Inbox} reads what comes, the {@link
 * Outbox} holds what is sent, and the session opens the socket, watches its time limits and ends
 * it. Lives on the connection's loop; methods that other threads call say so, and take no lock.
 *
 * <p>Where the socket is in its life has two sides: {@link #state()} is the application's, which
 * changes at once when it closes or when the peer's Close has reached it; the conversation's
 * follows when the frames do.
 */
final class Session implements Duplex.Receiver, Takeover, MemoryBudget.Holder {
  private static final Logger log = Loggers.get(Session.class);

  private static final long NEVER = Conversation.NEVER;

  /** How long a compressed socket may be quiet before its streams are given back. */
  private static final long REST_NANOS = DeflatePool.IDLE_NANOS;

  // What a Close of ours says.
  private static final CloseReason HANDLER_ENDED = CloseReason.of(CloseCode.NORMAL_CLOSURE);
  private static final CloseReason FAILED = CloseReason.of(CloseCode.INTERNAL_ERROR);
  private static final CloseReason NOT_FINISHED =
      new CloseReason(CloseCode.INTERNAL_ERROR, "a message was not finished");

  private static final VarHandle STATE;
  private static final VarHandle CAUSES;
  private static final VarHandle ENDED;
  private static final VarHandle CLOSERS;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      STATE = lookup.findVarHandle(Session.class, "state", WebSocketState.class);
      CAUSES = lookup.findVarHandle(Session.class, "causes", Causes.class);
      ENDED = lookup.findVarHandle(Session.class, "ended", CompletableFuture.class);
      CLOSERS = lookup.findVarHandle(Session.class, "closers", ParkedThreads.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final SocketEvents events;
  private final RequestSummary request;
  private final String id;
  private final Loop loop;
  private final SessionSettings settings;
  private final @Nullable Compression compression;
  private final @Nullable MessageCompressor compressor;
  private final Conversation conversation;
  private final Outbox out;
  private final Inbox in;
  private final ServerWebSocket socket;
  private final WebSockets owner;
  private final MemoryBudget memory;
  private final Memberships groups = new Memberships();

  // ---- Loop only

  /** Null before it is open; other threads only ask it what is pending. */
  private volatile @Nullable Duplex duplex;

  /** The loop's thread; plain, since only that thread finds itself here. */
  private @Nullable Thread loopThread;

  private boolean delivering;
  private boolean lost;

  /** Only while output waits. */
  private @Nullable WriteStall writeStall;

  /** Only while a message has begun and not ended: the next one begins with all its credit. */
  private @Nullable MessageRate messageRate;

  /** Opened when the socket holds something for the first time. */
  private MemoryBudget.@Nullable Account account;

  private long restDue = NEVER;
  private long armedFor;
  private Loop.@Nullable Timer timer;

  // ---- Any thread

  private volatile WebSocketState state = WebSocketState.OPEN;
  private volatile Causes causes = Causes.NONE;

  /** How it ended, once its connection has. */
  private volatile @Nullable Ending ending;

  private volatile boolean handlerEnded;

  /** What puts in order what many sockets are sent; null if this never was one of them. */
  private volatile @Nullable FanOut fanOut;

  /** Made for whoever asks. */
  private volatile @Nullable CompletableFuture<Void> ended;

  private volatile boolean over;

  /** Who waits for the end in {@link #awaitTerminal}; made when somebody does. */
  private volatile @Nullable ParkedThreads closers;

  Session(
      SocketEvents events,
      RequestSummary request,
      Loop loop,
      SessionSettings settings,
      @Nullable String subprotocol,
      @Nullable Compression compression,
      @Nullable WebSocketListener listener,
      MemoryBudget memory,
      WebSockets owner) {
    this.events = events;
    this.request = request;
    this.id = request.id();
    this.loop = loop;
    this.owner = owner;
    this.memory = memory;
    this.settings = settings;
    this.compression = compression;
    SendMarks marks = settings.sendMarks();
    this.compressor =
        compression == null ? null : new MessageCompressor(compression, marks.largestChunk());
    this.conversation =
        Conversation.ofServer(
            settings.terms(), compression == null ? null : compression.extension());
    this.out = new Outbox(this, marks, compressor);
    this.in = listener == null ? new Receiver(this) : new ListenerPump(this, listener);
    this.socket = new ServerWebSocket(this, out, in, subprotocol);
  }

  ServerWebSocket socket() {
    return socket;
  }

  SessionSettings settings() {
    return settings;
  }

  Conversation conversation() {
    return conversation;
  }

  @Nullable MessageCompressor compressor() {
    return compressor;
  }

  /** Returns what names its request in logs. */
  String id() {
    return id;
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

  @Override
  public void onOpen(Duplex opened) {
    loopThread = Thread.currentThread();
    duplex = opened;
    conversation.open(opened, loop.nanoTime());
    opened.mark(settings.sendMarks().share(), out::drain);
    arm(conversation.deadline(loop.nanoTime()));
    tellOpened();
    owner.opened(this);
    out.drain(); // other threads may have been quicker
  }

  private void tellOpened() {
    log.debug("socket {} opened", id);
    events.opened(socket);
    in.opened();
  }

  // ---- What comes

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
    watchMessage();
  }

  @Override
  public void onEnd() {
    in.onEnd();
  }

  @Override
  public void onLost(String why) {
    lost = true;
    if (account != null) {
      account.close();
    }
    endReading();
    stopWaiting();
    change(was -> was.blameAbnormal(Ending.By.CONNECTION, why));
    conversation.lost();
    connectionEnded(false);
    if (duplex == null) {
      loopThread = Thread.currentThread();
      tellOpened(); // accepted, and lost before the answer went out
    }
    Ending known = causes.ending();
    ending = known;
    if (!hasFoundEnd()) {
      change(was -> was.find(new Outcome.Lost(why)));
      in.settle();
    }
    log.debug("socket {} {}", id, known);
    events.ended(socket, known);
    if (in instanceof ListenerPump listener && listener.isCalling()) {
      loop.execute(this::tellEnded); // a send in that call found the connection gone
    } else {
      tellEnded();
    }
  }

  private void tellEnded() {
    in.ended();
    owner.ended(this);
    over = true;
    CompletableFuture<Void> awaited = ended;
    if (awaited != null) {
      awaited.complete(null);
    }
  }

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

  private void fail(Violation violation) {
    log.debug("socket {} violated the protocol: {}", id, violation.text());
    finish(new Outcome.Violated(violation));
  }

  /**
   * The peer's messages have ended; that takes effect when the application gets there, or in time.
   * Loop only.
   */
  void finish(Outcome what) {
    change(was -> was.find(what));
    endReading();
    if (what instanceof Outcome.PeerClosed) {
      duplex().inputIsOver();
    }
    arm(conversation.deadline(loop.nanoTime()));
    in.settle();
  }

  private void endReading() {
    conversation.endReading(loop.nanoTime());
    messageRate = null;
    in.endReading();
    if (compression != null) {
      compression.endReading();
    }
  }

  /** The receiving thread found a message over the limit; nothing more is read. Any thread. */
  void stopReading(Violation violation) {
    limitReached(Limit.MESSAGE_SIZE);
    change(was -> was.findBefore(violation)); // a Close of the peer may have come after it
    onLoop(this::endReading);
  }

  /** Returns whether the peer's messages have ended, after those that are kept. Any thread. */
  boolean hasFoundEnd() {
    return causes.found() != null;
  }

  // ---- Closing

  /** Returns where in its life the socket is, to the application. Any thread. */
  WebSocketState state() {
    return state;
  }

  /** Returns the state before the {@code event}. Any thread. */
  private WebSocketState change(WebSocketState.Event event) {
    WebSocketState before;
    WebSocketState after;
    do {
      before = state;
      after = before.on(event);
    } while (!STATE.compareAndSet(this, before, after));
    ParkedThreads waiters = closers;
    if (waiters != null && after.isTerminal()) {
      waiters.wakeAll();
    }
    if (before.canSend() && !after.canSend()) {
      groups.end();
    }
    return before;
  }

  /** Writes down what happened; returns what was known before. Any thread. */
  private Causes change(UnaryOperator<Causes> how) {
    Causes before;
    do {
      before = causes;
    } while (!CAUSES.compareAndSet(this, before, how.apply(before)));
    return before;
  }

  /**
   * Returns whether our Close is out and the peer's has had no effect: nothing that the application
   * may still send depends on it. Any thread.
   */
  boolean isCloseSent() {
    return state == WebSocketState.CLOSE_SENT;
  }

  /**
   * Lets the end of the peer's messages take effect, once, if it was found: the application has
   * taken everything before it, or time is up. Returns whether it did. Any thread.
   */
  boolean takeEffect() {
    Causes before = change(Causes::takeEffect);
    Outcome what = before.found();
    if (what == null || before.effective() != null) {
      return false;
    }
    switch (what) {
      case Outcome.PeerClosed _ -> {
        boolean wasSent = change(WebSocketState.Event.RECEIVED_CLOSE) == WebSocketState.CLOSE_SENT;
        onLoop(conversation::takeEffect);
        if (wasSent) {
          out.endAfterAll();
        }
        awaitClosing();
        if (in instanceof ListenerPump listener) {
          onLoop(() -> {
            listener.closed();
            answerClose();
          });
        }
      }
      case Outcome.Violated violated -> {
        if (!closeOutput(violated.violation().toCloseReason(), true)) {
          connectionEnded(true); // our Close is out already; there is no second one
          awaitClosing();
        }
      }
      case Outcome.Lost _ -> {
        connectionEnded(true);
        awaitClosing();
      }
    }
    return true;
  }

  /** Answers the peer's Close with its own code, if nobody has. Any thread. */
  void answerClose() {
    CloseReason reason = received();
    if (reason != null) {
      closeOutput(CloseReason.of(reason.code()), true);
    }
  }

  /**
   * Sends a Close, if none is out, and returns whether it did. Any thread.
   *
   * @param end whether the connection ends after it, whatever the peer does
   */
  boolean closeOutput(CloseReason reason, boolean end) {
    if (!state.canSend() || !out.claimClose(reason)) {
      return false;
    }
    WebSocketState before = change(WebSocketState.Event.SENT_CLOSE);
    if (!before.canSend()) {
      out.disclaimClose();
      return false;
    }
    out.close(end || before == WebSocketState.CLOSE_RECEIVED);
    awaitClosing();
    return true;
  }

  /** Nothing new can be sent. What is queued still goes out if {@code end}, else is dropped. */
  private void connectionEnded(boolean end) {
    change(WebSocketState.Event.CONNECTION_ENDED);
    out.stop(end);
  }

  private void awaitClosing() {
    onLoop(() -> {
      if (state != WebSocketState.CLOSE_RECEIVED && !lost) {
        beginAwaitClosing();
        watchOutput();
      }
    });
  }

  /** Our side of the end may still be queued, or on its way: the peer's time begins after that. */
  private void beginAwaitClosing() {
    conversation.awaitClosing(loop.nanoTime(), isAllTaken());
    arm(conversation.deadline(loop.nanoTime()));
  }

  /** Returns whether the peer's side has acknowledged everything. May be a system call. */
  private boolean isAllTaken() {
    return isOpened() && out.isAllOut() && duplex().unacknowledged() == 0;
  }

  /** Drops the connection. Any thread. */
  void abort(Ending.By by, String why) {
    change(was -> was.blameAbnormal(by, why));
    connectionEnded(false);
    onLoop(() -> {
      if (isOpened()) {
        duplex().abort();
      }
    });
  }

  /** The lost middle of a frame cannot be made up for. Any thread. */
  void abortSending(String why) {
    abort(Ending.By.APPLICATION, why);
  }

  /** The server stops: says so to the peer. Any thread. */
  void goAway() {
    CloseReason reason = new CloseReason(CloseCode.GOING_AWAY, "the server is stopping");
    if (state.canSend()) {
      change(was -> was.blame(Ending.By.SERVER, reason, "the server is stopping"));
    }
    closeOutput(reason, false);
  }

  /** It reads too slowly for what it is sent, and must not miss any of it. Loop only. */
  void fallenBehind(String why) {
    CloseReason reason = new CloseReason(CloseCode.TRY_AGAIN_LATER, why);
    change(was -> was.blame(Ending.By.SERVER, reason, why));
    closeOutput(reason, true); // before the handler wakes, and ends with a Close of its own
    if (isOpened()) {
      endReading();
      in.discard();
    }
  }

  void blameApplication(CloseReason reason, String why) {
    change(was -> was.blame(Ending.By.APPLICATION, reason, why));
  }

  /** Waits until the socket is closed or aborted. */
  void awaitTerminal() throws InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    ParkedThreads waiters = closers;
    if (waiters == null) {
      waiters = new ParkedThreads(loop);
      if (!CLOSERS.compareAndSet(this, null, waiters)) {
        waiters = Objects.requireNonNull(closers);
      }
    }
    waiters.await(() -> state.isTerminal());
  }

  @Override
  public CompletableFuture<Void> ended() {
    CompletableFuture<Void> awaited = ended;
    if (awaited == null) {
      ENDED.compareAndSet(this, null, new CompletableFuture<Void>());
      awaited = Objects.requireNonNull(ended);
    }
    if (over) {
      awaited.complete(null);
    }
    return awaited;
  }

  // ---- The handler's end

  /** Returns with an exception if the handler has ended, and its socket with it. */
  void requireHandlerRunning() {
    if (handlerEnded) {
      throw new IllegalStateException("the handler of request " + id + " has ended");
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
    } else if (out.hasUnfinishedMessage()) {
      reason = NOT_FINISHED;
      why = "the handler left a message unfinished";
    }
    blameApplication(reason, why); // first, for those who are woken by what follows
    in.discard(); // a Close or a violation that waits takes effect with this
    if (failure != null && !isOwnEnd(failure)) {
      failed("handler", failure);
      return;
    }
    if (reason.equals(HANDLER_ENDED)) {
      answerClose();
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
    log.error("socket {} failed: {}", id, why);
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
    return cause instanceof WebSocketClosedException && !state.canSend();
  }

  private void failed(String what, Throwable failure) {
    if (state.isTerminal() && failure instanceof InterruptedException) {
      log.debug("{} of request {} was interrupted after its socket ended", what, id);
    } else {
      log.error("{} of request {} failed: {}", what, id, request, failure);
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
    if (state.canSend()) {
      blameApplication(reason, why);
      boolean failed = reason.code() == CloseCode.INTERNAL_ERROR;
      closeOutput(reason, failed && out.hasUnfinishedMessage());
    }
  }

  // ---- Time

  /** Looks at the time limits at {@code due}, if not before. Loop only. */
  private void arm(long due) {
    if (due == NEVER || lost) {
      return;
    }
    if (timer != null) {
      if (armedFor - due <= 0) {
        return; // the armed timer fires first and looks again
      }
      timer.cancel();
    }
    armedFor = due;
    long delay = Math.clamp(due - loop.nanoTime(), 0, NEVER / 2);
    timer = loop.schedule(Duration.ofNanos(delay), this::look);
  }

  private void stopWaiting() {
    conversation.stopWaiting();
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
    if (!isOpened()) {
      return;
    }
    seeAcknowledged();
    Conversation.Passed passed;
    do {
      boolean allTaken = conversation.awaitsAcknowledgement() && isAllTaken();
      passed = conversation.check(loop.nanoTime(), !in.isPaused(), allTaken);
      passed(passed);
    } while (passed != Conversation.Passed.NOTHING && !lost);
    lookAtOutput();
    lookAtMessage();
    if (restDue != NEVER && restDue - loop.nanoTime() <= 0) {
      rest();
    }
    if (!lost) {
      duplex().flush();
      seeAcknowledged(); // a Ping's own bytes are no sign of life
      watchOutput();
      if (messageRate != null) {
        arm(messageRate.due());
      }
      arm(conversation.deadline(loop.nanoTime()));
      arm(restDue);
    }
  }

  private void seeAcknowledged() {
    if (conversation.isPingOutstanding()) {
      conversation.acknowledged(duplex().transmitted(), loop.nanoTime());
    }
  }

  private void passed(Conversation.Passed passed) {
    switch (passed) {
      case NOTHING -> {}
      case EFFECT -> {
        if (takeEffect()) {
          limitReached(Limit.UNREAD_END);
          answerClose();
        }
      }
      case CLOSING -> {
        limitReached(Limit.CLOSING_HANDSHAKE);
        abort(
            Ending.By.SERVER,
            "closing handshake not finished within "
                + Duration.ofNanos(settings.terms().closeTimeout()));
      }
      case KEEP_ALIVE -> {
        limitReached(Limit.KEEP_ALIVE);
        abort(
            Ending.By.SERVER,
            "no sign of life within "
                + Duration.ofNanos(settings.terms().keepAliveTimeout())
                + " after a ping");
      }
    }
  }

  /** Output was flushed; what the transport has not taken is watched. Loop only. */
  void handedOver() {
    if (compression != null) {
      restDue = loop.nanoTime() + REST_NANOS;
      arm(restDue);
    }
    if (conversation.isClosingWaiting() && isAllTaken()) {
      beginAwaitClosing();
    }
    watchOutput();
    stateMemory();
  }

  /** Whether output waits for the peer, so that it must make progress. */
  private boolean isOutputWaiting() {
    return duplex().pending() > 0 || conversation.awaitsAcknowledgement();
  }

  private void watchOutput() {
    if (writeStall == null && isOpened() && isOutputWaiting()) {
      long limit = Durations.nanos(settings.writeStallTimeout());
      writeStall = new WriteStall(limit, loop.nanoTime(), duplex().transmitted());
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
    } else if (stall.isStalled(loop.nanoTime(), duplex().transmitted())) {
      limitReached(Limit.STALLED_WRITE);
      abort(Ending.By.SERVER, "peer took no data for " + settings.writeStallTimeout());
    }
  }

  /** What was delivered together has ended, perhaps within a message. */
  private void watchMessage() {
    if (!in.isWithinMessage() || lost) {
      return;
    }
    MessageRate known = messageRate;
    WebSocketLimits.Rate rate = settings.limits().minMessageRate();
    if (known != null) {
      look(known);
    } else if (!rate.isOff()) {
      in.wasReading(); // from now on
      messageRate = new MessageRate(rate, loop.nanoTime(), in.dataBytes());
      arm(messageRate.due());
    }
  }

  private void look(MessageRate rate) {
    rate.look(loop.nanoTime(), in.dataBytes(), in.wasReading() && in.assembled() > 0);
  }

  private void lookAtMessage() {
    MessageRate rate = messageRate;
    if (rate == null) {
      return;
    }
    look(rate);
    if (rate.isTooSlow()) {
      limitReached(Limit.MESSAGE_RATE);
      int bytes = settings.limits().minMessageRate().bytesPerSecond();
      fail(Violation.policy("message came at less than " + bytes + " bytes a second"));
    }
  }

  /** Gives the streams of a quiet socket back; those that are within a message stay. */
  private void rest() {
    restDue = NEVER;
    if (compression != null && compressor != null) {
      compressor.rest();
      compression.restReading(loop);
    }
  }

  // ---- Memory

  /** Called after each turn in which bytes came or left. */
  @Override
  public void stateMemory() {
    if (!isOpened()) {
      return;
    }
    long heap = in.held() + out.held() + duplex().held();
    long direct = duplex().pending();
    MemoryBudget.Account known = account;
    if (known == null && heap + direct > 0) {
      known = memory.open(loop, this);
      account = known;
    }
    if (known != null) {
      known.holds(heap, direct, out.shared());
    }
  }

  /** Returns whether to take in as little as possible for now. */
  boolean isMemoryShort() {
    return memory.isShort();
  }

  @Override
  public long moved() {
    return isOpened() ? in.dataBytes() + duplex().transmitted() : 0;
  }

  /** The server's memory is used up, and this socket holds the most of it. */
  @Override
  public void evict() {
    if (!isOpened()) {
      return;
    }
    String why = "the server has no memory left for this socket";
    limitReached(Limit.MEMORY);
    if (state.canSend() && out.isAllOut() && duplex().pending() == 0) {
      CloseReason reason = new CloseReason(CloseCode.TRY_AGAIN_LATER, why);
      change(was -> was.blame(Ending.By.SERVER, reason, why));
      closeOutput(reason, true); // before the handler wakes, and ends with a Close of its own
      endReading();
      in.discard();
    } else {
      abort(Ending.By.SERVER, why);
    }
  }

  // ---- Groups

  /** Returns the groups that it is in; any thread. */
  Memberships groups() {
    return groups;
  }

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

  // ---- For those around it

  /** Returns whether the caller is the loop that is delivering bytes, and will flush. */
  boolean isDelivering() {
    return Thread.currentThread().equals(loopThread) && delivering;
  }

  /** Tells of a bound that was reached. Any thread. */
  void limitReached(Limit limit) {
    events.limitReached(limit);
  }

  /** The outbox has reached its high mark. */
  void full() {
    limitReached(Limit.SEND_QUEUE);
  }

  /** The outbox was over its high mark and is below the low one. */
  void writable() {
    in.writable();
  }

  /** A message has come to its end. Loop only. */
  void received(MessageType type, long bytes) {
    messageRate = null;
    events.received(type, bytes);
  }

  /** A message was sent to its end. Any thread. */
  void sent(MessageType type, long bytes) {
    events.sent(type, bytes);
  }

  /** Returns what the peer's Close said, once it has taken effect. Any thread. */
  @Nullable CloseReason received() {
    return causes.effective() instanceof Outcome.PeerClosed closed ? closed.reason() : null;
  }

  /** Returns how the socket ends or has ended; null while it is open. Any thread. */
  @Nullable Ending ending() {
    Ending known = ending;
    if (known != null) {
      return known;
    }
    Causes now = causes;
    boolean isEnding = state != WebSocketState.OPEN || now.effective() != null || in.isDiscarding();
    return isEnding ? now.soFar() : null;
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

  boolean inLoop() {
    return loop.inLoop();
  }
}
