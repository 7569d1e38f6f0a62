package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.windhover.app.WebApplication;
import dev.windhover.http.Handler;
import dev.windhover.http.websocket.Group;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.server.TlsProvider;
import dev.windhover.server.Transport;
import dev.windhover.verification.Http1WebSocketTest.Http1;
import dev.windhover.verification.Http2WebSocketTest.Http2;
import dev.windhover.verification.Http2WebSocketTest.Http2OverTls;
import dev.windhover.verification.TlsWebSocketTest.Tls;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Peer;
import dev.windhover.verification.wire.Wire;
import io.netty.channel.uring.IoUring;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What groups promise, over every transport, to members in both forms. */
@ExtendWith(StrictLogs.class)
class GroupTransportsTest {
  private static final int TICK_BYTES = 16 * 1024;
  private static final int SEND_QUEUE = 256 * 1024;
  private static final int MOST_OLD_BYTES = 128 * 1024;

  /** More than any system takes for a client that does not read. */
  private static final int MOST_TICKS = 2000;

  private static final String BLOCKING = "/blocking";
  private static final String LISTENER = "/listener";

  private final Group group = new Group();
  private final BlockingQueue<WebSocket> accepted = new LinkedBlockingQueue<>();
  private final List<Peer> peers = new ArrayList<>();
  private WebApplication app = WebApplication.create();
  private TransportUnderTest transport = new Http1(_ -> {}, true);

  /** A way to a member. */
  enum Over {
    HTTP1,
    HTTP1_NIO,
    HTTP1_IO_URING,
    HTTP1_TLS,
    HTTP2,
    HTTP2_TLS;

    private TransportUnderTest transport() {
      return switch (this) {
        case HTTP1 -> http1(Transport.AUTO);
        case HTTP1_NIO -> http1(Transport.NIO);
        case HTTP1_IO_URING -> {
          assumeTrue(
              IoUring.isAvailable(), () -> "no io_uring here: " + IoUring.unavailabilityCause());
          yield http1(Transport.IO_URING);
        }
        case HTTP1_TLS -> new Tls(TlsProvider.AUTO, "TLSv1.3", Transport.AUTO);
        case HTTP2 -> new Http2(_ -> {});
        case HTTP2_TLS -> new Http2OverTls();
      };
    }

    private static Http1 http1(Transport transport) {
      return new Http1(app -> app.server(options -> options.transport(transport)), true);
    }

    /** With NIO, the system takes what it likes; see docs/groups.md. */
    private int mostOldBytes() {
      return this == HTTP1_NIO ? Integer.MAX_VALUE : MOST_OLD_BYTES;
    }
  }

  /** The full run takes all, the quick one those in clear text. */
  static List<Over> transports() {
    return System.getProperty("full") == null
        ? List.of(Over.HTTP1, Over.HTTP2)
        : List.of(Over.values());
  }

  /** Both ends of a socket. */
  private record Member(WebSocket socket, Peer peer) {}

  private void start(Over over) throws IOException {
    transport = over.transport();
    app = WebApplication.create();
    app.server(options -> options.urls("http://127.0.0.1:0"));
    transport.host().accept(app);
    app.useWebSockets(options ->
        options.allowedOrigins("*").limits(limits -> limits.sendQueue(SEND_QUEUE, SEND_QUEUE / 4)));
    app.mapWebSocket(
        BLOCKING,
        socket -> {
          accepted.add(socket);
          while (socket.receiveMessage() != null) {
            // members have nothing to say
          }
        });
    app.map(
        LISTENER,
        Handler.nonBlocking(
            context -> accepted.add(context.webSockets().accept(new WebSocketListener() {}))));
    app.start();
  }

  @AfterEach
  void stop() throws IOException {
    for (Peer peer : peers) {
      peer.abort();
      peer.close();
    }
    app.stop();
  }

  private Member open(String path) throws Exception {
    return member(transport.open(Ports.of(app), path));
  }

  /** Opens one whose client takes little while it does not read. */
  private Member openNarrow(String path) throws Exception {
    return member(transport.openNarrow(Ports.of(app), path));
  }

  private Member member(Peer peer) throws InterruptedException {
    peers.add(peer);
    WebSocket socket = accepted.poll(Wire.MOST_MILLIS, TimeUnit.MILLISECONDS);
    assertThat(socket).isNotNull();
    return new Member(socket, peer);
  }

