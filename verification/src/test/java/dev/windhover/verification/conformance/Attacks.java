package dev.windhover.verification.conformance;

import static dev.windhover.verification.conformance.Attack.CLOSED;
import static dev.windhover.verification.conformance.Attack.SERVED;
import static dev.windhover.verification.conformance.Attack.goAway;
import static dev.windhover.verification.conformance.Attack.reset;
import static dev.windhover.verification.wire.Http2Wire.ACK;
import static dev.windhover.verification.wire.Http2Wire.CANCEL;
import static dev.windhover.verification.wire.Http2Wire.CONTINUATION;
import static dev.windhover.verification.wire.Http2Wire.DATA;
import static dev.windhover.verification.wire.Http2Wire.END_HEADERS;
import static dev.windhover.verification.wire.Http2Wire.END_STREAM;
import static dev.windhover.verification.wire.Http2Wire.GOAWAY;
import static dev.windhover.verification.wire.Http2Wire.HEADERS;
import static dev.windhover.verification.wire.Http2Wire.PADDED;
import static dev.windhover.verification.wire.Http2Wire.PING;
import static dev.windhover.verification.wire.Http2Wire.PRIORITY;
import static dev.windhover.verification.wire.Http2Wire.PUSH_PROMISE;
import static dev.windhover.verification.wire.Http2Wire.RST_STREAM;
import static dev.windhover.verification.wire.Http2Wire.SETTINGS;
import static dev.windhover.verification.wire.Http2Wire.WINDOW_UPDATE;
import static dev.windhover.verification.wire.Http2Wire.bytes;
import static dev.windhover.verification.wire.Http2Wire.concat;
import static dev.windhover.verification.wire.Http2Wire.head;

import dev.windhover.verification.conformance.Attack.Script;
import dev.windhover.verification.wire.Hex;
import dev.windhover.verification.wire.Http2Wire;
import dev.windhover.verification.wire.Http2Wire.Http2Frame;
import dev.windhover.verification.wire.Http2Wire.Stream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * The cases of HTTP/2. They follow the list of the public conformance tool for RFC 7540, in our own
 * bytes; where RFC 9113 changed a rule, it is the newer one, and some are of the newer one alone.
 * The server answers {@code /} with {@code hello} when the request has ended, and {@code /gate}
 * never.
 */
final class Attacks {
  private static final String PROTOCOL = goAway("PROTOCOL_ERROR");
  private static final String FRAME_SIZE = goAway("FRAME_SIZE_ERROR");
  private static final String FLOW_CONTROL = goAway("FLOW_CONTROL_ERROR");
  private static final String COMPRESSION = goAway("COMPRESSION_ERROR");
  private static final String[] MALFORMED = {reset("PROTOCOL_ERROR")};
  private static final String[] STREAM_CLOSED = {reset("STREAM_CLOSED"), goAway("STREAM_CLOSED")};

  /** Frames on a stream that both sides have ended. */
  private static final String[] LONG_CLOSED = {goAway("STREAM_CLOSED"), reset("STREAM_CLOSED")};

  private static final byte[] PREFACE =
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

  private static final int END = END_HEADERS | END_STREAM;
  private static final int HAS_PRIORITY = 0x20;
  private static final int LARGEST_FRAME = 16_384;

  /** GET of {@code /}, the method, scheme and path of the static table. */
  private static final String GET = "828684 41096c6f63616c686f7374";

  /** Sections in the order of their documents. */
  static final Comparator<String> BY_NUMBER =
      Comparator.comparing((String section) -> section.startsWith("HPACK"))
          .thenComparing(section -> section.replaceAll("\\b(\\d)\\b", "0$1"));

  private final List<Attack> all = new ArrayList<>();

  private Attacks() {}

  static List<Attack> all() {
    Attacks attacks = new Attacks();
    attacks.preface();
    attacks.frames();
    attacks.streams();
    attacks.types();
    attacks.windows();
    attacks.requests();
    attacks.compression();
    return List.copyOf(attacks.all);
  }

  private void add(String section, String title, Script script, String... due) {
    all.add(new Attack(section, title, List.of(due), false, script));
  }

  private void addRaw(String section, String title, Script script, String... due) {
    all.add(new Attack(section, title, List.of(due), true, script));
  }

  // ---- What most begin with

  /** A stream that both sides have open. */
  private static Stream open(Http2Wire wire) throws IOException {
    return wire.request(false, head("POST", "/gate"));
  }

  /** One that we have ended. */
  private static Stream half(Http2Wire wire) throws IOException {
    return wire.request(true, head("GET", "/gate"));
  }

  /** One that both sides have ended. */
  private static Stream closed(Http2Wire wire) throws IOException {
    Stream stream = wire.get("/");
    expectHello(stream);
    return stream;
  }

  private static void expectHello(Stream stream) throws IOException {
    if (stream.status() != 200
        || !"hello".equals(new String(stream.body(), StandardCharsets.UTF_8))) {
      throw new AssertionError("another answer: " + stream.responseHeaders());
    }
  }

