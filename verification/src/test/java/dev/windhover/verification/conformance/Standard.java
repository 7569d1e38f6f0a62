package dev.windhover.verification.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.windhover.verification.conformance.Case.Script;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Hex;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The rows 1 to 10 of the tester, each with the one right answer; what a row's words say (sizes,
 * bytes, codes) is read from them.
 */
final class Standard {
  private static final int KIB = 1024;
  private static final int MIB = 1024 * KIB;
  private static final byte[] NONE = {};
  private static final int CONTINUATION = 0x00;
  private static final int TEXT = 0x01;
  private static final int BINARY = 0x02;
  private static final int PING = 0x09;
  private static final int PONG = 0x0A;
  private static final int FIN = 0x80;

  private Standard() {}

  static Script script(Row row) {
    String family = row.id().substring(0, row.id().indexOf('.'));
    return switch (family) {
      case "1" -> oneFrame(row);
      case "2" -> pings(row.id());
      case "3" -> reservedBits(row.id());
      case "4" -> reservedOpcodes(row);
      case "5" -> fragments(row);
      case "6" -> Texts.script(row);
      case "7" -> closes(row);
      case "9" -> big(row);
      case "10" -> stage -> echoInFragments(stage, FIN | TEXT, letters(65_536), 1_300, false);
      case "12", "13" -> DeflateEchoes.script(row);
      default -> throw new AssertionError("no family for " + row);
    };
  }

  // ---- 1: one frame of each length

  private static Script oneFrame(Row row) {
    int size = row.says("empty") ? 0 : Integer.parseInt(row.find(", (\\d+) B"));
    int piece =
        row.says("TCP writes of")
            ? Integer.parseInt(row.find("writes of (\\d+) B"))
            : Integer.MAX_VALUE;
    byte[] payload = row.says("text") ? letters(size) : new byte[size];
    if (row.says("binary")) {
      Arrays.fill(payload, (byte) 0xFE);
    }
    Frame message = new Frame(FIN | (row.says("text") ? TEXT : BINARY), payload);
    return stage -> echo(stage, message, piece);
  }

  private static void echo(Stage stage, Frame message, int piece) throws Exception {
    try (Conversation peer = stage.open()) {
      if (piece == Integer.MAX_VALUE) {
        peer.send(message);
      } else {
        peer.sendIn(piece, message);
      }
      peer.expect(message).finish();
    }
  }

  // ---- 2: Pings and Pongs

  private static Script pings(String id) {
    return switch (id) {
      case "2.1" -> ping(NONE, false);
      case "2.2" -> ping("Hello, world!".getBytes(UTF_8), false);
      case "2.3" -> ping(Hex.bytes("00ff fefd fcfb 00ff"), false);
      case "2.4" -> ping(filled(125, 0xFE), false);
      case "2.5" -> refused(1002, new Frame(FIN | PING, filled(126, 0xFE)));
      case "2.6" -> ping(filled(125, 0xFE), true);
      case "2.7" -> unsolicited(Frame.pong(""));
      case "2.8" -> unsolicited(Frame.pong("unsolicited pong payload"));
      case "2.9" ->
          stage -> {
            try (Conversation peer = stage.open()) {
              peer.send(Frame.pong("unsolicited"), Frame.ping("ping payload"));
              peer.expect(Frame.pong("ping payload")).finish();
            }
          };
      case "2.10" -> tenPings(false);
      case "2.11" -> tenPings(true);
      default -> throw new AssertionError("no case " + id);
    };
  }

  private static Script ping(byte[] payload, boolean bytewise) {
    return stage -> {
      try (Conversation peer = stage.open()) {
        peer.sendIn(bytewise ? 1 : 1_000, new Frame(FIN | PING, payload));
        peer.expect(new Frame(FIN | PONG, payload)).finish();
      }
    };
  }

  private static Script unsolicited(Frame pong) {
    return stage -> {
      try (Conversation peer = stage.open()) {
        peer.send(pong).finish();
      }
    };
  }

