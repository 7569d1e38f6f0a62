package dev.windhover.verification.conformance;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.windhover.verification.conformance.Case.Need;
import dev.windhover.verification.conformance.Case.Script;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Response;
import dev.windhover.verification.wire.Wire;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The rows 20: opening handshakes over HTTP/1.1, byte for byte (RFC 6455 4.2). */
final class Handshakes {
  private static final String VERSION = "Sec-WebSocket-Version: 13";
  private static final String KEY = "Sec-WebSocket-Key: " + Wire.KEY;
  private static final String UPGRADE = "Upgrade: websocket";
  private static final String CONNECTION = "Connection: Upgrade";
  private static final String NEXT = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

  private final Beyond beyond;

  private Handshakes(Beyond beyond) {
    this.beyond = beyond;
  }

  static void addTo(Beyond beyond) {
    Handshakes handshakes = new Handshakes(beyond);
    handshakes.right();
    handshakes.faults();
    handshakes.subprotocols();
    handshakes.limits();
    handshakes.bytesBehind();
    handshakes.notUpgraded();
  }

  private void add(String row, Script script) {
    beyond.add(row, Need.HTTP_1, script);
  }

  private static String request(Stage stage, String more, String... lines) {
    return requestLine("GET", stage, more) + String.join("\r\n", lines) + "\r\n\r\n";
  }

  private static String requestLine(String method, Stage stage, String more) {
    return method + " " + stage.target(more) + " HTTP/1.1\r\nHost: localhost\r\n";
  }

  // ---- Right ones

  private void right() {
    for (int i = 0; i < 4; i++) {
      byte[] bytes = Standard.random(16);
      Arrays.fill(bytes, 0, 4 * i, (byte) 0);
      String key = Base64.getEncoder().encodeToString(bytes);
      add("20.1", accepted(key, UPGRADE, CONNECTION, VERSION, "Sec-WebSocket-Key: " + key));
    }
    add(
        "20.1",
        accepted(
            Wire.KEY,
            "upgrade: websocket",
            "CONNECTION: Upgrade",
            "sec-websocket-version: 13",
            "SEC-WEBSOCKET-KEY: " + Wire.KEY));
    add(
        "20.1",
        stage -> {
          try (Wire wire = stage.connect()) {
            for (byte b :
                request(stage, "", UPGRADE, CONNECTION, VERSION, KEY).getBytes(US_ASCII)) {
              wire.send(b);
            }
            expectAccepted(wire, Wire.KEY);
          }
        });
    String[][] lines = {
      {UPGRADE, "Connection: keep-alive, Upgrade"},
      {UPGRADE, "Connection: keep-alive", "Connection: upgrade"},
      {UPGRADE, "Connection: UPGRADE,keep-alive"},
      {"Upgrade: WebSocket", CONNECTION},
      {"Upgrade: h2c, websocket", CONNECTION},
      {"Upgrade: h2c", "Upgrade: websocket", CONNECTION},
    };
    for (String[] each : lines) {
      String[] all = Arrays.copyOf(each, each.length + 2);
      all[each.length] = VERSION;
      all[each.length + 1] = KEY;
      add("20.6", accepted(Wire.KEY, all));
    }
    for (String origin : new String[] {"https://example.com", "null", "http://localhost:8080"}) {
      add("20.7", accepted(Wire.KEY, UPGRADE, CONNECTION, VERSION, KEY, "Origin: " + origin));
    }
  }

  /** The answer is right, says nothing else, and behind it messages are echoed. */
  private static Script accepted(String key, String... lines) {
    return stage -> {
      try (Wire wire = stage.connect()) {
        wire.send(request(stage, "", lines));
        expectAccepted(wire, key);
      }
    };
  }

  private static void expectAccepted(Wire wire, String key) throws Exception {
    Response response = wire.response();
    require(response.status() == 101, response);
    require("websocket".equals(response.header("Upgrade")), response);
    require("Upgrade".equals(response.header("Connection")), response);
    require(accept(key).equals(response.header("Sec-WebSocket-Accept")), response);
    List<String> others =
        response.headers().stream()
            .map(line -> line.substring(0, line.indexOf(':')))
            .filter(
                name -> !name.matches("(?i)upgrade|connection|sec-websocket-accept|date|server"))
            .toList();
    require(others.isEmpty(), response);
    expectEcho(wire);
  }

