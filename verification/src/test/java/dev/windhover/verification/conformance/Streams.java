package dev.windhover.verification.conformance;

import dev.windhover.verification.conformance.Case.Need;
import dev.windhover.verification.conformance.Case.Script;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Http2Wire;
import dev.windhover.verification.wire.Http2Wire.Http2Frame;
import dev.windhover.verification.wire.Http2Wire.Stream;
import dev.windhover.verification.wire.Response;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The rows 27: a stream of HTTP/2 as a socket (RFC 8441), and several on one connection. */
final class Streams {
  private static final String VERSION = "sec-websocket-version: 13";
  private static final Frame MESSAGE = Frame.binary(Standard.random(60));

  private final Beyond beyond;

  private Streams(Beyond beyond) {
    this.beyond = beyond;
  }

  static void addTo(Beyond beyond) {
    Streams streams = new Streams(beyond);
    streams.handshakes();
    streams.refusals();
    streams.cuts();
    streams.closes();
    streams.endsAndResets();
    streams.several();
  }

  /** What a case does with a connection. */
  private interface OnConnection {
    void play(Stage stage, Http2Wire wire) throws Exception;
  }

  private void add(String row, OnConnection play) {
    Script script =
        stage -> {
          try (Http2Wire wire = stage.connectHttp2()) {
            play.play(stage, wire);
          }
        };
    beyond.add(row, Need.HTTP_2, script);
  }

  private static void require(boolean right, Object wrong) {
    if (!right) {
      throw new AssertionError("not right: " + wrong);
    }
  }

  private static Stream open(Stage stage, Http2Wire wire) throws IOException {
    Stream stream = wire.connectWebSocket(stage.target(""));
    require(stream.status() == 200, stream.responseHeaders());
    return stream;
  }

  /** The connection serves on: a new socket echoes. */
  private static void expectNextIsServed(Stage stage, Http2Wire wire) throws Exception {
    expectEcho(stage.on(open(stage, wire)));
  }

  private static void expectEcho(Conversation peer) {
    peer.send(Frame.text("still here")).expect(Frame.text("still here"));
  }

  // ---- Handshakes

  private void handshakes() {
    String[][] more = {
      {},
      {"origin: https://example.com"},
      {"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ=="}, // of HTTP/1.1: nobody looks at it
    };
    for (String[] each : more) {
      add(
          "27.1",
          (stage, wire) -> {
            Stream stream = wire.connectWebSocket(stage.target(""), each);
            require(stream.status() == 200, stream.responseHeaders());
            List<String> names = new ArrayList<>(stream.responseHeaders().keySet());
            names.removeAll(List.of(":status", "date", "server"));
            require(names.isEmpty(), names);
            expectEcho(stage.on(stream));
          });
    }
    add(
        "27.1",
        (stage, wire) -> {
          Stream stream = wire.request(false, connect(stage, "WebSocket", VERSION));
          require(stream.status() == 200, stream.responseHeaders());
          expectEcho(stage.on(stream));
        });
    subprotocol("b", "sec-websocket-protocol: b, a"); // the server prefers b
    subprotocol("a", "sec-websocket-protocol: c, a");
    subprotocol("b", "sec-websocket-protocol: a", "sec-websocket-protocol: c,b");
    subprotocol(null, "sec-websocket-protocol: c, d");
    subprotocol(null, "sec-websocket-protocol: B, A");
    subprotocol(null);
  }

  private void subprotocol(@Nullable String chosen, String... fields) {
    add(
        "27.2",
        (stage, wire) -> {
          Stream stream = wire.connectWebSocket(stage.target("&subprotocols=b,a"), fields);
          require(stream.status() == 200, stream.responseHeaders());
          String answer = stream.responseHeaders().get("sec-websocket-protocol");
          require(Objects.equals(answer, chosen), stream.responseHeaders());
          expectEcho(stage.on(stream));
        });
  }

