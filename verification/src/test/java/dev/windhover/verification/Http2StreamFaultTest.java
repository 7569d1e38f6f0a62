package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.verification.EchoApplication.Form;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Http2Wire;
import dev.windhover.verification.wire.Http2Wire.Http2Frame;
import dev.windhover.verification.wire.Http2Wire.Stream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A stream's fault stays with that stream (RFC 9113 5.1, 5.4.2): the others never notice. */
@ExtendWith(StrictLogs.class)
class Http2StreamFaultTest {
  private static final int MOST_STREAMS = 100; // the default
  private static final int SOCKETS = 10;
  private static final int WINDOW = 65_536;

  private static EchoApplication start(Form form) {
    return new EchoApplication(form, Http2StreamFaultTest::mapMore);
  }

  private static void mapMore(WebApplication app) {
    app.map(
        "/upload",
        context -> context.response().write("" + context.request().body().readAllBytes().length));
    app.map("/large", context -> context.response().write("x".repeat(1_000_000)));
    app.server(options -> options.limits().minResponseRate(1_000_000, Duration.ofMillis(300)));
  }

  private static List<Stream> openSockets(Http2Wire wire) throws IOException {
    List<Stream> sockets = new ArrayList<>();
    for (int i = 0; i < SOCKETS; i++) {
      sockets.add(wire.open("/echo/" + i));
    }
    return sockets;
  }

  private static void expectEchoes(List<Stream> sockets, String text) throws IOException {
    for (Stream socket : sockets) {
      socket.send(Frame.text(text));
      assertThat(socket.frame()).isEqualTo(Frame.text(text));
    }
  }

  private static String text(Stream stream) throws IOException {
    return new String(stream.body(), StandardCharsets.UTF_8);
  }

  /** Sends DATA whether or not the stream was reset, within the windows, which must allow it. */
  private static void send(Stream stream, int bytes) throws IOException {
    long sent = 0;
    for (int tries = 0; tries < 10 && sent < bytes; tries++) { // the machine may be busy
      sent += stream.sendUntilBlocked(new byte[1_000], bytes - sent);
    }
    assertThat(sent).as("bytes within the windows").isEqualTo(bytes);
  }

  private static List<Integer> refused(Http2Wire wire) {
    return wire.frames().stream()
        .filter(frame -> frame.type() == Http2Wire.RST_STREAM)
        .filter(frame -> frame.number(0) == Http2Wire.REFUSED_STREAM)
        .map(Http2Frame::stream)
        .toList();
  }

  // ---- Malformed heads

  private static List<Arguments> malformedHeads() {
    List<Arguments> all = new ArrayList<>();
    for (Form form : Form.values()) {
      for (String field :
          List.of("X-Upper: x", "connection: close", "x: y\u0001", "x: y ", ":protocol: x")) {
        all.add(Arguments.of(form, field));
      }
    }
    return all;
  }

  /** Together the bodies are larger than the connection's window, which must be given back. */
  @ParameterizedTest
  @MethodSource("malformedHeads")
  void malformedHeadAndWhatFollowsItEndTheirStreamAlone(Form form, String field) throws Exception {
    try (EchoApplication server = start(form);
        Http2Wire wire = Http2Wire.connect(server.port())) {
      List<Stream> sockets = openSockets(wire);
      for (int i = 0; i < 30; i++) {
        Stream malformed = wire.request(false, Http2Wire.head("POST", "/upload", field));
        send(malformed, WINDOW);
        malformed.headers(true, "trailer: x");
        assertThat(malformed.resetCode()).isEqualTo(Http2Wire.PROTOCOL_ERROR);
      }
      expectEchoes(sockets, "still here");
      assertThat(text(wire.get("/plain"))).isEqualTo("plain\n");
    }
  }

