package dev.windhover.verification.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.windhover.verification.conformance.Case.Need;
import dev.windhover.verification.conformance.Transport.Opened;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Peer;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The rows 23 and 24: the server closes, time runs out, connections end and stall. */
final class Endings {
  private static final long CLOSING_LIMIT_NANOS = TimeUnit.SECONDS.toNanos(5);

  private Endings() {}

  static void addTo(Beyond beyond) {
    serverCloses(beyond);
    timeLimits(beyond);
    connections(beyond);
  }

  private static void serverCloses(Beyond beyond) {
    for (int code : new int[] {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1014, 3000, 4999}) {
      beyond.add(
          "23.1",
          Need.SETTINGS,
          stage -> {
            try (Conversation peer = stage.open("&close=" + code)) {
              peer.expectClose(code, false);
              peer.send(Frame.close(code, "")).expectEnd();
            }
          });
    }
    for (Frame answer :
        new Frame[] {Frame.emptyClose(), Frame.close(1000, "bye"), Frame.close(4999, "")}) {
      beyond.add(
          "23.2",
          Need.SETTINGS,
          stage -> {
            try (Conversation peer = stage.open("&close=3000")) {
              peer.expectClose(3000, false);
              peer.send(answer).expectEnd();
            }
          });
    }
    Frame[] late = {
      Frame.text("late"),
      Frame.binary(Standard.random(100_000)),
      new Frame(0x01, "late".getBytes(UTF_8))
    };
    for (Frame each : late) {
      beyond.add(
          "23.3",
          Need.SETTINGS,
          stage -> {
            try (Conversation peer = stage.open("&close=1001")) {
              peer.expectClose(1001, false);
              peer.send(each, Frame.close(1001, "")).expectEnd();
            }
          });
    }
    beyond.add(
        "23.4",
        Need.SETTINGS,
        stage -> {
          try (Conversation peer = stage.open("&close=1000")) {
            peer.expectClose(1000, false);
            long start = System.nanoTime();
            peer.expectDropped();
            long took = System.nanoTime() - start;
            if (took > 2 * CLOSING_LIMIT_NANOS || took < CLOSING_LIMIT_NANOS / 2) {
              throw new AssertionError("dropped after " + took / 1_000_000 + " ms");
            }
          }
        });
  }

  private static void timeLimits(Beyond beyond) {
    beyond.add(
        "23.5",
        Need.SETTINGS,
        stage -> {
          String settings = "&keep_alive_interval=50&keep_alive_timeout=10000";
          try (Conversation peer = stage.open(settings)) {
            for (int i = 0; i < 5; i++) {
              Frame ping = peer.frame();
              if (ping.first() != 0x89) {
                throw new AssertionError("a Ping is due and there came " + ping);
              }
              peer.send(new Frame(0x8A, ping.payload()));
            }
            peer.send(Frame.close(1000, ""));
            expectCloseBehindPings(peer);
          }
        });
    beyond.add(
        "23.5",
        Need.SETTINGS,
        stage -> { // any bytes are a sign of life
          try (Conversation peer = stage.open("&keep_alive_interval=100&keep_alive_timeout=2000")) {
            long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(2_500);
            while (System.nanoTime() - end < 0) {
              Frame ping = peer.frame();
              if (ping.first() != 0x89) {
                throw new AssertionError("a Ping is due and there came " + ping);
              }
              peer.send(Frame.pong("not the answer"));
            }
            peer.send(Frame.close(1000, ""));
            expectCloseBehindPings(peer);
          }
        });
    beyond.add(
        "23.6",
        Need.SETTINGS,
        stage -> {
          try (Conversation peer = stage.open("&keep_alive_interval=50&keep_alive_timeout=200")) {
            Frame ping = peer.frame();
            if (ping.first() != 0x89) {
              throw new AssertionError("a Ping is due and there came " + ping);
            }
            peer.expectDropped();
          }
        });
  }

  private static void expectCloseBehindPings(Conversation peer) {
    Frame came = peer.frame();
    while (came.first() == 0x89) {
      came = peer.frame();
    }
    if (!came.equals(Frame.close(1000, ""))) {
      throw new AssertionError("a Close is due and there came " + came);
    }
    peer.expectEnd();
  }

  private static void connections(Beyond beyond) {
    beyond.add("24.1", Endings::slowReader);
    byte[] message = Frame.binary(Standard.random(300)).masked();
    for (int at : new int[] {1, 2, 3, 4, 7, 8, 9, 150, message.length - 1}) {
      beyond.add(
          "24.2",
          stage -> {
            try (Conversation peer = stage.open()) {
              peer.sendBytes(Arrays.copyOf(message, at)).abort();
            }
            try (Conversation next = stage.open()) {
              next.send(Frame.text("next")).expect(Frame.text("next")).finish();
            }
          });
      beyond.add(
          "24.3",
          stage -> { // inside a frame: nothing can be answered
            try (Conversation peer = stage.open()) {
              peer.sendBytes(Arrays.copyOf(message, at)).endOutput().expectEnd();
            }
          });
    }
    beyond.add(
        "24.3",
        stage -> {
          try (Conversation peer = stage.open()) {
            peer.send(Frame.text("last words")).endOutput();
            peer.expect(Frame.text("last words")).expectEnd();
          }
        });
    beyond.add(
        "24.3",
        stage -> {
          try (Conversation peer = stage.open()) {
            peer.send(new Frame(0x01, "half a ".getBytes(UTF_8)), Frame.ping("p")).endOutput();
            peer.expect(Frame.pong("p")).expectEnd();
          }
        });
    beyond.add(
        "24.3",
        stage -> {
          try (Conversation peer = stage.open()) {
            peer.send(Frame.text("last words"), Frame.close(3000, "")).endOutput();
            peer.expect(Frame.text("last words")).expectClose(3000);
          }
        });
    beyond.add(
        "24.3",
        stage -> {
          try (Conversation peer = stage.open()) {
            peer.endOutput().expectEnd();
          }
        });
    beyond.add(
        "24.4",
        Need.SETTINGS,
        stage -> {
          try (Conversation peer = stage.open("&no_read=true")) {
            for (int i = 0; i < 5; i++) {
              peer.send(Frame.text("nobody reads this"), Frame.ping("but this " + i));
              peer.expect(Frame.pong("but this " + i));
            }
            peer.abort();
          }
        });
  }

  /** More is on its way than all buffers hold, and nobody reads; another client is served. */
  private static void slowReader(Stage stage) throws Exception {
    Frame message = Frame.binary(Standard.random(50_000));
    Opened opened = stage.ask("", Map.of());
    try (Peer slow = opened.peer()) {
      byte[] piece = message.masked();
      long sent = slow.sendUntilBlocked(piece, 600L * piece.length);
      try (Conversation other = stage.open()) {
        other.send(Frame.text("meanwhile")).expect(Frame.text("meanwhile")).finish();
      }
      int left = (int) (sent % piece.length);
      Thread rest =
          Thread.ofVirtual()
              .start(() -> {
                try {
                  slow.send(Arrays.copyOfRange(piece, left, piece.length));
                } catch (IOException e) {
                  throw new java.io.UncheckedIOException(e);
                }
              });
      for (long i = 0; i <= sent / piece.length; i++) {
        Frame came = slow.frame();
        if (!came.equals(message)) {
          throw new AssertionError("echo " + i + " is another: " + came);
        }
      }
      rest.join();
    }
  }
}
