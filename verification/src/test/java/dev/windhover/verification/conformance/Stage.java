package dev.windhover.verification.conformance;

import dev.windhover.verification.conformance.Transport.Opened;
import dev.windhover.verification.wire.Http2Wire;
import dev.windhover.verification.wire.Response;
import dev.windhover.verification.wire.Wire;
import java.io.IOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where cases are played: a server, and how it is reached.
 *
 * @param port the server's
 * @param settings the query that every socket has, as {@code api=blocking}; empty for another
 *     server than {@code samples/conformance}
 * @param patienceMillis how long one event is waited for
 * @param echoBytes about so many bytes are echoed where a case sends many messages
 */
record Stage(Transport transport, int port, String settings, long patienceMillis, long echoBytes) {
  private static final String EXTENSIONS = "Sec-WebSocket-Extensions";

  /** Whether the server is {@code samples/conformance}. */
  boolean isOurs() {
    return !settings.isEmpty();
  }

  /** Opens a socket without an extension. */
  Conversation open() throws IOException {
    return open("");
  }

  /** Opens a socket with further settings: {@code "&name=value"}. */
  Conversation open(String more) throws IOException {
    Opened opened = ask(more, Map.of());
    requireOpen(opened.response());
    if (opened.response().header(EXTENSIONS) != null) {
      throw new AssertionError("an extension that was not offered: " + opened.response());
    }
    return new Conversation(opened.peer(), patienceMillis, null);
  }

  /** Opens a socket that has agreed to compress. */
  Conversation openDeflate(String more, String offer) throws IOException {
    Conversation conversation = offer(more, offer);
    try {
      conversation.deflate();
    } catch (AssertionError e) {
      conversation.close();
      throw e;
    }
    return conversation;
  }

  /** Opens a socket that may have agreed to compress. */
  Conversation offer(String more, String offer) throws IOException {
    Opened opened = ask(more, Map.of(EXTENSIONS, offer));
    requireOpen(opened.response());
    @Nullable Deflate deflate;
    try {
      deflate = Deflate.agree(offer, opened.response().header(EXTENSIONS));
    } catch (AssertionError e) {
      opened.peer().close();
      throw e;
    }
    return new Conversation(opened.peer(), patienceMillis, deflate);
  }

  /** Sends one opening handshake. */
  Opened ask(String more, Map<String, String> headers) throws IOException {
    return transport.open(port, target(more), headers);
  }

  /** Returns a path with the settings in its query. */
  String target(String more) {
    return "/?" + settings + more;
  }

  /** Connects, and sends nothing; only for cases that need the bytes of HTTP/1.1. */
  Wire connect() throws IOException {
    return ((Transport.Http1) transport).connect(port);
  }

  /** Connects, without a socket; only for cases that need the frames of HTTP/2. */
  Http2Wire connectHttp2() throws IOException {
    return ((Transport.Http2) transport).connect(port);
  }

  /** Begins a conversation on a stream, which leaves the connection when it is closed. */
  Conversation on(Http2Wire.Stream stream) {
    return new Conversation(stream, patienceMillis, null);
  }

  private static void requireOpen(Response response) {
    if (response.status() != 101 && response.status() != 200) {
      throw new AssertionError("the opening handshake is refused: " + response);
    }
  }

  /** Returns how many of {@code most} messages of this size a case echoes, three at least. */
  int rounds(int most, int size) {
    return Math.clamp(echoBytes / Math.max(1, size), 3, most);
  }
}
