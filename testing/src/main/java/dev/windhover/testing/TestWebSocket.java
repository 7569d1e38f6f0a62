package dev.windhover.testing;

import dev.windhover.protocol.CloseReason;
import dev.windhover.protocol.DeflateAgreement;
import dev.windhover.protocol.DeflateAgreement.Terms;
import dev.windhover.protocol.DeflateCodec;
import dev.windhover.protocol.Extension;
import dev.windhover.protocol.FrameReader;
import dev.windhover.protocol.FrameWriter;
import dev.windhover.protocol.MessageDeflater;
import dev.windhover.protocol.MessageInflater;
import dev.windhover.protocol.Opcode;
import dev.windhover.protocol.Role;
import dev.windhover.protocol.StreamSource;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * The client's end of a socket, under full control of a test: it sends what it is told, good or
 * bad, and keeps every frame that comes until the test has asked for it. What nobody asked for
 * fails the test when the host closes.
 *
 * <p>What comes is read by the real engine in the client's role; what breaks a rule there is a
 * fault. Each wait has a limit of 10 seconds.
 */
public final class TestWebSocket {
  private enum End {
    NONE,
    ENDED,
    RESET
  }

  private final TestHost host;
  private final FrameWriter writer =
      FrameWriter.client(RandomGenerator.of("L64X128MixRandom")); // secret keys need no test
  private final Waiting waiting = new Waiting();
  private final Deque<ByteBuffer> beforeOpen = new ArrayDeque<>(); // loop only
  private @Nullable MemoryDuplex duplex; // loop only
  private @Nullable TestResponse response;
  private int cut = Integer.MAX_VALUE;

  // What came; the reader on the loop only, the rest under the lock.
  private FrameReader reader = new FrameReader(Role.CLIENT);
  private @Nullable MessageDeflater deflater;
  private final ByteArrayOutputStream piece = new ByteArrayOutputStream();
  private boolean insideMessage;
  private boolean closed;
  private final Deque<Frame> frames = new ArrayDeque<>();
  private End end = End.NONE;
  private boolean endSeen;

  TestWebSocket(TestHost host) {
    this.host = host;
  }

  /** Returns the answer to the opening handshake. */
  public TestResponse response() {
    return Objects.requireNonNull(response);
  }

  void response(TestResponse given) {
    response = given;
  }

  /** The server agreed to compress: reads and writes as that says. Called before it is open. */
  void agreed(String extension) {
    DeflateAgreement terms = DeflateAgreement.negotiate(List.of(extension), Terms.DEFAULT);
    if (terms == null) {
      throw host.faults().add("the server answered with an unknown extension: " + extension);
    }
    DeflateCodec codec = DeflateCodec.jdk();
    MessageDeflater mine =
        new MessageDeflater(
            StreamSource.deflating(codec, terms.clientMaxWindowBits(), DeflateCodec.DEFAULT_LEVEL),
            terms.clientContextTakeover());
    MessageInflater theirs =
        new MessageInflater(
            StreamSource.inflating(codec, terms.serverMaxWindowBits()),
            terms.serverContextTakeover());
    deflater = mine;
    reader =
        new FrameReader(
            Role.CLIENT, new Extension(DeflateAgreement.TOKEN, Extension.RSV1, theirs, mine));
  }

  // ---- Sending

  /** Sends a whole text message in one frame. */
  public TestWebSocket sendText(String text) {
    return send(Opcode.TEXT, true, Frame.utf8(text));
  }

  /** Sends a whole binary message in one frame. */
  public TestWebSocket sendBinary(byte[] payload) {
    return send(Opcode.BINARY, true, ByteBuffer.wrap(payload));
  }

  /** Sends a Ping with {@code text}. */
  public TestWebSocket sendPing(String text) {
    return send(Opcode.PING, true, Frame.utf8(text));
  }

  /** Sends a Close. */
  public TestWebSocket sendClose(int code, String text) {
    return send(Opcode.CLOSE, true, new CloseReason(code, text).toPayload());
  }

