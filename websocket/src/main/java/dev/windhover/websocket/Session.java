package dev.windhover.websocket;

import dev.windhover.http.Limit;
import dev.windhover.http.host.Duplex;
import dev.windhover.http.host.Loop;
import dev.windhover.http.host.Takeover;
import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.protocol.CloseCode;
import dev.windhover.protocol.CloseReason;
import dev.windhover.protocol.FrameReader;
import dev.windhover.protocol.Opcode;
import dev.windhover.protocol.Role;
import dev.windhover.protocol.Violation;
import dev.windhover.protocol.WebSocketState;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One socket between its engine and its host: what comes is read and goes to the {@link Inbound} of
 * the form that was chosen, what is sent goes through the {@link SendQueue}, and time limits and
 * the closing handshake are watched over. Lives on the connection's loop; methods that other
 * threads call say so.
 */
final class Session implements Duplex.Receiver, SendListener, Deadlines.Listener, Takeover {
  private static final Logger log = LoggerFactory.getLogger(Session.class);

  /** How long a Close or a violation that was read waits for the application to reach it. */
  private static final long EFFECT_NANOS = 5_000_000_000L;

  private final SocketEvents events;
  private final Duplex duplex;
  private final SessionSettings settings;
  private final @Nullable Compression compression;
  private final FrameReader reader;
  private final SendQueue out;
  private final Inbound in;
  private final Watch watch;
  private final ServerWebSocket socket;
  private final Consumer<Session> onEnded;

  /** Made for whoever asks; this guards it and what follows. */
  private @Nullable CompletableFuture<Void> ended;

  /** Made for the first cause. */
  private @Nullable Causes causes;

  private boolean over;

  // Loop only.
  private boolean opened;
  private boolean delivering;
  private boolean reading = true;
  private boolean doneReading;
  private boolean connectionLost;
  private long messageBytes;

  /** Made for the first bytes that wait in it. */
  private @Nullable Backlog backlog;

  /** The credit that is due for messages which came uncompressed. */
  private long owed;

  /** Only while something is waited for. */
  private @Nullable Deadlines deadlines;

  /** The loop's thread; plain, since only that thread finds itself here. */
  private @Nullable Thread loopThread;

  // Any thread.
  private volatile @Nullable CloseReason received;
  private volatile @Nullable Ending ending;
  private volatile boolean handlerEnded;

  Session(
      SocketEvents events,
      Duplex duplex,
      SessionSettings settings,
      @Nullable String subprotocol,
      @Nullable Compression compression,
      @Nullable WebSocketListener listener,
      Consumer<Session> onEnded) {
    this.events = events;
    this.duplex = duplex;
    this.onEnded = onEnded;
    this.settings = settings;
    this.compression = compression;
    this.reader =
        new FrameReader(Role.SERVER, compression == null ? null : compression.extension());
    this.out = new SendQueue(duplex, this, compression, settings.sendMarks());
    this.in =
        listener == null
            ? new ReceiveQueue(this, settings.limits().inboundBytes(), settings.maxMessageSize())
            : new ListenerPump(this, listener);
    this.socket = new ServerWebSocket(this, out, in, subprotocol);
    this.watch = new Watch(this);
  }

  ServerWebSocket socket() {
    return socket;
  }

  SessionSettings settings() {
    return settings;
  }

  @Nullable Compression compression() {
    return compression;
  }

  Duplex duplex() {
    return duplex;
  }

  SendQueue out() {
    return out;
  }

  /** Returns what names its request in logs. */
  String id() {
    return duplex.id();
  }

  // ---- What comes

  @Override
  public void onOpen() {
    loopThread = Thread.currentThread();
    watch.begin();
    opened();
  }

  private void opened() {
    opened = true;
    log.debug("socket {} opened", id());
    events.opened(socket);
    in.opened();
  }

