package dev.windhover.testing;

import dev.windhover.http.host.ClientDeflate;
import dev.windhover.protocol.Conversation;
import dev.windhover.protocol.FrameOutput;
import dev.windhover.protocol.FrameReader;
import dev.windhover.protocol.Opcode;
import dev.windhover.protocol.Role;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A client's connection: the client's end of the {@link Conversation}, and the bytes on their way.
 * What comes is kept until the test has asked for it.
 */
final class Wire implements MemoryDuplex.Peer {
  /** How many frames are remembered at most; far more than a test looks at. */
  private static final int MOST_REMEMBERED = 1_000;

  /** How many of them a failure shows at most. */
  private static final int MOST_SHOWN = 10;

  /** A test sets limits for the server's end; this end has none. */
  private static final Conversation.Terms NO_LIMITS =
      new Conversation.Terms(0, 0, 0, Integer.MAX_VALUE, Integer.MAX_VALUE, Integer.MAX_VALUE);

  /** How the connection has ended, and which end has ended it. */
  private enum End {
    NONE("open"),
    ENDED("ended by the server"),
    RESET("dropped by the server"),
    GONE("dropped by this end");

    final String words;

    End(String words) {
      this.words = words;
    }
  }

  private final TestHost host;
  private final RandomGenerator keys =
      RandomGenerator.of("L64X128MixRandom"); // a test needs no secret keys
  private final Waiting waiting = new Waiting();
  private final Uplink uplink;
  private final Deque<ByteBuffer> beforeOpen = new ArrayDeque<>(); // loop only
  private @Nullable MemoryDuplex duplex; // loop only
  private volatile boolean manual;

  // Under the lock; the reader gives its payload on the loop only.
  private Conversation conversation = Conversation.ofClient(NO_LIMITS, keys, null);
  private final Output output = new Output();
  private FrameReader reader = conversation.reader();
  private @Nullable ClientDeflate deflate;

  // What came: what is being read on the loop only, the rest under the lock.
  private final ByteArrayOutputStream piece = new ByteArrayOutputStream();
  private boolean insideMessage;
  private final Deque<Frame> frames = new ArrayDeque<>();
  private final Deque<Frame> all = new ArrayDeque<>();
  private int looked; // of frames, from the first on
  private End end = End.NONE;
  private boolean endSeen;

  Wire(TestHost host) {
    this.host = host;
    this.uplink = new Uplink(host.clock(), this::arrive, () -> whenOpen(MemoryDuplex::peerEnds));
  }

  TestHost host() {
    return host;
  }

  /** From now on, the test answers Pings and the end of the connection. */
  void leaveAllToTheTest() {
    manual = true;
  }

  /** The server has accepted this extension. Called before the connection is open. */
  void agreed(String extension) {
    ClientDeflate mine = ClientDeflate.agreed(extension);
    if (mine == null) {
      throw host.faults().add("the server answered with an unknown extension: " + extension);
    }
    waiting.change(() -> {
      deflate = mine;
      conversation = Conversation.ofClient(NO_LIMITS, keys, mine.extension());
      reader = conversation.reader();
    });
  }

  boolean compresses() {
    return deflate != null;
  }

  // ---- Sending

  /** Compresses the payload of a message or a fragment. */
  ByteBuffer compress(ByteBuffer payload, boolean endOfMessage) {
    ClientDeflate coder = deflate;
    if (coder == null) {
      throw new IllegalStateException("compression was not negotiated");
    }
    return coder.compress(payload, endOfMessage);
  }

  /** Takes a step of the conversation, on any thread, and sends what it has written. */
  <T> T converse(Function<Conversation, T> step) {
    return waiting.locked(() -> {
      T result = step.apply(conversation);
      output.flush();
      return result;
    });
  }

  /** Gathers what the conversation writes in one step and sends it together. Under the lock. */
  private final class Output implements FrameOutput {
    private static final int LEAST = 128;

    private ByteBuffer written = ByteBuffer.allocate(LEAST);

    @Override
    public ByteBuffer reserve(int bytes) {
      if (written.remaining() < bytes) {
        int size = Math.max(2 * written.capacity(), written.position() + bytes);
        written = ByteBuffer.allocate(size).put(written.flip());
      }
      return written;
    }

    @Override
    public void commit() {}

    @Override
    public void write(ByteBuffer bytes) {
      reserve(bytes.remaining()).put(bytes);
    }

    @Override
    public void flush() {
      if (written.position() > 0) {
        ByteBuffer whole = written.flip();
        written = ByteBuffer.allocate(LEAST);
        uplink(way -> way.send(whole));
      }
    }

