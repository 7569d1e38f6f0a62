package dev.windhover.verification.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.windhover.verification.conformance.Case.Need;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Hex;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;

/** The rows 21 and 22: frames that the tester never sends, and messages over the limit. */
final class Frames {
  private static final int[] OPCODES = {0x1, 0x2, 0x8, 0x9, 0xA};
  private static final byte[] MASK = Hex.bytes("37fa213d");

  private Frames() {}

  static void addTo(Beyond beyond) {
    unmasked(beyond);
    lengths(beyond);
    headersAlone(beyond);
    texts(beyond);
    cuts(beyond);
    violationsBehindAMessage(beyond);
    limits(beyond);
  }

  /** Adds a case in which the first frame is answered with a Close. */
  private static void refused(Beyond beyond, String row, int code, String hex) {
    byte[] bytes = Hex.bytes(hex);
    beyond.add(
        row,
        stage -> {
          try (Conversation peer = stage.open()) {
            peer.sendBytes(bytes).expectClose(code);
          }
        });
  }

  private static String hex(int... bytes) {
    StringBuilder hex = new StringBuilder();
    for (int b : bytes) {
      hex.append("%02x".formatted(b));
    }
    return hex.toString();
  }

  private static void unmasked(Beyond beyond) {
    for (int opcode : OPCODES) {
      String payload = opcode == 0x8 ? "03e8" : "4865";
      refused(beyond, "21.1", 1002, hex(0x80 | opcode, 2) + payload);
      refused(beyond, "21.1", 1002, hex(0x80 | opcode, 0));
    }
    refused(beyond, "21.1", 1002, "01 02 4865"); // a fragment
    refused(beyond, "21.1", 1002, "82 7e 0100" + "ab".repeat(256));
    beyond.add(
        "21.1",
        stage -> { // the last fragment alone
          try (Conversation peer = stage.open()) {
            peer.send(new Frame(0x01, "fragment".getBytes(UTF_8)));
            peer.sendBytes(Hex.bytes("80 02 4865")).expectClose(1002);
          }
        });
  }

  private static void lengths(Beyond beyond) {
    for (int first : new int[] {0x81, 0x82, 0x89, 0x8A, 0x88, 0x01}) {
      for (int length : new int[] {0, 1, 2, 125}) {
        byte[] payload = new byte[length];
        refused(beyond, "21.2", 1002, long16(first, length) + Hex.of(MASK) + masked(payload));
        refused(beyond, "21.2", 1002, long64(first, length) + Hex.of(MASK) + masked(payload));
      }
    }
    for (int length : new int[] {126, 65_535}) {
      byte[] payload = new byte[length];
      refused(beyond, "21.2", 1002, long64(0x82, length) + Hex.of(MASK) + masked(payload));
    }
    for (int first : new int[] {0x81, 0x82, 0x01, 0x89}) {
      refused(beyond, "21.3", 1002, long64(first, Long.MIN_VALUE) + Hex.of(MASK));
      refused(beyond, "21.3", 1002, long64(first, -1) + Hex.of(MASK) + "00".repeat(100));
    }
  }

  private static String long16(int first, int length) {
    return hex(first, 0xFE, length >> 8, length & 0xFF);
  }

  private static String long64(int first, long length) {
    return hex(first, 0xFF) + "%016x".formatted(length);
  }

  private static String masked(byte[] payload) {
    byte[] frame = new Frame(0x82, payload).masked(MASK);
    return Hex.of(Arrays.copyOfRange(frame, frame.length - payload.length, frame.length));
  }

