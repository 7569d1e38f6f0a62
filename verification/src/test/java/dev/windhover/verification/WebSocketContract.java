package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.verification.EchoApplication.Form;
import dev.windhover.verification.logs.Logs;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Hex;
import dev.windhover.verification.wire.Peer;
import io.netty.util.internal.PlatformDependent;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.event.Level;

/** What a client may rely on, whatever the transport and the form of the handler. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@ExtendWith(StrictLogs.class)
abstract class WebSocketContract {
  private static final AtomicInteger ids = new AtomicInteger();
  private static final int MEBIBYTE = 1 << 20;

  private final TransportUnderTest transport;
  private final Form form;
  private final EchoApplication server;

  WebSocketContract(TransportUnderTest transport, Form form) {
    this.transport = transport;
    this.form = form;
    this.server = new EchoApplication(form, transport.host());
  }

  @AfterAll
  void stopServer() {
    server.close();
  }

  private static String newId() {
    return "s" + ids.incrementAndGet();
  }

  private Peer open(String path) throws IOException {
    return open(path, newId());
  }

  private Peer open(String path, String id) throws IOException {
    return transport.open(server.port(), path + "/" + id);
  }

  private static byte[] random(int size) {
    byte[] bytes = new byte[size];
    new Random(size).nextBytes(bytes);
    return bytes;
  }

  /** Goes through the closing handshake; the server must end first, and within a second. */
  private static void close(Peer peer) throws IOException {
    peer.send(Frame.close(1000, ""));
    expectClose(peer, Frame.close(1000, ""));
  }

  /** Requires that {@code close} comes, and that the server ends behind it and before us. */
  private static void expectClose(Peer peer, Frame close) throws IOException {
    assertThat(peer.frame()).isEqualTo(close);
    long start = System.nanoTime();
    peer.expectEnd();
    assertThat(System.nanoTime() - start).as("time until the end").isLessThan(1_000_000_000L);
  }

  // ---- Messages (RFC 6455 5.2, 5.4, 5.6)

  @ParameterizedTest
  @ValueSource(
      ints = {
        0, 1, 2, 124, 125, 126, 127, 128, 1_000, 4_096, 16_383, 16_384, 65_534, 65_535, 65_536,
        65_537, 200_000, 1 << 20
      })
  void messagesOfAllLengthsAreEchoed(int size) throws IOException {
    try (Peer peer = open("/echo")) {
      Frame binary = Frame.binary(random(size));
      Frame text =
          new Frame(
              0x81, new String(new char[size]).replace('\0', 'x').getBytes(StandardCharsets.UTF_8));
      peer.send(binary);
      assertThat(peer.frame()).isEqualTo(binary);
      peer.send(text);
      assertThat(peer.frame()).isEqualTo(text);
      close(peer);
    }
  }

  @Test
  void largeMessageIsEchoedWhereItIsAllowed() throws IOException {
    try (Peer peer = open("/big")) {
      Frame message = Frame.binary(random(16 * MEBIBYTE));
      Thread writer = Thread.ofVirtual().start(() -> sendUnchecked(peer, message));
      assertThat(peer.frame()).isEqualTo(message);
      join(writer);
      close(peer);
    }
  }

  private static void sendUnchecked(Peer peer, Frame... frames) {
    try {
      peer.send(frames);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static void join(Thread thread) {
    try {
      assertThat(thread.join(java.time.Duration.ofSeconds(15))).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void fragmentsAreEchoedAsOneMessage() throws IOException {
    try (Peer peer = open("/echo")) {
      peer.send(
          new Frame(0x01, utf8("Hel")), new Frame(0x00, utf8("l")), new Frame(0x80, utf8("o")));
      assertThat(peer.frame()).isEqualTo(Frame.text("Hello"));
      peer.send(new Frame(0x02, utf8("")), new Frame(0x00, utf8("")), new Frame(0x80, utf8("")));
      assertThat(peer.frame()).isEqualTo(Frame.binary(new byte[0]));
      close(peer);
    }
  }

  @Test
  void characterMayBeCutByFragments() throws IOException {
    byte[] text = utf8("κόσμε €𝄞");
    try (Peer peer = open("/echo")) {
      for (int cut = 0; cut <= text.length; cut++) {
        peer.send(
            new Frame(0x01, Arrays.copyOf(text, cut)),
            new Frame(0x80, Arrays.copyOfRange(text, cut, text.length)));
        assertThat(peer.frame()).isEqualTo(new Frame(0x81, text));
      }
      close(peer);
    }
  }

  @Test
  void pingsBetweenFragmentsAreAnsweredAtOnce() throws IOException {
    try (Peer peer = open("/echo")) {
      peer.send(new Frame(0x01, utf8("Hel")), Frame.ping("1"));
      assertThat(peer.frame()).isEqualTo(Frame.pong("1"));
      peer.send(new Frame(0x00, utf8("l")), Frame.pong("nobody asked"), Frame.ping("2"));
      assertThat(peer.frame()).isEqualTo(Frame.pong("2"));
      peer.send(new Frame(0x80, utf8("o")));
      assertThat(peer.frame()).isEqualTo(Frame.text("Hello"));
      close(peer);
    }
  }

  @Test
  void frameMayComeByteByByte() throws IOException {
    try (Peer peer = open("/echo")) {
      byte[] bytes =
          Frame.masked(
              new Frame(0x01, utf8("κό")),
              Frame.ping("between"),
              new Frame(0x80, utf8("σμε" + "x".repeat(130))));
      for (byte b : bytes) {
        peer.send(b);
      }
      assertThat(peer.frame()).isEqualTo(Frame.pong("between"));
      assertThat(peer.frame()).isEqualTo(Frame.text("κόσμε" + "x".repeat(130)));
      close(peer);
    }
  }

  @Test
  void framesThatComeTogetherAreAnsweredInOrder() throws IOException {
    try (Peer peer = open("/echo")) {
      Frame[] frames = new Frame[200];
      for (int i = 0; i < frames.length; i++) {
        frames[i] = i % 2 == 0 ? Frame.text("message " + i) : Frame.binary(random(i));
      }
      peer.send(frames);
      for (Frame frame : frames) {
        assertThat(peer.frame()).isEqualTo(frame);
      }
      close(peer);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 8, 124, 125})
  void pingIsAnsweredWithItsPayload(int size) throws IOException {
    try (Peer peer = open("/echo")) {
      byte[] payload = random(size);
      peer.send(new Frame(0x89, payload));
      assertThat(peer.frame()).isEqualTo(new Frame(0x8A, payload));
      close(peer);
    }
  }

  @Test
  void pingIsAnsweredWhileTheApplicationDoesNotReceive() throws IOException {
    try (Peer peer = open("/silent")) {
      peer.send(Frame.text("nobody reads this"), Frame.ping("but this"));
      assertThat(peer.frame()).isEqualTo(Frame.pong("but this"));
      peer.abort();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4_096, 16_384, 100_000})
  void messageReachesOtherSocketsThatReadNothingThemselves(int size) throws IOException {
    Peer[] peers = new Peer[6]; // more than there are loops: some share one
    for (int i = 0; i < peers.length; i++) {
      peers[i] = open("/shouts");
      Frame message = Frame.binary(random(size + i));
      peers[i].send(message);
      for (int j = 0; j <= i; j++) {
        assertThat(peers[j].frame()).isEqualTo(message);
      }
    }
    for (Peer peer : peers) {
      close(peer);
      peer.close();
    }
  }

  /** 80 messages are several times what its queue and the kernel's buffers hold. */
  @Test
  void clientThatReadsNothingDoesNotStallABroadcast() throws IOException {
    Peer[] peers = new Peer[3];
    for (int i = 0; i < peers.length; i++) {
      String path = "/shouts/" + newId();
      peers[i] =
          i == 0 ? transport.openNarrow(server.port(), path) : transport.open(server.port(), path);
      peers[i].send(Frame.text("here"));
      for (int j = 0; j <= i; j++) {
        assertThat(peers[j].frame()).isEqualTo(Frame.text("here"));
      }
    }
    for (int i = 0; i < 80; i++) { // from here on, the first one reads nothing
      Frame message = Frame.binary(random(100_000 + i));
      peers[1].send(message);
      assertThat(peers[1].frame()).isEqualTo(message);
      assertThat(peers[2].frame()).isEqualTo(message);
    }
    for (Peer peer : peers) {
      peer.abort();
    }
  }

  @Test
  void demandFromAnotherThreadIsAnswered() throws Exception {
    if (form == Form.BLOCKING) {
      return; // that is how it always works there
    }
    String id = newId();
    try (Peer peer = open("/on-demand", id)) {
      peer.send(Frame.text("one"), Frame.text("two"), Frame.ping("p"));
      assertThat(peer.frame()).isEqualTo(Frame.pong("p")); // so both have come
      server.socket(id).demand(1);
      assertThat(peer.frame()).isEqualTo(Frame.text("one"));
      server.socket(id).demand(1);
      assertThat(peer.frame()).isEqualTo(Frame.text("two"));
      peer.abort();
    }
  }

  @Test
  void peerThatTakesNothingIsDropped() throws IOException, InterruptedException {
    String id = newId();
    try (Peer peer =
        transport.openNarrow(server.port(), EchoApplication.IMPATIENT + "/talks/" + id)) {
      Ending ending = server.ending(id); // reads nothing, sends nothing
      assertThat(ending.by()).isEqualTo(Ending.By.SERVER);
      assertThat(ending.why()).startsWith("peer took no data for ");
      peer.expectAbort();
    }
  }

  // ---- Closing (5.5.1, 7.1)

  @ParameterizedTest
  @ValueSource(
      ints = {
        1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000,
        4999
      })
  void closeIsEchoedWithItsCode(int code) throws IOException {
    try (Peer peer = open("/echo")) {
      peer.send(Frame.close(code, "words"));
      expectClose(peer, Frame.close(code, ""));
    }
  }

  @Test
  void emptyCloseIsEchoedEmpty() throws IOException, InterruptedException {
    String id = newId();
    try (Peer peer = open("/echo", id)) {
      peer.send(Frame.emptyClose());
      expectClose(peer, Frame.emptyClose());
    }
    Ending ending = server.ending(id);
    assertThat(ending.by()).isEqualTo(Ending.By.PEER);
    assertThat(ending.reason().code()).isEqualTo(1005);
  }

  /** The end is a value: it is there when the loop has ended, whoever ended it. */
  @ParameterizedTest
  @CsvSource({
    "the peer's close, PEER, 4001",
    "our close, APPLICATION, 4000",
    "an abort, APPLICATION, 1006",
    "a violation, SERVER, 1002",
    "our close without an answer, APPLICATION, 4000",
    "no sign of life, SERVER, 1006",
    "no close, CONNECTION, 1006",
    "a reset, CONNECTION, 1006"
  })
  void endingIsKnownWhenTheLoopHasEnded(String what, Ending.By by, int code) throws Exception {
    String id = newId();
    String path = what.equals("no sign of life") ? "/watched" : "/echo";
    try (Peer peer = open(path, id)) {
      peer.send(Frame.text("x"));
      assertThat(peer.frame()).isEqualTo(Frame.text("x"));
      WebSocket socket = server.socket(id);
      CompletableFuture<Optional<Ending>> known = server.endingAfterLoop(socket);
      switch (what) {
        case "the peer's close" -> peer.send(Frame.close(4001, "bye"));
        case "our close", "our close without an answer" -> socket.closeOutput(4000, "enough");
        case "an abort" -> socket.abort();
        case "a violation" -> peer.send(new Frame(0x83, utf8("")));
        case "no close" -> peer.endOutput();
        case "no sign of life" -> {} // Pings are not answered
        default -> peer.abort();
      }
      if (what.equals("our close")) {
        assertThat(peer.frame()).isEqualTo(Frame.close(4000, "enough"));
        peer.send(Frame.close(4000, ""));
      }
      assertThat(known.join())
          .hasValueSatisfying(ending -> {
            assertThat(ending.by()).isEqualTo(by);
            assertThat(ending.reason().code()).isEqualTo(code);
          });
    }
  }

  @Test
  void endingIsKnownWhenAStopHasEndedTheLoop() throws Exception {
    String id = newId();
    try (EchoApplication stopped = new EchoApplication(form, transport.host())) {
      Thread stop = Thread.ofVirtual().unstarted(stopped::close);
      try (Peer peer = transport.open(stopped.port(), "/echo/" + id)) {
        peer.send(Frame.text("x"));
        assertThat(peer.frame()).isEqualTo(Frame.text("x"));
        CompletableFuture<Optional<Ending>> known = stopped.endingAfterLoop(stopped.socket(id));
        stop.start();
        assertThat(peer.frame()).isEqualTo(Frame.close(1001, "the server is stopping"));
        peer.send(Frame.close(1001, ""));
        assertThat(known.join())
            .hasValueSatisfying(ending -> {
              assertThat(ending.by()).isEqualTo(Ending.By.SERVER);
              assertThat(ending.reason().code()).isEqualTo(1001);
            });
      }
      join(stop);
    }
  }

  @Test
  void closeReasonOf123BytesIsTaken() throws IOException, InterruptedException {
    String id = newId();
    try (Peer peer = open("/echo", id)) {
      peer.send(Frame.close(3000, "x".repeat(123)));
      expectClose(peer, Frame.close(3000, ""));
    }
    assertThat(server.ending(id).reason().text()).isEqualTo("x".repeat(123));
  }

  @Test
  void messageIsEchoedBeforeTheCloseThatCameWithIt() throws IOException {
    try (Peer peer = open("/echo")) {
      peer.send(Frame.text("one"), Frame.text("two"), Frame.close(1000, ""));
      assertThat(peer.frame()).isEqualTo(Frame.text("one"));
      assertThat(peer.frame()).isEqualTo(Frame.text("two"));
      expectClose(peer, Frame.close(1000, ""));
    }
  }

  @Test
  void closeThatTheServerStartsWaitsForThePeers() throws IOException, InterruptedException {
    String id = newId();
    try (Peer peer = open("/closes", id)) {
      assertThat(peer.frame()).isEqualTo(Frame.text("bye"));
      assertThat(peer.frame()).isEqualTo(Frame.close(4000, "enough"));
      peer.send(Frame.text("that was late"), Frame.close(4000, ""));
      peer.expectEnd();
    }
    assertThat(server.ending(id).by()).isEqualTo(Ending.By.APPLICATION);
  }

  @Test
  void peerThatDoesNotAnswerACloseIsDropped() throws IOException, InterruptedException {
    String id = newId();
    try (Peer peer = open("/closes", id)) {
      assertThat(peer.frame()).isEqualTo(Frame.text("bye"));
      assertThat(peer.frame()).isEqualTo(Frame.close(4000, "enough"));
      peer.expectAbort();
    }
    Ending ending = server.ending(id);
    assertThat(ending.by()).isEqualTo(Ending.By.APPLICATION);
    assertThat(ending.reason().code()).isEqualTo(4000);
  }

  @Test
  void peerThatDoesNotEndItsSideIsDropped() throws IOException, InterruptedException {
    String id = newId();
    try (Peer peer = open("/echo", id)) {
      close(peer);
      assertThat(server.ending(id).reason().code()).isEqualTo(1000); // within the time limit
    }
  }

  @Test
  void messageThatNobodyIsLeftToFinishClosesWith1011() throws IOException, InterruptedException {
    String id = newId();
    String why = "message of thread \"gone\" was not finished, and the thread has ended";
    try (Logs.Recording log = Logs.record(line -> line.level() == Level.ERROR)) {
      try (Peer peer = open("/leaves", id)) {
        peer.send(Frame.text("x"));
        assertThat(peer.frame()).isEqualTo(new Frame(0x01, utf8("ha")));
        assertThat(peer.frame()).isEqualTo(Frame.close(1011, "a message was not finished"));
        peer.send(Frame.close(1011, ""));
        peer.expectEnd();
      }
      assertThat(server.ending(id).why()).startsWith(why);
      assertThat(log.lines()).singleElement().asString().contains(why);
    }
  }

  @Test
  void handlerThatFailsClosesWith1011() throws IOException, InterruptedException {
    String id = newId();
    try (Logs.Recording log = Logs.record(line -> line.level() == Level.ERROR)) {
      try (Peer peer = open("/fails", id)) {
        peer.send(Frame.text("x"));
        assertThat(peer.frame()).isEqualTo(Frame.close(1011, ""));
        peer.send(Frame.close(1011, ""));
        peer.expectEnd();
      }
      server.ending(id);
      assertThat(log.lines()).hasSize(1);
      assertThat(log.lines().getFirst().failure()).hasMessage("on purpose");
    }
  }

  // ---- Violations (5.1–5.5, 7.4, 8.1)

  /** One of each kind; all of them, in all cuts, are tried in memory. */
  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          83 80 37fa213d                  , 1002, reserved opcode 3
          81 05 48656c6c6f                , 1002, client frame is not masked
          88 81 37fa213d 34               , 1002, close frame of 1 byte
          81 82 00000000 c080             , 1007, text is not valid UTF-8
          82 ff 0000000000100001 37fa213d , 1009, message of 1048577 bytes exceeds limit of 1048576
          """)
  void messageBeforeAViolationIsEchoedAndNothingBehindIt(String hex, int code, String words)
      throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.writeBytes(Frame.masked(Frame.text("good"), Frame.binary(random(300))));
    bytes.writeBytes(Hex.bytes(hex));
    bytes.writeBytes(
        Frame.masked(Frame.text("behind"), Frame.ping("behind"), Frame.close(1000, "")));
    try (Peer peer = open("/echo")) {
      peer.send(bytes.toByteArray());
      assertThat(peer.frame()).isEqualTo(Frame.text("good"));
      assertThat(peer.frame()).isEqualTo(Frame.binary(random(300)));
      expectClose(peer, Frame.close(code, words));
    }
  }

  @Test
  void badTextIsRefusedAsSoonAsItsByteHasCome() throws IOException {
    try (Peer peer = open("/echo")) {
      peer.send(Frame.header(0x81, 1_000));
      peer.send(mask(utf8("fine")));
      peer.send(mask(Hex.bytes("ff"))); // masked from the key's first byte on: 4 bytes came before
      expectClose(peer, Frame.close(1007, "text is not valid UTF-8"));
    }
  }

  private static byte[] mask(byte[] bytes) {
    byte[] frame = new Frame(0x81, bytes).masked();
    return Arrays.copyOfRange(frame, frame.length - bytes.length, frame.length);
  }

  @Test
  void messageOverTheLimitIsRefusedInFragmentsToo() throws IOException {
    try (Peer peer = open("/echo")) {
      Frame half = new Frame(0x00, random(MEBIBYTE / 2));
      peer.send(new Frame(0x02, half.payload()), half);
      peer.send(Hex.bytes("80 81 37fa213d 00"));
      expectClose(peer, Frame.close(1009, "message of 1048577 bytes exceeds limit of 1048576"));
    }
  }

  @Test
  void serverKeepsAFailedConnectionOpenForItsClientToRead() throws IOException {
    try (Peer peer = open("/echo")) {
      peer.send(Hex.bytes("83 80 37fa213d"));
      peer.send(
          new byte[4_000_000]); // would be answered with a reset, were it not read and dropped
      expectClose(peer, Frame.close(1002, "reserved opcode 3"));
    }
  }

  // ---- Lost connections (7.1.7, 7.3)

  @Test
  void resetInTheMiddleOfAMessageEndsThatSocketOnly() throws IOException, InterruptedException {
    assumeTrue(transport.tellsResets(), "this transport loses a reset that comes right after data");
    String id = newId();
    try (Peer other = open("/echo")) {
      try (Peer peer = open("/echo", id)) {
        peer.send(new Frame(0x02, utf8("half a mess")));
        peer.send(Frame.header(0x80, 100_000));
        peer.send(new byte[5_000]);
        peer.send(Frame.ping("read")); // lies in the payload: not answered
        peer.abort();
      }
      Ending ending = server.ending(id);
      assertThat(ending.by()).isEqualTo(Ending.By.CONNECTION);
      assertThat(ending.reason().code()).isEqualTo(1006);
      other.send(Frame.text("still here"));
      assertThat(other.frame()).isEqualTo(Frame.text("still here"));
      close(other);
    }
  }

  @Test
  void clientThatEndsItsSideGetsItsEchoAndTheEnd() throws IOException, InterruptedException {
    String id = newId();
    try (Peer peer = open("/echo", id)) {
      peer.send(Frame.text("last words"));
      peer.endOutput();
      if (transport.endsSidesApart()) {
        assertThat(peer.frame()).isEqualTo(Frame.text("last words"));
        peer.expectEnd();
      }
      assertThat(server.ending(id).reason().code()).isEqualTo(1006);
    }
  }

  @Test
  void clientMayEndItsSideWithItsClose() throws IOException, InterruptedException {
    String id = newId();
    try (Peer peer = open("/echo", id)) {
      peer.send(Frame.text("last words"), Frame.close(1000, ""));
      peer.endOutput();
      if (transport.endsSidesApart()) {
        assertThat(peer.frame()).isEqualTo(Frame.text("last words"));
        expectClose(peer, Frame.close(1000, ""));
      }
      assertThat(server.ending(id).reason().code()).isEqualTo(1000);
    }
  }

  @Test
  void abortDropsTheConnection() throws IOException, InterruptedException {
    String id = newId();
    try (Peer peer = open("/aborts", id)) {
      peer.send(Frame.text("x"));
      peer.expectAbort();
    }
    assertThat(server.ending(id).by()).isEqualTo(Ending.By.APPLICATION);
  }

  // ---- Bounds

  @Test
  void clientThatIsNotReadIsHeldBack() throws IOException {
    String id = newId();
    try (Peer peer = open("/silent", id)) {
      long used = usedMemory();
      long sent = peer.sendUntilBlocked(Frame.binary(random(60_000)).masked(), 100 * MEBIBYTE);
      assertThat(sent).as("what buffers of kernels take").isLessThan(30 * MEBIBYTE);
      assertThat(usedMemory() - used).as("what the server holds").isLessThan(2 * MEBIBYTE);
      peer.abort();
    }
  }

  @Test
  void slowReaderHoldsBackItsOwnSenderOnly() throws IOException, InterruptedException {
    String id = newId();
    try (Peer slow = transport.openNarrow(server.port(), "/talks/" + id)) {
      assertThat(slow.frame()).isEqualTo(Frame.binary(new byte[16 * 1024]));
      WebSocket socket = server.socket(id);
      long much = 256L * 1024;
      Http1ChurnTest.awaitAtMost(() -> much - socket.bufferedAmount(), 0); // its sender is stuck
      try (Peer other = open("/echo")) {
        long most = 0;
        for (int i = 0; i < 200; i++) {
          other.send(Frame.text("round " + i));
          assertThat(other.frame()).isEqualTo(Frame.text("round " + i));
          most = Math.max(most, socket.bufferedAmount());
        }
        assertThat(most).isBetween(much, MEBIBYTE + 32L * 1024);
        close(other);
      }
      for (int i = 0; i < 300; i++) { // whoever reads gets on: more than the queue holds
        assertThat(slow.frame()).isEqualTo(Frame.binary(new byte[16 * 1024]));
      }
      slow.abort();
    }
    server.ending(id);
  }

  /**
   * A write that fails closes the connection under a sender that stops only when the queue is full.
   */
  @Test
  void senderStopsWhenItsPeerIsGone() throws IOException, InterruptedException {
    int moments = System.getProperty("full") == null ? 10 : 20;
    for (int i = 0; i < moments; i++) { // the reset meets the sender at different moments
      String id = newId();
      try (Peer peer = transport.openNarrow(server.port(), "/talks/" + id)) {
        for (int j = 0; j < 10 * i; j++) {
          assertThat(peer.frame()).isEqualTo(Frame.binary(new byte[16 * 1024]));
        }
        peer.abort();
      }
      Ending ending = server.ending(id);
      assertThat(ending.by()).isEqualTo(Ending.By.CONNECTION);
      assertThat(ending.reason().code()).isEqualTo(1006);
    }
  }

  @Test
  void echoToASlowReaderLosesNothing() throws IOException {
    Frame message = Frame.binary(random(50_000));
    try (Peer peer = transport.openNarrow(server.port(), "/echo/" + newId())) {
      long piece = message.masked().length;
      long sent = peer.sendUntilBlocked(message.masked(), 200 * piece);
      long whole = sent / piece;
      Thread rest =
          Thread.ofVirtual()
              .start(() -> {
                byte[] bytes = message.masked();
                int left = (int) (sent % piece);
                try {
                  peer.send(Arrays.copyOfRange(bytes, left, bytes.length));
                } catch (IOException e) {
                  throw new java.io.UncheckedIOException(e);
                }
              });
      for (long i = 0; i < whole + 1; i++) {
        assertThat(peer.frame()).isEqualTo(message);
      }
      join(rest);
      close(peer);
    }
  }

  /** Heap after a collection, and what Netty holds beside it. */
  private static long usedMemory() {
    System.gc();
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory() + PlatformDependent.usedDirectMemory();
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