    @Override
    public long pending() {
      return written.position();
    }
  }

  /** Sends the content of several buffers; without a fault it arrives in one read. */
  void send(ByteBuffer... bytes) {
    int size = 0;
    for (ByteBuffer part : bytes) {
      size += part.remaining();
    }
    ByteBuffer whole = ByteBuffer.allocate(size);
    for (ByteBuffer part : bytes) {
      whole.put(part.duplicate());
    }
    whole.flip();
    uplink(way -> way.send(whole));
  }

  private void arrive(ByteBuffer bytes) {
    if (duplex == null) {
      beforeOpen.add(bytes);
    } else {
      duplex.arrive(bytes);
    }
  }

  /** Changes what happens to bytes on their way to the server, or sends some. */
  void uplink(Consumer<Uplink> action) {
    host.loop().execute(() -> action.accept(uplink));
  }

  /** Changes what happens to the connection, if it is open. */
  void onLoop(Consumer<MemoryDuplex> action) {
    host.loop().execute(() -> whenOpen(action));
  }

  private void whenOpen(Consumer<MemoryDuplex> action) {
    if (duplex != null) {
      action.accept(duplex);
    }
  }

  <T> T ask(Function<MemoryDuplex, T> question) {
    var answer = new CompletableFuture<T>();
    onLoop(open -> answer.complete(question.apply(open)));
    return answer.orTimeout(Waiting.SECONDS, TimeUnit.SECONDS).join();
  }

  /** This end drops the connection, now or later, so the test need not expect its end. */
  void drop(Consumer<MemoryDuplex> how) {
    waiting.change(() -> endSeen = true);
    onLoop(how);
  }

  void reset() {
    over(End.GONE);
    drop(MemoryDuplex::peerResets);
  }

  private void over(End how) {
    waiting.change(() -> end = end == End.NONE ? how : end);
  }

  // ---- Receiving

  /**
   * Takes the next frame; returns null if the connection is over instead.
   *
   * @param wanted what the test waits for; a failure names it
   */
  @Nullable Frame next(String wanted) {
    try {
      return next(Duration.ofSeconds(Waiting.SECONDS));
    } catch (TimeoutException e) {
      throw failed(wanted + " did not come within " + Waiting.SECONDS + " s");
    }
  }

  @Nullable Frame next(Duration timeout) throws TimeoutException {
    if (!waiting.await(() -> !frames.isEmpty() || end != End.NONE, timeout)) {
      throw new TimeoutException("nothing came within " + timeout);
    }
    return waiting.locked(() -> {
      Frame frame = frames.poll();
      looked = Math.max(0, looked - 1);
      endSeen |= frame == null;
      return frame;
    });
  }

  /** As {@link #next(String)}, but the end of the connection is a failure. */
  Frame require(String wanted) {
    Frame frame = next(wanted);
    if (frame == null) {
      throw failed(wanted + " did not come, the connection was " + how());
    }
    return frame;
  }

  /** Takes the server's Close but not the messages before it; null if the connection is over. */
  @Nullable Frame takeClose() {
    if (!waiting.await(() -> lastIsClose() || end != End.NONE)) {
      throw failed("the server's Close did not come within " + Waiting.SECONDS + " s");
    }
    return waiting.locked(() -> {
      for (Iterator<Frame> each = frames.iterator(); each.hasNext(); ) {
        Frame frame = each.next();
        if (frame.opcode() == Opcode.CLOSE) {
          each.remove();
          looked = Math.min(looked, frames.size());
          return frame;
        }
      }
      return null;
    });
  }

  private boolean lastIsClose() {
    return frames.stream().anyMatch(frame -> frame.opcode() == Opcode.CLOSE);
  }

  /** Waits until the server has ended its direction, whether or not messages came before. */
  void awaitEnd() {
    if (!waiting.await(() -> end != End.NONE)) {
      throw failed("the server did not end the connection within " + Waiting.SECONDS + " s");
    }
    waiting.change(() -> endSeen = true);
  }

  void expectEnd() {
    expect(End.ENDED);
  }

  void expectReset() {
    expect(End.RESET);
  }

  private void expect(End expected) {
    if (!waiting.await(() -> !frames.isEmpty() || end != End.NONE)) {
      throw failed("the connection did not end within " + Waiting.SECONDS + " s");
    }
    Frame instead = waiting.locked(frames::peek);
    if (instead != null) {
      throw failed("expected the connection's end, got " + instead);
    }
    if (waiting.locked(() -> end) != expected) {
      throw failed("expected a connection " + expected.words + ", but it was " + how());
    }
    waiting.change(() -> endSeen = true);
  }