  private static void expectEcho(Wire wire) throws Exception {
    wire.send(Frame.text("after all"));
    Frame came = wire.frame();
    if (!came.equals(Frame.text("after all"))) {
      throw new AssertionError("not the echo: " + came);
    }
  }

  private static String accept(String key) {
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-1")
              .digest((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").getBytes(US_ASCII));
      return Base64.getEncoder().encodeToString(hash);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  private static void require(boolean right, Response response) {
    if (!right) {
      throw new AssertionError("not the right answer: " + response);
    }
  }

  // ---- Faults

  private void faults() {
    for (String method : new String[] {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "get"}) {
      add(
          "20.2",
          stage -> {
            try (Wire wire = stage.connect()) {
              wire.send(
                  requestLine(method, stage, "")
                      + String.join("\r\n", UPGRADE, CONNECTION, VERSION, KEY)
                      + "\r\n\r\n");
              require(wire.response().status() == 400, "another status than 400");
              expectNextIsServed(wire);
            }
          });
    }
    for (String version : new String[] {"", "0", "8", "12", "14", "013", "13.0", "x", "8, 12"}) {
      add("20.3", wrongVersion("Sec-WebSocket-Version: " + version));
    }
    add("20.3", wrongVersion("X: no version"));
    String[] keys = {
      "X: no key",
      "Sec-WebSocket-Key:",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ", // no padding
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j", // 15 bytes
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZSE=", // 17 bytes
      "Sec-WebSocket-Key: !!!lIHNhbXBsZSBub25jZQ==",
      KEY + "\r\n" + KEY,
      KEY + ", " + Wire.KEY
    };
    for (String key : keys) {
      add("20.4", refused(400, UPGRADE, CONNECTION, VERSION, key));
    }
    for (String line :
        new String[] {"X: none", "Upgrade: h2c", "Upgrade: websockets", "Upgrade:"}) {
      add("20.5", refused(400, line, CONNECTION, VERSION, KEY));
    }
    for (String line : new String[] {"X: none", "Connection: keep-alive", "Connection: Upgrades"}) {
      add("20.5", refused(400, UPGRADE, line, VERSION, KEY));
    }
  }

  private static Script wrongVersion(String line) {
    return stage -> {
      try (Wire wire = stage.connect()) {
        wire.send(request(stage, "", UPGRADE, CONNECTION, KEY, line));
        Response response = wire.response();
        require(response.status() == 426, response);
        require("13".equals(response.header("Sec-WebSocket-Version")), response);
        require("websocket".equals(response.header("Upgrade")), response);
        require("Upgrade".equals(response.header("Connection")), response);
        expectNextIsServed(wire);
      }
    };
  }

  private static Script refused(int status, String... lines) {
    return stage -> {
      try (Wire wire = stage.connect()) {
        wire.send(request(stage, "", lines));
        Response response = wire.response();
        require(response.status() == status, response);
        require(response.header("Sec-WebSocket-Accept") == null, response);
        expectNextIsServed(wire);
      }
    };
  }

  private static void expectNextIsServed(Wire wire) throws Exception {
    Response response = wire.send(NEXT).response();
    require(response.status() == 200, response);
  }

  private static void require(boolean right, String wrong) {
    if (!right) {
      throw new AssertionError(wrong);
    }
  }

  // ---- Subprotocols (1.9, 4.2.2)

  private void subprotocols() {
    add("20.8", subprotocol("b", "Sec-WebSocket-Protocol: b, a")); // the server prefers b
    add("20.8", subprotocol("a", "Sec-WebSocket-Protocol: c, a"));
    add("20.8", subprotocol("b", "Sec-WebSocket-Protocol: a", "Sec-WebSocket-Protocol: c,b"));
    add("20.8", subprotocol(null, "Sec-WebSocket-Protocol: c, d"));
    add("20.8", subprotocol(null, "Sec-WebSocket-Protocol: B, A")); // names are case-sensitive
    add("20.8", subprotocol(null, "Sec-WebSocket-Protocol:"));
    add("20.8", subprotocol("a", "Sec-WebSocket-Protocol: ,, a,"));
    add("20.8", subprotocol("a", "Sec-WebSocket-Protocol: \"x\", b b, a"));
    add("20.8", subprotocol(null, "X: none offered"));
  }

  private static Script subprotocol(@Nullable String chosen, String... lines) {
    return stage -> {
      try (Wire wire = stage.connect()) {
        String all = String.join("\r\n", lines);
        wire.send(request(stage, "&subprotocols=b,a", UPGRADE, CONNECTION, VERSION, KEY, all));
        Response response = wire.response();
        require(response.status() == 101, response);
        String answer = response.header("Sec-WebSocket-Protocol");
        require(chosen == null ? answer == null : chosen.equals(answer), response);
        expectEcho(wire);
      }
    };
  }

  // ---- Limits (RFC 6585 5)

  private void limits() {
    add("20.9", tooMuch("X: " + "x".repeat(40_000)));
    add("20.9", tooMuch("Sec-WebSocket-Protocol: " + "a, ".repeat(15_000) + "a"));
    StringBuilder many = new StringBuilder("X-0: x");
    for (int i = 1; i < 200; i++) {
      many.append("\r\nX-").append(i).append(": x");
    }
    add("20.9", tooMuch(many.toString()));
  }

  private static Script tooMuch(String lines) {
    return stage -> {
      try (Wire wire = stage.connect()) {
        wire.send(request(stage, "", UPGRADE, CONNECTION, VERSION, KEY, lines));
        Response response = wire.response();
        require(response.status() == 431, response);
        require("close".equals(response.header("Connection")), response);
        wire.expectEnd();
      }
    };
  }

  // ---- Bytes behind

  private void bytesBehind() {
    Frame first = Frame.text("early");
    Frame second = Frame.binary(Standard.random(200));
    int length = Frame.masked(first, second).length;
    for (int cut = 0; cut <= length; cut += cut < 14 ? 1 : 31) {
      int with = cut;
      add(
          "20.10",
          stage -> {
            byte[] frames = Frame.masked(first, second);
            String start = new String(frames, 0, with, ISO_8859_1);
            try (Wire wire = stage.connect()) {
              wire.send(request(stage, "", UPGRADE, CONNECTION, VERSION, KEY) + start);
              wire.send(Arrays.copyOfRange(frames, with, frames.length));
              wire.response().expectUpgrade();
              require(wire.frame().equals(first), "not the first echo");
              require(wire.frame().equals(second), "not the second echo");
            }
          });
    }
    add(
        "20.10",
        stage -> {
          try (Wire wire = stage.connect()) {
            String frames = new String(Frame.masked(first, Frame.close(1000, "")), ISO_8859_1);
            wire.send(request(stage, "", UPGRADE, CONNECTION, VERSION, KEY) + frames);
            wire.response().expectUpgrade();
            require(wire.frame().equals(first), "not the echo");
            require(wire.frame().equals(Frame.close(1000, "")), "not the Close");
            wire.expectEnd();
          }
        });
  }

  // ---- Not upgraded

  private void notUpgraded() {
    String[][] bodies = {
      {"Content-Length: 5", "12345"},
      {"Transfer-Encoding: chunked", "5\r\n12345\r\n0\r\n\r\n"},
      {"Transfer-Encoding: chunked", "0\r\n\r\n"},
    };
    for (String[] body : bodies) {
      add(
          "20.11",
          stage -> {
            try (Wire wire = stage.connect()) {
              wire.send(request(stage, "", UPGRADE, CONNECTION, VERSION, KEY, body[0]) + body[1]);
              Response response = wire.response();
              require(response.status() == 400, response);
              expectNextIsServed(wire);
            }
          });
    }
    add("20.11", accepted(Wire.KEY, UPGRADE, CONNECTION, VERSION, KEY, "Content-Length: 0"));
    add(
        "20.12",
        stage -> {
          try (Wire wire = stage.connect()) {
            String request = request(stage, "", UPGRADE, CONNECTION, VERSION, KEY);
            wire.send(request.replace("HTTP/1.1", "HTTP/1.0"));
            Response response = wire.response();
            require(response.status() == 400, response);
            wire.expectEnd();
          }
        });
  }
}
