package dev.windhover.verification.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.windhover.verification.conformance.Case.Need;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Hex;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.zip.Deflater;

/** The rows 26: messages of permessage-deflate, right and wrong (RFC 7692 7.2). */
final class Compressed {
  private static final String OFFER = "permessage-deflate";
  private static final int RSV1 = 0x40;
  private static final byte[] TEXT =
      "to compress, it is said again: to compress, it is said again. ".repeat(8).getBytes(UTF_8);

  private Compressed() {}

  static void addTo(Beyond beyond) {
    contexts(beyond);
    bits(beyond);
    corrupt(beyond);
    bombs(beyond);
    blocks(beyond);
    texts(beyond);
    fragments(beyond);
    windows(beyond);
  }

  /** Adds a case in which each of these payloads comes with RSV1 and must be echoed as its text. */
  private static void echoed(Beyond beyond, String row, String text, String... payloads) {
    beyond.add(
        row,
        stage -> {
          try (Conversation peer = stage.openDeflate("", OFFER)) {
            for (String payload : payloads) {
              peer.send(new Frame(0x81 | RSV1, Hex.bytes(payload))).expect(Frame.text(text));
            }
            peer.finish();
          }
        });
  }

  /** Adds a case in which a frame, behind a good message, is answered with a Close. */
  private static void refused(Beyond beyond, String row, int code, Frame... frames) {
    beyond.add(
        row,
        stage -> {
          try (Conversation peer = stage.openDeflate("", OFFER)) {
            byte[] good = peer.deflate().deflate(TEXT);
            peer.send(new Frame(0x81 | RSV1, good)).expect(new Frame(0x81, TEXT));
            peer.send(frames).expectClose(code);
          }
        });
  }

  // ---- Contexts (7.2.3.2)

  private static void contexts(Beyond beyond) {
    for (int gap : new int[] {0, 100, 20_000, 32_000}) {
      beyond.add(
          "26.1",
          stage -> {
            byte[] far = Standard.random(gap);
            try (Conversation peer = stage.openDeflate("", OFFER)) {
              byte[] first = peer.deflate().deflate(TEXT);
              byte[] between = peer.deflate().deflate(far);
              byte[] again = peer.deflate().deflate(TEXT);
              if (again.length > 20) {
                throw new AssertionError("our own message does not refer back: " + again.length);
              }
              peer.send(new Frame(0x81 | RSV1, first)).expect(new Frame(0x81, TEXT));
              peer.send(Frame.text("plain")).expect(Frame.text("plain"));
              peer.send(new Frame(0x82 | RSV1, between)).expect(Frame.binary(far));
              peer.send(new Frame(0x81 | RSV1, again)).expect(new Frame(0x81, TEXT));
              peer.finish();
            }
          });
    }
    beyond.add(
        "26.1",
        stage -> { // a server that takes over says less the second time
          try (Conversation peer = stage.openDeflate("", OFFER)) {
            int first = lengthOfEcho(peer);
            int second = lengthOfEcho(peer);
            if (second >= first) {
              throw new AssertionError("echoes of " + first + " and then " + second + " bytes");
            }
            peer.finish();
          }
        });
    for (String side : new String[] {"client", "server"}) {
      beyond.add(
          "26.2",
          stage -> {
            String offer = OFFER + "; " + side + "_no_context_takeover";
            try (Conversation peer = stage.openDeflate("", offer)) {
              for (int i = 0; i < 5; i++) {
                lengthOfEcho(peer); // decoded by itself where that was agreed on
              }
              peer.finish();
            }
          });
    }
    beyond.add(
        "26.2",
        stage -> { // one that refers back to what was to be forgotten
          String offer = OFFER + "; client_no_context_takeover";
          try (Conversation peer = stage.openDeflate("", offer);
              Conversation other = stage.openDeflate("", OFFER)) {
            if (peer.deflate().hasClientContextTakeover()) {
              throw new AssertionError("client_no_context_takeover is not agreed on");
            }
            byte[] first = other.deflate().deflate(TEXT);
            byte[] again = other.deflate().deflate(TEXT);
            peer.send(new Frame(0x81 | RSV1, first)).expect(new Frame(0x81, TEXT));
            peer.send(new Frame(0x81 | RSV1, again)).expectClose(1007);
          }
        });
    beyond.add(
        "26.4",
        stage -> {
          try (Conversation peer = stage.openDeflate("", OFFER)) {
            for (int i = 0; i < 20; i++) {
              byte[] message = ("message " + i + " ").repeat(20).getBytes(UTF_8);
              peer.send(
                  i % 2 == 0
                      ? new Frame(0x81, message)
                      : new Frame(0x81 | RSV1, peer.deflate().deflate(message)));
              peer.expect(new Frame(0x81, message));
            }
            peer.finish();
          }
        });
    beyond.add(
        "26.4",
        stage -> { // in one write
          try (Conversation peer = stage.openDeflate("", OFFER)) {
            Frame[] sent = new Frame[40];
            Frame[] due = new Frame[40];
            for (int i = 0; i < sent.length; i++) {
              byte[] message = ("message " + i + " ").repeat(20).getBytes(UTF_8);
              due[i] = new Frame(0x81, message);
              sent[i] =
                  i % 3 == 0 ? due[i] : new Frame(0x81 | RSV1, peer.deflate().deflate(message));
            }
            peer.send(sent).expect(due).finish();
          }
        });
  }

