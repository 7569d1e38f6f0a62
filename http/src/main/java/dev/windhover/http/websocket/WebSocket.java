package dev.windhover.http.websocket;

import dev.windhover.protocol.CloseCode;
import dev.windhover.protocol.WebSocketState;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Iterator;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A WebSocket connection (RFC 6455), as a handler sees it.
 *
 * <h2>Life</h2>
 *
 * A handler {@linkplain WebSocketManager#accept() accepts} the request; the socket is open.
 * Messages are received until the peer closes or the connection ends, and sent until either side
 * closed. The handler's end is the socket's end: when it returns, a Close of the peer is answered,
 * or a Close with 1000 sent; when it throws, 1011. If the server stops, the peer gets 1001. Each is
 * followed by at most 5 s for the peer's part, then the connection is dropped.
 *
 * <h2>Receiving</h2>
 *
 * Two forms, which may alternate between messages: buffer by buffer with {@link
 * #receive(ByteBuffer)}, without a limit on a message's size; or whole messages with {@link
 * #receiveMessage()} and {@code for (Message message : socket)}, up to the accepted maximum, beyond
 * which the socket fails with 1009. The end is a result, never an exception. Pings are answered
 * whether or not anybody receives. While nobody receives, at most 64 KiB wait here (by default),
 * then the peer is not read.
 *
 * <h2>Sending</h2>
 *
 * Safe from any number of threads; messages never mix. {@code send} returns when the payload is
 * copied or written: the buffer is the caller's again. When the peer is slow and the queue is full
 * (1 MiB by default) it blocks; a larger payload goes out piece by piece. A message sent in several
 * pieces belongs to its thread until that ends it; other threads' messages wait. Interrupted before
 * its first byte was queued, nothing was sent; interrupted after it, the frame cannot be finished
 * and the socket is aborted.
 *
 * <h2>Listener form</h2>
 *
 * A socket accepted with a {@link WebSocketListener} hands its messages to that, and the receiving
 * methods here throw {@link IllegalStateException}. {@code send} and {@code close} never block
 * there: {@code send} says whether the queue is below its high mark, {@link
 * WebSocketListener#onWritable} follows when it has drained, and above the mark plus one message it
 * refuses.
 *
 * <p>Not {@link AutoCloseable}: leaving a block must not tell the peer 1000 when the handler
 * failed.
 *
 * <p>Implemented by Windhover; methods may be added.
 */
public interface WebSocket extends Iterable<Message> {
  /** Returns where in its life the socket is. */
  WebSocketState state();

  /** Returns the subprotocol agreed on in the opening handshake, or null for none. */
  @Nullable String subprotocol();

  // ---- Receiving

  /**
   * Puts what comes next into {@code buffer}: all or part of one frame's payload, never two
   * frames'. Blocks until there is something. With a buffer without room it waits for a message and
   * returns a count of 0. At the end of the socket it returns {@link MessageType#CLOSE}, at once
   * and every time.
   *
   * @throws InterruptedException if the thread was interrupted; nothing is lost
   * @throws IllegalStateException if the handler has ended, or in the listener form
   * @throws java.nio.ReadOnlyBufferException if nothing can be put into {@code buffer}
   */
  ReceiveResult receive(ByteBuffer buffer) throws InterruptedException;

  /**
   * As {@link #receive(ByteBuffer)}, for at most {@code timeout}.
   *
   * @throws TimeoutException if nothing came in time; nothing is lost and the socket lives on
   */
  ReceiveResult receive(ByteBuffer buffer, Duration timeout)
      throws InterruptedException, TimeoutException;

  /**
   * Returns the next whole message, or null at the end of the socket. Blocks until it is complete.
   *
   * @throws InterruptedException if the thread was interrupted; nothing is lost
   * @throws IllegalStateException after part of a message was taken with {@link
   *     #receive(ByteBuffer)}
   */
  @Nullable Message receiveMessage() throws InterruptedException;

  /**
   * As {@link #receiveMessage()}, for at most {@code timeout}.
   *
   * @throws TimeoutException if no message was complete in time; nothing is lost and the socket
   *     lives on
   */
  @Nullable Message receiveMessage(Duration timeout) throws InterruptedException, TimeoutException;

  /**
   * Returns the messages that come, until the end of the socket. When it is over, a Close of the
   * peer has been answered.
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
   * @param endOfMessage false to go on with the message in a further call of this thread
   * @return whether the queue is below its high mark
   * @throws IllegalArgumentException for {@link MessageType#CLOSE}: use {@link #closeOutput}
   * @throws WebSocketClosedException if a Close of ours is out or the connection has ended
   * @throws InterruptedException if the thread was interrupted while it waited
   */
  boolean send(ByteBuffer payload, MessageType type, boolean endOfMessage)
      throws IOException, InterruptedException;

  /** As {@link #send(ByteBuffer, MessageType, boolean)}, with flags. */
  boolean send(ByteBuffer payload, MessageType type, boolean endOfMessage, SendFlag... flags)
      throws IOException, InterruptedException;

  /**
   * Sends a whole text message. Its bytes are made at once, beside the queue: for a long text, send
   * pieces through {@link #startMessage}.
   */
  boolean sendText(CharSequence text) throws IOException, InterruptedException;

  /** Sends a whole binary message. */
  default boolean sendBinary(ByteBuffer payload) throws IOException, InterruptedException {
    return send(payload, MessageType.BINARY, true);
  }

  /** Sends a whole binary message. */
  default boolean sendBinary(byte[] payload) throws IOException, InterruptedException {
    return sendBinary(ByteBuffer.wrap(payload));
  }

  /** Sends a whole message; a binary one's payload is not changed. */
  default boolean send(Message message) throws IOException, InterruptedException {
    return switch (message) {
      case Message.Text text -> sendText(text.text());
      case Message.Binary binary -> sendBinary(binary.payload().duplicate());
    };
  }

  /**
   * Sends a whole message that goes to other sockets too. Where permessage-deflate was agreed and
   * the message is worth it, it is compressed once for all sockets with the same window and level,
   * and stands for itself (RFC 7692 7.2.1 leaves that to the sender): on a socket with context
   * takeover the next message of its own refers to nothing before it.
   *
   * @throws IllegalStateException inside of a message that this thread has begun; else as {@link
   *     #send(ByteBuffer, MessageType, boolean)}
   */
  default boolean send(PreparedMessage message, SendFlag... flags)
      throws IOException, InterruptedException {
    return send(message.payload(), message.type(), true, flags);
  }

  /** Opens a message of unknown length; other messages wait until it is finished. */
  MessageWriter startMessage(MessageType type) throws IOException, InterruptedException;

  /** Returns the bytes of messages that are queued and not yet taken by the network. */
  long bufferedAmount();

  // ---- As streams

  /**
   * Returns the payload of all messages, one behind the other, until the socket ends; where one
   * message ends and the next begins is not told. Closing the stream does not close the socket.
   *
   * <p>Reading throws {@link java.io.EOFException} if the socket ends inside a message, and {@link
   * java.io.InterruptedIOException} if the thread is interrupted, which then stays so.
   */
  default InputStream inputStream() {
    return new SocketInputStream(this, false);
  }

  /**
   * Returns a stream whose every write is sent as a whole message; put a {@link
   * java.io.BufferedOutputStream} before it to gather small ones. Closing the stream does not close
   * the socket.
   *
   * @throws IllegalArgumentException for {@link MessageType#CLOSE}
   */
  default OutputStream outputStream(MessageType type) {
    return SocketOutputStream.ofMessages(this, type);
  }

  /**
   * Returns the payload of the next message: the stream ends with it, or at once if the socket ends
   * before one comes. Closed before its end, it {@linkplain #abort() aborts} the socket.
   *
   * <p>Reading throws as that of {@link #inputStream()}.
   */
  default InputStream messageInputStream() {
    return new SocketInputStream(this, true);
  }

  /**
   * Opens a message whose pieces are what is written, each a frame of its own; it ends when the
   * stream is closed. Other messages wait as for {@link #startMessage}; never closed, it fails the
   * socket with 1011 when the handler ends.
   *
   * @throws IllegalArgumentException for {@link MessageType#CLOSE}
   */
  default OutputStream messageOutputStream(MessageType type)
      throws IOException, InterruptedException {
    return SocketOutputStream.ofPieces(startMessage(type));
  }

  // ---- Ending

  /**
   * Sends a Close, if none is out, and waits for the peer's, at most the closing time limit; what
   * the peer sends before it is discarded. Does nothing on a socket that has ended. In the listener
   * form it does not wait.
   *
   * @param status 1000–1003, 1007–1014 or 3000–4999
   * @param description at most 123 bytes of UTF-8
   * @throws IllegalArgumentException for another status or a longer description
   */
  void close(int status, String description) throws InterruptedException;

  /** Closes with 1000 and no description. */
  default void close() throws InterruptedException {
    close(CloseCode.NORMAL_CLOSURE, "");
  }

  /**
   * Sends a Close and returns; the peer's messages may be received until its Close. Does nothing on
   * a socket that has ended or whose Close is out.
   *
   * @throws IllegalArgumentException as {@link #close(int, String)}
   */
  void closeOutput(int status, String description) throws InterruptedException;

  /** Drops the connection now, without a Close; threads that wait here are woken. */
  void abort();

  /**
   * Returns the code of the peer's Close; {@link CloseCode#NORMAL_CLOSURE} if its Close was empty;
   * {@link CloseCode#ABNORMAL_CLOSURE} if the socket ended without one; 0 while neither is so.
   */
  int closeStatus();

  /** Returns the text of the peer's Close; empty if there was none. */
  String closeStatusDescription();

  /** Returns how the socket ended, or null while it has not. */
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