  private static String[] connect(Stage stage, String protocol, String... more) {
    String scheme = stage.transport().isSecure() ? "https" : "http";
    List<String> fields = new ArrayList<>();
    fields.addAll(List.of(":method: CONNECT", ":scheme: " + scheme, ":path: " + stage.target("")));
    fields.addAll(List.of(":authority: localhost", ":protocol: " + protocol));
    fields.addAll(List.of(more));
    return fields.toArray(String[]::new);
  }

  private void refusals() {
    for (String version : new String[] {"", "0", "8", "12", "14", "013", "13.0", "x", "8, 12"}) {
      wrongVersion("sec-websocket-version: " + version);
    }
    wrongVersion("x: no version");
    for (String protocol : new String[] {"websockets", "connect-udp"}) {
      add(
          "27.4",
          (stage, wire) -> {
            Stream stream = wire.request(false, connect(stage, protocol, VERSION));
            require(stream.status() == 501, stream.responseHeaders());
            expectNextIsServed(stage, wire);
          });
    }
    String[] ofHttp1 = {"upgrade: websocket", "connection: Upgrade", "Sec-WebSocket-Protocol: a"};
    for (String field : ofHttp1) {
      add(
          "27.4",
          (stage, wire) -> {
            Stream stream = wire.connectWebSocket(stage.target(""), field);
            require(stream.resetCode() == Http2Wire.PROTOCOL_ERROR, stream.resetCode());
            expectNextIsServed(stage, wire);
          });
    }
    add(
        "27.4",
        (stage, wire) -> { // a socket that has ended before it began
          Stream stream = wire.request(true, connect(stage, "websocket", VERSION));
          require(stream.status() == 200, stream.responseHeaders());
          stage.on(stream).expectEnd();
          expectNextIsServed(stage, wire);
        });
    String[] many = new String[101];
    Arrays.fill(many, "a: b");
    add(
        "27.5",
        (stage, wire) -> {
          Stream stream = wire.connectWebSocket(stage.target(""), many);
          require(stream.status() == 431, stream.responseHeaders());
          expectNextIsServed(stage, wire);
        });
  }

  private void wrongVersion(String field) {
    add(
        "27.3",
        (stage, wire) -> {
          Response response =
              Transport.Http2.response(wire.request(false, connect(stage, "websocket", field)));
          require(response.status() == 400, response);
          require("13".equals(response.header("Sec-WebSocket-Version")), response);
          expectNextIsServed(stage, wire);
        });
  }

  // ---- Frames in frames

  private void cuts() {
    byte[] bytes = MESSAGE.masked();
    for (int cut = 0; cut <= bytes.length; cut += cut < 14 ? 1 : 13) {
      int at = cut;
      add(
          "27.6",
          (stage, wire) -> { // before the answer
            Stream stream = wire.connectWebSocket(stage.target(""));
            stream.send(Arrays.copyOf(bytes, at));
            stream.send(Arrays.copyOfRange(bytes, at, bytes.length));
            require(stream.status() == 200, stream.responseHeaders());
            stage.on(stream).expect(MESSAGE).finish();
          });
      add(
          "27.7",
          (stage, wire) -> { // padded, with an empty frame between
            Stream stream = open(stage, wire);
            padded(wire, stream, 0, Arrays.copyOf(bytes, at));
            stream.send(new byte[0]);
            padded(wire, stream, 255, Arrays.copyOfRange(bytes, at, bytes.length));
            stage.on(stream).expect(MESSAGE).finish();
          });
    }
  }

  private static void padded(Http2Wire wire, Stream stream, int padding, byte[] bytes)
      throws IOException {
    byte[] payload = new byte[1 + bytes.length + padding];
    payload[0] = (byte) padding;
    System.arraycopy(bytes, 0, payload, 1, bytes.length);
    wire.frame(Http2Wire.DATA, Http2Wire.PADDED, stream.id(), payload);
  }

  // ---- Ends