  @Override
  public void onBytes(ByteBuffer bytes) {
    if (hasBacklog()) { // these were on their way when we paused
      keep(bytes);
      return;
    }
    delivering = true;
    watch.heard();
    int control = bytes.remaining(); // headers and control frames are credited at once
    while (!doneReading) {
      switch (reader.next(bytes)) {
        case MORE -> {
          duplex.consumed(control);
          return;
        }
        case DATA -> {
          MessageType type = typeOf(reader.messageType());
          boolean coded = reader.isCoded();
          int start = bytes.position();
          int n = in.data(reader, bytes);
          if (n >= 0 && !coded) {
            control -= bytes.position() - start;
            owed += bytes.position() - start;
          }
          if (doneReading) {
            break; // what was found is told already
          }
          if (n < 0) {
            finish(new Outcome.Violated(reader.violation()));
            break;
          }
          messageBytes += n;
          if (reader.endOfMessage()) {
            events.received(type, messageBytes);
            messageBytes = 0;
          }
          if (coded && !reading) {
            control -= bytes.remaining();
            keep(bytes);
            duplex.consumed(control);
            return;
          }
        }
        case PING -> out.pong(reader.controlPayload());
        case PONG -> {} // a sign of life like any other byte
        case CLOSE -> finish(new Outcome.PeerClosed(reader.closeReason()));
        case VIOLATION -> finish(new Outcome.Violated(reader.violation()));
      }
    }
    bytes.position(
        bytes.limit()); // nothing behind a Close or a violation is looked at (1.4, 7.1.7)
    duplex.consumed(control);
  }

  @Override
  public void onBatchEnd() {
    in.batchEnd();
    delivering = false; // a listener that is told of room in the next line sends for itself
    out.batchEnd(); // what the transport takes at once need not be watched
    watch.output();
    watch.compression();
  }

  @Override
  public void onWritable() {
    out.drain();
    watch.output();
  }

  /** The peer's direction ended; without a Close that is a lost connection, in its turn. */
  @Override
  public void onEnd() {
    if ((backlog == null || !backlog.endsBehind()) && !doneReading) {
      finish(new Outcome.Lost("the peer ended the connection without a close frame"));
    }
  }

  @Override
  public void onLost(String why) {
    endReading();
    stopWaiting();
    causes().blameAbnormal(Ending.By.CONNECTION, why);
    out.connectionEnded(false);
    if (!opened) {
      opened(); // accepted, and lost before the answer went out
    }
    Ending known = causes().ending();
    ending = known;
    if (causes().found() == null) {
      Outcome lost = new Outcome.Lost(why);
      causes().found(lost);
      in.outcome(lost);
    }
    log.debug("socket {} {}", id(), known);
    events.ended(socket, known);
    if (in instanceof ListenerPump listener && listener.isCalling()) {
      duplex.loop().execute(this::tellEnded); // a send in that call found the connection gone
    } else {
      tellEnded();
    }
  }

  private void tellEnded() {
    in.ended();
    onEnded.accept(this);
    CompletableFuture<Void> awaited;
    synchronized (this) {
      over = true;
      awaited = ended;
    }
    if (awaited != null) {
      awaited.complete(null);
    }
  }

  /** Reading is over; what ended it takes effect when the application gets there, or in time. */
  private void finish(Outcome what) {
    endReading();
    causes().found(what);
    if (what instanceof Outcome.Violated violated) {
      log.debug("socket {} violated the protocol: {}", id(), violated.violation().text());
    }
    if (deadlines != null) {
      deadlines.clear(Deadlines.Kind.CLOSING); // the peer has done its part
    }
    await(Deadlines.Kind.EFFECT, EFFECT_NANOS);
    in.outcome(what);
  }

  private void endReading() {
    doneReading = true;
    backlog = null;
    if (compression != null) {
      compression.endReading();
    }
  }

  private synchronized Causes causes() {
    Causes known = causes;
    if (known == null) {
      known = new Causes();
      causes = known;
    }
    return known;
  }

  /**
   * Returns whether our Close is out and the peer's has had no effect: nothing that the application
   * may still send depends on it. Any thread.
   */
  boolean isCloseSent() {
    return out.state() == WebSocketState.CLOSE_SENT;
  }

  /** A violation that the reader did not find: a message over the limit. Returns -1. */
  int violated(Violation violation) {
    limitReached(Limit.MESSAGE_SIZE);
    finish(new Outcome.Violated(violation));
    return -1;
  }

  /** The receiving thread found a message over the limit; nothing more is read. Any thread. */
  void stopReading(Violation violation) {
    limitReached(Limit.MESSAGE_SIZE);
    causes().foundBefore(violation); // a Close of the peer may have come behind that message
    onLoop(this::endReading);
  }