  private static byte[] block() {
    return Http2Wire.block(head("GET", "/"));
  }

  private static byte[] number(int number) {
    return ByteBuffer.allocate(4).putInt(number).array();
  }

  private static void settings(Http2Wire wire, int id, int value) throws IOException {
    byte[] setting = ByteBuffer.allocate(6).putShort((short) id).putInt(value).array();
    wire.frame(SETTINGS, 0, 0, setting);
  }

  private static void headers(Http2Wire wire, String hex) throws IOException {
    wire.frame(HEADERS, END, wire.newStream().id(), Hex.bytes(hex));
  }

  private static void served(Http2Wire wire, String hex) throws IOException {
    Stream stream = wire.newStream();
    wire.frame(HEADERS, END, stream.id(), Hex.bytes(hex));
    expectHello(stream);
  }

  // ---- 3.4, 4

  private void preface() {
    addRaw(
        "3.4",
        "preface and SETTINGS",
        wire -> {
          wire.preface();
          wire.awaitSettings();
          expectHello(wire.get("/"));
        },
        SERVED);
    addRaw(
        "3.4",
        "preface in single bytes",
        wire -> {
          wire.sendEach(concat(PREFACE, bytes(SETTINGS, 0, 0)));
          expectHello(wire.get("/"));
        },
        SERVED);
    addRaw(
        "3.4",
        "a preface with a fault in it",
        wire -> {
          byte[] wrong = PREFACE.clone();
          wrong[20] = 'X';
          wire.send(concat(wrong, bytes(SETTINGS, 0, 0)));
          wire.end();
        },
        PROTOCOL,
        CLOSED);
    addRaw(
        "3.4",
        "PING instead of the first SETTINGS",
        wire -> wire.send(concat(PREFACE, bytes(PING, 0, 0, new byte[8]))),
        PROTOCOL);
    addRaw(
        "3.4",
        "an acknowledgement instead of the first SETTINGS",
        wire -> wire.send(concat(PREFACE, bytes(SETTINGS, ACK, 0))),
        PROTOCOL);
  }

  private void frames() {
    add("4.1", "a frame of an unknown type", wire -> wire.frame(0x16, 0, 0, new byte[8]), SERVED);
    add("4.1", "unknown flags", wire -> wire.frame(PING, 0x16, 0, new byte[8]), SERVED);
    add(
        "4.1",
        "the reserved bit of the stream's number",
        wire -> wire.frame(PING, 0, 0x8000_0000, new byte[8]),
        SERVED);
    add(
        "4.2",
        "DATA of 2^14 bytes",
        wire -> {
          Stream stream = wire.request(false, head("POST", "/"));
          wire.frame(DATA, END_STREAM, stream.id(), new byte[LARGEST_FRAME]);
          expectHello(stream);
        },
        SERVED);
    add(
        "4.2",
        "DATA of more",
        wire -> wire.frame(DATA, END_STREAM, open(wire).id(), new byte[LARGEST_FRAME + 1]),
        reset("FRAME_SIZE_ERROR"),
        FRAME_SIZE);
    add(
        "4.2",
        "HEADERS of more",
        wire -> wire.frame(HEADERS, END, 1, new byte[LARGEST_FRAME + 1]),
        FRAME_SIZE);
    add(
        "4.2",
        "SETTINGS of more",
        wire -> wire.frame(SETTINGS, 0, 0, new byte[6 * 2_731]),
        FRAME_SIZE);
    add(
        "4.3",
        "a malformed field block",
        wire -> wire.frame(HEADERS, END, 1, Hex.bytes("40 01")),
        COMPRESSION);
    add(
        "4.3",
        "PRIORITY within a field block",
        wire -> {
          wire.frame(HEADERS, END_STREAM, 1, block());
          wire.frame(PRIORITY, 0, 1, new byte[5]);
        },
        PROTOCOL);
    add(
        "4.3",
        "HEADERS of another stream within a field block",
        wire -> {
          wire.frame(HEADERS, END_STREAM, 1, block());
          wire.frame(HEADERS, END, 3, block());
        },
        PROTOCOL);
    add(
        "4.3",
        "a malformed block on a stream that was reset",
        wire -> {
          wire.frame(HEADERS, END_HEADERS, 1, block());
          wire.frame(RST_STREAM, 0, 1, number(CANCEL));
          wire.frame(HEADERS, END, 1, Hex.bytes("80"));
        },
        COMPRESSION,
        STREAM_CLOSED[0],
        STREAM_CLOSED[1]);
  }

  // ---- 5

