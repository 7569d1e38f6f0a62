package dev.windhover.websocket;

import dev.windhover.http.host.Burst;
import dev.windhover.http.host.Delivery;
import dev.windhover.http.host.Durations;
import dev.windhover.http.host.FanOut;
import dev.windhover.http.host.Recipient;
import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.Message;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.MessageWriter;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.http.websocket.ReceiveResult;
import dev.windhover.http.websocket.SendFlag;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WhenFull;
import dev.windhover.protocol.CloseCode;
import dev.windhover.protocol.CloseReason;
import dev.windhover.protocol.Utf8;
import dev.windhover.protocol.WebSocketState;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** What a handler holds of a {@link Session}: the socket in either form. */
final class ServerWebSocket implements WebSocket, Recipient {
  private static final long FOREVER = -1;

  /** The key of messages that were sent without one. */
  private static final Object UNNAMED = new Object();

  private final Session session;
  private final Sender sender;
  private final Outbox out;
  private final Inbox in;
  private final @Nullable String subprotocol;

  ServerWebSocket(
      Session session, Sender sender, Outbox out, Inbox in, @Nullable String subprotocol) {
    this.session = session;
    this.sender = sender;
    this.out = out;
    this.in = in;
    this.subprotocol = subprotocol;
  }

  @Override
  public WebSocketState state() {
    return session.life().state();
  }

  @Override
  public @Nullable String subprotocol() {
    return subprotocol;
  }

  // ---- Receiving

  @Override
  public ReceiveResult receive(ByteBuffer buffer) throws InterruptedException {
    try {
      return receiver().receive(buffer, FOREVER);
    } catch (TimeoutException e) {
      throw new AssertionError("there is no time limit", e);
    }
  }

  @Override
  public ReceiveResult receive(ByteBuffer buffer, Duration timeout)
      throws InterruptedException, TimeoutException {
    return receiver().receive(buffer, nanos(timeout));
  }

  @Override
  public @Nullable Message receiveMessage() throws InterruptedException {
    try {
      return receiver().receiveMessage(FOREVER);
    } catch (TimeoutException e) {
      throw new AssertionError("there is no time limit", e);
    }
  }

  @Override
  public @Nullable Message receiveMessage(Duration timeout)
      throws InterruptedException, TimeoutException {
    return receiver().receiveMessage(nanos(timeout));
  }

  @Override
  public Iterator<Message> iterator() {
    receiver();
    return new Iterator<>() {
      private @Nullable Message next;

      @Override
      public boolean hasNext() {
        if (next == null) {
          try {
            next = receiveMessage();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UncheckedIOException(
                new InterruptedIOException("interrupted while waiting for a message"));
          }
          if (next == null) {
            session.life().answerClose();
          }
        }
        return next != null;
      }

      @Override
      public Message next() {
        if (!hasNext()) {
          throw new NoSuchElementException("the socket has ended");
        }
        Message message = next;
        next = null;
        return Objects.requireNonNull(message);
      }
    };
  }

  private Receiver receiver() {
    if (in instanceof Receiver receiver) {
      return receiver;
    }
    throw new IllegalStateException("this socket's messages go to its listener");
  }

  private static long nanos(Duration timeout) {
    if (timeout.isNegative()) {
      throw new IllegalArgumentException("timeout " + timeout + " is negative");
    }
    return Durations.nanos(timeout);
  }

  // ---- Sending

  @Override
  public boolean send(ByteBuffer payload, MessageType type, boolean endOfMessage)
      throws IOException, InterruptedException {
    return send(Thread.currentThread(), payload, type, endOfMessage, SendAs.COMPRESSIBLE, null);
  }

  @Override
  public boolean send(ByteBuffer payload, MessageType type, boolean endOfMessage, SendFlag... flags)
      throws IOException, InterruptedException {
    return send(Thread.currentThread(), payload, type, endOfMessage, as(flags), null);
  }

  @Override
  public boolean send(PreparedMessage message, SendFlag... flags)
      throws IOException, InterruptedException {
    Outbox.Encoded encoded = encode(message, flags);
    return send(
        Thread.currentThread(), encoded.payload(), message.type(), true, encoded.as(), message);
  }