  /** What is wrong in the first two bytes needs no more of them. */
  private static void headersAlone(Beyond beyond) {
    for (int opcode : new int[] {3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF}) {
      refused(beyond, "21.4", 1002, hex(0x80 | opcode, 0x85));
    }
    for (int bits = 1; bits < 8; bits++) {
      refused(beyond, "21.4", 1002, hex(0x81 | bits << 4, 0x85));
    }
    for (int control : new int[] {0x88, 0x89, 0x8A}) {
      refused(beyond, "21.4", 1002, hex(control, 0xFE)); // longer than 125
      refused(beyond, "21.4", 1002, hex(control, 0xFF));
      refused(beyond, "21.4", 1002, hex(control & 0x0F, 0x81)); // a fragment
    }
    refused(beyond, "21.4", 1002, hex(0x80, 0x85)); // nothing to continue
    refused(beyond, "21.4", 1002, hex(0x00, 0x85));
    refused(beyond, "21.4", 1002, hex(0x81, 0x05)); // not masked
    refused(beyond, "21.4", 1002, hex(0x88, 0x81) + "00000000 03"); // a Close of one byte
  }

  private static void texts(Beyond beyond) {
    for (Row row : Row.ofTheTester()) {
      if (!row.id().matches("6\\.([6-9]|1.|2.)\\..*") || row.isEchoed()) {
        continue;
      }
      byte[] payload = Texts.payload(row);
      int end = Texts.upToTheBadByte(payload);
      if (end == 0) { // but for its end it is right: only the message's end shows it
        continue;
      }
      byte[] start = Arrays.copyOf(payload, end);
      byte[] good = Arrays.copyOf("valid".getBytes(UTF_8), 5 + end - 1);
      System.arraycopy(start, 0, good, 5, end - 1);
      byte[] bad = {start[end - 1]};
      beyond.add("21.5", stage -> Texts.failsInAFrame(stage, 200, good, bad));
      beyond.add("21.6", stage -> failsInFragments(stage, good, bad));
    }
  }

  /** Each byte comes in a fragment of its own; up to the bad one the server is content. */
  private static void failsInFragments(Stage stage, byte[] good, byte[] bad) throws Exception {
    try (Conversation peer = stage.open()) {
      int opcode = 0x01;
      for (byte b : good) {
        peer.send(new Frame(opcode, new byte[] {b}), Frame.ping("so far"));
        peer.expect(Frame.pong("so far"));
        opcode = 0x00;
      }
      peer.send(new Frame(0x00, bad)).expectClose(1007);
    }
  }

  private static void cuts(Beyond beyond) {
    Frame[] frames = {
      Frame.text("κόσμε"),
      Frame.binary(Standard.random(130)),
      new Frame(0x01, Hex.bytes("cebae1bd")),
      Frame.ping("between"),
      new Frame(0x80, Hex.bytes("b9cf83")),
      Frame.close(3000, "words")
    };
    int length = Frame.masked(frames).length;
    for (int cut = 1; cut < length; cut++) {
      int at = cut;
      beyond.add(
          "21.7",
          stage -> {
            try (Conversation peer = stage.open()) {
              byte[] bytes = peer.bytes(frames);
              peer.sendBytes(Arrays.copyOf(bytes, at));
              peer.sendBytes(Arrays.copyOfRange(bytes, at, length));
              expectAll(peer, frames);
            }
          });
    }
    beyond.add(
        "21.7",
        stage -> {
          try (Conversation peer = stage.open()) {
            peer.sendIn(1, frames);
            expectAll(peer, frames);
          }
        });
  }

  /** The Pong may overtake the echoes before it, and nothing else. */
  private static void expectAll(Conversation peer, Frame[] frames) {
    Frame pong = Frame.pong("between");
    boolean ponged = false;
    Frame[] echoes = {frames[0], frames[1], new Frame(0x81, Hex.bytes("cebae1bdb9cf83"))};
    for (Frame echo : echoes) {
      Frame came = peer.frame();
      if (came.equals(pong) && !ponged) {
        ponged = true;
        came = peer.frame();
      }
      if (!came.equals(echo)) {
        throw new AssertionError("due is " + echo + " and there came " + came);
      }
    }
    if (!ponged) {
      throw new AssertionError("no Pong before the message that the Ping stood in");
    }
    peer.expectClose(3000);
  }

