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
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A connection over a WebSocket. What comes is a stream, whatever its messages are; what is sent is
 * a message each time. A client that comes back may do so on another loop; then what it sends is
 * handed over to the loop of the connection.
 */
final class SocketTransport implements Transport, WebSocketListener {
  private final ClientConnection connection;
  private final ConnectionRequest request;
  private final @Nullable User user;
  private volatile @Nullable WebSocket socket; // from onOpen on

  // Loop of the socket only.
  private boolean peerClosed;

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
  public void onOpen(WebSocket socket) {
    this.socket = socket;
    connection.onLoop(() -> connection.attach(this, TransportType.WEB_SOCKETS, request, user));
  }

  @Override
  public void onMessage(WebSocket socket, MessageType type, ByteBuffer payload) {
    if (connection.loop().inLoop()) {
      connection.received(this, payload);
    } else {
      ByteBuffer copy = ByteBuffer.allocate(payload.remaining()).put(payload).flip();
      connection.loop().execute(() -> connection.received(this, copy));
    }
  }

  @Override
  public void readOn() {
    socket().demand(1);
  }

  @Override
  public void onWritable(WebSocket socket) {
    connection.onLoop(() -> connection.writable(this));
  }

  /** Whatever the client's code is, it takes any other than 1000 for an error. */
  @Override
  public void onClose(WebSocket socket) {
    peerClosed = true;
    connection.onLoop(() -> connection.closedByClient(this));
    close(false);
  }

  @Override
  public void onEnded(WebSocket socket, Ending ending) {
    boolean wasLost = !peerClosed && ending.by() == Ending.By.CONNECTION;
    boolean isFault = ending.by() == Ending.By.SERVER;
    IOException error = isFault ? new IOException(ending.why()) : null;
    connection.onLoop(() -> connection.lost(this, wasLost, error));
  }

  // ---- To the client

  @Override
  public boolean send(ByteBuffer message) {
    MessageType type =
        connection.transferFormat() == TransferFormat.TEXT ? MessageType.TEXT : MessageType.BINARY;
    try {
      return socket().send(message, type, true);
    } catch (WebSocketClosedException e) {
      return true; // dropped, as everything is from now on
    } catch (IllegalStateException e) { // its queue is full, and we were told before
      disconnect();
      return true;
    } catch (IOException e) {
      return true;
    } catch (InterruptedException e) {
      throw new AssertionError("the listener form does not wait", e);
    }
  }

  /** The client reads too slowly for what it is sent, and must not miss any of it. */
  private void disconnect() {
    connection.fail(
        new IOException("client reads too slowly: " + bufferedAmount() + " bytes wait for it"),
        () -> close(CloseCode.TRY_AGAIN_LATER));
  }

  @Override
  public long bufferedAmount() {
    return socket().bufferedAmount();
  }

  @Override
  public Recipient recipient() {
    return Recipient.of(socket());
  }

  @Override
  public void close(boolean failed) {
    close(failed ? CloseCode.INTERNAL_ERROR : CloseCode.NORMAL_CLOSURE);
  }

  private void close(int code) {
    try {
      socket().close(code, ""); // what still comes is discarded
    } catch (InterruptedException e) {
      throw new AssertionError("the listener form does not wait", e);
    }
  }

  @Override
  public void abort() {
    socket().abort();
  }
}