  @Override
  public boolean trySend(ByteBuffer payload, MessageType type, SendFlag... flags)
      throws IOException {
    return sender.trySend(payload, type, as(flags), null);
  }

  @Override
  public boolean trySend(PreparedMessage message, SendFlag... flags) throws IOException {
    Objects.requireNonNull(message, "message");
    Objects.requireNonNull(flags, "flags");
    if (!sender.mayTrySend()) {
      return false; // before it is compressed for nothing
    }
    Outbox.Encoded encoded = encode(message, flags);
    return sender.trySend(encoded.payload(), message.type(), encoded.as(), message);
  }

  private static SendAs as(SendFlag... flags) {
    return List.of(Objects.requireNonNull(flags, "flags")).contains(SendFlag.DISABLE_COMPRESSION)
        ? SendAs.PLAIN
        : SendAs.COMPRESSIBLE;
  }

  private Outbox.Encoded encode(PreparedMessage message, SendFlag... flags) {
    return as(flags) == SendAs.PLAIN
        ? new Outbox.Encoded(message.payload(), SendAs.PREPARED)
        : out.encode(message, message.payload());
  }

  @Override
  public boolean sendText(CharSequence text) throws IOException, InterruptedException {
    return send(Utf8.encode(text), MessageType.TEXT, true);
  }

  private boolean send(
      Object by,
      ByteBuffer payload,
      MessageType type,
      boolean end,
      SendAs as,
      @Nullable PreparedMessage prepared)
      throws IOException, InterruptedException {
    if (type == MessageType.CLOSE) {
      throw new IllegalArgumentException("a message cannot be of type CLOSE; use closeOutput");
    }
    if (in instanceof ListenerPump) {
      return sender.offer(by, payload, type, end, as, prepared);
    }
    if (session.inLoop()) {
      throw new IllegalStateException("send would block the connection's loop");
    }
    return sender.send(by, payload, type, end, as, prepared);
  }

  @Override
  public MessageWriter startMessage(MessageType type) throws IOException, InterruptedException {
    Writer writer = new Writer(Objects.requireNonNull(type, "type"));
    if (in instanceof Receiver) {
      sender.startMessage(writer);
    }
    return writer;
  }

  @Override
  public long bufferedAmount() {
    return out.bufferedAmount();
  }

  // ---- With a policy, and in groups

  @Override
  public void send(PreparedMessage message, WhenFull whenFull)
      throws IOException, InterruptedException {
    if (Objects.requireNonNull(whenFull, "whenFull") == WhenFull.WAIT) {
      send(message);
    } else {
      postIfOpen(new Delivery(message, whenFull, UNNAMED));
    }
  }

  @Override
  public void sendLatest(Object key, PreparedMessage message) throws IOException {
    Key named = new Key(Objects.requireNonNull(key, "key"));
    postIfOpen(new Delivery(message, WhenFull.KEEP_LATEST, named));
  }

  /** Its keys are not those of groups. */
  private record Key(Object key) {}

  private void postIfOpen(Delivery delivery) throws IOException {
    sender.requireOpen();
    post(delivery);
  }

  @Override
  public long droppedMessages() {
    return out.dropped();
  }

  @Override
  public FanOut fanOut() {
    return session.fanOut();
  }

  @Override
  public @Nullable Encoder encoder() {
    MessageCompressor compressor = session.compressor();
    return compressor == null ? null : compressor.compression().encoder();
  }

  @Override
  public boolean add(Membership membership) {
    return session.life().groups().add(membership);
  }

  @Override
  public @Nullable Membership remove(Object group) {
    return session.life().groups().remove(group);
  }

  @Override
  public void deliver(Burst burst, WhenFull whenFull) {
    out.deliveries().deliver(burst, whenFull);
  }

  // ---- Ending

  @Override
  public void close(int status, String description) throws InterruptedException {
    boolean waits = in instanceof Receiver;
    if (waits && session.inLoop()) {
      throw new IllegalStateException("close would block the connection's loop");
    }
    closeOutput(status, description);
    in.discard();
    if (waits) {
      session.life().awaitTerminal();
    }
  }

