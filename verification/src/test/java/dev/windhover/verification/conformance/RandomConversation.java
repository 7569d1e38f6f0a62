package dev.windhover.verification.conformance;

import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.Message;
import dev.windhover.verification.conformance.TalkServer.Plan;
import dev.windhover.verification.conformance.TalkServer.Talk;
import dev.windhover.verification.conformance.Transport.Opened;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Hex;
import dev.windhover.verification.wire.Http2Wire;
import dev.windhover.verification.wire.Peer;
import dev.windhover.verification.wire.Wire;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * One conversation by chance, from its opening handshake to its end, and what is wrong with it. The
 * client writes frames cut anywhere and reads with a parser of its own ({@link Conversation}).
 */
final class RandomConversation {
  /** What must hold of every conversation. */
  enum Claim {
    WHAT_IS_SENT_IS_RECEIVED_ONCE_AND_IN_ORDER,
    WHAT_IS_WRITTEN_IS_WELL_FORMED,
    NO_DATA_FOLLOWS_OUR_CLOSE,
    NOTHING_FOLLOWS_WHEN_BOTH_CLOSES_ARE_THROUGH,
    PINGS_ARE_ANSWERED,
    IT_ENDS_AND_AS_IT_SHOULD,
    WHAT_WAITS_TO_BE_SENT_IS_BOUNDED
  }

  /** What did not. */
  record Finding(Claim claim, String what) {}

  /** How it ends. */
  private enum Kind {
    CLIENT_CLOSES,
    SERVER_CLOSES,
    BOTH_CLOSE,
    CLIENT_BREAKS_A_RULE,
    CLIENT_ENDS_ITS_SIDE,
    CLIENT_RESETS;

    boolean isOrderly() {
      return this != CLIENT_ENDS_ITS_SIDE && this != CLIENT_RESETS;
    }
  }

  /** What breaks a rule, with the code that it gets. */
  private enum Fault {
    NOT_MASKED("81 01 61", 1002),
    RESERVED_OPCODE("83 80 00000000", 1002),
    RESERVED_BIT("a1 80 00000000", 1002),
    CONTINUES_NOTHING("80 80 00000000", 1002),
    LENGTH_NOT_MINIMAL("82 fe 0001 00000000 61", 1002),
    NOT_UTF_8("81 81 00000000 ff", 1007);

    private final String hex;
    private final int code;

    Fault(String hex, int code) {
      this.hex = hex;
      this.code = code;
    }
  }

  private static final int[] SIZES = {0, 1, 5, 125, 126, 127, 1_000, 20_000, 65_535, 65_536};
  private static final int BRIEF = 7; // so many of them are small
  private static final int NARROW = 16 * 1024;

  // Only what hangs meets these: on a busy machine a conversation has taken 32 s.
  private static final long PATIENCE_MILLIS = 60_000;
  private static final long MOST_SECONDS = 120;

  private static final long PAUSE_MILLIS = 100;

  /** What stands for HTTP/1.1 or HTTP/2, with or without TLS, and little or much on its way. */
  private static final Transport[] TRANSPORTS = {
    Transport.PLAIN,
    Transport.HTTP_2,
    Transport.http1("HTTP/1.1", false, RandomConversation::connectNarrow),
    Transport.http2("HTTP/2", false, port -> Http2Wire.connect(port, NARROW)),
    Transport.TLS,
    Transport.HTTP_2_TLS,
    Transport.http1("TLS", true, port -> connectNarrow(port).secure()),
    Transport.http2("HTTP/2 over TLS", true, port -> Http2Wire.connectSecure(port, NARROW))
  };

  private final long seed;
  private final SplittableRandom random;
  private final Kind kind;
  private final Fault fault;
  private final Transport transport;
  private final boolean compresses;
  private final boolean speaksBehindClose;
  private final boolean isSlow;
  private final boolean isBrief;
  private final Plan plan;
  private final Talk talk;
  private final String id;
  private final TalkServer server;
  private final List<Finding> findings = new ArrayList<>();

  // What the client has said, and heard.
  private final List<Message> said = new ArrayList<>();
  private int saidBytes;
  private final List<String> pings = new ArrayList<>();
  private int answered;
  private final List<Message> echoes = new ArrayList<>();
  private final List<List<Message>> unasked = new ArrayList<>();
  private boolean closeSent;
  private @Nullable Frame close;
  private volatile String step = "opening";