  private void streams() {
    states();
    add(
        "5.1.1",
        "a stream with an even number",
        wire -> wire.frame(HEADERS, END, 2, block()),
        PROTOCOL);
    add(
        "5.1.1",
        "a stream with a lower number than the last",
        wire -> {
          Stream low = wire.newStream();
          wire.request(true, head("GET", "/gate"));
          low.headers(true, head("GET", "/gate"));
        },
        PROTOCOL,
        goAway("STREAM_CLOSED"));
    add(
        "5.1.1",
        "a stream with a lower number than the first",
        wire -> {
          wire.newStream();
          Stream low = wire.newStream();
          wire.request(true, head("GET", "/gate"));
          low.headers(true, head("GET", "/gate"));
        },
        PROTOCOL,
        goAway("STREAM_CLOSED"));
    add(
        "5.1.1",
        "DATA on a stream with a lower number than the last, which was never used",
        wire -> {
          Stream low = wire.newStream();
          wire.request(true, head("GET", "/gate"));
          wire.frame(DATA, 0, low.id(), new byte[1]);
        },
        PROTOCOL,
        goAway("STREAM_CLOSED"));
    add(
        "5.1.1",
        "a stream with an even number, whose head is malformed",
        wire -> wire.frame(HEADERS, END, 2, Http2Wire.block(head("GET", "/", "X-Test: x"))),
        PROTOCOL);
    add(
        "5.1.2",
        "more streams than are allowed",
        wire -> {
          Stream first = half(wire);
          for (int i = 0; i < most(wire); i++) {
            half(wire);
          }
          first.reset(CANCEL);
        },
        reset("REFUSED_STREAM"),
        reset("PROTOCOL_ERROR"));
    for (int weight : new int[] {0, 255}) {
      byte[] priority = {0, 0, 0, 0, (byte) weight};
      add(
          "5.3",
          "PRIORITY with weight " + (weight + 1),
          wire -> wire.frame(PRIORITY, 0, 1, priority),
          SERVED);
    }
    add(
        "5.3",
        "PRIORITY that depends on another stream",
        wire -> wire.frame(PRIORITY, 0, 3, Hex.bytes("00000001 0f")),
        SERVED);
    add(
        "5.3",
        "PRIORITY that depends on another alone",
        wire -> wire.frame(PRIORITY, 0, 3, Hex.bytes("80000001 0f")),
        SERVED);
    add(
        "5.3",
        "PRIORITY of a later stream, then HEADERS of an earlier one",
        wire -> {
          wire.frame(PRIORITY, 0, 5, Hex.bytes("00000000 0f"));
          expectHello(wire.get("/"));
        },
        SERVED);
    // RFC 7540 5.3.1 had an error for these; RFC 9113 5.3.2 has priorities no more.
    add(
        "5.3",
        "HEADERS that depend on their own stream",
        wire -> {
          byte[] priority = Hex.bytes("00000001 0f");
          wire.frame(HEADERS, END | HAS_PRIORITY, wire.newStream().id(), concat(priority, block()));
        },
        SERVED,
        reset("PROTOCOL_ERROR"));
    add(
        "5.3",
        "PRIORITY that depends on its own stream",
        wire -> wire.frame(PRIORITY, 0, 1, Hex.bytes("00000001 0f")),
        SERVED,
        reset("PROTOCOL_ERROR"));
    add(
        "5.4.1",
        "an error, and more after it",
        wire -> {
          wire.frame(DATA, 0, 0, new byte[1]);
          wire.frame(PING, 0, 0, new byte[8]);
        },
        PROTOCOL);
    add(
        "5.5",
        "a frame of an unknown type on a stream",
        wire -> {
          Stream stream = wire.request(false, head("POST", "/"));
          wire.frame(0xFF, 0xFF, stream.id(), new byte[100]);
          stream.data(true, new byte[1]);
          expectHello(stream);
        },
        SERVED);
    add(
        "5.5",
        "a frame of an unknown type within a field block",
        wire -> {
          wire.frame(HEADERS, END_STREAM, 1, block());
          wire.frame(0xFF, 0, 1, new byte[8]);
        },
        PROTOCOL);
  }

  private static int most(Http2Wire wire) {
    for (Http2Frame frame : wire.frames()) {
      for (int i = 0; frame.type() == SETTINGS && i < frame.payload().length; i += 6) {
        if (ByteBuffer.wrap(frame.payload()).getShort(i) == 3) {
          return frame.number(i + 2);
        }
      }
    }
    throw new AssertionError("SETTINGS_MAX_CONCURRENT_STREAMS is not said");
  }

