package dev.windhover.verification.witness;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The JDK's client: records what comes, message by message. Closing it drops the connection and
 * fails the test if something was left that it did not look at.
 */
final class JdkSocket implements AutoCloseable {
  /** What a client hears. */
  sealed interface Heard {
    record Text(String text) implements Heard {}

    record Binary(ByteBuffer payload) implements Heard {}

    record Ping() implements Heard {}

    record Pong(ByteBuffer payload) implements Heard {}

    record Closed(int code, String reason) implements Heard {}

    /** The connection was lost. */
    record Lost() implements Heard {}
  }

  private static final int PATIENCE_SECONDS = 60;

  private final BlockingQueue<Heard> heard = new LinkedBlockingQueue<>();
  private final WebSocket socket;

  private JdkSocket(HttpClient http, URI uri, boolean reads, String... subprotocols)
      throws Exception {
    WebSocket.Builder builder = http.newWebSocketBuilder();
    if (subprotocols.length > 0) {
      builder.subprotocols(
          subprotocols[0], Arrays.copyOfRange(subprotocols, 1, subprotocols.length));
    }
    socket = builder.buildAsync(uri, new Recorder(heard, reads)).get();
  }

  static JdkSocket connect(HttpClient http, URI uri, String... subprotocols) throws Exception {
    return new JdkSocket(http, uri, true, subprotocols);
  }

  /** A peer that takes nothing from the network, so that it answers no Ping. */
  static JdkSocket connectDeaf(HttpClient http, URI uri) throws Exception {
    return new JdkSocket(http, uri, false);
  }

  String subprotocol() {
    return socket.getSubprotocol();
  }

  void text(String text) throws Exception {
    text(text, true);
  }

  void text(String piece, boolean last) throws Exception {
    socket.sendText(piece, last).get();
  }

  void binary(byte[] payload) throws Exception {
    binary(payload, true);
  }

  void binary(byte[] piece, boolean last) throws Exception {
    socket.sendBinary(ByteBuffer.wrap(piece), last).get();
  }

  void ping(byte[] payload) throws Exception {
    socket.sendPing(ByteBuffer.wrap(payload)).get();
  }

  void sendClose(int code, String reason) throws Exception {
    socket.sendClose(code, reason).get();
  }

  /** Drops the connection. */
  void abort() {
    socket.abort();
  }

  Heard next() throws InterruptedException {
    Heard next = heard.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
    if (next == null) {
      throw new AssertionError("nothing came within " + PATIENCE_SECONDS + " s");
    }
    return next;
  }

  @Override
  public void close() {
    socket.abort();
    assertThat(heard).as("left over").isEmpty();
  }

  private static final class Recorder implements WebSocket.Listener {
    private final BlockingQueue<Heard> heard;
    private final boolean reads;
    private final StringBuilder text = new StringBuilder();
    private final ByteArrayOutputStream binary = new ByteArrayOutputStream();

    Recorder(BlockingQueue<Heard> heard, boolean reads) {
      this.heard = heard;
      this.reads = reads;
    }

    @Override
    public void onOpen(WebSocket socket) {
      if (reads) {
        socket.request(Long.MAX_VALUE);
      }
    }

    @Override
    public @Nullable CompletionStage<?> onText(WebSocket socket, CharSequence part, boolean last) {
      text.append(part);
      if (last) {
        heard.add(new Heard.Text(text.toString()));
        text.setLength(0);
      }
      return null;
    }

    @Override
    public @Nullable CompletionStage<?> onBinary(WebSocket socket, ByteBuffer part, boolean last) {
      byte[] bytes = new byte[part.remaining()];
      part.get(bytes);
      binary.writeBytes(bytes);
      if (last) {
        heard.add(new Heard.Binary(ByteBuffer.wrap(binary.toByteArray())));
        binary.reset();
      }
      return null;
    }

    @Override
    public @Nullable CompletionStage<?> onPing(WebSocket socket, ByteBuffer payload) {
      heard.add(new Heard.Ping());
      return null;
    }

    @Override
    public @Nullable CompletionStage<?> onPong(WebSocket socket, ByteBuffer payload) {
      byte[] bytes = new byte[payload.remaining()];
      payload.get(bytes);
      heard.add(new Heard.Pong(ByteBuffer.wrap(bytes)));
      return null;
    }

    @Override
    public @Nullable CompletionStage<?> onClose(WebSocket socket, int code, String reason) {
      heard.add(code == 1006 ? new Heard.Lost() : new Heard.Closed(code, reason));
      return null;
    }

    @Override
    public void onError(WebSocket socket, Throwable error) {
      heard.add(new Heard.Lost());
    }
  }
}
