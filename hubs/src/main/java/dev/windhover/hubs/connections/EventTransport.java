package dev.windhover.hubs.connections;

import dev.windhover.http.HttpResponse;
import dev.windhover.http.ResponseStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * A connection over server-sent events: one event for each message. The client sends with POST.
 * Fields of events are those of the HTML Living Standard, 9.2.6; the form is the reference's.
 */
final class EventTransport implements Transport {
  private static final byte[] NEWLINE = {'\r', '\n'};

  /** It leaves by itself, as the reference's does: who reads chunk by chunk sees the same. */
  private static final byte[] END_OF_EVENT = {'\r', '\n', '\r', '\n'};

  private static final byte[] DATA = "data: ".getBytes(StandardCharsets.US_ASCII);

  /** Firefox takes a stream for open when the first bytes are there. */
  private static final byte[] OPENING = ":\r\n".getBytes(StandardCharsets.US_ASCII);

  /** A quiet connection is not dropped: whether it lives is the listener's to find out. */
  private static final Duration NEVER = Duration.ofDays(100 * 365);

  private final ClientConnection connection;
  private final ResponseStream stream;

  // Loop of the connection only.
  private boolean hasRoom = true;

  /** An event is out, but for its end. */
  private boolean isInEvent;

  private boolean closing;

  private EventTransport(ClientConnection connection, ResponseStream stream) {
    this.connection = connection;
    this.stream = stream;
  }

  /** Answers a request with a stream of events. */
  static EventTransport open(ClientConnection connection, HttpResponse response)
      throws IOException {
    response.contentType("text/event-stream");
    response.headers().set("Cache-Control", "no-cache,no-store");
    response.headers().set("Pragma", "no-cache");
    response.headers().set("Content-Encoding", "identity"); // so that nobody compresses it
    response.headers().set("X-Accel-Buffering", "no"); // nginx would gather events otherwise
    response.write(ByteBuffer.wrap(OPENING));
    ResponseStream stream = response.stream(NEVER);
    stream.stallTimeout(connection.options().transportSendTimeout());
    EventTransport transport = new EventTransport(connection, stream);
    stream.onWritable(() -> connection.onLoop(transport::writable));
    return transport;
  }

  /** Tells the connection when the stream ends, from now on. */
  void watch() {
    stream
        .ended()
        .thenRun(() -> connection.loop().execute(() -> connection.lost(this, true, null)));
  }

  private void writable() {
    hasRoom = true;
    drain();
  }

  @Override
  public void drain() {
    OutgoingQueue queue = connection.queue();
    try {
      endEvent();
      for (ByteBuffer message; hasRoom && (message = queue.poll()) != null; ) {
        hasRoom = stream.send(data(message));
        isInEvent = true;
        endEvent();
      }
    } catch (IOException e) {
      queue.seal(); // the client is gone, of which we hear
    }
    queue.taken();
    if (closing && queue.isEmpty() && !isInEvent) {
      end();
    }
  }

  private void endEvent() throws IOException {
    if (isInEvent && hasRoom) {
      isInEvent = false;
      hasRoom = stream.send(ByteBuffer.wrap(END_OF_EVENT));
    }
  }

  /** Returns {@code message} as the fields of an event, one for each of its lines. */
  static ByteBuffer data(ByteBuffer message) {
    ByteArrayOutputStream event = new ByteArrayOutputStream(message.remaining() + 16);
    event.writeBytes(DATA);
    while (message.hasRemaining()) {
      byte next = message.get();
      if (next == '\r' && message.hasRemaining() && message.get(message.position()) == '\n') {
        continue; // the line ends with both
      }
      if (next == '\r' || next == '\n') {
        event.writeBytes(NEWLINE);
        event.writeBytes(DATA);
      } else {
        event.write(next);
      }
    }
    return ByteBuffer.wrap(event.toByteArray());
  }

  /** Ends the stream, of a connection that was closed before. */
  void end() {
    stream.end();
  }

  @Override
  public void readOn() {} // what is posted waits on its own

  @Override
  public long bufferedAmount() {
    return stream.bufferedAmount();
  }

  @Override
  public void close(Closing how) {
    connection.onLoop(() -> {
      closing = true;
      drain();
    });
  }

  @Override
  public void abort() {
    stream.abort();
  }

  @Override
  public boolean isAlive() {
    return stream.isOpen();
  }
}