  private void states() {
    add("5.1", "DATA, idle", wire -> wire.frame(DATA, 0, 1, new byte[1]), PROTOCOL);
    add("5.1", "RST_STREAM, idle", wire -> wire.frame(RST_STREAM, 0, 1, number(8)), PROTOCOL);
    add("5.1", "WINDOW_UPDATE, idle", wire -> wire.windowUpdate(1, 100), PROTOCOL);
    add(
        "5.1",
        "CONTINUATION, idle",
        wire -> wire.frame(CONTINUATION, END_HEADERS, 1, block()),
        PROTOCOL);
    add("5.1", "PRIORITY, idle", wire -> wire.frame(PRIORITY, 0, 1, new byte[5]), SERVED);
    add(
        "5.1",
        "DATA, half-closed",
        wire -> wire.frame(DATA, 0, half(wire).id(), new byte[1]),
        STREAM_CLOSED);
    add("5.1", "HEADERS, half-closed", wire -> half(wire).headers(true, "x: y"), STREAM_CLOSED);
    add(
        "5.1",
        "HEADERS after trailers, half-closed",
        wire -> {
          Stream stream = open(wire);
          stream.headers(true, "x: y");
          stream.headers(true, "x: y");
        },
        STREAM_CLOSED);
    add(
        "5.1",
        "DATA on a stream whose head was malformed",
        wire -> {
          Stream stream = wire.request(false, head("POST", "/", "X-Test: x"));
          wire.frame(DATA, 0, stream.id(), new byte[1]);
          stream.headers(true, "x: y");
        },
        reset("PROTOCOL_ERROR"));
    add(
        "5.1",
        "DATA on a stream that was refused",
        wire -> {
          for (int i = 0; i < most(wire); i++) {
            half(wire);
          }
          Stream refused = open(wire);
          wire.frame(DATA, 0, refused.id(), new byte[1]);
          refused.headers(true, "x: y");
          wire.ping();
          wire.frame(RST_STREAM, 0, 1, number(CANCEL));
        },
        reset("REFUSED_STREAM"));
    add(
        "5.1",
        "CONTINUATION, half-closed",
        wire -> wire.frame(CONTINUATION, END_HEADERS, half(wire).id(), block()),
        PROTOCOL);
    add(
        "5.1",
        "WINDOW_UPDATE, half-closed",
        wire -> wire.windowUpdate(half(wire).id(), 100),
        SERVED);
    add(
        "5.1",
        "PRIORITY, half-closed",
        wire -> wire.frame(PRIORITY, 0, half(wire).id(), new byte[5]),
        SERVED);
    add("5.1", "RST_STREAM, half-closed", wire -> half(wire).reset(CANCEL), SERVED);
    add(
        "5.1",
        "DATA, closed by RST_STREAM",
        wire -> wire.frame(DATA, 0, resetByUs(wire), new byte[1]),
        STREAM_CLOSED);
    add(
        "5.1",
        "HEADERS, closed by RST_STREAM",
        wire -> wire.frame(HEADERS, END, resetByUs(wire), block()),
        STREAM_CLOSED);
    add(
        "5.1",
        "CONTINUATION, closed by RST_STREAM",
        wire -> wire.frame(CONTINUATION, END_HEADERS, resetByUs(wire), block()),
        PROTOCOL);
    add(
        "5.1",
        "DATA, closed",
        wire -> wire.frame(DATA, 0, closed(wire).id(), new byte[1]),
        LONG_CLOSED);
    add(
        "5.1",
        "HEADERS, closed",
        wire -> wire.frame(HEADERS, END, closed(wire).id(), block()),
        LONG_CLOSED);
    add(
        "5.1",
        "CONTINUATION, closed",
        wire -> wire.frame(CONTINUATION, END_HEADERS, closed(wire).id(), block()),
        PROTOCOL);
    add(
        "5.1",
        "PRIORITY, closed",
        wire -> wire.frame(PRIORITY, 0, closed(wire).id(), new byte[5]),
        SERVED);
    add(
        "5.1",
        "WINDOW_UPDATE and RST_STREAM, closed",
        wire -> {
          int stream = closed(wire).id();
          wire.windowUpdate(stream, 100);
          wire.frame(RST_STREAM, 0, stream, number(0));
        },
        SERVED);
  }

  private static int resetByUs(Http2Wire wire) throws IOException {
    Stream stream = open(wire);
    stream.reset(CANCEL);
    return stream.id();
  }

  // ---- 6, 7