  private static Script tenPings(boolean bytewise) {
    Frame[] pings = new Frame[10];
    Frame[] pongs = new Frame[10];
    for (int i = 0; i < 10; i++) {
      pings[i] = Frame.ping("payload-" + i);
      pongs[i] = Frame.pong("payload-" + i);
    }
    return stage -> {
      try (Conversation peer = stage.open()) {
        peer.sendIn(bytewise ? 1 : 1_000, pings);
        peer.expect(pongs).finish();
      }
    };
  }

  // ---- 3, 4: reserved bits and opcodes

  /** How the bytes of a case are cut. */
  private enum Cut {
    WHOLE,
    FRAMES,
    BYTES;

    static Cut of(Row row) {
      return row.sent().contains("byte per TCP write")
          ? BYTES
          : row.sent().contains("frame per TCP write")
                  || row.sent().contains("a TCP write per frame")
              ? FRAMES
              : WHOLE;
    }

    void send(Conversation peer, Frame... frames) {
      switch (this) {
        case WHOLE -> peer.send(frames);
        case FRAMES -> peer.sendEach(frames);
        case BYTES -> peer.sendIn(1, frames);
      }
    }
  }

  private static Script reservedBits(String id) {
    Frame good = Frame.text("Hello, world!");
    Frame behind = Frame.ping("");
    return switch (id) {
      case "3.1" -> refused(1002, reserved(1, FIN | TEXT));
      case "3.2" -> refusedBehind(good, Cut.WHOLE, reserved(2, FIN | TEXT), behind);
      case "3.3" -> refusedBehind(good, Cut.FRAMES, reserved(3, FIN | TEXT), behind);
      case "3.4" -> refusedBehind(good, Cut.BYTES, reserved(4, FIN | TEXT), behind);
      case "3.5" -> refused(1002, reserved(5, FIN | BINARY));
      case "3.6" -> refused(1002, reserved(6, FIN | PING));
      case "3.7" -> refused(1002, new Frame(0x70 | 0x88, Frame.close(1000, "").payload()));
      default -> throw new AssertionError("no case " + id);
    };
  }

  private static Frame reserved(int bits, int first) {
    return new Frame(bits << 4 | first, "Hello, world!".getBytes(UTF_8));
  }

  private static Script reservedOpcodes(Row row) {
    int opcode = Integer.parseInt(row.find("opcode (\\d+)"));
    byte[] payload = row.says("with payload") ? "reserved opcode".getBytes(UTF_8) : NONE;
    Frame bad = new Frame(FIN | opcode, payload);
    return row.says("good text frame")
        ? refusedBehind(Frame.text("Hello, world!"), Cut.WHOLE, bad, Frame.ping(""))
        : refused(1002, bad);
  }

  /** The first frame must be answered with a Close, whatever is behind it. */
  private static Script refused(int code, Frame... frames) {
    return refused(code, Cut.WHOLE, frames);
  }

  private static Script refused(int code, Cut cut, Frame... frames) {
    return stage -> {
      try (Conversation peer = stage.open()) {
        cut.send(peer, frames);
        peer.expectClose(code);
      }
    };
  }

  /** The good message is answered, and then there is but the Close. */
  private static Script refusedBehind(Frame good, Cut cut, Frame... bad) {
    Frame[] all = new Frame[bad.length + 1];
    all[0] = good;
    System.arraycopy(bad, 0, all, 1, bad.length);
    return stage -> {
      try (Conversation peer = stage.open()) {
        cut.send(peer, all);
        peer.expect(good).expectClose(1002);
      }
    };
  }

  // ---- 5: fragments

