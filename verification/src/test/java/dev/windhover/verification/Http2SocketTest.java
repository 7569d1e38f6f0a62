package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.websocket.Ending;
import dev.windhover.verification.EchoApplication.Form;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Http2Wire;
import dev.windhover.verification.wire.Http2Wire.Http2Frame;
import dev.windhover.verification.wire.Http2Wire.Stream;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The stream is the socket (RFC 8441 5): how it ends, and how streams affect each other. */
@ExtendWith(StrictLogs.class)
class Http2SocketTest {
  private static final int MEBIBYTE = 1 << 20;

  private static byte[] random(int size) {
    byte[] bytes = new byte[size];
    new Random(size).nextBytes(bytes);
    return bytes;
  }

  private static List<Http2Frame> of(Http2Wire wire, Stream stream) {
    return wire.frames().stream().filter(frame -> frame.stream() == stream.id()).toList();
  }

  // ---- Ends

  @ParameterizedTest
  @EnumSource(Form.class)
  void endOfTheStreamRidesOnTheCloseThatCompletesTheHandshake(Form form) throws Exception {
    try (EchoApplication server = new EchoApplication(form, app -> {});
        Http2Wire wire = Http2Wire.connect(server.port())) {
      Stream stream = wire.open("/echo/a");
      stream.send(Frame.close(1000, ""));
      assertThat(stream.frame()).isEqualTo(Frame.close(1000, ""));
      stream.expectEnd();
      stream.endOutput();
      assertThat(server.ending("a").by()).isEqualTo(Ending.By.PEER);
      wire.ping();
      assertThat(of(wire, stream)).hasSize(2); // HEADERS, DATA with the Close, and no RST_STREAM
      Http2Frame last = of(wire, stream).getLast();
      assertThat(last.type()).isEqualTo(Http2Wire.DATA);
      assertThat(last.has(Http2Wire.END_STREAM)).isTrue();
      assertThat(last.payload()).isEqualTo(new byte[] {(byte) 0x88, 2, 3, (byte) 0xE8});
    }
  }

  @ParameterizedTest
  @EnumSource(Form.class)
  void endFollowsThePeersCloseIfTheServersCameFirst(Form form) throws Exception {
    try (EchoApplication server = new EchoApplication(form, app -> {});
        Http2Wire wire = Http2Wire.connect(server.port())) {
      Stream stream = wire.open("/closes/a");
      assertThat(stream.frame()).isEqualTo(Frame.text("bye"));
      assertThat(stream.frame()).isEqualTo(Frame.close(4000, "enough"));
      wire.ping();
      assertThat(of(wire, stream))
          .noneMatch(frame -> frame.has(Http2Wire.END_STREAM) && frame.type() == Http2Wire.DATA);
      stream.send(Frame.close(4000, ""));
      stream.expectEnd();
      stream.endOutput();
      assertThat(server.ending("a").by()).isEqualTo(Ending.By.APPLICATION);
      wire.ping();
      assertThat(of(wire, stream)).noneMatch(frame -> frame.type() == Http2Wire.RST_STREAM);
    }
  }

  @ParameterizedTest
  @EnumSource(Form.class)
  void peerThatDoesNotEndItsSideIsToldThatNothingIsWrong(Form form) throws Exception {
    try (EchoApplication server = new EchoApplication(form, app -> {});
        Http2Wire wire = Http2Wire.connect(server.port())) {
      Stream stream = wire.open("/echo/a");
      stream.send(Frame.close(1000, ""));
      assertThat(stream.resetCode()).isEqualTo(Http2Wire.NO_ERROR); // 1.5 s later
      assertThat(server.ending("a").reason().code()).isEqualTo(1000);
    }
  }

  @ParameterizedTest
  @EnumSource(Form.class)
  void abortIsCancel(Form form) throws Exception {
    try (EchoApplication server = new EchoApplication(form, app -> {});
        Http2Wire wire = Http2Wire.connect(server.port())) {
      Stream stream = wire.open("/aborts/a");
      Stream other = wire.open("/echo/b");
      stream.send(Frame.text("x"));
      assertThat(stream.resetCode()).isEqualTo(Http2Wire.CANCEL);
      other.send(Frame.text("still here"));
      assertThat(other.frame()).isEqualTo(Frame.text("still here"));
    }
  }