  private void types() {
    add(
        "6.1",
        "DATA, padded, in several frames",
        wire -> {
          Stream stream = wire.request(false, head("POST", "/"));
          wire.frame(DATA, PADDED, stream.id(), Hex.bytes("03 61 000000"));
          wire.frame(DATA, 0, stream.id(), Hex.bytes("62"));
          wire.frame(DATA, PADDED | END_STREAM, stream.id(), Hex.bytes("00"));
          expectHello(stream);
        },
        SERVED);
    add("6.1", "DATA on stream 0", wire -> wire.frame(DATA, 0, 0, new byte[1]), PROTOCOL);
    add(
        "6.1",
        "DATA with more padding than bytes",
        wire -> wire.frame(DATA, PADDED, open(wire).id(), Hex.bytes("05 61626364")),
        PROTOCOL);
    add(
        "6.1",
        "DATA that is padded, and empty",
        wire -> wire.frame(DATA, PADDED, open(wire).id()),
        reset("FRAME_SIZE_ERROR"),
        FRAME_SIZE);
    add(
        "6.2",
        "HEADERS, padded",
        wire -> {
          Stream stream = wire.newStream();
          wire.frame(
              HEADERS, END | PADDED, stream.id(), concat(Hex.bytes("02"), block(), new byte[2]));
          expectHello(stream);
        },
        SERVED);
    add(
        "6.2",
        "HEADERS with priority",
        wire -> {
          Stream stream = wire.newStream();
          wire.frame(HEADERS, END | HAS_PRIORITY, stream.id(), concat(new byte[5], block()));
          expectHello(stream);
        },
        SERVED);
    add("6.2", "HEADERS on stream 0", wire -> wire.frame(HEADERS, END, 0, block()), PROTOCOL);
    add(
        "6.2",
        "HEADERS with more padding than bytes",
        wire -> wire.frame(HEADERS, END | PADDED, 1, Hex.bytes("7f 82868481")),
        PROTOCOL);
    add(
        "6.2",
        "HEADERS with half a priority",
        wire -> wire.frame(HEADERS, END | HAS_PRIORITY, 1, Hex.bytes("000000")),
        FRAME_SIZE,
        PROTOCOL);
    add("6.3", "PRIORITY on stream 0", wire -> wire.frame(PRIORITY, 0, 0, new byte[5]), PROTOCOL);
    add(
        "6.3",
        "PRIORITY of 4 bytes",
        wire -> wire.frame(PRIORITY, 0, open(wire).id(), new byte[4]),
        reset("FRAME_SIZE_ERROR"),
        FRAME_SIZE);
    add(
        "6.4",
        "RST_STREAM on stream 0",
        wire -> wire.frame(RST_STREAM, 0, 0, number(CANCEL)),
        PROTOCOL);
    add(
        "6.4",
        "RST_STREAM of 3 bytes",
        wire -> wire.frame(RST_STREAM, 0, open(wire).id(), new byte[3]),
        FRAME_SIZE);
    settingsFrames();
    add(
        "6.6",
        "PUSH_PROMISE of a client",
        wire -> wire.frame(PUSH_PROMISE, END_HEADERS, open(wire).id(), concat(number(2), block())),
        PROTOCOL);
    add("6.7", "PING", wire -> wire.frame(PING, 0, 0, new byte[8]), SERVED);
    add(
        "6.7",
        "an answer to no PING",
        wire -> {
          wire.frame(PING, ACK, 0, Hex.bytes("77 69 6e 64 68 6f 76 00"));
          wire.ping();
          long pings = wire.frames().stream().filter(frame -> frame.type() == PING).count();
          if (pings != 1) {
            throw new AssertionError("it was answered");
          }
        },
        SERVED);
    add("6.7", "PING on a stream", wire -> wire.frame(PING, 0, 1, new byte[8]), PROTOCOL);
    add("6.7", "PING of 6 bytes", wire -> wire.frame(PING, 0, 0, new byte[6]), FRAME_SIZE);
    byte[] goAway = concat(number(0), number(0));
    add("6.8", "GOAWAY", wire -> wire.frame(GOAWAY, 0, 0, goAway), SERVED, CLOSED);
    add("6.8", "GOAWAY on a stream", wire -> wire.frame(GOAWAY, 0, 1, goAway), PROTOCOL);
    add("6.8", "GOAWAY of 7 bytes", wire -> wire.frame(GOAWAY, 0, 0, new byte[7]), FRAME_SIZE);
    continuations();
    add(
        "7",
        "GOAWAY with an unknown code",
        wire -> wire.frame(GOAWAY, 0, 0, concat(number(0), number(0xFF))),
        SERVED,
        CLOSED);
    add("7", "RST_STREAM with an unknown code", wire -> open(wire).reset(0xFF), SERVED);
  }

  private void settingsFrames() {
    add(
        "6.5",
        "SETTINGS",
        wire -> {
          settings(wire, 5, 20_000);
          wire.ping();
          long answers =
              wire.frames().stream()
                  .filter(each -> each.type() == SETTINGS && each.has(ACK))
                  .count();
          if (answers != 2) { // one for the preface's
            throw new AssertionError(answers + " acknowledgements");
          }
        },
        SERVED);
    add(
        "6.5",
        "an acknowledgement with a setting",
        wire -> wire.frame(SETTINGS, ACK, 0, new byte[6]),
        FRAME_SIZE);
    add("6.5", "SETTINGS on a stream", wire -> wire.frame(SETTINGS, 0, 1), PROTOCOL);
    add("6.5", "SETTINGS of 3 bytes", wire -> wire.frame(SETTINGS, 0, 0, new byte[3]), FRAME_SIZE);
    add("6.5.2", "ENABLE_PUSH 2", wire -> settings(wire, 2, 2), PROTOCOL);
    add("6.5.2", "INITIAL_WINDOW_SIZE 2^31", wire -> settings(wire, 4, 1 << 31), FLOW_CONTROL);
    add("6.5.2", "MAX_FRAME_SIZE 2^14-1", wire -> settings(wire, 5, LARGEST_FRAME - 1), PROTOCOL);
    add("6.5.2", "MAX_FRAME_SIZE 2^24", wire -> settings(wire, 5, 1 << 24), PROTOCOL);
    add("6.5.2", "ENABLE_CONNECT_PROTOCOL 2", wire -> settings(wire, 8, 2), PROTOCOL);
    add("6.5.2", "an unknown setting", wire -> settings(wire, 0xFF, 1), SERVED);
    add(
        "6.5.2",
        "HEADER_TABLE_SIZE 2^32-1",
        wire -> {
          settings(wire, 1, -1);
          expectHello(wire.get("/"));
        },
        SERVED);
    add(
        "6.5.3",
        "one setting twice: the last one counts",
        wire -> {
          wire.frame(SETTINGS, 0, 0, Hex.bytes("0004 00000064 0004 00000001"));
          expectPieces(wire, wire.get("/"));
        },
        SERVED);
  }