  private void closes() {
    add(
        "27.8",
        (stage, wire) -> { // one DATA frame has it all
          Stream stream = open(stage, wire);
          stream.data(true, Frame.masked(MESSAGE, Frame.close(1000, "")));
          stage.on(stream).expect(MESSAGE).expectClose(1000);
          expectNoReset(wire, stream);
        });
    add(
        "27.8",
        (stage, wire) -> {
          Stream stream = open(stage, wire);
          stream.data(false, Frame.masked(Frame.close(3000, "")));
          stage.on(stream).expectClose(3000);
          stream.endOutput();
          expectNoReset(wire, stream);
        });
    Frame[] violations = {
      new Frame(0x83, new byte[0]), new Frame(0xC1, new byte[0]), new Frame(0x80, new byte[1])
    };
    for (Frame violation : violations) {
      add(
          "27.8",
          (stage, wire) -> {
            Stream stream = open(stage, wire);
            stream.data(false, Frame.masked(MESSAGE, violation, MESSAGE));
            stage.on(stream).expect(MESSAGE).expectClose(1002);
            stream.endOutput();
            expectNoReset(wire, stream);
          });
    }
    add(
        "27.8",
        (stage, wire) -> {
          Stream stream = wire.connectWebSocket(stage.target("&close=4000"));
          Conversation peer = stage.on(stream);
          peer.expectClose(4000, false);
          stream.data(true, Frame.masked(Frame.close(4000, "")));
          peer.expectEnd();
          expectNoReset(wire, stream);
        });
    add(
        "27.9",
        (stage, wire) -> { // the closing handshake, and no END_STREAM of ours
          Stream stream = open(stage, wire);
          stage.on(stream).finish();
          require(stream.resetCode() == Http2Wire.NO_ERROR, stream.resetCode());
          expectNextIsServed(stage, wire);
        });
    add(
        "27.9",
        (stage, wire) -> {
          Stream stream = open(stage, wire);
          stage.on(stream).send(new Frame(0x83, new byte[0])).expectClose(1002);
          require(stream.resetCode() == Http2Wire.NO_ERROR, stream.resetCode());
          expectNextIsServed(stage, wire);
        });
  }

  private static void expectNoReset(Http2Wire wire, Stream stream) throws IOException {
    wire.ping();
    for (Http2Frame frame : wire.frames()) {
      require(frame.stream() != stream.id() || frame.type() != Http2Wire.RST_STREAM, frame);
    }
  }

  private void endsAndResets() {
    byte[] bytes = MESSAGE.masked();
    for (int cut = 0; cut <= bytes.length; cut += cut < 9 ? 1 : 14) {
      int at = cut;
      add(
          "27.10",
          (stage, wire) -> {
            Stream stream = open(stage, wire);
            stream.data(true, Arrays.copyOf(bytes, at));
            Conversation peer = stage.on(stream);
            if (at == bytes.length) {
              peer.expect(MESSAGE);
            }
            peer.expectEnd();
            expectNoReset(wire, stream);
            expectNextIsServed(stage, wire);
          });
      int code = at % 14; // every one of RFC 9113 7
      add(
          "27.11",
          (stage, wire) -> {
            Conversation before = stage.on(open(stage, wire));
            Stream stream = open(stage, wire);
            stream.data(false, Arrays.copyOf(bytes, at));
            stream.reset(code);
            expectEcho(before);
            expectNextIsServed(stage, wire);
            expectNoReset(wire, stream);
          });
    }
  }

  // ---- Several

  private void several() {
    for (int sockets : new int[] {2, 10, 50}) {
      add(
          "27.12",
          (stage, wire) -> {
            Stream unread = open(stage, wire);
            byte[] piece = Frame.binary(Standard.random(20_000)).masked();
            Thread sender = Thread.ofVirtual().start(() -> sendMuch(unread, piece));
            List<Conversation> others = new ArrayList<>();
            for (int i = 1; i < sockets; i++) {
              others.add(stage.on(open(stage, wire)));
            }
            for (int round = 0; round < 10; round++) {
              for (Conversation other : others) {
                other.send(MESSAGE);
              }
              for (Conversation other : others) {
                other.expect(MESSAGE);
              }
            }
            sender.join();
            others.forEach(Conversation::finish);
          });
    }
  }

  private static void sendMuch(Stream unread, byte[] piece) {
    try {
      unread.sendUntilBlocked(piece, 4L * Transport.Http2.WINDOW);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