  private static int lengthOfEcho(Conversation peer) {
    peer.send(new Frame(0x81 | RSV1, peer.deflate().deflate(TEXT)));
    Frame came = peer.rawFrame();
    if (!peer.plain(came).equals(new Frame(0x81, TEXT))) {
      throw new AssertionError("not the echo: " + came);
    }
    return came.payload().length;
  }

  // ---- Reserved bits (6)

  private static void bits(Beyond beyond) {
    byte[] hello = Hex.bytes("f248cdc9c90700"); // 7.2.3.1
    refused(
        beyond,
        "26.3",
        1002,
        new Frame(0x01 | RSV1, Arrays.copyOf(hello, 3)),
        new Frame(0x80 | RSV1, Arrays.copyOfRange(hello, 3, 7)));
    refused(
        beyond,
        "26.3",
        1002,
        new Frame(0x01, "He".getBytes(UTF_8)),
        new Frame(0x80 | RSV1, "llo".getBytes(UTF_8)));
    for (int control : new int[] {0x88, 0x89, 0x8A}) {
      refused(beyond, "26.3", 1002, new Frame(control | RSV1, new byte[0]));
      refused(beyond, "26.3", 1002, new Frame(control | RSV1, Hex.bytes("03e8")));
    }
    for (int bits = 1; bits < 8; bits++) {
      if (bits != 4) {
        refused(beyond, "26.3", 1002, new Frame(0x81 | bits << 4, hello));
      }
    }
  }

  // ---- Corrupt data

  private static void corrupt(Beyond beyond) {
    String[] payloads = {
      "06", // a block of type 3
      "07",
      "00 0500 0000 48656c6c6f", // a stored block whose length is not confirmed
      "f2 48 cd c9 c9 07 00 06", // good, then a block of type 3
      "05 e0 81 ff ff ff ff", // a code of lengths that is over-full
      "ffffffffff",
      "000000ffff 06",
    };
    for (String payload : payloads) {
      refused(beyond, "26.5", 1007, new Frame(0x82 | RSV1, Hex.bytes(payload)));
      refused(beyond, "26.5", 1007, new Frame(0x81 | RSV1, Hex.bytes(payload)));
    }
    beyond.add(
        "26.5",
        stage -> { // back beyond the first byte
          try (Conversation peer = stage.openDeflate("", OFFER);
              Conversation other = stage.openDeflate("", OFFER)) {
            other.deflate().deflate(TEXT);
            byte[] refersBack = other.deflate().deflate(TEXT);
            peer.send(new Frame(0x82 | RSV1, refersBack)).expectClose(1007);
          }
        });
    refused(beyond, "26.12", 1007, new Frame(0x82 | RSV1, Hex.bytes("f248cd")));
    refused(beyond, "26.12", 1007, new Frame(0x82 | RSV1, Hex.bytes("00 0500 faff 4865")));
    refused(
        beyond,
        "26.12",
        1007,
        new Frame(0x02 | RSV1, Hex.bytes("f248")),
        new Frame(0x80, Hex.bytes("cd")));
    Frame tailLeftOn = new Frame(0x81 | RSV1, Hex.bytes("f248cdc9c90700 0000ffff"));
    refused(beyond, "26.12", 1007, tailLeftOn); // with another behind it: not a whole block
  }

  // ---- Bombs