  private void continuations() {
    byte[] block = block();
    byte[] first = Arrays.copyOf(block, 5);
    byte[] rest = Arrays.copyOfRange(block, 5, block.length);
    add(
        "6.10",
        "a field block in three frames",
        wire -> {
          Stream stream = wire.newStream();
          wire.frame(HEADERS, END_STREAM, stream.id(), first);
          wire.frame(CONTINUATION, 0, stream.id());
          wire.frame(CONTINUATION, END_HEADERS, stream.id(), rest);
          expectHello(stream);
        },
        SERVED);
    add(
        "6.10",
        "DATA within a field block",
        wire -> {
          wire.frame(HEADERS, 0, 1, first);
          wire.frame(CONTINUATION, 0, 1, rest);
          wire.frame(DATA, END_STREAM, 1, new byte[1]);
        },
        PROTOCOL);
    add(
        "6.10",
        "CONTINUATION on stream 0",
        wire -> {
          wire.frame(HEADERS, END_STREAM, 1, first);
          wire.frame(CONTINUATION, END_HEADERS, 0, rest);
        },
        PROTOCOL);
    add(
        "6.10",
        "CONTINUATION of another stream",
        wire -> {
          wire.frame(HEADERS, END_STREAM, 1, first);
          wire.frame(CONTINUATION, END_HEADERS, 3, rest);
        },
        PROTOCOL);
    add(
        "6.10",
        "CONTINUATION after HEADERS with END_HEADERS",
        wire -> {
          int stream = open(wire).id();
          wire.frame(CONTINUATION, END_HEADERS, stream, rest);
        },
        PROTOCOL);
    add(
        "6.10",
        "CONTINUATION after CONTINUATION with END_HEADERS",
        wire -> {
          wire.frame(HEADERS, 0, 1, first);
          wire.frame(CONTINUATION, END_HEADERS, 1, rest);
          wire.frame(CONTINUATION, END_HEADERS, 1, rest);
        },
        PROTOCOL);
    add(
        "6.10",
        "CONTINUATION after DATA",
        wire -> {
          int stream = open(wire).id();
          wire.frame(DATA, 0, stream, new byte[1]);
          wire.frame(CONTINUATION, END_HEADERS, stream, rest);
        },
        PROTOCOL);
  }

  // ---- 6.9

  private void windows() {
    add(
        "6.9",
        "WINDOW_UPDATE of the connection and of a stream",
        wire -> {
          wire.windowUpdate(0, 1);
          Stream stream = wire.request(false, head("POST", "/"));
          wire.windowUpdate(stream.id(), 1);
          stream.data(true, new byte[1]);
          expectHello(stream);
        },
        SERVED);
    add("6.9", "WINDOW_UPDATE of 0, connection", wire -> wire.windowUpdate(0, 0), PROTOCOL);
    add(
        "6.9",
        "WINDOW_UPDATE of 0, stream",
        wire -> wire.windowUpdate(open(wire).id(), 0),
        MALFORMED);
    add(
        "6.9",
        "WINDOW_UPDATE of 3 bytes",
        wire -> wire.frame(WINDOW_UPDATE, 0, 0, new byte[3]),
        FRAME_SIZE);
    add(
        "6.9.1",
        "a window of 1",
        wire -> {
          settings(wire, 4, 1);
          expectPieces(wire, wire.get("/"));
        },
        SERVED);
    add(
        "6.9.1",
        "a window over 2^31-1, connection",
        wire -> {
          wire.windowUpdate(0, Integer.MAX_VALUE);
          wire.windowUpdate(0, Integer.MAX_VALUE);
        },
        FLOW_CONTROL);
    add(
        "6.9.1",
        "a window over 2^31-1, stream",
        wire -> {
          int stream = open(wire).id();
          wire.windowUpdate(stream, Integer.MAX_VALUE);
          wire.windowUpdate(stream, Integer.MAX_VALUE);
        },
        reset("FLOW_CONTROL_ERROR"));
    add(
        "6.9.1",
        "more than the window of a stream",
        wire -> {
          int stream = open(wire).id();
          for (int i = 0; i < 100; i++) {
            wire.frame(DATA, 0, stream, new byte[LARGEST_FRAME]);
          }
        },
        reset("FLOW_CONTROL_ERROR"),
        FLOW_CONTROL);
    add(
        "6.9.2",
        "a window of 0 that SETTINGS widen",
        wire -> {
          settings(wire, 4, 0);
          Stream stream = wire.get("/");
          stream.status();
          settings(wire, 4, 1);
          expectPieces(wire, stream);
        },
        SERVED);
    add(
        "6.9.2",
        "a window that SETTINGS make negative",
        wire -> {
          settings(wire, 4, 3);
          Stream stream = wire.get("/");
          stream.readNBytes(3);
          settings(wire, 4, 1); // -2
          wire.windowUpdate(stream.id(), 2);
          wire.ping();
          requireData(wire, stream, 3);
          wire.windowUpdate(stream.id(), 1);
          stream.readNBytes(1);
          wire.ping();
          requireData(wire, stream, 4);
        },
        SERVED);
    add(
        "6.9.2",
        "a window that SETTINGS make too large",
        wire -> {
          int stream = open(wire).id();
          wire.windowUpdate(stream, Integer.MAX_VALUE - 65_535);
          settings(wire, 4, 65_536);
        },
        FLOW_CONTROL);
  }

