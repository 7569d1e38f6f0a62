package dev.windhover.http.websocket;

import dev.windhover.protocol.CloseCode;
import dev.windhover.protocol.Utf8;
import dev.windhover.protocol.WebSocketState;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Iterator;
import java.util.Objects;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A WebSocket connection (RFC 6455), as a handler sees it.
 *
 * <h2>Life</h2>
 *
 * A handler {@linkplain WebSocketManager#accept() accepts} the request, and the socket is open. You
 * can receive messages until the peer closes or the connection ends, and send messages until either
 * side has closed. When the handler ends, the socket ends (except in the listener form). If the
 * handler returns, the peer's Close is answered, or a Close with 1000 is sent. If it throws an
 * exception, a Close with 1011 is sent. If the server stops, a Close with 1001 is sent. The peer
 * then has 5 s (by default) for its part; after that, the connection is dropped.
 *
 * <h2>Receiving</h2>
 *
 * There are two ways to receive, which may alternate between messages. You can receive buffer by
 * buffer with {@link #receive(ByteBuffer)}, without a limit on the size of a message. Or you can
 * receive whole messages with {@link #receiveMessage()} and {@code for (Message message : socket)},
 * up to the accepted maximum; a larger message fails the socket with 1009. Only one thread may
 * receive at a time: a second one is refused with {@link IllegalStateException}. The end is a
 * result, never an exception. Pings are answered whether or not anything receives. While nothing
 * receives, at most 64 KiB (by default) wait here; then the peer is not read.
 *
 * <h2>Sending</h2>
 *
 * Any number of threads may send; messages are never mixed. {@code send} returns when the payload
 * has been copied or written, and the buffer is the caller's again. If the peer is slow and the
 * queue is full (1 MiB by default), {@code send} blocks. A payload that is larger than the queue
 * goes out piece by piece. A message that is sent in several pieces belongs to its thread until
 * that thread ends it; messages of other threads wait. If its sender does nothing for 30 s (by
 * default) while others wait, or its thread has ended, the socket fails with 1011. If {@code send}
 * is interrupted before the first byte was queued, nothing was sent. If it is interrupted later,
 * the frame cannot be finished, and the socket is aborted.
 *
 * <p>{@code trySend} sends a whole message only if it can be queued now, and never waits. To send
 * the same to many sockets, use a {@link Group}: with {@code send}, one client that reads nothing
 * would stall all others.
 *
 * <h2>Listener form</h2>
 *
 * A socket that is accepted with a {@link WebSocketListener} hands its messages to the listener,
 * and its receiving methods throw {@link IllegalStateException}. {@code send} and {@code close}
 * never block: {@code send} returns whether the queue is below its high mark, and {@link
 * WebSocketListener#onWritable} is called when the queue has drained. Above the high mark plus one
 * message, {@code send} refuses.
 *
 * <p>A socket is not {@link AutoCloseable}: leaving a {@code try} block must not send 1000 when the
 * handler has failed.
 *
 * <p>Only Windhover implements this interface; methods may be added.
 */
public interface WebSocket extends Iterable<Message> {
  /** Returns the current state of the socket. */
  WebSocketState state();

  /** Returns the subprotocol that was negotiated in the opening handshake, or null for none. */
  @Nullable String subprotocol();

  // ---- Receiving

  /**
   * Puts the next bytes into {@code buffer}: all or part of one frame's payload, never of two
   * frames. Blocks until there are some. If the buffer has no room, it waits for a message and
   * returns a count of 0. At the end of the socket it returns {@link MessageType#CLOSE},
   * immediately and every time.
   *
   * @throws InterruptedException if the thread was interrupted; nothing is lost
   * @throws IllegalStateException if another thread is receiving, if the handler has ended, or in
   *     the listener form
   * @throws java.nio.ReadOnlyBufferException if {@code buffer} is read-only
   */
  ReceiveResult receive(ByteBuffer buffer) throws InterruptedException;

  /**
   * Like {@link #receive(ByteBuffer)}, but waits for at most {@code timeout}.
   *
   * @throws TimeoutException if nothing came in time; nothing is lost, and the socket stays open
   */
  ReceiveResult receive(ByteBuffer buffer, Duration timeout)
      throws InterruptedException, TimeoutException;

  /**
   * Returns the next whole message, or null at the end of the socket. Blocks until it is complete.
   *
   * @throws InterruptedException if the thread was interrupted; nothing is lost
   * @throws IllegalStateException as {@link #receive(ByteBuffer)}, and if part of the message was
   *     already taken with that method
   */
  @Nullable Message receiveMessage() throws InterruptedException;

  /**
   * Like {@link #receiveMessage()}, but waits for at most {@code timeout}.
   *
   * @throws TimeoutException if no message was complete in time; nothing is lost, and the socket
   *     stays open
   */
  @Nullable Message receiveMessage(Duration timeout) throws InterruptedException, TimeoutException;

  /**
   * Iterates over the messages until the end of the socket. When the loop ends, the peer's Close
   * has been answered.
   *
   * <p>The iterator throws {@link java.io.UncheckedIOException} if its thread is interrupted, and
   * leaves the interrupt set.
   */
  @Override
  Iterator<Message> iterator();

  // ---- Sending

  /**
   * Sends {@code payload} as one frame of a message.
   *
   * @param type {@link MessageType#TEXT} (the bytes must be UTF-8) or {@link MessageType#BINARY};
   *     the same for all pieces of a message
   * @param endOfMessage false if this thread will continue the message with another call
   * @return whether the queue is below its high mark
   * @throws IllegalArgumentException for {@link MessageType#CLOSE}: use {@link #closeOutput}
   * @throws WebSocketClosedException if we have sent a Close, or the connection has ended
   * @throws IllegalStateException if the thread would wait for itself, because it has begun a
   *     message with {@link #startMessage} and not ended it; in the listener form, if the queue is
   *     over its high mark
   * @throws InterruptedException if the thread was interrupted while it waited
   */
  boolean send(ByteBuffer payload, MessageType type, boolean endOfMessage)
      throws IOException, InterruptedException;

  /** Like {@link #send(ByteBuffer, MessageType, boolean)}, with flags. */
  boolean send(ByteBuffer payload, MessageType type, boolean endOfMessage, SendFlag... flags)
      throws IOException, InterruptedException;

  /**
   * Sends a whole text message. The text is encoded as a whole, in memory in addition to the queue,
   * so send a long text in pieces with {@link #startMessage}.
   *
   * @throws IllegalArgumentException if {@code text} has a lone surrogate, which is what is left
   *     when text is cut in the middle of a character; nothing was sent
   */
  boolean sendText(CharSequence text) throws IOException, InterruptedException;

  /** Sends a whole binary message. */
  default boolean sendBinary(ByteBuffer payload) throws IOException, InterruptedException {
    return send(payload, MessageType.BINARY, true);
  }

  /** Sends a whole binary message. */
  default boolean sendBinary(byte[] payload) throws IOException, InterruptedException {
    return sendBinary(ByteBuffer.wrap(Objects.requireNonNull(payload, "payload")));
  }

  /** Sends a whole message. The payload buffer of a binary message does not change. */
  default boolean send(Message message) throws IOException, InterruptedException {
    return switch (Objects.requireNonNull(message, "message")) {
      case Message.Text text -> sendText(text.text());
      case Message.Binary binary -> sendBinary(binary.payload().duplicate());
    };
  }

  /**
   * Sends a whole message that also goes to other sockets. If permessage-deflate was negotiated and
   * the message is large enough, it is compressed once for all sockets with the same window and
   * level, and does not refer to earlier messages (RFC 7692 7.2.1 leaves that to the sender). On a
   * socket with context takeover, the next ordinary message does not refer to earlier ones either.
   *
   * @throws IllegalStateException if this thread has begun a message and not ended it; other
   *     exceptions as in {@link #send(ByteBuffer, MessageType, boolean)}
   */
  default boolean send(PreparedMessage message, SendFlag... flags)
      throws IOException, InterruptedException {
    return send(message.payload(), message.type(), true, flags);
  }

  /**
   * Sends a whole message, and says what happens if it has no room, because the peer reads too
   * slowly. Except with {@link WhenFull#WAIT}, it never waits for the peer, in either form; any
   * thread may call it, even an event loop. See {@link WhenFull} for the room that there is.
   *
   * @throws WebSocketClosedException if we have sent a Close, or the connection has ended
   * @throws InterruptedException with {@link WhenFull#WAIT}, if the thread was interrupted while it
   *     waited; all exceptions of {@link #send(PreparedMessage, SendFlag...)} are then possible
   * @throws UnsupportedOperationException if this is a client's end in a test, except with {@link
   *     WhenFull#WAIT}
   */
  default void send(PreparedMessage message, WhenFull whenFull)
      throws IOException, InterruptedException {
    if (whenFull != WhenFull.WAIT) {
      throw new UnsupportedOperationException("a client has no policy for a full queue");
    }
    send(message);
  }

  /**
   * Sends the latest state of something, {@link WhenFull#KEEP_LATEST}: it replaces the previous one
   * with the same key if that has not begun to leave, and takes its place in the order of what is
   * sent. Never waits for the peer, in either form; any thread may call it, even an event loop.
   *
   * @param key names what this is the state of; compared by {@code equals} within this socket,
   *     apart from the keys of groups
   * @throws WebSocketClosedException if we have sent a Close, or the connection has ended
   * @throws UnsupportedOperationException if this is a client's end in a test
   */
  default void sendLatest(Object key, PreparedMessage message) throws IOException {
    throw new UnsupportedOperationException("a client has no policy for a full queue");
  }

  /**
   * Returns how many messages to this socket were dropped or replaced as {@link WhenFull} says;
   * from any thread, also after the end.
   */
  default long droppedMessages() {
    return 0;
  }

  // ---- Sending without waiting

  /**
   * Sends {@code payload} as a whole message if it can be queued now. Never waits, in either form;
   * any thread may call it, even an event loop.
   *
   * <p>There is room for a message that does not take the queue above its high mark (1 MiB by
   * default), and for a larger one while nothing is queued. What to do after {@code false} is the
   * caller's choice: drop the message, keep only the latest one for the next try, or close a socket
   * that stays behind. In the listener form, {@link WebSocketListener#onWritable} is called when it
   * is worth another try: the queue is below its low mark, or the other message has ended.
   *
   * @param type {@link MessageType#TEXT} (the bytes must be UTF-8) or {@link MessageType#BINARY}
   * @return true if the message was queued now; false if nothing was sent, because there is no room
   *     or another message is under way, even one of this thread. The position of {@code payload}
   *     has not changed then.
   * @throws IllegalArgumentException for {@link MessageType#CLOSE}: use {@link #closeOutput}
   * @throws WebSocketClosedException if we have sent a Close, or the socket has ended, for example
   *     because its handler has
   */
  boolean trySend(ByteBuffer payload, MessageType type, SendFlag... flags) throws IOException;

  /**
   * Sends a whole text message if it can be queued now; see {@link #trySend(ByteBuffer,
   * MessageType, SendFlag...)}.
   *
   * @throws IllegalArgumentException if {@code text} has a lone surrogate
   */
  default boolean trySendText(CharSequence text) throws IOException {
    return trySend(Utf8.encode(text), MessageType.TEXT);
  }

  /**
   * Sends a whole binary message if it can be queued now; see {@link #trySend(ByteBuffer,
   * MessageType, SendFlag...)}.
   */
  default boolean trySendBinary(ByteBuffer payload) throws IOException {
    return trySend(payload, MessageType.BINARY);
  }

  /**
   * Sends a whole binary message if it can be queued now; see {@link #trySend(ByteBuffer,
   * MessageType, SendFlag...)}.
   */
  default boolean trySendBinary(byte[] payload) throws IOException {
    return trySendBinary(ByteBuffer.wrap(Objects.requireNonNull(payload, "payload")));
  }

  /**
   * Sends a whole message if it can be queued now; see {@link #trySend(ByteBuffer, MessageType,
   * SendFlag...)}. The payload buffer of a binary message does not change.
   */
  default boolean trySend(Message message) throws IOException {
    return switch (Objects.requireNonNull(message, "message")) {
      case Message.Text text -> trySendText(text.text());
      case Message.Binary binary -> trySendBinary(binary.payload().duplicate());
    };
  }

  /**
   * Sends a whole message that also goes to other sockets, if it can be queued now; see {@link
   * #trySend(ByteBuffer, MessageType, SendFlag...)} and {@link #send(PreparedMessage,
   * SendFlag...)}. The first sender compresses the message, if there is room for it.
   */
  default boolean trySend(PreparedMessage message, SendFlag... flags) throws IOException {
    return trySend(message.payload(), message.type(), flags);
  }

  // ---- In pieces

  /**
   * Opens a message of unknown length; other messages wait until it is finished.
   *
   * @throws IllegalStateException if this thread has begun another message and not ended it
   */
  MessageWriter startMessage(MessageType type) throws IOException, InterruptedException;

  /** Returns how many bytes of messages are queued and have not yet been taken by the network. */
  long bufferedAmount();

  // ---- As streams

  /**
   * Returns the payload of all messages, one after the other, until the socket ends. The stream
   * does not show where one message ends and the next begins. Closing it does not close the socket.
   *
   * <p>Reading throws {@link java.io.EOFException} if the socket ends inside a message, and {@link
   * java.io.InterruptedIOException} if the thread is interrupted; the interrupt stays set.
   */
  default InputStream inputStream() {
    return new SocketInputStream(this, false);
  }

  /**
   * Returns a stream that sends each write as a whole message; wrap it in a {@link
   * java.io.BufferedOutputStream} to gather small writes. Closing the stream does not close the
   * socket.
   *
   * @throws IllegalArgumentException for {@link MessageType#CLOSE}
   */
  default OutputStream outputStream(MessageType type) {
    return SocketOutputStream.ofMessages(this, Objects.requireNonNull(type, "type"));
  }

  /**
   * Returns the payload of the next message: the stream ends with the message, or immediately if
   * the socket ends first. Closing the stream before its end {@linkplain #abort() aborts} the
   * socket.
   *
   * <p>Reading throws the same exceptions as {@link #inputStream()}.
   */
  default InputStream messageInputStream() {
    return new SocketInputStream(this, true);
  }

  /**
   * Opens a message and returns a stream that sends each write as one frame of it. Closing the
   * stream ends the message. Other messages wait as for {@link #startMessage}. If the stream is
   * never closed, the socket fails with 1011 when the handler ends.
   *
   * @throws IllegalArgumentException for {@link MessageType#CLOSE}
   */
  default OutputStream messageOutputStream(MessageType type)
      throws IOException, InterruptedException {
    return SocketOutputStream.ofPieces(startMessage(type));
  }

  // ---- Ending

  /**
   * Sends a Close, unless one was already sent, and waits for the peer's Close, at most for the
   * closing time limit. Messages that come before the peer's Close are discarded. Does nothing on a
   * socket that has ended. Does not wait in the listener form.
   *
   * @param status 1000–1003, 1007–1014 or 3000–4999
   * @param description at most 123 bytes of UTF-8
   * @throws IllegalArgumentException for another status, or for a description that is longer or has
   *     a lone surrogate
   */
  void close(int status, String description) throws InterruptedException;

  /** Closes with 1000 and no description. */
  default void close() throws InterruptedException {
    close(CloseCode.NORMAL_CLOSURE, "");
  }

  /**
   * Sends a Close and returns. You can still receive the peer's messages until its Close. Does
   * nothing on a socket that has ended or has already sent a Close.
   *
   * @throws IllegalArgumentException as {@link #close(int, String)}
   */
  void closeOutput(int status, String description) throws InterruptedException;

  /**
   * Drops the connection immediately, without a Close. Threads that wait in this socket's methods
   * are woken.
   */
  void abort();

  /**
   * Returns the code of the peer's Close; {@link CloseCode#NORMAL_CLOSURE} if its Close was empty;
   * {@link CloseCode#ABNORMAL_CLOSURE} if the socket ended without one; 0 until either happens.
   */
  int closeStatus();

  /** Returns the text of the peer's Close; empty if there was none. */
  String closeStatusDescription();

  /**
   * Returns who ended the socket, with which code, and why; null while {@link #state()} is {@code
   * OPEN}. When a receiving method or the message loop has come to the end, the answer is there.
   *
   * <p>Whether the closing handshake was completed is a separate question, which may still be open
   * then. {@code state()} answers it: {@code CLOSED} if it was, {@code ABORTED} if the connection
   * ended without it. If we closed first, the peer's Close still replaces the {@linkplain
   * Ending#reason() reason} when it has come; if the connection has ended without one, {@link
   * Ending#why()} says so.
   */
  @Nullable Ending ending();

  // ---- Listener form

  /**
   * Adds {@code messages} to the listener's demand; from any thread. {@link Long#MAX_VALUE} demands
   * all there will ever be.
   *
   * @throws IllegalArgumentException if {@code messages} is not positive
   * @throws IllegalStateException in the blocking form
   */
  void demand(long messages);
}