  /** Reads and drops the payload at hand. */
  int skip(FrameReader from, ByteBuffer bytes) {
    if (from.isCoded()) {
      return from.skip(bytes);
    }
    int n = from.readInPlace(bytes);
    bytes.position(bytes.position() + Math.max(n, 0));
    return n;
  }

  void pause() {
    reading = false;
    limitReached(Limit.INBOUND_BYTES);
    duplex.pause();
  }

  void resume() {
    reading = true;
    watch.readingAgain();
    if (!hasBacklog()) {
      duplex.resume();
    } else {
      duplex.loop().execute(this::readBacklog); // not within the call that made room for it
    }
  }

  private boolean hasBacklog() {
    return backlog != null && !backlog.isEmpty();
  }

  private void keep(ByteBuffer bytes) {
    if (backlog == null) {
      backlog = new Backlog();
    }
    backlog.add(bytes);
  }

  private void readBacklog() {
    if (!reading) {
      return; // paused again
    }
    ByteBuffer bytes = backlog == null ? null : backlog.take();
    if (bytes != null) {
      try {
        onBytes(bytes);
        onBatchEnd();
      } catch (RuntimeException | Error e) {
        abort(Ending.By.SERVER, "reading failed: " + e);
        throw e;
      }
    }
    if (!hasBacklog()) {
      if (reading) {
        duplex.resume();
      }
      if (backlog != null && backlog.isEnd()) {
        onEnd();
      }
    }
  }

  /** Gives credit for payload; that of a compressed message was given when it came. */
  void consumed(int bytes) {
    int due = (int) Math.min(bytes, owed);
    owed -= due;
    duplex.consumed(due);
  }

  // ---- Closing

  /**
   * Lets the end of the peer's messages take effect, once: the application has taken all before it,
   * or time is up. Any thread.
   */
  boolean takeEffect(Outcome what) {
    if (!causes().takesEffect(what)) {
      return false;
    }
    switch (what) {
      case Outcome.PeerClosed closed -> {
        received = closed.reason();
        out.peerClosed();
        armClosing();
        if (in instanceof ListenerPump listener) {
          onLoop(() -> {
            listener.closed();
            answerClose();
          });
        }
      }
      case Outcome.Violated violated -> {
        if (!closeOutput(violated.violation().toCloseReason(), true)) {
          out.connectionEnded(true); // our Close is out already; there is no second one
          armClosing();
        }
      }
      case Outcome.Lost lost -> {
        out.connectionEnded(true);
        armClosing();
      }
    }
    return true;
  }

  /** Answers the peer's Close with its own code, if nobody has. Any thread. */
  void answerClose() {
    CloseReason reason = received;
    if (reason != null) {
      closeOutput(CloseReason.of(reason.code()), true);
    }
  }

  /** Sends a Close, if none is out, and returns whether it did. Any thread. */
  boolean closeOutput(CloseReason reason, boolean end) {
    return out.close(reason, end);
  }

  @Override
  public void closing() {
    armClosing();
  }

  private void armClosing() {
    onLoop(() -> {
      if (out.state() != WebSocketState.CLOSE_RECEIVED) {
        await(Deadlines.Kind.CLOSING, settings.limits().closeTimeout().toNanos());
      }
    });
  }

  /** All is handed over and the socket is to end: our direction ends behind it. */
  @Override
  public void drained() {
    duplex.end();
  }

  /** Drops the connection. Any thread. */
  void abort(Ending.By by, String why) {
    causes().blameAbnormal(by, why);
    out.connectionEnded(false);
    onLoop(duplex::abort);
  }

  @Override
  public boolean isDelivering() {
    return Thread.currentThread().equals(loopThread) && delivering;
  }

  @Override
  public void handedOver() {
    watch.output();
    watch.compression();
  }

  @Override
  public void abortSending(String why) {
    abort(Ending.By.APPLICATION, why);
  }

  /** The server stops: says so to the peer. Any thread. */
  void goAway() {
    CloseReason reason = new CloseReason(CloseCode.GOING_AWAY, "the server is stopping");
    if (out.state().canSend()) {
      causes().blame(Ending.By.SERVER, reason, "the server is stopping");
    }
    closeOutput(reason, false);
  }

  void blameApplication(CloseReason reason, String why) {
    causes().blame(Ending.By.APPLICATION, reason, why);
  }