  private static Script fragments(Row row) {
    Frame first = new Frame(TEXT, "fragment1".getBytes(UTF_8));
    Frame last = new Frame(FIN | CONTINUATION, "fragment2".getBytes(UTF_8));
    Frame joined = Frame.text("fragment1fragment2");
    Frame more = Frame.text("Hello, world!");
    Frame strayLast = new Frame(FIN | CONTINUATION, "stray".getBytes(UTF_8));
    Frame stray = new Frame(CONTINUATION, "stray".getBytes(UTF_8));
    Cut cut = Cut.of(row);
    return switch (row.id()) {
      case "5.1", "5.2" -> {
        int opcode = row.id().equals("5.1") ? PING : PONG;
        yield refused(1002, new Frame(opcode, "fragment1".getBytes(UTF_8)), last);
      }
      case "5.3", "5.4", "5.5" ->
          stage -> {
            try (Conversation peer = stage.open()) {
              cut.send(peer, first, last);
              peer.expect(joined).finish();
            }
          };
      case "5.6", "5.7", "5.8" ->
          stage -> {
            try (Conversation peer = stage.open()) {
              cut.send(peer, first, Frame.ping("ping payload"), last);
              peer.expect(Frame.pong("ping payload"), joined).finish();
            }
          };
      case "5.9", "5.10", "5.11" -> refused(1002, cut, strayLast, more);
      case "5.12", "5.13", "5.14" -> refused(1002, cut, stray, more);
      case "5.15" ->
          stage -> {
            try (Conversation peer = stage.open()) {
              peer.send(first, last, stray, more).expect(joined).expectClose(1002);
            }
          };
      case "5.16" -> refused(1002, stray, first, last, stray, first, last);
      case "5.17" -> refused(1002, strayLast, first, last, strayLast, first, last);
      case "5.18" -> refused(1002, first, new Frame(FIN | TEXT, last.payload()));
      case "5.19", "5.20" -> stage -> pingsBetweenFragments(stage, cut);
      default -> throw new AssertionError("no case " + row);
    };
  }

  private static void pingsBetweenFragments(Stage stage, Cut cut) throws Exception {
    Frame[] parts = new Frame[5];
    for (int i = 0; i < 5; i++) {
      int first = i == 0 ? TEXT : i == 4 ? FIN | CONTINUATION : CONTINUATION;
      parts[i] = new Frame(first, ("fragment" + (i + 1)).getBytes(UTF_8));
    }
    try (Conversation peer = stage.open()) {
      cut.send(peer, parts[0], parts[1], Frame.ping("ping 1"));
      peer.expect(Frame.pong("ping 1")); // within the pause: we go on only when it is there
      cut.send(peer, parts[2], parts[3], Frame.ping("ping 2"), parts[4]);
      peer.expect(Frame.pong("ping 2"));
      peer.expect(Frame.text("fragment1fragment2fragment3fragment4fragment5")).finish();
    }
  }

  // ---- 7: closing

  private static Script closes(Row row) {
    Frame close = Frame.close(1000, "");
    return switch (row.id()) {
      case "7.1.1" -> stage -> echo(stage, Frame.text("Hello, world!"), Integer.MAX_VALUE);
      case "7.1.2" -> closed(1000, close, Frame.close(3000, "second"));
      case "7.1.3" -> closed(1000, close, Frame.ping("behind"));
      case "7.1.4" -> closed(1000, close, Frame.text("behind"));
      case "7.1.5" ->
          closed(
              1000,
              new Frame(TEXT, "fragment1".getBytes(UTF_8)),
              close,
              new Frame(FIN | CONTINUATION, "fragment2".getBytes(UTF_8)));
      case "7.1.6" ->
          stage -> {
            Frame big = new Frame(FIN | TEXT, letters(256 * KIB));
            Frame small = Frame.text("Hello, world!");
            try (Conversation peer = stage.open()) {
              peer.send(big, small, close, Frame.ping("behind"));
              peer.expect(big, small).expectClose(1000);
            }
          };
      case "7.3.1" -> closed(1005, Frame.emptyClose());
      case "7.3.2" -> closed(1002, new Frame(0x88, new byte[] {3}));
      case "7.3.3" -> closed(1000, close);
      case "7.3.4" -> closed(1000, Frame.close(1000, "Hello, world!"));
      case "7.3.5" -> closed(1000, Frame.close(1000, "*".repeat(123)));
      case "7.3.6" -> closed(1002, Frame.close(1000, "*".repeat(124)));
      case "7.5.1" -> closed(1007, new Frame(0x88, Hex.bytes("03e8 cebae1bdb9eda080656469746564")));
      default -> {
        int code = Integer.parseInt(row.find("code (\\d+)"));
        yield closed(row.says("valid code") && !row.says("invalid") ? code : 1002, code);
      }
    };
  }

