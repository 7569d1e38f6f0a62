package dev.windhover.verification.conformance;

import dev.windhover.verification.wire.Http2Wire;
import dev.windhover.verification.wire.Http2Wire.Http2Frame;
import java.io.IOException;
import java.net.SocketException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A case of HTTP/2: frames right or wrong, and what the server makes of them.
 *
 * @param section of RFC 9113, or of RFC 7541 behind HPACK
 * @param title what is sent
 * @param due how it may end; the first is what the RFC says, others are what it allows
 * @param isRaw whether the case sends its own preface
 * @param script sends, and throws where an answer is not right
 */
record Attack(String section, String title, List<String> due, boolean isRaw, Script script) {
  /** Nothing is wrong, and the connection goes on. */
  static final String SERVED = "served";

  /** The connection was ended, without a word. */
  static final String CLOSED = "closed";

  private static final String GOAWAY = "GOAWAY ";
  private static final String RST_STREAM = "RST_STREAM ";

  private static final List<String> CODES =
      List.of(
          "NO_ERROR",
          "PROTOCOL_ERROR",
          "INTERNAL_ERROR",
          "FLOW_CONTROL_ERROR",
          "SETTINGS_TIMEOUT",
          "STREAM_CLOSED",
          "FRAME_SIZE_ERROR",
          "REFUSED_STREAM",
          "CANCEL",
          "COMPRESSION_ERROR");

  /** Sends, and may expect. */
  interface Script {
    void play(Http2Wire wire) throws IOException;
  }

  /** The connection ends with this code. */
  static String goAway(String code) {
    return GOAWAY + code;
  }

  /** The stream ends with this code, and the connection serves on. */
  static String reset(String code) {
    return RST_STREAM + code;
  }

  String name() {
    return section + ": " + title;
  }

  /** Plays it, and returns how it ended. */
  String play(int port) throws IOException {
    try (Http2Wire wire = isRaw ? Http2Wire.raw(port, 65_535) : Http2Wire.connect(port)) {
      try {
        script.play(wire);
        wire.ping(); // what came before it has been dealt with
      } catch (SocketException e) {
        wire.end(); // the server no longer takes what we send: its own words say why
      } catch (AssertionError e) {
        if (!hasEnded(wire)) {
          return "not right: " + e.getMessage();
        }
      }
      return outcome(wire);
    }
  }

  private static boolean hasEnded(Http2Wire wire) {
    return wire.hasEnded() || find(wire, Http2Wire.GOAWAY) != null;
  }

  private static String outcome(Http2Wire wire) throws IOException {
    Http2Frame goAway = find(wire, Http2Wire.GOAWAY);
    if (goAway != null && goAway.number(4) != Http2Wire.NO_ERROR) {
      String end = wire.end();
      return GOAWAY + code(goAway.number(4)) + (end.equals("FIN") ? "" : ", then " + end);
    }
    if (wire.hasEnded()) {
      return CLOSED;
    }
    Http2Frame reset = find(wire, Http2Wire.RST_STREAM);
    if (goAway == null && wire.get("/").status() != 200) {
      return "not served any more";
    }
    return reset == null ? SERVED : RST_STREAM + code(reset.number(0));
  }

  private static @Nullable Http2Frame find(Http2Wire wire, int type) {
    return wire.frames().stream().filter(frame -> frame.type() == type).findFirst().orElse(null);
  }

  private static String code(int code) {
    return code < CODES.size() ? CODES.get(code) : "code " + code;
  }
}