  /** Returns what has come and the test has not received, or null. */
  @Nullable String leftOver() {
    return waiting.locked(() -> {
      if (frames.size() > looked) {
        return frames.stream().skip(looked).toList().toString();
      }
      return end == End.NONE || endSeen ? null : "a connection that was " + end.words;
    });
  }

  /** Returns all frames that have come, which then count as received. */
  List<Frame> received() {
    return waiting.locked(() -> {
      looked = frames.size();
      return List.copyOf(all);
    });
  }

  /** Returns whether the test has seen the end of the connection, and nothing waits before it. */
  boolean isOver() {
    return waiting.locked(() -> end != End.NONE && endSeen && frames.isEmpty());
  }

  String how() {
    return waiting.locked(() -> end.words);
  }

  /** Returns the failure of an expectation: the fact, and what came before. */
  AssertionError failed(String fact) {
    List<Frame> came = new ArrayList<>(waiting.locked(() -> List.copyOf(all)));
    StringBuilder text = new StringBuilder(fact);
    if (came.isEmpty()) {
      text.append("\nthe server has sent nothing");
    } else {
      int first = Math.max(0, came.size() - MOST_SHOWN);
      text.append(first == 0 ? "\nthe server has sent:" : "\nthe server has sent, at last:");
      came.subList(first, came.size()).forEach(frame -> text.append("\n  ").append(frame));
    }
    return host.failed(text.toString());
  }

  // ---- The loop's side

  /** The connection was upgraded. */
  void opened(MemoryDuplex opened) {
    duplex = opened;
    waiting.change(() -> conversation.open(output, host.clock().nanoTime()));
    for (ByteBuffer bytes; (bytes = beforeOpen.poll()) != null; ) {
      opened.arrive(bytes); // waits there until the receiver is open
    }
  }

  @Override
  public void ended() {
    boolean inOrder = !manual && converse(Wire::hasBothCloses);
    waiting.change(() -> endSeen |= inOrder);
    over(End.ENDED);
    if (inOrder) {
      uplink(Uplink::end);
    }
  }

  private static boolean hasBothCloses(Conversation conversation) {
    return conversation.isDoneReading() && !conversation.state().canSend();
  }

  @Override
  public void dropped() {
    over(End.RESET);
  }

  @Override
  public void gone() {
    over(End.GONE);
  }

  @Override
  public void received(ByteBuffer bytes) {
    while (true) {
      switch (next(bytes)) {
        case MORE -> {
          return;
        }
        case DATA -> readData(bytes);
        case PING -> add(new Frame(Opcode.PING, true, reader.controlPayload()), manual);
        case PONG -> add(new Frame(Opcode.PONG, true, reader.controlPayload()), manual);
        case CLOSE -> {
          add(new Frame(Opcode.CLOSE, true, reader.closeReason().toPayload()), true);
          reader = new FrameReader(Role.CLIENT); // only control frames may follow (5.5.1)
        }
        case VIOLATION ->
            throw host.faults().add("the server broke a rule: " + reader.violation().text());
      }
    }
  }

  /** Reads on: in the conversation, unless it has ended or the test does everything itself. */
  private FrameReader.Event next(ByteBuffer bytes) {
    return converse(open -> {
      boolean left = manual || open.isDoneReading();
      FrameReader.Event event = left ? reader.next(bytes) : open.next(bytes);
      if (event == FrameReader.Event.CLOSE && !open.isDoneReading()) {
        open.endReading(host.clock().nanoTime());
      }
      return event;
    });
  }

  private void readData(ByteBuffer bytes) {
    if (converse(Conversation::isDoneReading)) {
      throw host.faults().add("the server sent data after its Close");
    }
    Opcode opcode = insideMessage ? Opcode.CONTINUATION : reader.messageType();
    ByteBuffer part = ByteBuffer.allocate(reader.isCoded() ? 16 * 1024 : bytes.remaining());
    if (reader.readInto(bytes, part) < 0) {
      return; // the next event is the violation
    }
    piece.writeBytes(Arrays.copyOf(part.array(), part.position()));
    if (reader.endOfFrame()) {
      insideMessage = !reader.endOfMessage();
      ByteBuffer payload = ByteBuffer.wrap(piece.toByteArray());
      add(new Frame(opcode, reader.endOfMessage(), payload, reader.isCoded()), true);
      piece.reset();
    }
  }

  private void add(Frame frame, boolean toBeReceived) {
    waiting.change(() -> {
      if (toBeReceived) {
        frames.add(frame);
      }
      all.add(frame);
      if (all.size() > MOST_REMEMBERED) {
        all.remove();
      }
    });
  }
}