  /** The client gives up the request before it hears that the server has refused it. */
  @Test
  void otherFramesOnAStreamThatNeverOpenedAreIgnored() throws Exception {
    try (EchoApplication server = start(Form.LISTENER);
        Http2Wire wire = Http2Wire.connect(server.port())) {
      List<Stream> sockets = openSockets(wire);
      Stream malformed = wire.request(false, Http2Wire.head("POST", "/upload", "X-Upper: x"));
      wire.windowUpdate(malformed.id(), 1_000);
      wire.frame(Http2Wire.PRIORITY, 0, malformed.id(), new byte[5]);
      malformed.reset(Http2Wire.CANCEL);
      expectEchoes(sockets, "still here");
      assertThat(wire.frames())
          .filteredOn(frame -> frame.stream() == malformed.id())
          .singleElement()
          .matches(frame -> frame.type() == Http2Wire.RST_STREAM);
    }
  }

  @Test
  void malformedHeadInSingleBytesEndsItsStreamAlone() throws Exception {
    try (EchoApplication server = start(Form.LISTENER);
        Http2Wire wire = Http2Wire.connect(server.port())) {
      List<Stream> sockets = openSockets(wire);
      Stream malformed = wire.newStream();
      String[] head = Http2Wire.head("POST", "/upload", "X-Upper: x");
      wire.sendEach(Http2Wire.headers(malformed.id(), false, head));
      send(malformed, WINDOW);
      assertThat(malformed.resetCode()).isEqualTo(Http2Wire.PROTOCOL_ERROR);
      expectEchoes(sockets, "still here");
    }
  }

  /** One of many users behind a proxy sends them; no handler has run for any of these streams. */
  @Test
  void manyMalformedHeadsAreNoAbuse() throws Exception {
    try (EchoApplication server = start(Form.LISTENER);
        Http2Wire wire = Http2Wire.connect(server.port())) {
      List<Stream> sockets = openSockets(wire);
      for (int i = 0; i < 300; i++) {
        Stream malformed = wire.request(false, Http2Wire.head("POST", "/upload", "X-Upper: x"));
        wire.frame(Http2Wire.DATA, 0, malformed.id(), new byte[1]);
      }
      expectEchoes(sockets, "still here");
    }
  }

  // ---- Streams beyond the limit

  @ParameterizedTest
  @EnumSource(Form.class)
  void uploadsBeyondTheLimitAreRefusedAndNobodyElseNotices(Form form) throws Exception {
    try (EchoApplication server = start(form);
        Http2Wire wire = Http2Wire.connect(server.port())) {
      List<Stream> sockets = openSockets(wire);
      List<Stream> uploads = new ArrayList<>();
      for (int i = 0; i < 150; i++) { // at once: bodies follow when all have begun
        uploads.add(wire.request(false, Http2Wire.head("POST", "/upload")));
      }
      for (Stream upload : uploads) {
        send(upload, 30_000);
        upload.headers(true, "trailer: x");
      }
      int served = MOST_STREAMS - SOCKETS;
      for (Stream upload : uploads.subList(0, served)) {
        assertThat(text(upload)).isEqualTo("30000");
      }
      for (Stream upload : uploads.subList(served, uploads.size())) {
        assertThat(upload.resetCode()).isEqualTo(Http2Wire.REFUSED_STREAM);
      }
      expectEchoes(sockets, "still here");
      assertThat(refused(wire)).hasSize(150 - served); // each once
    }
  }

  /** Before it knows our SETTINGS, a client may believe that there is no limit (RFC 9113 6.5.2). */
  @Test
  void clientThatDoesNotKnowTheLimitYetIsRefusedStreamByStream() throws Exception {
    try (EchoApplication server = start(Form.LISTENER);
        Http2Wire wire = Http2Wire.raw(server.port(), WINDOW)) {
      wire.preface();
      List<Stream> uploads = new ArrayList<>();
      for (int i = 0; i < 1_000; i++) {
        uploads.add(wire.request(false, Http2Wire.head("POST", "/upload")));
      }
      for (Stream upload : uploads) {
        wire.frame(Http2Wire.DATA, Http2Wire.END_STREAM, upload.id(), new byte[10]);
      }
      for (Stream upload : uploads.subList(0, MOST_STREAMS)) {
        assertThat(text(upload)).isEqualTo("10");
      }
      wire.ping();
      assertThat(refused(wire)).hasSize(1_000 - MOST_STREAMS);
      expectEchoes(openSockets(wire), "still here");
    }
  }

