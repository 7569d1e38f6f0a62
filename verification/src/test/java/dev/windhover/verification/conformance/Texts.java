package dev.windhover.verification.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.windhover.verification.conformance.Case.Script;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Hex;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.Arrays;
import java.util.HexFormat;

/** The rows 6: what is UTF-8 is echoed, what is not is refused, and at its first bad byte. */
final class Texts {
  private static final int TEXT = 0x01;
  private static final int FIN = 0x80;
  private static final String MIXED = "Hello-µ@ßöäüàá-UTF-8!!";
  private static final byte[] GREEK = Hex.bytes("cebae1bdb9cf83cebcceb5");
  private static final byte[] EDITED = "edited".getBytes(UTF_8);

  /** What may follow a byte of UTF-8: a second byte of each range there is, then the lowest. */
  private static final String[] CONTINUATIONS = {
    "", "80", "90", "a0", "8080", "9080", "a080", "808080", "908080", "a08080"
  };

  private Texts() {}

  static Script script(Row row) {
    return switch (row.id()) {
      case "6.1.1" -> echoed(row, new byte[0]);
      case "6.1.2" -> echoed(row, new byte[0], new byte[0], new byte[0]);
      case "6.1.3" -> echoed(row, new byte[0], "middle".getBytes(UTF_8), new byte[0]);
      case "6.2.1" -> echoed(row, MIXED.getBytes(UTF_8));
      case "6.2.2" ->
          echoed(row, MIXED.substring(0, 8).getBytes(UTF_8), MIXED.substring(8).getBytes(UTF_8));
      case "6.2.3" -> echoed(row, singly(MIXED.getBytes(UTF_8)));
      case "6.2.4" -> echoed(row, singly(GREEK));
      case "6.3.1" -> refused(row, join(GREEK, Hex.bytes("eda080"), EDITED));
      case "6.3.2" -> refused(row, singly(join(GREEK, Hex.bytes("eda080"), EDITED)));
      case "6.4.1" -> stage -> failsFast(stage, GREEK, Hex.bytes("f4908080"));
      case "6.4.2" -> stage -> failsFast(stage, join(GREEK, Hex.bytes("f4")), Hex.bytes("90"));
      case "6.4.3" -> stage -> failsInAFrame(stage, 21, GREEK, Hex.bytes("f4908080"));
      case "6.4.4" ->
          stage -> failsInAFrame(stage, 21, join(GREEK, Hex.bytes("f4")), Hex.bytes("90"));
      default -> row.isEchoed() ? echoed(row, payload(row)) : refused(row, payload(row));
    };
  }

  /** Returns the bytes that a row of 6.5 and on names, or means. */
  static byte[] payload(Row row) {
    return switch (row.id()) {
      case "6.12.8" -> range(0x80, 0xBF, "");
      case "6.13.1" -> range(0xC0, 0xDF, "20");
      case "6.13.2" -> range(0xE0, 0xEF, "20");
      case "6.15.1" ->
          Hex.bytes("c0 e080 f08080 f8808080 fc80808080 df efbf f7bfbf fbbfbfbf fdbfbfbfbf");
      default -> Hex.bytes(row.find("payload ([0-9a-f]+)$"));
    };
  }

  private static byte[] range(int from, int to, String behindEach) {
    StringBuilder hex = new StringBuilder();
    for (int b = from; b < to; b++) {
      hex.append(HexFormat.of().toHexDigits((byte) b)).append(behindEach);
    }
    return Hex.bytes(hex.toString());
  }

  /** Returns whether the JDK, told to report, takes it. */
  static boolean isUtf8(byte[] bytes) {
    try {
      UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
      return true;
    } catch (CharacterCodingException e) {
      return false;
    }
  }

  /**
   * Returns how many bytes there are up to and with the first that no UTF-8 can have in its place,
   * or 0 if only the end is missing.
   */
  static int upToTheBadByte(byte[] bytes) {
    for (int end = 1; end <= bytes.length; end++) {
      byte[] start = Arrays.copyOf(bytes, end);
      boolean viable = false;
      for (String more : CONTINUATIONS) {
        viable |= isUtf8(join(start, Hex.bytes(more)));
      }
      if (!viable) {
        return end;
      }
    }
    return 0;
  }

  private static Script echoed(Row row, byte[]... parts) {
    byte[] text = join(parts);
    if (!isUtf8(text)) {
      throw new AssertionError("not UTF-8: " + row);
    }
    return stage -> {
      try (Conversation peer = stage.open()) {
        peer.send(frames(parts)).expect(new Frame(FIN | TEXT, text)).finish();
      }
    };
  }

  private static Script refused(Row row, byte[]... parts) {
    if (isUtf8(join(parts))) {
      throw new AssertionError("is UTF-8: " + row);
    }
    return stage -> {
      try (Conversation peer = stage.open()) {
        peer.send(frames(parts)).expectClose(1007);
      }
    };
  }

  /** The message never ends: what it has is enough. */
  private static void failsFast(Stage stage, byte[] good, byte[] bad) throws Exception {
    try (Conversation peer = stage.open()) {
      peer.send(new Frame(TEXT, good), Frame.ping("so far"));
      peer.expect(Frame.pong("so far"));
      peer.send(new Frame(0x00, bad)).expectClose(1007);
    }
  }

  /** The frame never ends: of {@code size} bytes that it declares only these come. */
  static void failsInAFrame(Stage stage, int size, byte[] good, byte[] bad) throws Exception {
    try (Conversation peer = stage.open()) {
      peer.send(Frame.ping("so far")).expect(Frame.pong("so far"));
      byte[] frame = new Frame(TEXT, Arrays.copyOf(join(good, bad), size)).masked();
      int header = frame.length - size;
      peer.sendBytes(Arrays.copyOf(frame, header + good.length));
      int behind = header + good.length + bad.length;
      peer.sendBytes(Arrays.copyOfRange(frame, header + good.length, behind));
      peer.expectClose(1007);
    }
  }

  static Frame[] frames(byte[]... parts) {
    Frame[] frames = new Frame[parts.length];
    for (int i = 0; i < parts.length; i++) {
      int fin = i == parts.length - 1 ? FIN : 0;
      frames[i] = new Frame(fin | (i == 0 ? TEXT : 0), parts[i]);
    }
    return frames;
  }

  static byte[][] singly(byte[] bytes) {
    byte[][] parts = new byte[bytes.length][];
    for (int i = 0; i < bytes.length; i++) {
      parts[i] = new byte[] {bytes[i]};
    }
    return parts;
  }

  static byte[] join(byte[]... parts) {
    ByteArrayOutputStream joined = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      joined.writeBytes(part);
    }
    return joined.toByteArray();
  }
}
