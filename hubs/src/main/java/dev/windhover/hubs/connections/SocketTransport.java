package dev.windhover.hubs.connections;

import dev.windhover.http.User;
import dev.windhover.http.host.Recipient;
import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketClosedException;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.protocol.CloseCode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A connection over a WebSocket. What comes is a stream, whatever its messages are; what is sent is
 * a message each time. A client that comes back may do so on another loop; then what it sends is
 * handed over to the loop of the connection.
 *
 * <p>If the client cannot come back, messages go straight to the socket, which has a queue of its
 * own. Otherwise they wait in that of the connection.
 */
final class SocketTransport implements Transport, WebSocketListener {
  /** How long the Close of a socket that another has replaced may take to leave. */
  private static final Duration FOR_LAST_CLOSE = Duration.ofMillis(100);

  private final ClientConnection connection;
  private final ConnectionRequest request;
  private final @Nullable User user;
  private volatile @Nullable WebSocket socket; // from onOpen on

  /** Loop of the socket only. */
  private boolean peerClosed;

  /** Loop of the connection only. */
  private boolean hasRoom = true;

  SocketTransport(ClientConnection connection, ConnectionRequest request, @Nullable User user) {
    this.connection = connection;
    this.request = request;
    this.user = user;
  }

  private WebSocket socket() {
    return Objects.requireNonNull(socket, "socket");
  }

  // ---- From the client

  @Override
  public boolean takesParts() {
    return true;
  }

  @Override
  public void onOpen(WebSocket socket) {
    this.socket = socket;
    connection.onLoop(() -> connection.attachSocket(this, request, user));
  }

  @Override
  public void onPart(WebSocket socket, MessageType type, ByteBuffer part, boolean endOfMessage) {
    if (connection.loop().inLoop()) {
      connection.received(this, part);
    } else {
      ByteBuffer copy = ByteBuffer.allocate(part.remaining()).put(part).flip();
      connection.loop().execute(() -> connection.received(this, copy));
    }
  }

  @Override
  public void readOn() {
    socket().demand(1);
  }

  @Override
  public void onWritable(WebSocket socket) {
    connection.onLoop(() -> {
      hasRoom = true;
      connection.writable(this);
    });
  }

  @Override
  public void onClose(WebSocket socket) {
    peerClosed = true;
    connection.onLoop(() -> connection.closedByClient(this));
    close(CloseCode.NORMAL_CLOSURE); // whatever its code is: clients take any other for an error
  }

  @Override
  public void onEnded(WebSocket socket, Ending ending) {
    boolean wasLost = !peerClosed && ending.reason().code() == CloseCode.ABNORMAL_CLOSURE;
    boolean isFault = ending.by() == Ending.By.SERVER;
    IOException error = isFault ? new IOException(ending.why()) : null;
    connection.onLoop(() -> connection.lost(this, wasLost, error));
  }

  // ---- To the client

  /** Sends a copy of {@code message}, and returns whether there is room for more; any thread. */
  boolean send(ByteBuffer message) {
    MessageType type =
        connection.transferFormat() == TransferFormat.TEXT ? MessageType.TEXT : MessageType.BINARY;
    try {
      return socket().send(message, type, true);
    } catch (WebSocketClosedException e) {
      return true; // dropped, as everything is from now on
    } catch (IllegalStateException e) { // its queue is full, of which we were told before
      connection.fallenBehind(
          new IOException("client reads too slowly: " + bufferedAmount() + " bytes wait for it"));
      return true;
    } catch (IOException e) {
      return true;
    } catch (InterruptedException e) {
      throw new AssertionError("the listener form does not wait", e);
    }
  }

  /** Returns the socket as groups see it. */
  Recipient recipient() {
    return Recipient.of(socket());
  }

  @Override
  public void drain() {
    OutgoingQueue queue = connection.queue();
    for (ByteBuffer message; hasRoom && (message = queue.poll()) != null; ) {
      hasRoom = send(message);
    }
    queue.taken();
  }

  @Override
  public long bufferedAmount() {
    return socket().bufferedAmount();
  }

  @Override
  public void close(Closing how) {
    int code =
        switch (how) {
          case NORMAL -> CloseCode.NORMAL_CLOSURE;
          case FAILED -> CloseCode.INTERNAL_ERROR;
          case TOO_SLOW -> CloseCode.TRY_AGAIN_LATER;
        };
    if (connection.isQueued() && how != Closing.TOO_SLOW) {
      connection.onLoop(() -> {
        for (ByteBuffer message; (message = connection.queue().poll()) != null; ) {
          boolean _ = send(message); // beyond its mark, up to its bound
        }
        close(code);
      });
    } else {
      close(code);
    }
  }

  private void close(int code) {
    try {
      socket().close(code, ""); // what still comes is discarded
    } catch (InterruptedException e) {
      throw new AssertionError("the listener form does not wait", e);
    }
  }

  /** Another socket of the client has come: this one is as good as dead. */
  void replaced() {
    close(CloseCode.NORMAL_CLOSURE);
    connection.loop().schedule(FOR_LAST_CLOSE, this::abort);
  }

  @Override
  public void abort() {
    socket().abort();
  }

  @Override
  public boolean isAlive() {
    return true; // it is detached when it has ended
  }
}