  @Override
  public void closeOutput(int status, String description) {
    if (!session.life().state().canSend()) {
      return; // ended, or closing: before the arguments, so that echo(closeStatus()) works then
    }
    if (!CloseCode.isAllowedInFrame(status)) {
      throw new IllegalArgumentException(
          "close status " + status + " may not be sent; use 1000-1003, 1007-1014 or 3000-4999");
    }
    CloseReason reason = new CloseReason(status, description);
    reason.toPayload(); // refuses a long description before anything happens
    session.life().blame(Ending.By.APPLICATION, reason, "the application closed");
    session.life().closeOutput(reason, false);
  }

  @Override
  public void abort() {
    session.life().abort(Ending.By.APPLICATION, "the application aborted");
    in.discard();
  }

  @Override
  public int closeStatus() {
    CloseReason reason = session.life().received();
    if (reason != null) {
      return reason.code() == CloseCode.NO_STATUS_RECEIVED
          ? CloseCode.NORMAL_CLOSURE
          : reason.code();
    }
    return session.life().state().isTerminal() ? CloseCode.ABNORMAL_CLOSURE : 0;
  }

  @Override
  public String closeStatusDescription() {
    CloseReason reason = session.life().received();
    return reason == null ? "" : reason.text();
  }

  @Override
  public @Nullable Ending ending() {
    return session.life().ending();
  }

  @Override
  public void demand(long messages) {
    if (!(in instanceof ListenerPump listener)) {
      throw new IllegalStateException("a socket without a listener has no demand");
    }
    listener.request(messages);
  }

  /** One message of unknown length; a sender in its own right, whatever threads write to it. */
  private final class Writer implements MessageWriter {
    private final MessageType type;

    /** The thread that is sending a piece: the next thread's piece follows it. */
    private final AtomicReference<@Nullable Thread> turn = new AtomicReference<>();

    private final ParkedThreads waiters = new ParkedThreads(session.loop());

    /** How many further turns its thread has taken within the turn. */
    private int nested;

    /** The first half of a character whose second half comes with the next piece. */
    private String cut = "";

    private volatile boolean finished;

    Writer(MessageType type) {
      if (type == MessageType.CLOSE) {
        throw new IllegalArgumentException("a message cannot be of type CLOSE; use closeOutput");
      }
      this.type = type;
    }

    @Override
    public void write(ByteBuffer piece) throws IOException, InterruptedException {
      takeTurn();
      try {
        send(piece, false);
      } finally {
        endTurn();
      }
    }

    @Override
    public void write(CharSequence piece) throws IOException, InterruptedException {
      takeTurn();
      try {
        Utf8.Piece next = Utf8.Piece.after(cut, piece);
        send(next.bytes(), false);
        cut = next.cut();
      } finally {
        endTurn();
      }
    }

    @Override
    public void finish() throws IOException, InterruptedException {
      takeTurn();
      try {
        Utf8.Piece.requireWhole(cut);
        send(ByteBuffer.allocate(0), true);
      } finally {
        endTurn();
      }
    }

    private void takeTurn() throws InterruptedException {
      Thread self = Thread.currentThread();
      if (self.equals(turn.get())) {
        nested++; // onWritable was called by the send of the piece before
      } else if (!turn.compareAndSet(null, self)) {
        if (session.inLoop()) {
          throw new IllegalStateException("another thread is sending a piece of this message");
        }
        waiters.awaitInTurn(() -> turn.compareAndSet(null, self));
        waiters.leave();
      }
    }

    private void endTurn() {
      if (nested > 0) {
        nested--;
      } else {
        turn.set(null);
        waiters.wakeFirst();
      }
    }

    private void send(ByteBuffer piece, boolean end) throws IOException, InterruptedException {
      if (finished) {
        throw new IllegalStateException("the message is finished");
      }
      ServerWebSocket.this.send(this, piece, type, end, SendAs.COMPRESSIBLE, null);
      finished = end;
    }

    @Override
    public void close() {
      if (!finished) {
        finished = true;
        session.messageAbandoned("a message writer was closed before its message was finished");
      }
    }
  }
}