  private static void bombs(Beyond beyond) {
    byte[] bomb = bomb(256 << 20);
    beyond.add(
        "26.6",
        Need.SETTINGS,
        stage -> {
          try (Conversation peer = stage.openDeflate("&max_message=100000", OFFER)) {
            peer.send(new Frame(0x82 | RSV1, bomb)).expectClose(1009);
          }
        });
    beyond.add(
        "26.6",
        Need.SETTINGS,
        stage -> { // the rest of the message is not waited for
          try (Conversation peer = stage.openDeflate("&max_message=100000", OFFER)) {
            peer.send(new Frame(0x01 | RSV1, Arrays.copyOf(bomb, 1_000))).expectClose(1009);
          }
        });
    beyond.add(
        "26.6",
        Need.SETTINGS,
        stage -> {
          byte[] most = new byte[100_000];
          try (Conversation peer = stage.openDeflate("&max_message=100000", OFFER)) {
            peer.send(new Frame(0x82 | RSV1, peer.deflate().deflate(most)));
            peer.expect(Frame.binary(most));
            byte[] more = peer.deflate().deflate(new byte[100_001]);
            peer.send(new Frame(0x82 | RSV1, more)).expectClose(1009);
          }
        });
  }

  /** So many zeros, compressed: about a thousandth. */
  private static byte[] bomb(int size) {
    Deflater deflater = new Deflater(Deflater.BEST_SPEED, true);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    byte[] zeros = new byte[1 << 20];
    byte[] buffer = new byte[64 * 1024];
    for (int i = 0; i < size >> 20; i++) {
      deflater.setInput(zeros);
      for (int n; (n = deflater.deflate(buffer, 0, buffer.length, Deflater.NO_FLUSH)) > 0; ) {
        out.write(buffer, 0, n);
      }
    }
    for (int n; (n = deflater.deflate(buffer, 0, buffer.length, Deflater.SYNC_FLUSH)) > 0; ) {
      out.write(buffer, 0, n);
    }
    deflater.end();
    byte[] bytes = out.toByteArray();
    return Arrays.copyOf(bytes, bytes.length - 4);
  }

  // ---- Blocks (7.2.3)

  private static void blocks(Beyond beyond) {
    echoed(beyond, "26.8", "Hello", "f248cdc9c90700"); // 7.2.3.1
    echoed(beyond, "26.8", "Hello", "f248cdc9c90700", "f200110000"); // 7.2.3.2: shared window
    echoed(beyond, "26.8", "Hello", "000500faff48656c6c6f00"); // 7.2.3.3: not compressed
    echoed(beyond, "26.8", "Hello", "f248050000 00ffff cac9c90700"); // 7.2.3.5: two blocks
    echoed(beyond, "26.8", "Hello", "000000ffff f248cdc9c90700"); // an empty stored block first
    echoed(beyond, "26.8", "Hello", "0200 0000ffff f248cdc9c90700"); // an empty fixed block
    echoed(beyond, "26.8", "", "00", "00"); // 7.2.3.6
    echoed(beyond, "26.8", "", "0200");
    echoed(beyond, "26.8", "", "000000ffff00");
    echoed(beyond, "26.7", "Hello", "f348cdc9c9070000"); // 7.2.3.4
    echoed(beyond, "26.7", "Hello", "f348cdc9c9070000", "f348cdc9c9070000");
    echoed(beyond, "26.7", "Hello", "010500faff48656c6c6f00"); // stored, and the last
    echoed(beyond, "26.7", "HelloHello", "f348cdc9c90700 f348cdc9c9070000"); // goes on behind it
    echoed(beyond, "26.7", "Hello", "f348cdc9c9070000", "f200110000"); // the window stays
    echoed(beyond, "26.14", "Hello", "f248cdc9c90700 0000ffff 00");
    echoed(beyond, "26.14", "Hello", "f248cdc9c90700 0000ffff 000000ffff 000000ffff 00");
    beyond.add(
        "26.15",
        stage -> {
          try (Conversation peer = stage.openDeflate("", OFFER)) {
            Frame plain = Frame.binary(Hex.bytes("f248cdc9c90700"));
            peer.send(plain).expect(plain);
            peer.send(new Frame(0x81, Hex.bytes("f248cdc9c90700")))
                .expectClose(1007); // is not UTF-8
          }
        });
  }

  // ---- Text