  private static void violationsBehindAMessage(Beyond beyond) {
    Object[][] violations = {
      {1002, "83 80 37fa213d"}, // reserved opcode
      {1002, "c1 80 37fa213d"}, // RSV1
      {1002, "81 05 48656c6c6f"}, // not masked
      {1002, "81 fe 0001 37fa213d 00"}, // not the shortest length
      {1002, "80 80 37fa213d"}, // nothing to continue
      {1002, "09 80 37fa213d"}, // a fragment of a Ping
      {1002, "88 81 37fa213d 34"}, // a Close of one byte
      {1002, "88 82 00000000 03ed"}, // code 1005
      {1002, "88 82 00000000 0000"}, // code 0
      {1007, "81 82 00000000 c080"}, // not UTF-8
      {1007, "81 81 00000000 ce"}, // cut UTF-8
      {1007, "88 83 00000000 03e8 ff"}, // a reason that is not UTF-8
    };
    for (Object[] violation : violations) {
      int code = (int) violation[0];
      byte[] bad = Hex.bytes((String) violation[1]);
      beyond.add(
          "21.8",
          stage -> {
            Frame good = Frame.text("good");
            Frame more = Frame.binary(Standard.random(300));
            try (Conversation peer = stage.open()) {
              ByteArrayOutputStream bytes = new ByteArrayOutputStream();
              bytes.writeBytes(peer.bytes(good, more));
              bytes.writeBytes(bad);
              bytes.writeBytes(
                  peer.bytes(Frame.text("behind"), Frame.ping("behind"), Frame.close(1000, "")));
              peer.sendBytes(bytes.toByteArray());
              peer.expect(good, more).expectClose(code);
            }
          });
    }
  }

  private static void limits(Beyond beyond) {
    for (int first : new int[] {0x81, 0x82, 0x01}) {
      for (long length : new long[] {1_001, 65_535, 65_536, 1L << 31, 1L << 32, 1L << 62}) {
        beyond.add(
            length < 1L << 31 ? "22.1" : "22.4",
            Need.SETTINGS,
            stage -> {
              try (Conversation peer = stage.open("&max_message=1000")) {
                peer.sendBytes(Frame.header(first, length))
                    .sendBytes((byte) 0x37)
                    .expectClose(1009);
              }
            });
      }
    }
    beyond.add(
        "22.4",
        stage -> { // over any limit
          try (Conversation peer = stage.open()) {
            peer.sendBytes(Frame.header(0x82, Long.MAX_VALUE)).sendBytes((byte) 0);
            peer.expectClose(1009);
          }
        });
    beyond.add(
        "22.2",
        Need.SETTINGS,
        stage -> {
          try (Conversation peer = stage.open("&max_message=1000")) {
            Frame half = new Frame(0x00, new byte[500]);
            peer.send(new Frame(0x02, new byte[500]), half, Frame.ping("so far"));
            peer.expect(Frame.pong("so far"));
            peer.send(new Frame(0x80, new byte[1])).expectClose(1009);
          }
        });
    beyond.add(
        "22.2",
        Need.SETTINGS,
        stage -> { // what was good before it is answered
          try (Conversation peer = stage.open("&max_message=1000")) {
            Frame good = Frame.binary(new byte[1_000]);
            peer.send(good, new Frame(0x01, new byte[999]), new Frame(0x00, new byte[2]), good);
            peer.expect(good).expectClose(1009);
          }
        });
    for (int size : new int[] {1, 125, 126, 65_536}) {
      beyond.add(
          "22.3",
          Need.SETTINGS,
          stage -> {
            Frame message = Frame.binary(Standard.random(size));
            try (Conversation peer = stage.open("&max_message=" + size)) {
              peer.send(message).expect(message);
              byte[] start = Arrays.copyOf(message.payload(), size - 1);
              byte[] end = {message.payload()[size - 1]};
              peer.send(new Frame(0x02, start), new Frame(0x80, end)).expect(message).finish();
            }
          });
    }
  }
}