  // ---- The handler's end

  /** Returns with an exception if the handler has ended, and its socket with it. */
  void requireHandlerRunning() {
    if (handlerEnded) {
      throw new IllegalStateException("the handler of request " + id() + " has ended");
    }
  }

  @Override
  public void handlerEnded(@Nullable Throwable failure) {
    if (in instanceof ReceiveQueue) {
      handlerEnded = true;
      new HandlerEnd(this).ended(failure, in);
    } else if (failure != null) {
      listenerFailed(failure);
    }
  }

  void listenerFailed(Throwable failure) {
    new HandlerEnd(this).listenerFailed(failure, in);
  }

  /** A message writer was closed before its message was finished. */
  void messageAbandoned() {
    new HandlerEnd(this).messageAbandoned();
  }

  @Override
  public synchronized CompletableFuture<Void> ended() {
    CompletableFuture<Void> awaited = ended;
    if (awaited == null) {
      awaited = over ? CompletableFuture.completedFuture(null) : new CompletableFuture<>();
      ended = awaited;
    }
    return awaited;
  }

  // ---- Time

  /** Sets a time limit, unless the connection is gone. Loop only. */
  void await(Deadlines.Kind kind, long nanos) {
    if (connectionLost) {
      return;
    }
    Deadlines known = deadlines;
    if (known == null) {
      known = new Deadlines(duplex.loop(), this);
      deadlines = known;
    }
    known.set(kind, nanos);
  }

  /** Returns whether that limit is set. Loop only. */
  boolean awaits(Deadlines.Kind kind) {
    return deadlines != null && deadlines.isSet(kind);
  }

  private void stopWaiting() {
    connectionLost = true;
    if (deadlines != null) {
      deadlines.stop();
    }
  }

  @Override
  public void nonePending() {
    deadlines = null;
  }

  @Override
  public void passed(Deadlines.Kind kind) {
    switch (kind) {
      case KEEP_ALIVE -> watch.lookAlive();
      case EFFECT -> {
        Outcome waiting = causes().found();
        if (waiting != null && takeEffect(waiting)) {
          limitReached(Limit.UNREAD_END);
          answerClose();
        }
      }
      case CLOSING -> {
        limitReached(Limit.CLOSING_HANDSHAKE);
        abort(
            Ending.By.SERVER,
            "closing handshake not finished within " + settings.limits().closeTimeout());
      }
      case WRITE -> watch.lookAtOutput();
      case REST -> watch.rest();
    }
  }

  /** Returns whether the peer is read, or has been paused. Loop only. */
  boolean isReading() {
    return reading;
  }

  /** Returns whether what ends the peer's messages was read. Loop only. */
  boolean isDoneReading() {
    return doneReading;
  }

  /** Tells of a bound that was reached. Any thread. */
  void limitReached(Limit limit) {
    events.limitReached(limit);
  }

  /** Tells of a handler or a listener that failed. Any thread. */
  void tellFailed(Throwable failure) {
    events.failed(failure);
  }

  // ---- For the socket

  @Override
  public void full() {
    limitReached(Limit.SEND_QUEUE);
  }

  @Override
  public void writable() {
    in.writable();
  }

  @Override
  public void sent(MessageType type, long bytes) {
    events.sent(type, bytes);
  }

  /** Returns what the peer's Close said, once it has taken effect. Any thread. */
  @Nullable CloseReason received() {
    return received;
  }

  @Nullable Ending ending() {
    return ending;
  }

  /** Runs {@code task} on the loop: now, if this is it. Any thread. */
  void onLoop(Runnable task) {
    if (duplex.loop().inLoop()) {
      task.run();
    } else {
      duplex.loop().execute(task);
    }
  }

  /** Runs {@code task} on the loop after {@code nanos} of the host's time. Any thread. */
  Loop.Timer schedule(long nanos, Runnable task) {
    return duplex.loop().schedule(Duration.ofNanos(nanos), task);
  }

  boolean inLoop() {
    return duplex.loop().inLoop();
  }

  /** Returns the connection's loop, the only clock here. */
  Loop loop() {
    return duplex.loop();
  }

  private static MessageType typeOf(Opcode opcode) {
    return opcode == Opcode.TEXT ? MessageType.TEXT : MessageType.BINARY;
  }
}