  RandomConversation(long seed, TalkServer server) {
    this.seed = seed;
    this.server = server;
    this.random = new SplittableRandom(seed);
    this.kind = pick(Kind.values());
    this.fault = pick(Fault.values());
    this.transport = pick(TRANSPORTS);
    this.compresses = random.nextInt(3) == 0;
    this.speaksBehindClose = random.nextBoolean();
    this.isSlow = random.nextBoolean();
    this.isBrief = random.nextBoolean();
    boolean closes = kind == Kind.SERVER_CLOSES || kind == Kind.BOTH_CLOSE;
    this.plan =
        new Plan(
            seed,
            random.nextBoolean(),
            random.nextInt(4),
            random.nextInt(30),
            closes ? random.nextInt(1, 10) : Integer.MAX_VALUE,
            random.nextBoolean(),
            random.nextBoolean());
    this.id = Long.toString(seed);
    this.talk = server.expect(id, plan);
    for (int i = 0; i < plan.senders(); i++) {
      unasked.add(new ArrayList<>());
    }
  }

  private static Wire connectNarrow(int port) throws IOException {
    return Wire.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), NARROW);
  }

  private <T> T pick(T[] among) {
    return among[random.nextInt(among.length)];
  }

  // ---- Its course

  /** Leads it to its end, and returns what was wrong. */
  List<Finding> lead() {
    FutureTask<Void> course =
        new FutureTask<>(() -> {
          converse();
          return null;
        });
    Thread thread = Thread.ofVirtual().start(course);
    try {
      course.get(MOST_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      thread.interrupt();
      find(Claim.IT_ENDS_AND_AS_IT_SHOULD, "it hangs");
    } catch (Exception e) {
      String what = e.getCause() + "";
      find(
          what.contains("a broken rule")
              ? Claim.WHAT_IS_WRITTEN_IS_WELL_FORMED
              : Claim.IT_ENDS_AND_AS_IT_SHOULD,
          what);
    }
    return findings;
  }

  private void converse() throws Exception {
    String path = (plan.listens() ? "/listener/" : "/blocking/") + id;
    String offer = "permessage-deflate; client_max_window_bits";
    Map<String, String> headers = compresses ? Map.of("Sec-WebSocket-Extensions", offer) : Map.of();
    Opened opened = transport.open(server.port(transport), path, headers);
    String agreed = opened.response().header("Sec-WebSocket-Extensions");
    SlowPeer peer = new SlowPeer(opened.peer());
    try (Conversation client =
        new Conversation(peer, PATIENCE_MILLIS, compresses ? Deflate.agree(offer, agreed) : null)) {
      int messages = kind == Kind.SERVER_CLOSES ? 50 : random.nextInt(1, 20);
      for (int i = 0; i < messages && close == null; i++) {
        step = "message " + i;
        if (isSlow && random.nextInt(6) == 0) {
          peer.pause();
        }
        speak(client);
        if (random.nextInt(3) == 0) {
          peer.goOn();
        }
        while (client.hasMore() && close == null) {
          take(client);
        }
        if (kind != Kind.SERVER_CLOSES && talk.ending().isDone()) {
          break;
        }
      }
      step = "ending";
      end(client, peer);
    }
    judge(); // what lasts until we have left too
  }

  private void end(Conversation client, SlowPeer peer) throws Exception {
    switch (kind) {
      case CLIENT_CLOSES, BOTH_CLOSE -> sendClose(client);
      case SERVER_CLOSES -> {
        peer.goOn();
        while (close == null && take(client)) {
          // it will come
        }
        ping(client);
        if (plan.hears() && random.nextBoolean()) {
          speak(client);
        }
        while (answered < pings.size() && take(client)) {
          // between the two Closes
        }
        sendClose(client);
      }
      case CLIENT_BREAKS_A_RULE -> client.sendBytes(Hex.bytes(fault.hex));
      case CLIENT_ENDS_ITS_SIDE -> client.endOutput();
      case CLIENT_RESETS -> client.abort();
    }
    step = "awaiting the end";
    if (kind == Kind.CLIENT_RESETS) {
      return;
    }
    peer.goOn();
    try {
      while (take(client)) {
        // to the end
      }
    } catch (AssertionError e) {
      if (kind.isOrderly()) {
        throw e; // else what is under way may be cut
      }
    }
  }

  private void sendClose(Conversation client) {
    closeSent = true;
    client.send(Frame.close(4000, "bye"));
    if (speaksBehindClose) {
      client.send(Frame.ping("behind"), Frame.text("behind"));
    }
  }

  /** Sends a message in any number of frames, and these in any pieces, with Pings between. */
  private void speak(Conversation client) {
    int size = SIZES[random.nextInt(isBrief ? BRIEF : SIZES.length)];
    if (!isBrief && random.nextInt(12) == 0) {
      size = random.nextInt(TalkServer.LARGEST);
    }
    saidBytes += size;
    boolean text = random.nextBoolean();
    byte[] payload = text ? text(size) : new byte[size];
    if (!text) {
      random.nextBytes(payload);
      if (size > 0) {
        payload[0] &= 0x7F; // not as what the server sends by itself
      }
    }
    boolean coded = compresses && random.nextBoolean();
    byte[] body = coded ? client.deflate().deflate(payload) : payload;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    int first = (text ? 1 : 2) | (coded ? 0x40 : 0);
    int frames = random.nextInt(3) == 0 ? random.nextInt(1, 6) : 1;
    int from = 0;
    for (int i = 1; i <= frames; i++) {
      int to = i == frames ? body.length : random.nextInt(from, body.length + 1);
      Frame frame = new Frame(first | (i == frames ? 0x80 : 0), Arrays.copyOfRange(body, from, to));
      out.writeBytes(client.bytes(frame));
      first = 0;
      from = to;
      if (random.nextInt(3) == 0) {
        out.writeBytes(client.bytes(newPing()));
      }
    }
    byte[] bytes = out.toByteArray();
    int longest = Math.max(1, bytes.length / random.nextInt(1, 12));
    for (int at = 0; at < bytes.length; ) {
      int n = Math.min(bytes.length - at, random.nextInt(1, longest + 1));
      client.sendBytes(Arrays.copyOfRange(bytes, at, at + n));
      at += n;
    }
    said.add(
        text
            ? new Message.Text(new String(payload, StandardCharsets.UTF_8))
            : new Message.Binary(ByteBuffer.wrap(payload)));
  }

  private static byte[] text(int size) {
    byte[] word = "größer 🙂 ".getBytes(StandardCharsets.UTF_8);
    byte[] text = new byte[size];
    Arrays.fill(text, (byte) 'x');
    for (int at = 0; at + word.length <= size; at += word.length) {
      System.arraycopy(word, 0, text, at, word.length);
    }
    return text;
  }

  private Frame newPing() {
    String text = "ping " + pings.size();
    pings.add(text);
    return Frame.ping(text);
  }

  private void ping(Conversation client) {
    client.send(newPing());
  }

  // ---- What comes

  /** Takes what comes next; false at the end. */
  private boolean take(Conversation client) {
    Frame raw = client.rawFrameOrEnd();
    if (raw == null) {
      return false;
    }
    int opcode = raw.first() & 0x0F;
    if (close != null && closeSent) {
      // Pongs for what came before our Close may have been on their way, if the server closed
      // first.
      boolean mayBe = opcode == 10 && kind != Kind.CLIENT_CLOSES && isPong(raw);
      if (!mayBe) {
        find(Claim.NOTHING_FOLLOWS_WHEN_BOTH_CLOSES_ARE_THROUGH, "there came " + raw);
      }
      return true;
    }
    switch (opcode) {
      case 8 -> close = raw;
      case 9 -> client.send(new Frame(0x8A, raw.payload()));
      case 10 -> {
        List<String> due = List.copyOf(due());
        if (!isPong(raw)) {
          find(Claim.PINGS_ARE_ANSWERED, "due is one of %s and there came %s".formatted(due, raw));
        }
      }
      default -> {
        if (close != null) {
          find(Claim.NO_DATA_FOLLOWS_OUR_CLOSE, "there came " + raw);
        }
        hear(client.plain(raw));
      }
    }
    return true;
  }

  private boolean isPong(Frame raw) {
    int which = due().indexOf(new String(raw.payload(), StandardCharsets.UTF_8));
    answered += which + 1;
    return which >= 0 && (which == 0 || mayCoalesce());
  }

  /** Returns whether the output may have been so full that only the latest Pong is kept (5.5.3). */
  private boolean mayCoalesce() {
    return isSlow || plan.senders() > 0 || saidBytes > TalkServer.QUEUE / 4;
  }

  private List<String> due() {
    return pings.subList(answered, pings.size());
  }

  private void hear(Frame frame) {
    byte[] payload = frame.payload();
    if (frame.first() == 0x82 && payload.length > 5 && payload[0] == TalkServer.UNASKED) {
      unasked.get(payload[1]).add(new Message.Binary(ByteBuffer.wrap(payload)));
    } else if (frame.first() == 0x82) {
      echoes.add(new Message.Binary(ByteBuffer.wrap(payload)));
    } else {
      echoes.add(new Message.Text(new String(payload, StandardCharsets.UTF_8)));
    }
  }

  // ---- What must hold

  private void judge() throws Exception {
    step = "awaiting the server";
    Ending ending = talk.ending().get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
    talk.over().get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
    step = "over";
    boolean closes = plan.closeAfter() <= talk.heard.size();
    boolean heardAll = !losesWhatIsUnderWay() && (!closes || plan.hears());
    compare("the server heard", talk.heard, said, heardAll);
    compare("was echoed", echoes, talk.echoed, kind.isOrderly());
    for (int i = 0; i < unasked.size(); i++) {
      compare("sender " + i + " sent", unasked.get(i), talk.unasked.get(i), kind.isOrderly());
    }
    if (kind.isOrderly()) {
      requireEnding(ending);
    } else if (ending.reason().code() != 1006) {
      find(Claim.IT_ENDS_AND_AS_IT_SHOULD, "it was lost");
    }
    if (kind == Kind.CLIENT_CLOSES && !due().isEmpty() && !mayCoalesce()) {
      find(Claim.PINGS_ARE_ANSWERED, "still due are " + due());
    }
    for (String what : talk.overfull) {
      find(Claim.WHAT_WAITS_TO_BE_SENT_IS_BOUNDED, what);
    }
  }

  /** With BoringSSL, the end of one side is that of both; see docs/tls.md. */
  private boolean losesWhatIsUnderWay() {
    boolean tlsEnds = transport.isSecure() && transport instanceof Transport.Http1;
    return kind == Kind.CLIENT_RESETS || (kind == Kind.CLIENT_ENDS_ITS_SIDE && tlsEnds);
  }

  private void requireEnding(Ending ending) {
    int code =
        close == null || close.payload().length < 2
            ? 1005
            : ByteBuffer.wrap(close.payload()).getShort() & 0xFFFF;
    boolean right =
        switch (kind) {
          case CLIENT_CLOSES -> ending.by() == Ending.By.PEER && code == 4000;
          case SERVER_CLOSES -> ending.by() == Ending.By.APPLICATION && code == 4001;
          case BOTH_CLOSE -> // the peer's may have come first and not been reached
              ending.by() == Ending.By.PEER
                  || (ending.by() == Ending.By.APPLICATION && code == 4001);
          default -> ending.by() == Ending.By.SERVER && code == fault.code;
        };
    if (!right) {
      find(Claim.IT_ENDS_AND_AS_IT_SHOULD, "its Close was " + close);
    }
  }

  private void compare(
      String what, Collection<Message> heard, Collection<Message> all, boolean owed) {
    List<Message> due = List.copyOf(all);
    List<Message> come = List.copyOf(heard);
    boolean right =
        come.size() <= due.size()
            && come.equals(due.subList(0, come.size()))
            && (!owed || come.size() == due.size());
    if (!right) {
      find(
          Claim.WHAT_IS_SENT_IS_RECEIVED_ONCE_AND_IN_ORDER,
          "%s: %d of %d, which differ".formatted(what, come.size(), due.size()));
    }
  }

  private void find(Claim claim, String what) {
    findings.add(new Finding(claim, what + "; " + this));
  }

  @Override
  public String toString() {
    return "%s over %s%s, at \"%s\": client said %d, heard %d echoes and %s, %d of %d pongs, %s; server %s; replay with -Dwindhover.seed=%d"
        .formatted(
            kind,
            transport.name(),
            compresses ? " compressed" : "",
            step,
            said.size(),
            echoes.size(),
            unasked.stream().map(List::size).toList(),
            answered,
            pings.size(),
            close,
            talk,
            seed);
  }

  /** A client that stops taking for a while. */
  private static final class SlowPeer implements Peer {
    private final Peer peer;
    private boolean paused;

    SlowPeer(Peer peer) {
      this.peer = peer;
    }

    /** What is not being read yet is not, for a moment or until told. */
    synchronized void pause() {
      paused = true;
    }

    synchronized void goOn() {
      paused = false;
      notifyAll();
    }

    private synchronized void awaitTurn() throws IOException {
      try {
        long until = System.nanoTime() + PAUSE_MILLIS * 1_000_000;
        for (long left = PAUSE_MILLIS; paused && left > 0; ) {
          wait(left);
          left = (until - System.nanoTime()) / 1_000_000;
        }
        paused = false; // a server that cannot write will not read
      } catch (InterruptedException e) {
        throw new IOException(e);
      }
    }

    @Override
    public void send(byte... bytes) throws IOException {
      peer.send(bytes);
    }

    @Override
    public long sendUntilBlocked(byte[] piece, long most) throws IOException {
      return peer.sendUntilBlocked(piece, most);
    }

    @Override
    public int receive(byte[] into) throws IOException {
      awaitTurn();
      return peer.receive(into);
    }

    @Override
    public Frame frame() throws IOException {
      return peer.frame();
    }

    @Override
    public void expectEnd() throws IOException {
      peer.expectEnd();
    }

    @Override
    public void expectAbort() throws IOException {
      peer.expectAbort();
    }

    @Override
    public void endOutput() throws IOException {
      peer.endOutput();
    }

    @Override
    public void abort() throws IOException {
      peer.abort();
    }

    @Override
    public void close() throws IOException {
      peer.close();
    }
  }
}
