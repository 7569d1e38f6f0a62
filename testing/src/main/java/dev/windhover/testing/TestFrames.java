package dev.windhover.testing;

import dev.windhover.protocol.CloseReason;
import dev.windhover.protocol.Extension;
import dev.windhover.protocol.FrameWriter;
import dev.windhover.protocol.Opcode;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * The client of a {@link TestWebSocket}, frame by frame and under the full control of a test. It
 * sends what the test tells it to, valid or not, and does nothing by itself. A Ping, for example,
 * is answered by the test or not at all.
 *
 * <p>Frames are kept until the test receives them. Frames that it never receives fail the test when
 * the host closes. The real engine, in the client's role, reads them, so a frame that breaks a rule
 * is a fault of the server. Each wait has a limit of 10 seconds.
 */
public final class TestFrames extends TestConnection<TestFrames> {
  TestFrames(Wire wire, @Nullable TestResponse response) {
    super(wire, response);
  }

  @Override
  TestFrames self() {
    return this;
  }

  // ---- Sending

  /** Sends a whole text message in one frame. */
  public TestFrames sendText(String text) {
    return send(Opcode.TEXT, true, Frame.utf8(text));
  }

  /** Sends a whole binary message in one frame. */
  public TestFrames sendBinary(byte[] payload) {
    return send(Opcode.BINARY, true, ByteBuffer.wrap(Objects.requireNonNull(payload, "payload")));
  }

  /** Sends a Ping with {@code text}. */
  public TestFrames sendPing(String text) {
    return send(Frame.ping(text));
  }

  /** Sends a Close. */
  public TestFrames sendClose(int code, String text) {
    return send(Frame.close(code, text));
  }

  /**
   * Sends a frame, masked, and compressed if the frame is marked as compressed.
   *
   * @throws IllegalStateException if the frame is marked as compressed, but compression was not
   *     negotiated
   */
  public TestFrames send(Frame frame) {
    if (!frame.compressed()) {
      return send(frame.opcode(), frame.fin(), frame.payload());
    }
    ByteBuffer payload = wire().compress(frame.payload(), frame.fin());
    int bits = frame.opcode() == Opcode.CONTINUATION ? 0 : Extension.RSV1;
    return send(frame(frame.opcode(), frame.fin(), bits, payload));
  }

  /** Sends a frame, masked, whether or not it is allowed. */
  public TestFrames send(Opcode opcode, boolean fin, ByteBuffer payload) {
    return send(frame(opcode, fin, payload));
  }

  /**
   * Sends a whole message, compressed, in one frame.
   *
   * @throws IllegalStateException if compression was not negotiated
   */
  public TestFrames sendCompressed(Opcode opcode, ByteBuffer payload) {
    return send(frame(opcode, true, Extension.RSV1, compress(payload)));
  }

  /**
   * Returns the payload of a compressed message, to be sent as one frame or several. Messages must
   * be sent in the order in which they were compressed.
   *
   * @throws IllegalStateException if compression was not negotiated
   */
  public ByteBuffer compress(ByteBuffer payload) {
    return wire().compress(payload, true);
  }

  /** Returns the bytes of a frame, masked, to be sent together with others. */
  public ByteBuffer frame(Opcode opcode, boolean fin, ByteBuffer payload) {
    return frame(opcode, fin, 0, payload);
  }

  /** Like {@link #frame(Opcode, boolean, ByteBuffer)}, with reserved bits of {@link Extension}. */
  public ByteBuffer frame(Opcode opcode, boolean fin, int reservedBits, ByteBuffer payload) {
    FrameWriter writer = FrameWriter.client(ThreadLocalRandom.current());
    int size = payload.remaining();
    ByteBuffer bytes = ByteBuffer.allocate(writer.headerSize(size) + size);
    writer.header(bytes, opcode, fin, reservedBits, size);
    writer.payload(payload.duplicate(), bytes);
    return bytes.flip();
  }

  /** Sends bytes as they are, given as hexadecimal digits and spaces. */
  public TestFrames sendHex(String hex) {
    return send(ByteBuffer.wrap(HexFormat.of().parseHex(hex.replaceAll("\\s", ""))));
  }

  /** Sends the content of several buffers as they are; it arrives in one read. */
  public TestFrames send(ByteBuffer... bytes) {
    wire().send(bytes);
    return this;
  }

  // ---- Receiving

  /** Returns the next frame; fails if the connection ends instead. */
  public Frame receive() {
    return wire().require("a frame");
  }

  /** Receives a frame that must equal {@code expected}. */
  public TestFrames expect(Frame expected) {
    Frame frame = wire().require(expected.toString());
    if (!frame.equals(expected)) {
      throw wire().failed(frame.insteadOf(expected));
    }
    return this;
  }

  /** Returns the next frame, which must be a Ping. Answer it with a Pong of the same payload. */
  public Frame expectPing() {
    return expect(Opcode.PING, "a Ping");
  }

  private Frame expect(Opcode opcode, String words) {
    Frame frame = wire().require(words);
    if (frame.opcode() != opcode) {
      throw wire().failed("expected " + words + ", got " + frame);
    }
    return frame;
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
    Frame frame = expect(type, type.toString());
    message.writeBytes(frame.bytes());
    while (!frame.fin()) {
      frame = expect(Opcode.CONTINUATION, "the rest of a message");
      message.writeBytes(frame.bytes());
    }
    return message.toByteArray();
  }

  /** Returns the code and text of the next frame, which must be a Close. */
  public CloseReason receiveClose() {
    return expect(Opcode.CLOSE, "a Close").closeReason();
  }

  // ---- Closing

  /** Closes with 1000: sends a Close, receives its echo and the server's end, and ends. */
  public void close() {
    sendClose(1000, "");
    CloseReason answer = receiveClose();
    if (answer.code() != 1000) {
      throw wire().failed("Close 1000 was answered with " + answer);
    }
    expectEnd();
    end();
  }

  /** Receives a Close, answers it with the same code, waits for the server's end, and ends. */
  public CloseReason answerClose() {
    CloseReason reason = receiveClose();
    sendClose(reason.code(), "");
    expectEnd();
    end();
    return reason;
  }
}