  /** The client sent the request before our GOAWAY reached it. */
  @Test
  void uploadThatCrossesOurGoAwayIsRefusedAlone() throws Exception {
    EchoApplication server = start(Form.LISTENER);
    try (Http2Wire wire = Http2Wire.connect(server.port())) {
      Stream served = wire.request(false, Http2Wire.head("POST", "/upload"));
      wire.ping();
      Thread stop = Thread.ofVirtual().start(server::close);
      assertThat(wire.goAway()).isEqualTo(Http2Wire.NO_ERROR);
      Stream late = wire.request(false, Http2Wire.head("POST", "/upload"));
      send(late, 10_000);
      assertThat(late.resetCode()).isEqualTo(Http2Wire.REFUSED_STREAM);
      served.data(true, new byte[10]);
      assertThat(text(served)).isEqualTo("10");
      assertThat(stop.join(Duration.ofSeconds(5))).isTrue();
    }
  }

  // ---- Windows

  @ParameterizedTest
  @EnumSource(Form.class)
  void streamWhoseWindowStaysZeroLosesOnlyItself(Form form) throws Exception {
    try (EchoApplication server = start(form);
        Http2Wire wire = Http2Wire.connect(server.port(), 0)) { // the window of each stream
      List<Stream> sockets = openSockets(wire);
      for (Stream socket : sockets) {
        wire.windowUpdate(socket.id(), WINDOW);
      }
      Stream download = wire.get("/large");
      assertThat(download.status()).isEqualTo(200);
      while (!hasBeenReset(wire, download)) {
        expectEchoes(sockets, "meanwhile");
      }
      assertThat(download.resetCode()).isEqualTo(Http2Wire.CANCEL);
      expectEchoes(sockets, "still here");
    }
  }

  /** After 3 s in which its client takes nothing. */
  @Tag("full")
  @ParameterizedTest
  @EnumSource(Form.class)
  void socketWhoseWindowStaysZeroLosesOnlyItself(Form form) throws Exception {
    try (EchoApplication server = start(form);
        Http2Wire wire = Http2Wire.connect(server.port(), 0)) {
      List<Stream> sockets = openSockets(wire);
      for (Stream socket : sockets) {
        wire.windowUpdate(socket.id(), WINDOW);
      }
      Stream talks = wire.open(EchoApplication.IMPATIENT + "/talks/t");
      while (!hasBeenReset(wire, talks)) {
        expectEchoes(sockets, "meanwhile");
      }
      assertThat(talks.resetCode()).isEqualTo(Http2Wire.CANCEL);
      expectEchoes(sockets, "still here");
    }
  }

  private static boolean hasBeenReset(Http2Wire wire, Stream stream) {
    return wire.frames().stream()
        .anyMatch(frame -> frame.type() == Http2Wire.RST_STREAM && frame.stream() == stream.id());
  }

  @ParameterizedTest
  @EnumSource(Form.class)
  void streamThatOverrunsItsWindowLosesOnlyItself(Form form) throws Exception {
    try (EchoApplication server = start(form);
        Http2Wire wire = Http2Wire.connect(server.port())) {
      List<Stream> sockets = openSockets(wire);
      Stream silent = wire.open("/silent/x");
      silent.sendUntilBlocked(Frame.binary(new byte[1_000]).masked(), 1 << 20);
      for (int i = 0; i < 100; i++) {
        wire.frame(Http2Wire.DATA, 0, silent.id(), new byte[16_384]);
      }
      assertThat(silent.resetCode()).isEqualTo(Http2Wire.FLOW_CONTROL_ERROR);
      expectEchoes(sockets, "still here");
    }
  }
}