  private static void texts(Beyond beyond) {
    for (String bad : new String[] {"c0", "ff", "eda080", "f48080c0", "80", "f4908080"}) {
      byte[] text = Texts.join("valid ".getBytes(UTF_8), Hex.bytes(bad), new byte[40]);
      beyond.add(
          "26.9",
          stage -> {
            try (Conversation peer = stage.openDeflate("", OFFER)) {
              byte[] payload = peer.deflate().deflate(text);
              peer.send(new Frame(0x81 | RSV1, payload)).expectClose(1007);
            }
          });
      beyond.add(
          "26.9",
          stage -> { // a fragment shows it
            try (Conversation peer = stage.openDeflate("", OFFER)) {
              byte[] payload = peer.deflate().deflatePart(text);
              peer.send(new Frame(0x01 | RSV1, payload)).expectClose(1007);
            }
          });
    }
    beyond.add(
        "26.9",
        stage -> { // only the end does
          try (Conversation peer = stage.openDeflate("", OFFER)) {
            byte[] payload = peer.deflate().deflatePart(Hex.bytes("ceba e1bd"));
            peer.send(new Frame(0x01 | RSV1, payload), Frame.ping("so far"));
            peer.expect(Frame.pong("so far"));
            peer.send(new Frame(0x80, new byte[] {0})).expectClose(1007);
          }
        });
    beyond.add(
        "26.9",
        stage -> { // binary may be what it likes
          byte[] bytes = Hex.bytes("c0 ff eda080 80");
          try (Conversation peer = stage.openDeflate("", OFFER)) {
            peer.send(new Frame(0x82 | RSV1, peer.deflate().deflate(bytes)));
            peer.expect(Frame.binary(bytes)).finish();
          }
        });
  }

  // ---- Fragments (7.2.1)

  private static void fragments(Beyond beyond) {
    beyond.add(
        "26.10",
        stage -> {
          try (Conversation peer = stage.openDeflate("", OFFER)) {
            byte[] payload = peer.deflate().deflate(TEXT);
            for (int i = 0; i < payload.length; i++) {
              int first = i == 0 ? 0x01 | RSV1 : 0;
              peer.send(
                  new Frame(first, new byte[] {payload[i]}), Frame.ping("p" + i), Frame.pong(""));
              peer.expect(Frame.pong("p" + i));
            }
            peer.send(new Frame(0x80, new byte[0])).expect(new Frame(0x81, TEXT)).finish();
          }
        });
    byte[] text = "κόσμε κόσμε €𝄞 κόσμε".getBytes(UTF_8);
    for (int cut = 0; cut <= 30; cut++) {
      int at = cut;
      beyond.add(
          "26.11",
          stage -> {
            try (Conversation peer = stage.openDeflate("", OFFER)) {
              byte[] payload = peer.deflate().deflate(text);
              int end = Math.min(at, payload.length);
              peer.send(
                  new Frame(0x01 | RSV1, Arrays.copyOf(payload, end)),
                  new Frame(0x00, new byte[0]),
                  new Frame(0x80, Arrays.copyOfRange(payload, end, payload.length)));
              peer.expect(new Frame(0x81, text)).finish();
            }
          });
    }
    beyond.add(
        "26.11",
        stage -> { // cut where our compressor says, in characters too
          try (Conversation peer = stage.openDeflate("", OFFER)) {
            for (int i = 0; i < text.length; i++) {
              byte[] part = peer.deflate().deflatePart(Arrays.copyOfRange(text, i, i + 1));
              peer.send(new Frame(i == 0 ? 0x01 | RSV1 : 0, part));
            }
            peer.send(new Frame(0x80, new byte[] {0})).expect(new Frame(0x81, text)).finish();
          }
        });
  }

  // ---- Windows (7.1.2.1)

  private static void windows(Beyond beyond) {
    for (int bits = 9; bits <= 14; bits++) {
      for (String more : new String[] {"", "; server_no_context_takeover"}) {
        String offer = OFFER + "; server_max_window_bits=" + bits + more;
        int window = 1 << bits;
        beyond.add(
            "26.13",
            stage -> {
              try (Conversation peer = stage.openDeflate("", offer)) {
                for (int distance : new int[] {window - 300, window - 262, window, window + 100}) {
                  byte[] once = Standard.random(distance);
                  byte[] twice = Texts.join(once, once, once);
                  peer.send(new Frame(0x82 | RSV1, peer.deflate().deflate(twice)));
                  peer.expect(Frame.binary(twice)); // decoded with the window that was agreed on
                  peer.send(new Frame(0x82 | RSV1, peer.deflate().deflate(once)));
                  peer.expect(Frame.binary(once));
                }
                peer.finish();
              }
            });
      }
    }
  }
}
