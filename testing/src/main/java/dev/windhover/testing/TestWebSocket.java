package dev.windhover.testing;

import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.Message;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.MessageWriter;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.http.websocket.ReceiveResult;
import dev.windhover.http.websocket.SendFlag;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.protocol.CloseCode;
import dev.windhover.protocol.CloseReason;
import dev.windhover.protocol.Conversation;
import dev.windhover.protocol.Opcode;
import dev.windhover.protocol.WebSocketState;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The client's end of a socket: a {@link WebSocket} like the handler's, with additional methods for
 * tests.
 *
 * <pre>{@code
 * TestWebSocket client = host.webSocket("/chat").connect();
 * client.sendText("hello");
 * client.expectText("hello"); // or client.receiveMessage(), or for (Message message : client)
 * client.close();
 * }</pre>
 *
 * <p>It behaves as a client should: it answers Pings immediately, compresses and decompresses if
 * that was negotiated, and ends its direction after the closing handshake. The client of {@link
 * #frames()} does none of this, and the test sees every frame. {@link TestConnection} has the
 * faults.
 *
 * <p>It differs from the handler's socket where that helps a test. Every wait is limited to 10
 * seconds of real time; then it fails and says what has come instead. Messages that the test does
 * not receive fail it when the host closes, so {@link #close(int, String)} discards none. No method
 * throws a checked exception, except for the time limits that a test sets. Only one thread may
 * receive messages at a time.
 */
public final class TestWebSocket extends TestConnection<TestWebSocket> implements WebSocket {
  private final Outbox outbox;
  private volatile @Nullable CloseReason theirs;
  private volatile @Nullable Ending ending;

  // The message that is being received.
  private final ByteArrayOutputStream assembled = new ByteArrayOutputStream();
  private @Nullable MessageType assembling;
  private @Nullable ByteBuffer rest; // of the frame that receive(ByteBuffer) has begun
  private boolean restEndsMessage;
  private @Nullable MessageType inPieces;

  TestWebSocket(Wire wire) {
    super(wire, null);
    this.outbox = new Outbox(wire, () -> state().canSend());
  }

  @Override
  TestWebSocket self() {
    return this;
  }

  /**
   * Returns this client frame by frame. From now on it does nothing by itself: the test answers
   * Pings, Closes and the end of the connection, or does not.
   */
  public TestFrames frames() {
    wire().leaveAllToTheTest();
    return new TestFrames(wire(), response());
  }

  @Override
  public WebSocketState state() {
    if (wire().isOver()) {
      lost();
    }
    return wire().converse(Conversation::state);
  }

  @Override
  public @Nullable String subprotocol() {
    return response().headers().get("Sec-WebSocket-Protocol");
  }

  // ---- Expecting

  /** Receives a message, which must be this text. */
  public TestWebSocket expectText(String text) {
    return expect(Frame.text(text));
  }

  /**
   * Receives a message, which must be text that means the same as this JSON: white space, the order
   * of members, and the spelling of strings and numbers do not matter. A failure names the place
   * where they differ.
   *
   * @throws IllegalArgumentException if {@code json} is not JSON (RFC 8259)
   */
  public TestWebSocket expectJson(String json) {
    Object expected = Json.expected(json);
    Frame frame = next("JSON " + json);
    String difference =
        frame.opcode() == Opcode.TEXT ? Json.difference(expected, frame.text()) : "it is not text";
    if (difference != null) {
      throw wire().failed("expected JSON " + json + "\n but got " + frame + "\n" + difference);
    }
    return this;
  }

  /** Receives a message, which must be text, and returns it. */
  public String receiveText() {
    Frame frame = next("text");
    if (frame.opcode() != Opcode.TEXT) {
      throw wire().failed("expected text\n but got " + frame);
    }
    return frame.text();
  }

  /** Receives a message, which must be binary, and returns its payload. */
  public byte[] receiveBinary() {
    Frame frame = next("a binary message");
    if (frame.opcode() != Opcode.BINARY) {
      throw wire().failed("expected a binary message\n but got " + frame);
    }
    return frame.bytes();
  }

  /** Receives a message, which must be binary with this payload. */
  public TestWebSocket expectBinary(byte... payload) {
    return expect(Frame.binary(payload));
  }

  private TestWebSocket expect(Frame expected) {
    Frame frame = next(expected.toString());
    if (!frame.equals(expected)) {
      throw wire().failed(frame.insteadOf(expected));
    }
    return this;
  }

  /** Receives a message, as a single frame. */
  private Frame next(String expected) {
    Message message = receive(expected);
    if (message == null) {
      throw wire().failed("expected " + expected + "\n but the socket has ended: " + howItEnded());
    }
    return switch (message) {
      case Message.Text(String text) -> Frame.text(text);
      case Message.Binary(ByteBuffer payload) -> new Frame(Opcode.BINARY, true, payload);
    };
  }

  private String howItEnded() {
    CloseReason reason = theirs;
    return reason == null ? "the connection was " + wire().how() : "Close " + reason;
  }

  /**
   * Receives the server's Close, which must have this status and description, and completes the
   * closing handshake: answers the Close, unless this end has sent one, and waits until the server
   * ends the connection.
   *
   * @param status 1005 if the server's Close must be empty
   */
  public void expectClose(int status, String description) {
    Frame expected = Frame.close(status, description);
    Message message = receive(expected.toString());
    if (message != null) {
      throw wire().failed("expected " + expected + "\n but got " + message);
    }
    CloseReason reason = theirs;
    if (reason == null) {
      throw wire().failed("expected " + expected + "\n but the connection was " + wire().how());
    }
    if (!reason.equals(new CloseReason(status, description))) {
      throw wire().failed("expected " + expected + "\n but got CLOSE " + reason);
    }
    answerClose();
    wire().awaitEnd();
  }

  // ---- Receiving

  @Override
  public ReceiveResult receive(ByteBuffer buffer) {
    try {
      return receive(buffer, Duration.ofSeconds(Waiting.SECONDS));
    } catch (TimeoutException e) {
      throw wire().failed("no message came within " + Waiting.SECONDS + " s");
    }
  }

  /** {@inheritDoc} The time is real time. */
  @Override
  public ReceiveResult receive(ByteBuffer buffer, Duration timeout) throws TimeoutException {
    if (assembling != null) {
      throw new IllegalStateException("receiveMessage has begun this message; go on with it");
    }
    ByteBuffer from = rest;
    while (from == null) {
      Frame frame = next(timeout);
      if (frame == null) {
        return new ReceiveResult(0, MessageType.CLOSE, true);
      }
      inPieces = frame.opcode() == Opcode.CONTINUATION ? inPieces : typeOf(frame);
      restEndsMessage = frame.fin();
      from = frame.payload().hasRemaining() || frame.fin() ? frame.payload().duplicate() : null;
    }
    int count = Math.min(buffer.remaining(), from.remaining());
    buffer.put(from.slice(from.position(), count));
    from.position(from.position() + count);
    boolean done = !from.hasRemaining();
    rest = done ? null : from;
    MessageType type = inPieces == null ? MessageType.BINARY : inPieces;
    boolean endOfMessage = done && restEndsMessage;
    inPieces = endOfMessage ? null : type;
    return new ReceiveResult(count, type, endOfMessage);
  }

  @Override
  public @Nullable Message receiveMessage() {
    return receive("a message");
  }

  private @Nullable Message receive(String wanted) {
    try {
      return receiveMessage(Duration.ofSeconds(Waiting.SECONDS));
    } catch (TimeoutException e) {
      throw wire().failed(wanted + " did not come within " + Waiting.SECONDS + " s");
    }
  }

  /** {@inheritDoc} The time is real time, for each frame of the message. */
  @Override
  public @Nullable Message receiveMessage(Duration timeout) throws TimeoutException {
    if (inPieces != null) {
      throw new IllegalStateException("receive has begun this message; go on with it");
    }
    for (Frame frame; (frame = next(timeout)) != null; ) {
      MessageType type = assembling == null ? typeOf(frame) : assembling;
      assembled.writeBytes(frame.bytes());
      assembling = frame.fin() ? null : type;
      if (frame.fin()) {
        byte[] payload = assembled.toByteArray();
        assembled.reset();
        return type == MessageType.TEXT
            ? new Message.Text(new String(payload, StandardCharsets.UTF_8))
            : new Message.Binary(ByteBuffer.wrap(payload));
      }
    }
    return null;
  }

  private static MessageType typeOf(Frame frame) {
    return frame.opcode() == Opcode.TEXT ? MessageType.TEXT : MessageType.BINARY;
  }

  /** Returns the next frame of data, or null at the end of the socket. */
  private @Nullable Frame next(Duration timeout) throws TimeoutException {
    while (wire().converse(Conversation::state) != WebSocketState.CLOSE_RECEIVED) {
      Frame frame = wire().next(timeout);
      if (frame == null) {
        lost();
        return null;
      }
      switch (frame.opcode()) {
        case TEXT, BINARY, CONTINUATION -> {
          return frame;
        }
        case CLOSE -> received(frame.closeReason());
        case PING, PONG -> {} // come here only if frames() was called
      }
    }
    return null;
  }

  @Override
  public Iterator<Message> iterator() {
    return new Iterator<>() {
      private @Nullable Message next;

      @Override
      public boolean hasNext() {
        if (next == null) {
          next = receiveMessage();
          if (next == null) {
            answerClose();
          }
        }
        return next != null;
      }

      @Override
      public Message next() {
        Message message = hasNext() ? next : null;
        next = null;
        if (message == null) {
          throw new NoSuchElementException("the socket has ended");
        }
        return message;
      }
    };
  }

  // ---- Sending

  @Override
  public boolean send(ByteBuffer payload, MessageType type, boolean endOfMessage) {
    return send(payload, type, endOfMessage, new SendFlag[0]);
  }

  /**
   * {@inheritDoc}
   *
   * @return true
   * @throws java.io.UncheckedIOException with a {@link
   *     dev.windhover.http.websocket.WebSocketClosedException}, like all methods that send, if this
   *     end has sent a Close, or the test has seen the end of the connection
   */
  @Override
  public boolean send(
      ByteBuffer payload, MessageType type, boolean endOfMessage, SendFlag... flags) {
    outbox.send(Thread.currentThread(), payload, type, endOfMessage, flags);
    return true;
  }

  @Override
  public boolean sendText(CharSequence text) {
    return send(Frame.utf8(text.toString()), MessageType.TEXT, true);
  }

  @Override
  public boolean sendBinary(ByteBuffer payload) {
    return send(payload, MessageType.BINARY, true);
  }

  @Override
  public boolean sendBinary(byte[] payload) {
    return sendBinary(ByteBuffer.wrap(Objects.requireNonNull(payload, "payload")));
  }

  @Override
  public boolean send(Message message) {
    return switch (message) {
      case Message.Text(String text) -> sendText(text);
      case Message.Binary(ByteBuffer payload) -> sendBinary(payload.duplicate());
    };
  }

  @Override
  public boolean send(PreparedMessage message, SendFlag... flags) {
    return send(message.payload(), message.type(), true, flags);
  }

  /**
   * {@inheritDoc}
   *
   * @return true, unless another message is under way
   * @throws java.io.UncheckedIOException as {@link #send(ByteBuffer, MessageType, boolean,
   *     SendFlag...)}
   */
  @Override
  public boolean trySend(ByteBuffer payload, MessageType type, SendFlag... flags) {
    return outbox.trySend(payload, type, flags);
  }

  @Override
  public boolean trySendText(CharSequence text) {
    return trySend(Frame.utf8(text.toString()), MessageType.TEXT);
  }

  @Override
  public boolean trySendBinary(ByteBuffer payload) {
    return trySend(payload, MessageType.BINARY);
  }

  @Override
  public boolean trySendBinary(byte[] payload) {
    return trySendBinary(ByteBuffer.wrap(Objects.requireNonNull(payload, "payload")));
  }

  @Override
  public boolean trySend(Message message) {
    return switch (message) {
      case Message.Text(String text) -> trySendText(text);
      case Message.Binary(ByteBuffer payload) -> trySendBinary(payload.duplicate());
    };
  }

  @Override
  public boolean trySend(PreparedMessage message, SendFlag... flags) {
    return trySend(message.payload(), message.type(), flags);
  }

  @Override
  public MessageWriter startMessage(MessageType type) {
    return outbox.start(
        type, () -> closeOutput(CloseCode.INTERNAL_ERROR, "a message was not finished"));
  }

  /** Returns how many bytes were sent that the server has not read yet. */
  @Override
  public long bufferedAmount() {
    return wire().ask(MemoryDuplex::undelivered);
  }

  // ---- Ending

  /**
   * Sends a Close, unless one was sent, and waits for the server's Close and for the end of the
   * connection. Messages that come before can still be received. Does nothing on a socket that has
   * ended.
   *
   * @throws AssertionError if the server does not complete the closing handshake
   */
  @Override
  public void close(int status, String description) {
    if (state().isTerminal()) {
      return;
    }
    closeOutput(status, description);
    if (wire().converse(Conversation::state) == WebSocketState.CLOSE_SENT) {
      Frame close = wire().takeClose();
      if (close == null) {
        throw wire()
            .failed("Close " + status + " was not answered, the connection was " + wire().how());
      }
      received(close.closeReason());
    }
    wire().awaitEnd();
  }

  /** Closes with 1000 and no description. */
  @Override
  public void close() {
    close(CloseCode.NORMAL_CLOSURE, "");
  }

  @Override
  public void closeOutput(int status, String description) {
    CloseReason reason = new CloseReason(status, description);
    if (state().canSend()) {
      goOn(
          conversation -> conversation.close(reason),
          Ending.By.APPLICATION,
          reason,
          "this end closed");
    }
  }

  private void answerClose() {
    CloseReason reason = theirs;
    if (reason != null) {
      goOn(Conversation::answerClose, Ending.By.PEER, reason, "the server closed");
    }
  }

  private void received(CloseReason reason) {
    theirs = reason;
    goOn(Conversation::takeEffect, Ending.By.PEER, reason, "the server closed");
  }

  private void lost() {
    goOn(
        Conversation::lost,
        Ending.By.CONNECTION,
        CloseReason.of(CloseCode.ABNORMAL_CLOSURE),
        "the connection was " + wire().how());
  }

  /**
   * Takes a step of the conversation. If that begins the socket's end, the other arguments say how;
   * the server's Close decides over the reason.
   */
  private synchronized void goOn(
      Consumer<Conversation> step, Ending.By by, CloseReason reason, String why) {
    WebSocketState after =
        wire()
            .converse(conversation -> {
              step.accept(conversation);
              return conversation.state();
            });
    Ending began = ending;
    if (began == null && after != WebSocketState.OPEN) {
      began = new Ending(by, reason, why);
    }
    CloseReason deciding = theirs;
    if (began != null && deciding != null) {
      began = new Ending(began.by(), deciding, began.why());
    }
    ending = began;
  }

  /** Drops the connection: {@link #reset()}. */
  @Override
  public void abort() {
    goOn(
        Conversation::lost,
        Ending.By.APPLICATION,
        CloseReason.of(CloseCode.ABNORMAL_CLOSURE),
        "this end aborted");
    reset();
  }

  @Override
  public int closeStatus() {
    CloseReason reason = theirs;
    if (reason == null) {
      return state().isTerminal() ? CloseCode.ABNORMAL_CLOSURE : 0;
    }
    boolean empty = reason.code() == CloseCode.NO_STATUS_RECEIVED;
    return empty ? CloseCode.NORMAL_CLOSURE : reason.code();
  }

  @Override
  public String closeStatusDescription() {
    CloseReason reason = theirs;
    return reason == null ? "" : reason.text();
  }

  @Override
  public @Nullable Ending ending() {
    state();
    return ending;
  }

  /**
   * Throws an exception, because a client in a test has no listener.
   *
   * @throws IllegalStateException always
   */
  @Override
  public void demand(long messages) {
    throw new IllegalStateException("demand is for the listener form");
  }
}