  /** Sends a frame, masked; whether it is allowed is the server's to judge. */
  public TestWebSocket send(Opcode opcode, boolean fin, ByteBuffer payload) {
    return send(frame(opcode, fin, payload));
  }

  /**
   * Sends a whole message, compressed, in one frame.
   *
   * @throws IllegalStateException if that was not negotiated
   */
  public TestWebSocket sendCompressed(Opcode opcode, ByteBuffer payload) {
    return send(frame(opcode, true, Extension.RSV1, compress(payload)));
  }

  /**
   * Returns the payload of a compressed message, to be sent as one frame or several; messages must
   * be sent in the order in which they were compressed.
   *
   * @throws IllegalStateException if that was not negotiated
   */
  public ByteBuffer compress(ByteBuffer payload) {
    MessageDeflater coder = deflater;
    if (coder == null) {
      throw new IllegalStateException("compression was not negotiated");
    }
    ByteBuffer in = payload.duplicate();
    ByteBuffer piece = ByteBuffer.allocate(16 * 1024);
    ByteArrayOutputStream message = new ByteArrayOutputStream();
    boolean done;
    do {
      done = coder.apply(in, piece, true);
      message.write(piece.array(), 0, piece.position());
      piece.clear();
    } while (!done);
    return ByteBuffer.wrap(message.toByteArray());
  }

  /** Returns the bytes of a frame, masked, to be sent in company of others. */
  public ByteBuffer frame(Opcode opcode, boolean fin, ByteBuffer payload) {
    return frame(opcode, fin, 0, payload);
  }

  /** As {@link #frame(Opcode, boolean, ByteBuffer)}, with some of the bits of {@link Extension}. */
  public ByteBuffer frame(Opcode opcode, boolean fin, int reservedBits, ByteBuffer payload) {
    int size = payload.remaining();
    ByteBuffer bytes = ByteBuffer.allocate(writer.headerSize(size) + size);
    writer.header(bytes, opcode, fin, reservedBits, size);
    writer.payload(payload.duplicate(), bytes);
    return bytes.flip();
  }

  /** Sends bytes as they are, written as hexadecimal digits and blanks. */
  public TestWebSocket sendHex(String hex) {
    return send(ByteBuffer.wrap(HexFormat.of().parseHex(hex.replaceAll("\\s", ""))));
  }

  /** Sends the content of several buffers as they are; it arrives in one read. */
  public TestWebSocket send(ByteBuffer... bytes) {
    int size = 0;
    for (ByteBuffer part : bytes) {
      size += part.remaining();
    }
    ByteBuffer all = ByteBuffer.allocate(size);
    for (ByteBuffer part : bytes) {
      all.put(part.duplicate());
    }
    all.flip();
    int most = cut;
    host.loop()
        .execute(() -> {
          while (all.hasRemaining()) {
            int n = Math.min(all.remaining(), most);
            arrive(all.slice(all.position(), n));
            all.position(all.position() + n);
          }
        });
    return this;
  }

  private void arrive(ByteBuffer bytes) {
    if (duplex == null) {
      beforeOpen.add(bytes);
    } else {
      duplex.arrive(bytes);
    }
  }

  /**
   * Cuts what is sent from here on: it arrives {@code bytes} at a time, each in a read of its own.
   */
  public TestWebSocket cutEvery(int bytes) {
    cut = bytes;
    return this;
  }

  /** Ends this direction, as TCP's FIN. */
  public TestWebSocket end() {
    onLoop(MemoryDuplex::peerEnds);
    return this;
  }

  /** Drops the connection, as TCP's RST. */
  public TestWebSocket reset() {
    waiting.change(() -> endSeen = true);
    onLoop(MemoryDuplex::peerResets);
    return this;
  }

  /** Drops the connection when the server next flushes: it finds out inside of that call. */
  TestWebSocket resetAtFlush() {
    waiting.change(() -> endSeen = true);
    onLoop(MemoryDuplex::failAtFlush);
    return this;
  }

  /** Lets what is sent from here on reach a server that has paused: it was on its way already. */
  TestWebSocket overrun() {
    onLoop(MemoryDuplex::overrun);
    return this;
  }