  private static PreparedMessage tick(long number) {
    return PreparedMessage.of(
        ByteBuffer.allocate(TICK_BYTES).putLong(0, number), MessageType.BINARY);
  }

  /** Returns the number of a tick, all of which is here. */
  private static long number(Frame tick) {
    assertThat(tick.payload()).hasSize(TICK_BYTES);
    return ByteBuffer.wrap(tick.payload()).getLong();
  }

  @ParameterizedTest
  @MethodSource("transports")
  void everybodyGetsWhatIsSentAndOneMayBeLeftOut(Over over) throws Exception {
    start(over);
    List<Member> members = new ArrayList<>();
    for (String path : List.of(BLOCKING, LISTENER, BLOCKING, LISTENER)) {
      members.add(open(path));
    }
    for (Member member : members) {
      assertThat(group.join(member.socket)).isTrue();
    }
    byte[] large = new byte[100_000];
    Member author = members.get(1);
    for (int i = 0; i < 20; i++) {
      group.sendText("all " + i);
      group.sendExcept(author.socket, PreparedMessage.text("others " + i));
    }
    group.send(PreparedMessage.binary(large));
    group.sendText("last");
    for (Member member : members) {
      for (int i = 0; i < 20; i++) {
        assertThat(member.peer.frame()).isEqualTo(Frame.text("all " + i));
        if (!member.equals(author)) {
          assertThat(member.peer.frame()).isEqualTo(Frame.text("others " + i));
        }
      }
      assertThat(member.peer.frame()).isEqualTo(Frame.binary(large));
      assertThat(member.peer.frame()).isEqualTo(Frame.text("last"));
    }
  }

  @ParameterizedTest
  @MethodSource("transports")
  void aMemberThatNeverReadsIsDisconnectedAndTheOthersGetEverything(Over over) throws Exception {
    start(over);
    Member stuck = openNarrow(BLOCKING);
    List<Member> others = List.of(open(BLOCKING), open(LISTENER));
    group.join(stuck.socket);
    for (Member other : others) {
      group.join(other.socket);
    }
    long last = 0;
    while (stuck.socket.state().canSend()) {
      group.send(tick(++last));
      for (Member other : others) {
        assertThat(number(other.peer.frame())).isEqualTo(last);
      }
      assertThat(last).isLessThan(MOST_TICKS);
    }
    while (group.size() > 2) {
      Thread.onSpinWait(); // it leaves right after its state has changed
    }
    group.send(tick(++last));
    for (Member other : others) {
      assertThat(number(other.peer.frame())).isEqualTo(last);
    }
    // What it is told when it reads at last: whole messages, without a gap, and then why.
    Frame frame = stuck.peer.frame();
    long read = 0;
    while (frame.payload().length == TICK_BYTES) {
      assertThat(number(frame)).isEqualTo(++read);
      frame = stuck.peer.frame();
    }
    assertThat(frame)
        .isEqualTo(Frame.close(1013, "send queue of " + SEND_QUEUE + " bytes is full"));
    assertThat(stuck.socket.droppedMessages()).isEqualTo(last - 1 - read);
  }

  @ParameterizedTest
  @MethodSource("transports")
  void aViewerThatPausesGetsFewOldTicksAndThenTheLatest(Over over) throws Exception {
    start(over);
    Member slow = openNarrow(LISTENER);
    Member other = open(BLOCKING);
    group.join(slow.socket);
    group.join(other.socket);
    long last = 0;
    while (slow.socket.droppedMessages() < 50) {
      group.sendLatest("tick", tick(++last));
      assertThat(number(other.peer.frame())).isEqualTo(last); // which keeps up, and gets every one
      assertThat(last).isLessThan(MOST_TICKS);
    }
    group.sendText("last");
    List<Long> read = new ArrayList<>();
    Frame frame = slow.peer.frame();
    while (frame.payload().length == TICK_BYTES) {
      read.add(number(frame));
      frame = slow.peer.frame();
    }
    assertThat(new String(frame.payload(), StandardCharsets.UTF_8)).isEqualTo("last");
    assertThat(read)
        .isSorted()
        .endsWith(last)
        .hasSize((int) (last - slow.socket.droppedMessages()));
    assertThat((read.size() - 1) * TICK_BYTES).isLessThanOrEqualTo(over.mostOldBytes());
    assertThat(other.socket.droppedMessages()).isZero();
  }
}