  /** One byte, and the rest when there is room. */
  private static void expectPieces(Http2Wire wire, Stream stream) throws IOException {
    stream.readNBytes(1);
    wire.ping();
    requireData(wire, stream, 1);
    wire.windowUpdate(stream.id(), 100);
    if (stream.readAllBytes().length != 4) {
      throw new AssertionError("the rest is another");
    }
  }

  private static void requireData(Http2Wire wire, Stream stream, int due) {
    int bytes =
        wire.frames().stream()
            .filter(frame -> frame.type() == DATA && frame.stream() == stream.id())
            .mapToInt(frame -> frame.payload().length)
            .sum();
    if (bytes != due) {
      throw new AssertionError(bytes + " bytes came within a window of " + due);
    }
  }

  // ---- 8

  private void requests() {
    add("8.1", "GET", wire -> expectHello(wire.get("/")), SERVED);
    add(
        "8.1",
        "HEAD",
        wire -> {
          Stream stream = wire.request(true, head("HEAD", "/"));
          if (stream.status() != 200 || stream.readAllBytes().length > 0) {
            throw new AssertionError("a body");
          }
        },
        SERVED);
    add(
        "8.1",
        "POST",
        wire -> {
          Stream stream = wire.request(false, head("POST", "/", "content-length: 4"));
          stream.data(true, new byte[4]);
          expectHello(stream);
        },
        SERVED);
    add(
        "8.1",
        "POST with trailers",
        wire -> {
          Stream stream = wire.request(false, head("POST", "/", "trailer: x"));
          stream.data(false, new byte[4]);
          stream.headers(true, "x: y");
          expectHello(stream);
        },
        SERVED);
    add(
        "8.1",
        "trailers without END_STREAM",
        wire -> {
          Stream stream = open(wire);
          stream.data(false, new byte[4]);
          stream.headers(false, "x: y");
        },
        MALFORMED);
    add(
        "8.1",
        "trailers with pseudo-fields",
        wire -> {
          Stream stream = open(wire);
          stream.data(false, new byte[4]);
          stream.headers(true, ":method: GET");
        },
        MALFORMED);
    malformed("8.1.1", "content-length of more than there is", "POST", 4, "content-length: 5");
    malformed("8.1.1", "content-length of less than there is", "POST", 4, "content-length: 3");
    malformed("8.1.1", "content-length without content", "GET", 0, "content-length: 1");
    malformed("8.2.1", "a name in upper case", "GET", 0, "X-Test: y");
    malformed("8.2.1", "a name with a space", "GET", 0, "x y: z");
    malformed("8.2.1", "a name with a control character", "GET", 0, "x\u0001: z");
    malformed("8.2.1", "a name that is not ASCII", "GET", 0, "x\u00e9: z");
    malformed("8.2.1", "an empty name", "GET", 0, ": z");
    malformed("8.2.1", "NUL in a value", "GET", 0, "x: y\0z");
    malformed("8.2.1", "CR in a value", "GET", 0, "x: y\rz");
    malformed("8.2.1", "LF in a value", "GET", 0, "x: y\nz");
    malformed("8.2.1", "a value that begins with a space", "GET", 0, "x:  y");
    malformed("8.2.1", "a value that begins with a tab", "GET", 0, "x: \ty");
    malformed("8.2.1", "a value that ends with a space", "GET", 0, "x: y ");
    malformed("8.2.1", "a value that ends with a tab", "GET", 0, "x: y\t");
    add(
        "8.2.1",
        "a value that ends with a tab, in trailers",
        wire -> {
          Stream stream = open(wire);
          stream.data(false, new byte[4]);
          stream.headers(true, "x: y\t");
        },
        MALFORMED);
    String[] ofConnection = {
      "connection: keep-alive",
      "keep-alive: 5",
      "proxy-connection: close",
      "transfer-encoding: chunked",
      "upgrade: h2c"
    };
    for (String field : ofConnection) {
      malformed("8.2.2", field, "GET", 0, field);
    }
    malformed("8.2.2", "te: trailers, gzip", "GET", 0, "te: trailers, gzip");
    add("8.2.2", "te: trailers", wire -> expectHello(wire.get("/", "te: trailers")), SERVED);
    malformed("8.3", "an unknown pseudo-field", "GET", 0, ":test: x");
    malformed("8.3", "a pseudo-field of responses", "GET", 0, ":status: 200");
    malformed("8.3", "a pseudo-field after others", "GET", 0, "x: y", ":authority: a");
    String m = ":method: GET";
    String s = ":scheme: http";
    String p = ":path: /";
    String a = ":authority: localhost";
    fields("8.3", ":path after another", m, s, a, "x: y", p);
    fields("8.3.1", "an empty :path", m, s, ":path: ", a);
    fields("8.3.1", "a :path without a slash", m, s, ":path: x", a);
    fields("8.3.1", "no :method", s, p, a);
    fields("8.3.1", "an empty :method", ":method: ", s, p, a);
    fields("8.3.1", "a :method that is no token", ":method: GET /admin HTTP/1.1", s, p, a);
    fields("8.3.1", "a :method with a quotation mark", ":method: GET\"", s, p, a);
    fields("8.3.1", "no :scheme", m, p, a);
    fields("8.3.1", "no :path", m, s, a);
    fields("8.3.1", ":method twice", m, m, s, p, a);
    fields("8.3.1", ":scheme twice", m, s, s, p, a);
    fields("8.3.1", ":path twice", m, s, p, p, a);
    fields("8.3.1", ":authority twice", m, s, p, a, a);
    fields("8.3.1", "userinfo in :authority", m, s, p, ":authority: user@localhost");
    fields("8.5", "CONNECT with :path", ":method: CONNECT", s, p, a);
  }