  // ---- Receiving

  /** Takes nothing more from the server, until told otherwise: its output piles up. */
  public TestWebSocket stopTaking() {
    return take(0);
  }

  /** Takes {@code bytes} more from the server, then nothing. */
  public TestWebSocket take(long bytes) {
    onLoop(open -> open.window(bytes));
    host.loop().awaitIdle();
    return this;
  }

  /** Takes whatever the server sends: the beginning, and after {@link #stopTaking} again. */
  public TestWebSocket takeAll() {
    return take(Long.MAX_VALUE);
  }

  /** Returns the next frame; fails if the connection ends instead. */
  public Frame receive() {
    if (!waiting.await(() -> !frames.isEmpty() || end != End.NONE)) {
      throw new AssertionError("no frame came within " + Waiting.SECONDS + " s");
    }
    return locked(() -> {
      Frame frame = frames.poll();
      if (frame == null) {
        throw new AssertionError("no frame came, the connection was " + described());
      }
      return frame;
    });
  }

  /** Returns the next message, which must be text; it may come in several frames. */
  public String receiveText() {
    return StandardCharsets.UTF_8.decode(ByteBuffer.wrap(receiveMessage(Opcode.TEXT))).toString();
  }

  /** Returns the next message, which must be binary; it may come in several frames. */
  public byte[] receiveBinary() {
    return receiveMessage(Opcode.BINARY);
  }

  private byte[] receiveMessage(Opcode type) {
    ByteArrayOutputStream message = new ByteArrayOutputStream();
    Frame frame = receive();
    for (Opcode expected = type; ; expected = Opcode.CONTINUATION) {
      if (frame.opcode() != expected) {
        throw new AssertionError("expected " + expected + ", got " + frame);
      }
      message.writeBytes(frame.bytes());
      if (frame.fin()) {
        return message.toByteArray();
      }
      frame = receive();
    }
  }

  /** Returns what the next frame, which must be a Close, says. */
  public CloseReason receiveClose() {
    Frame frame = receive();
    if (frame.opcode() != Opcode.CLOSE) {
      throw new AssertionError("expected a Close, got " + frame);
    }
    ByteBuffer payload = frame.payload().duplicate();
    return payload.hasRemaining()
        ? new CloseReason(
            payload.getShort() & 0xFFFF, StandardCharsets.UTF_8.decode(payload).toString())
        : CloseReason.NO_STATUS;
  }

  /** Waits until the server has ended its direction, and sent nothing before that. */
  public void awaitEnd() {
    await(End.ENDED);
  }

  /** Waits until the server has dropped the connection, and sent nothing before that. */
  public void awaitReset() {
    await(End.RESET);
  }

  private void await(End expected) {
    if (!waiting.await(() -> !frames.isEmpty() || end != End.NONE)) {
      throw new AssertionError("the connection did not end within " + Waiting.SECONDS + " s");
    }
    locked(() -> {
      if (!frames.isEmpty()) {
        throw new AssertionError("expected the connection's end, got " + frames.peek());
      }
      if (end != expected) {
        throw new AssertionError("the connection was " + described());
      }
      endSeen = true;
      return end;
    });
  }

  /** Waits until the loop is idle, and fails if anything has come that was not asked for. */
  public TestWebSocket expectNothing() {
    host.loop().awaitIdle();
    String left = leftOver();
    if (left != null) {
      throw new AssertionError("expected nothing, got " + left);
    }
    return this;
  }

  // ---- Closing

  /** Closes with 1000: sends a Close, gets its echo and the server's end, and ends. */
  public void close() {
    sendClose(1000, "");
    CloseReason answer = receiveClose();
    if (answer.code() != 1000) {
      throw new AssertionError("Close 1000 was answered with " + answer);
    }
    awaitEnd();
    end();
  }

  /** Receives a Close, answers it with its own code, sees the server's end, and ends. */
  public CloseReason answerClose() {
    CloseReason reason = receiveClose();
    send(Opcode.CLOSE, true, CloseReason.of(reason.code()).toPayload());
    awaitEnd();
    end();
    return reason;
  }