  @ParameterizedTest
  @EnumSource(Form.class)
  void resetAndEndWithoutACloseAreLostConnections(Form form) throws Exception {
    try (EchoApplication server = new EchoApplication(form, app -> {});
        Http2Wire wire = Http2Wire.connect(server.port())) {
      Stream reset = wire.open("/echo/reset");
      Stream ended = wire.open("/echo/ended");
      reset.reset(Http2Wire.CANCEL);
      ended.endOutput();
      Ending ending = server.ending("reset");
      assertThat(ending.by()).isEqualTo(Ending.By.CONNECTION);
      assertThat(ending.reason().code()).isEqualTo(1006);
      assertThat(ending.why()).isEqualTo("the client reset the stream with CANCEL");
      assertThat(server.ending("ended").reason().code()).isEqualTo(1006);
      ended.expectEnd();
    }
  }

  @ParameterizedTest
  @EnumSource(Form.class)
  void lostConnectionEndsAllItsSockets(Form form) throws Exception {
    try (EchoApplication server = new EchoApplication(form, app -> {})) {
      try (Http2Wire wire = Http2Wire.connect(server.port())) {
        for (int i = 0; i < 10; i++) {
          wire.open("/echo/" + i);
        }
        wire.abort();
      }
      for (int i = 0; i < 10; i++) {
        assertThat(server.ending(Integer.toString(i)).reason().code()).isEqualTo(1006);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Form.class)
  void stopClosesTheSocketsAndThenTheConnection(Form form) throws Exception {
    EchoApplication server = new EchoApplication(form, app -> {});
    try (Http2Wire wire = Http2Wire.connect(server.port())) {
      Stream echo = wire.open("/echo/a");
      Stream silent = wire.open("/silent/b");
      Thread stop = Thread.ofVirtual().start(server::close);
      for (Stream stream : new Stream[] {echo, silent}) {
        assertThat(stream.frame()).isEqualTo(Frame.close(1001, "the server is stopping"));
        stream.send(Frame.close(1001, ""));
        stream.expectEnd(); // and the stop does not wait for the end of ours
      }
      assertThat(wire.goAway()).isEqualTo(Http2Wire.NO_ERROR);
      assertThat(wire.end()).isEqualTo("FIN");
      assertThat(stop.join(Duration.ofSeconds(3))).isTrue();
    }
    assertThat(server.running()).isZero();
  }

  // ---- Frames

  @ParameterizedTest
  @EnumSource(Form.class)
  void messagesThatAreAnsweredTogetherShareAFrame(Form form) throws Exception {
    try (EchoApplication server = new EchoApplication(form, app -> {});
        Http2Wire wire = Http2Wire.connect(server.port())) {
      Stream stream = wire.open("/echo/a");
      Frame[] frames = new Frame[100];
      Arrays.setAll(frames, i -> Frame.text("message " + i));
      stream.send(frames);
      for (Frame frame : frames) {
        assertThat(stream.frame()).isEqualTo(frame);
      }
      assertThat(of(wire, stream)).hasSizeLessThan(40); // a task of the loop may cut a batch
    }
  }

  // ---- Windows

  @ParameterizedTest
  @CsvSource({"16380, 16384", "16381, 16384 1", "32764, 16384 16384", "32768, 16384 16384 4"})
  void messageThatDoesNotFitIntoAFrameLeavesInFullOnes(int size, String frames) throws Exception {
    try (EchoApplication server = new EchoApplication(Form.LISTENER, app -> {});
        Http2Wire wire = Http2Wire.connect(server.port())) {
      Stream stream = wire.open("/echo/a");
      Frame message = Frame.binary(random(size));
      stream.send(message);
      assertThat(stream.frame()).isEqualTo(message);
      assertThat(of(wire, stream))
          .filteredOn(frame -> frame.type() == Http2Wire.DATA)
          .extracting(frame -> frame.payload().length)
          .isEqualTo(Arrays.stream(frames.split(" ")).map(Integer::valueOf).toList());
    }
  }

  @ParameterizedTest
  @EnumSource(Form.class)
  void creditComesBackForWhatIsConsumedOnly(Form form) throws Exception {
    try (EchoApplication server = new EchoApplication(form, app -> {});
        Http2Wire wire = Http2Wire.connect(server.port())) {
      Stream silent = wire.open("/silent/a");
      long sent = silent.sendUntilBlocked(Frame.binary(random(1_000)).masked(), MEBIBYTE);
      assertThat(sent).isBetween(64L * 1024, 66L * 1024); // headers are credited at once
      Stream pings = wire.open("/silent/b");
      Frame[] many = new Frame[1_000];
      Arrays.fill(many, Frame.pong("x".repeat(120)));
      pings.send(many); // so are control frames: 126 KB of them
      wire.ping();
    }
  }

  /** Frame headers are credited at once, so their cost must be bounded as well. */
  @ParameterizedTest
  @CsvSource({"BLOCKING, 0", "BLOCKING, 1", "LISTENER, 0", "LISTENER, 1"})
  void smallMessagesThatNobodyReadsAreBounded(Form form, int size) throws Exception {
    try (EchoApplication server = new EchoApplication(form, app -> {});
        Http2Wire wire = Http2Wire.connect(server.port(), MEBIBYTE)) {
      Stream silent = wire.open("/silent/a");
      Frame[] many = new Frame[1_000];
      Arrays.fill(many, Frame.binary(new byte[size]));
      long heap = Memory.heap();
      long direct = Memory.direct();
      long sent = silent.sendUntilBlocked(Frame.masked(many), 40L * MEBIBYTE);
      wire.ping();
      assertThat(sent).isLessThan(MEBIBYTE);
      assertThat(Memory.heap() - heap).as("heap").isLessThan(2L * MEBIBYTE);
      assertThat(Memory.direct() - direct).as("direct memory").isLessThan(2L * MEBIBYTE);
      Stream other = wire.open("/echo/b");
      other.send(Frame.text("still here"));
      assertThat(other.frame()).isEqualTo(Frame.text("still here"));
    }
  }

  /** Messages that were held while nobody read come in order, and then the end. */
  @Test
  void whatWasHeldIsDeliveredWhenTheListenerAsks() throws Exception {
    try (EchoApplication server = new EchoApplication(Form.LISTENER, app -> {});
        Http2Wire wire = Http2Wire.connect(server.port(), MEBIBYTE)) {
      Stream stream = wire.open("/on-demand/a");
      int count = 4_000;
      Thread writer =
          Thread.ofVirtual()
              .start(() -> {
                try {
                  for (int i = 0; i < count; i++) {
                    stream.send(Frame.text("message " + i));
                  }
                  stream.send(Frame.close(1000, ""));
                  stream.endOutput();
                } catch (IOException e) {
                  throw new java.io.UncheckedIOException(e);
                }
              });
      for (int i = 0; i < count; i++) {
        server.socket("a").demand(1);
        assertThat(stream.frame()).isEqualTo(Frame.text("message " + i));
      }
      assertThat(writer.join(Duration.ofSeconds(5))).isTrue();
      server.socket("a").demand(1);
      assertThat(stream.frame()).isEqualTo(Frame.close(1000, ""));
      stream.expectEnd();
    }
  }

  /** None of the others reads, and their windows are full; memory stays within these. */
  @ParameterizedTest
  @EnumSource(Form.class)
  void socketsThatReadNothingStallNobody(Form form) throws Exception {
    try (EchoApplication server =
            new EchoApplication(
                form,
                app ->
                    app.server(
                        options -> options.limits().http2().maxWebSocketsPerConnection(100)));
        Http2Wire wire = Http2Wire.connect(server.port(), MEBIBYTE)) {
      byte[] piece = Frame.binary(random(60_000)).masked();
      long before = Memory.heap() + Memory.direct();
      for (int i = 0; i < 99; i++) {
        Stream stream = wire.open("/silent/" + i);
        stream.data(false, piece);
      }
      wire.ping();
      long held = Memory.heap() + Memory.direct() - before;
      assertThat(held).isLessThan(99 * 2 * 64 * 1024);
      Stream echo = wire.open("/echo/e");
      Frame message = Frame.binary(random(MEBIBYTE));
      Thread writer =
          Thread.ofVirtual()
              .start(() -> {
                try {
                  for (int i = 0; i < 10; i++) {
                    echo.send(message);
                  }
                } catch (IOException e) {
                  throw new java.io.UncheckedIOException(e);
                }
              });
      for (int i = 0; i < 10; i++) {
        assertThat(echo.frame()).isEqualTo(message);
        wire.ping();
      }
      assertThat(writer.join(Duration.ofSeconds(5))).isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource(Form.class)
  void hundredSocketsShareAConnectionFairly(Form form) throws Exception {
    try (EchoApplication server =
            new EchoApplication(
                form,
                app ->
                    app.server(
                        options -> options.limits().http2().maxWebSocketsPerConnection(100)));
        Http2Wire wire = Http2Wire.connect(server.port(), 16 * 1024)) {
      Stream talks = wire.open("/talks/t"); // sends as fast as it can, and is not read
      Stream[] echoes = new Stream[50];
      for (int i = 0; i < echoes.length; i++) {
        echoes[i] = wire.open("/echo/" + i);
      }
      for (int round = 0; round < 20; round++) {
        for (Stream echo : echoes) {
          echo.send(Frame.text("round " + round));
        }
        for (Stream echo : echoes) {
          assertThat(echo.frame()).isEqualTo(Frame.text("round " + round));
        }
      }
      talks.abort();
    }
  }
}