  private void malformed(
      String section, String title, String method, int content, String... fields) {
    add(
        section,
        title,
        wire -> {
          Stream stream = wire.request(content == 0, head(method, "/", fields));
          if (content > 0) {
            stream.data(true, new byte[content]);
          }
        },
        MALFORMED);
  }

  private void fields(String section, String title, String... fields) {
    add(section, title, wire -> wire.request(true, fields), MALFORMED);
  }

  // ---- RFC 7541

  private void compression() {
    String[][] right = {
      {"indexed fields, and a literal with an indexed name", GET},
      {"literals with indexing and a new name", GET + "40 01 78 01 79"},
      {"literals without indexing", "82 86 04 01 2f 01 09 6c6f63616c686f7374 00 01 78 01 79"},
      {"literals never to be indexed", "82 86 14 01 2f 11 09 6c6f63616c686f7374 10 01 78 01 79"},
      {"Huffman's code", "828684 41 8c f1e3c2e5f23a6ba0ab90f4ff 00 81 f3 81 f5"},
      {"an empty value", GET + "00 01 78 00"},
    };
    for (String[] each : right) {
      add("HPACK 6", each[0], wire -> served(wire, each[1]), SERVED);
    }
    add(
        "HPACK 2.3",
        "what the dynamic table holds",
        wire -> {
          served(wire, GET + "40 01 78 01 79");
          served(wire, "828684 bf be"); // localhost, x: y
        },
        SERVED);
    add(
        "HPACK 4.2",
        "a table of size 0, and of its default",
        wire -> {
          served(wire, "20" + GET);
          served(wire, "20 3fe11f" + GET);
        },
        SERVED);
    String[][] wrong = {
      {"2.3", "an index beyond the tables", GET + "c6"},
      {"2.3", "a name's index beyond the tables", GET + "7f07 01 79"},
      {"2.3", "what a table of size 0 held", "20" + GET + "bf"},
      {"4.2", "a table's size after a field", GET + "20"},
      {"4.2", "a table larger than we allow", "3fe21f" + GET},
      {"5.1", "a number over 2^32", "ff ffffffffffffff7f" + GET},
      {"5.2", "padding of more than 7 bits", GET + "00 01 78 82 1fff"},
      {"5.2", "padding of zeros", GET + "00 01 78 81 18"},
      {"5.2", "EOS", GET + "00 01 78 84 ffffffff"},
      {"5.2", "a string longer than its block", GET + "00 01 78 05 79"},
      {"6.1", "index 0", GET + "80"},
    };
    for (String[] each : wrong) {
      add("HPACK " + each[0], each[1], wire -> headers(wire, each[2]), COMPRESSION);
    }
  }
}