  private static Script closed(int answer, int code) {
    return closed(answer, Frame.close(code, ""));
  }

  private static Script closed(int answer, Frame... frames) {
    return stage -> {
      try (Conversation peer = stage.open()) {
        peer.send(frames);
        if (answer == 1005) {
          peer.expectEmptyClose();
        } else {
          peer.expectClose(answer);
        }
      }
    };
  }

  // ---- 9: much

  private static Script big(Row row) {
    int first = FIN | (row.says("text") ? TEXT : BINARY);
    if (row.says("ping-pong")) {
      int size = Integer.parseInt(row.find("of (\\d+) B"));
      return stage -> {
        byte[] payload = (first & TEXT) != 0 ? letters(size) : random(size);
        Frame message = new Frame(first, payload);
        try (Conversation peer = stage.open()) {
          for (int i = stage.rounds(1_000, size); i > 0; i--) {
            peer.send(message).expect(message);
          }
          peer.finish();
        }
      };
    }
    boolean begins = Character.isDigit(row.sent().charAt(0));
    int size = bytes(row.find(begins ? "^(\\d+ MiB)" : "one frame of (\\d+ [KM]iB)"));
    if (row.says("fragments of")) {
      int fragment = bytes(row.find("fragments of (\\d+ (?:[KM]i)?B)"));
      return stage -> echoInFragments(stage, first, payload(first, size), fragment, true);
    }
    int piece = row.says("TCP writes") ? bytes(row.find("writes of (\\d+ B)")) : Integer.MAX_VALUE;
    return stage -> echo(stage, new Frame(first, payload(first, size)), piece);
  }

  private static byte[] payload(int first, int size) {
    return (first & TEXT) != 0 ? letters(size) : random(size);
  }

  private static void echoInFragments(
      Stage stage, int first, byte[] payload, int size, boolean emptyLast) throws Exception {
    List<Frame> frames = new ArrayList<>();
    for (int from = 0; from < payload.length; from += size) {
      int to = Math.min(payload.length, from + size);
      int fin = to == payload.length && !emptyLast ? FIN : 0;
      int opcode = from == 0 ? first & 0x0F : CONTINUATION;
      frames.add(new Frame(fin | opcode, Arrays.copyOfRange(payload, from, to)));
    }
    if (emptyLast) {
      frames.add(new Frame(FIN | CONTINUATION, NONE));
    }
    try (Conversation peer = stage.open()) {
      peer.send(frames.toArray(Frame[]::new));
      peer.expect(new Frame(first, payload)).finish();
    }
  }

  /** Returns what {@code "4 MiB"} says. */
  private static int bytes(String words) {
    String[] numberAndUnit = words.split(" ", 2);
    int number = Integer.parseInt(numberAndUnit[0]);
    return switch (numberAndUnit[1]) {
      case "B" -> number;
      case "KiB" -> number * KIB;
      default -> number * MIB;
    };
  }

  // ---- Payloads

  /** Returns so many bytes of ASCII in which every place is another. */
  static byte[] letters(int size) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(size + 16);
    for (int i = 0; bytes.size() < size; i++) {
      bytes.writeBytes((i + " ").getBytes(UTF_8));
    }
    return Arrays.copyOf(bytes.toByteArray(), size);
  }

  /** Returns so many bytes, always the same. */
  static byte[] random(int size) {
    byte[] bytes = new byte[size];
    new java.util.Random(size).nextBytes(bytes);
    return bytes;
  }

  private static byte[] filled(int size, int value) {
    byte[] bytes = new byte[size];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }
}