  // ---- What the server holds

  /** Returns how many delivered bytes the server still holds, by the credit it gave back. */
  public long uncredited() {
    return ask(MemoryDuplex::uncredited);
  }

  /** Returns whether the server takes what this end sends; if not, it has had too much. */
  public boolean isServerReading() {
    return ask(MemoryDuplex::isReading);
  }

  /** Returns the bytes that the server has given to its transport and this end has not taken. */
  public long pending() {
    return ask(MemoryDuplex::pending);
  }

  /** Returns how often the server has flushed output. */
  long flushes() {
    return ask(MemoryDuplex::flushes);
  }

  // ---- The loop's side

  /** The connection was upgraded; called on the loop. */
  void opened(MemoryDuplex opened) {
    duplex = opened;
    for (ByteBuffer bytes; (bytes = beforeOpen.poll()) != null; ) {
      opened.arrive(bytes); // waits there until the receiver is open
    }
  }

  /** Returns what this end does with what comes; called on the loop. */
  MemoryDuplex.Peer peer() {
    return new MemoryDuplex.Peer() {
      @Override
      public void received(ByteBuffer bytes) {
        read(bytes);
      }

      @Override
      public void ended() {
        waiting.change(() -> end = End.ENDED);
      }

      @Override
      public void reset() {
        waiting.change(() -> end = End.RESET);
      }
    };
  }

  private void read(ByteBuffer bytes) {
    while (true) {
      switch (reader.next(bytes)) {
        case MORE -> {
          return;
        }
        case DATA -> readData(bytes);
        case PING -> add(new Frame(Opcode.PING, true, reader.controlPayload()));
        case PONG -> add(new Frame(Opcode.PONG, true, reader.controlPayload()));
        case CLOSE -> {
          add(new Frame(Opcode.CLOSE, true, reader.closeReason().toPayload()));
          closed = true;
          reader = new FrameReader(Role.CLIENT); // only control frames may follow (5.5.1)
        }
        case VIOLATION ->
            throw host.faults().add("the server broke a rule: " + reader.violation().text());
      }
    }
  }

  private void readData(ByteBuffer bytes) {
    if (closed) {
      throw host.faults().add("the server sent data behind its Close");
    }
    Opcode opcode = insideMessage ? Opcode.CONTINUATION : reader.messageType();
    ByteBuffer part = ByteBuffer.allocate(reader.isCoded() ? 16 * 1024 : bytes.remaining());
    if (reader.readInto(bytes, part) < 0) {
      return; // the next event tells why
    }
    piece.writeBytes(Arrays.copyOf(part.array(), part.position()));
    if (reader.endOfFrame()) {
      insideMessage = !reader.endOfMessage();
      ByteBuffer payload = ByteBuffer.wrap(piece.toByteArray());
      add(new Frame(opcode, reader.endOfMessage(), payload, reader.isCoded()));
      piece.reset();
    }
  }

  private void add(Frame frame) {
    waiting.change(() -> frames.add(frame));
  }

  /** Returns what came and was not asked for, or null. */
  @Nullable String leftOver() {
    return locked(() -> {
      if (!frames.isEmpty()) {
        return frames.toString();
      }
      return end == End.NONE || endSeen ? null : "a connection that was " + described();
    });
  }

  private String described() {
    return end == End.RESET ? "dropped by the server" : "ended by the server";
  }

  // ---- Threads

  private void onLoop(Consumer<MemoryDuplex> action) {
    host.loop()
        .execute(() -> {
          if (duplex != null) {
            action.accept(duplex);
          }
        });
  }

  private <T> T ask(Function<MemoryDuplex, T> question) {
    var answer = new CompletableFuture<T>();
    onLoop(open -> answer.complete(question.apply(open)));
    return answer.orTimeout(Waiting.SECONDS, TimeUnit.SECONDS).join();
  }

  private <T extends @Nullable Object> T locked(Supplier<T> question) {
    return waiting.locked(question);
  }
}
