package dev.windhover.hubs.testing;

import dev.windhover.testing.TestStream;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Server-sent events, and POSTs in the other direction. */
final class EventTransport implements Transport {
  private static final String DATA = "data: ";

  private final Endpoint endpoint;
  private final TestStream stream;

  // What was read of the stream: whole events, and the beginnings of an event and of a line.
  private final Deque<ByteBuffer> events = new ArrayDeque<>();
  private final List<String> data = new ArrayList<>();
  private final ByteArrayOutputStream line = new ByteArrayOutputStream();

  EventTransport(Endpoint endpoint) {
    this.endpoint = endpoint;
    this.stream = endpoint.request("GET").header("Accept", "text/event-stream").openStream();
    if (stream.status() != 200) {
      throw new AssertionError("the event stream was refused with status " + stream.status());
    }
  }

  @Override
  public void send(ByteBuffer records) {
    endpoint.post(records);
  }

  @Override
  public @Nullable ByteBuffer receive() {
    while (events.isEmpty()) {
      ByteBuffer bytes = stream.receive();
      if (bytes == null) {
        return null;
      }
      read(bytes);
    }
    return events.remove();
  }

  @Override
  public @Nullable ByteBuffer poll() {
    read(stream.received());
    return events.poll();
  }

  private void read(ByteBuffer bytes) {
    while (bytes.hasRemaining()) {
      byte next = bytes.get();
      if (next == '\n') {
        read(line.toString(StandardCharsets.UTF_8));
        line.reset();
      } else if (next != '\r') {
        line.write(next);
      }
    }
  }

  /** Reads a line without its end: of an event's data, empty after an event, or a comment. */
  private void read(String text) {
    if (text.startsWith(DATA)) {
      data.add(text.substring(DATA.length()));
    } else if (text.isEmpty() && !data.isEmpty()) {
      events.add(ByteBuffer.wrap(String.join("\n", data).getBytes(StandardCharsets.UTF_8)));
      data.clear();
    }
  }

  @Override
  public boolean isOpen() {
    return stream.isOpen();
  }

  @Override
  public void expectEnd() {
    stream.expectEnd();
  }

  @Override
  public void lose() {
    stream.disconnect();
  }

  @Override
  public void close() {
    stream.disconnect(); // there is no other way to end a stream
  }
}
