package dev.windhover.verification.fuzz;

import dev.windhover.http.Application;
import dev.windhover.http.Handler;
import dev.windhover.http.Headers;
import dev.windhover.http.HttpVersion;
import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.PreparedMessage;
import dev.windhover.http.websocket.SendFlag;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketAcceptContext;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.protocol.WebSocketState;
import dev.windhover.protocol.deflate.DeflateAgreement;
import dev.windhover.websocket.WebSockets;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * One random conversation between two engines. Each is a whole server with an application in the
 * listener form, and the {@link Relay} between them makes each the other's client. The seed decides
 * who says what, how much of it is carried when, what is demanded, and who closes or leaves.
 */
final class Dialogue {
  /** What must hold of every conversation. */
  enum Claim {
    WHAT_IS_SENT_IS_RECEIVED_ONCE_AND_IN_ORDER,
    WHAT_IS_WRITTEN_IS_WELL_FORMED_AND_NO_DATA_FOLLOWS_OUR_CLOSE,
    NOTHING_IS_WRITTEN_WHEN_BOTH_CLOSES_ARE_THROUGH,
    PINGS_ARE_ANSWERED,
    IT_ENDS_WITHOUT_A_TIME_LIMIT,
    MEMORY_IS_BOUNDED,
    ALL_THAT_WAS_HELD_IS_GIVEN_BACK
  }

  /** What did not. */
  record Finding(Claim claim, String what) {}

  private static final int[] SIZES = {0, 1, 125, 126, 127, 1_000, 5_000, 65_535, 65_536, 150_000};
  private static final int[] PIECES = {1, 2, 7, 50, 1_000, 20_000, 200_000};
  private static final int FRAME_OVERHEAD = 256; // headers and control frames; what zlib adds
  private static final Duration KEEP_ALIVE = Duration.ofSeconds(10);
  private static final SendFlag[] ANY = {};
  private static final SendFlag[] PLAIN = {SendFlag.DISABLE_COMPRESSION};
  private static final int MOST_ROUNDS = 100_000;

  private final long seed;
  private final SplittableRandom random;
  private final List<Finding> findings = new ArrayList<>();
  private final boolean compressed;
  private final int inbound;
  private final int high;
  private final Side left;
  private final Side right;
  private boolean dropped;
  private final List<String> history = new ArrayList<>();

  Dialogue(long seed) {
    this.seed = seed;
    this.random = new SplittableRandom(seed);
    this.compressed = random.nextInt(3) == 0;
    this.inbound = 1024 << random.nextInt(7);
    this.high = 4096 << random.nextInt(9);
    this.left = new Side("left");
    this.right = new Side("right");
    this.left.carriesTo(right);
    this.right.carriesTo(left);
  }

  /** Leads it to its end, and returns what was wrong. */
  List<Finding> lead() {
    try {
      int steps = random.nextInt(1, 200);
      for (int i = 0; i < steps; i++) {
        step(random.nextBoolean() ? left : right);
        left.look();
        right.look();
      }
      if (!dropped && random.nextInt(8) == 0) {
        drop(random.nextBoolean() ? left : right);
      }
      finish();
    } catch (Exception | AssertionError e) {
      StringWriter trace = new StringWriter();
      e.printStackTrace(new PrintWriter(trace));
      find(Claim.IT_ENDS_WITHOUT_A_TIME_LIMIT, "failed with " + trace);
    }
    return findings;
  }

  private void step(Side side) throws Exception {
    int choice = random.nextInt(100);
    if (choice < 30) {
      side.speak();
    } else if (choice < 80) {
      side.out().carry(pick(PIECES), side.back());
    } else if (choice < 95) {
      int more = random.nextInt(1, 4);
      side.on(() -> side.socket().demand(more));
    } else if (choice < 98) {
      beQuiet();
    } else if (choice < 99) {
      side.close();
    }
  }

  /** Lets all arrive, and so much time pass that both ask whether the other is alive. */
  private void beQuiet() throws Exception {
    settle();
    if (!left.isOpen() || !right.isOpen()) {
      return; // time limits would count
    }
    left.host.advance(KEEP_ALIVE);
    right.host.advance(KEEP_ALIVE);
    settle();
  }

  private void drop(Side side) {
    dropped = true;
    history.add(side.name + " drops");
    side.on(() -> side.socket().abort());
  }

  private void finish() throws Exception {
    settle();
    if (left.isOpen() && right.isOpen()) {
      left.finishMessage();
      right.finishMessage();
      settle();
      (random.nextBoolean() ? left : right).close();
      settle();
    }
    left.judge(right);
    right.judge(left);
  }

  /** Carries and takes until nothing moves. */
  private void settle() {
    for (int rounds = 0, still = 0; still < 3; rounds++) {
      if (rounds == MOST_ROUNDS) {
        throw new AssertionError("it does not come to rest");
      }
      long before = left.moved() + right.moved();
      for (Side side : List.of(left, right)) {
        side.on(() -> side.socket().demand(1_000));
        side.out().carry(pick(PIECES) + 1_000, side.back());
        side.look();
      }
      still = left.moved() + right.moved() == before ? still + 1 : 0;
    }
  }

  private int pick(int[] among) {
    return among[random.nextInt(among.length)];
  }

  private void find(Claim claim, String what) {
    findings.add(
        new Finding(
            claim,
            "%s; left %s, right %s; after %s; replay with -Dwindhover.seed=%d"
                .formatted(what, left, right, history, seed)));
  }

  /** A message; compared by content. */
  private record Said(MessageType type, ByteBuffer payload) {
    int size() {
      return payload.remaining();
    }

    @Override
    public String toString() {
      return type + " of " + size();
    }
  }

  /** Says something on the loop. */
  private interface Act {
    void perform() throws Exception;
  }

  /** One of the two: its server, its application, and what it said and heard. */
  private final class Side implements WebSocketListener {
    private final String name;
    private final MemoryHost host;
    private @Nullable Relay out;
    private @Nullable Relay back;
    private @Nullable WebSocket socket;
    private @Nullable Ending ending;
    private int endings;
    private boolean closed; // by its application
    private boolean deaf; // close(), not closeOutput()

    private final List<Said> said = new ArrayList<>();
    private final List<Said> heard = new ArrayList<>();
    private int largest;

    // The message under way.
    private final Deque<byte[]> pieces = new ArrayDeque<>();
    private @Nullable Said underWay;
    private boolean plain;
    private boolean cut; // by the Close that answers the other's

    Side(String name) {
      this.name = name;
      Application app = new Application();
      app.use(
          WebSockets.with(o ->
              o.allowedOrigins("*")
                  .keepAliveInterval(KEEP_ALIVE)
                  .limits(l ->
                      l.inboundBytes(inbound)
                          .sendQueue(high, high / 4)
                          .minMessageRate(0, Duration.ofSeconds(1))))); // the talk is slow
      app.map(
          "/",
          Handler.nonBlocking(context -> {
            WebSocket _ =
                context
                    .webSockets()
                    .accept(
                        new WebSocketAcceptContext().dangerousEnableCompression(compressed), this);
          }));
      Headers headers = MemoryHost.handshake();
      if (compressed) {
        headers.add("Sec-WebSocket-Extensions", DeflateAgreement.TOKEN);
      }
      host = new MemoryHost("GET", HttpVersion.HTTP_1_1, headers).relayed();
      host.handledBy(app.build());
    }

    void carriesTo(Side other) {
      Relay relay = new Relay(host, other.host, random, compressed);
      out = relay;
      other.back = relay;
    }

    Relay out() {
      return Objects.requireNonNull(out);
    }

    Relay back() {
      return Objects.requireNonNull(back);
    }

    WebSocket socket() {
      return Objects.requireNonNull(socket);
    }

    boolean isOpen() {
      return socket().state() == WebSocketState.OPEN;
    }

    long moved() {
      return host.transmitted() + host.outputSize() + heard.size() + endings;
    }

    void on(Act act) {
      host.perform(() -> {
        try {
          act.perform();
        } catch (Exception e) {
          throw new AssertionError(e);
        }
      });
    }

    // ---- What it says

    /** Begins a message, or goes on with one. */
    void speak() {
      if (underWay == null) {
        begin();
      }
      on(this::say);
    }

    private void begin() {
      int size = pick(SIZES);
      boolean text = random.nextBoolean();
      byte[] payload = new byte[size];
      if (text) {
        byte[] words = "the quick brown fox; größer ".getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < size; i++) {
          payload[i] = i < size - size % words.length ? words[i % words.length] : (byte) 'x';
        }
      } else {
        random.nextBytes(payload);
      }
      plain = random.nextInt(4) == 0;
      underWay = new Said(text ? MessageType.TEXT : MessageType.BINARY, ByteBuffer.wrap(payload));
      pieces.addAll(Input.pieces(payload, Math.max(1, size / random.nextInt(1, 5)), seed));
      if (pieces.isEmpty() || random.nextInt(5) == 0) {
        pieces.add(new byte[0]); // a last frame, or the only one, without payload
      }
    }

    private void say() throws Exception {
      Said message = Objects.requireNonNull(underWay);
      boolean whole = pieces.stream().mapToInt(piece -> piece.length).sum() == message.size();
      try {
        if (whole && random.nextInt(4) == 0) {
          socket().send(PreparedMessage.of(message.payload, message.type));
          pieces.clear();
        } else {
          sayPiece(message);
        }
        largest = Math.max(largest, message.size());
        if (pieces.isEmpty()) {
          underWay = null;
          said.add(message);
        }
      } catch (IOException e) { // closed
        forget();
      } catch (IllegalStateException e) {
        if (!String.valueOf(e.getMessage()).contains("wait for onWritable")) {
          throw e;
        }
      }
    }

    private void sayPiece(Said message) throws Exception {
      byte[] piece = pieces.getFirst();
      SendFlag[] flags = plain ? PLAIN : ANY;
      socket().send(ByteBuffer.wrap(piece), message.type, pieces.size() == 1, flags);
      pieces.removeFirst();
    }

    private void forget() {
      cut = true;
      pieces.clear();
      underWay = null;
    }

    /** Returns whether a Close came before the end of a message, which nobody takes then. */
    private boolean wasCut() {
      return cut || underWay != null;
    }

    /** Says the rest of the message under way. */
    void finishMessage() {
      while (underWay != null) {
        on(this::say);
        settle();
      }
    }

    void close() {
      if (socket().state().isTerminal() || closed) {
        return;
      }
      finishMessage();
      closed = socket().state().canSend();
      deaf = random.nextBoolean();
      history.add(name + (deaf ? " closes" : " closes its output"));
      on(() -> {
        if (deaf) {
          socket().close(4000, name);
        } else {
          socket().closeOutput(4000, name);
        }
      });
    }

    // ---- What it hears

    @Override
    public void onOpen(WebSocket opened) {
      socket = opened;
    }

    @Override
    public void onMessage(WebSocket from, MessageType type, ByteBuffer payload) {
      heard.add(new Said(type, ByteBuffer.allocate(payload.remaining()).put(payload).flip()));
    }

    @Override
    public void onEnded(WebSocket from, Ending how) {
      ending = how;
      endings++;
    }

    // ---- What must hold

    void look() {
      long buffered = socket().bufferedAmount();
      if (buffered > high + largest + FRAME_OVERHEAD) {
        find(
            Claim.MEMORY_IS_BOUNDED,
            "%d bytes wait in a queue of %d with messages of %d"
                .formatted(buffered, high, largest));
      }
      long held = host.uncredited();
      if (held > inbound + back().largest()) {
        find(
            Claim.MEMORY_IS_BOUNDED,
            "%d bytes are held within %d and pieces of %d"
                .formatted(held, inbound, back().largest()));
      }
    }

    void judge(Side other) {
      boolean owed = !dropped && !deaf;
      if (!heardWas(other.said, owed)) {
        find(
            Claim.WHAT_IS_SENT_IS_RECEIVED_ONCE_AND_IN_ORDER,
            "said %s, heard %s".formatted(other.said, heard));
      }
      for (String rule : out().broken()) {
        find(Claim.WHAT_IS_WRITTEN_IS_WELL_FORMED_AND_NO_DATA_FOLLOWS_OUR_CLOSE, rule);
      }
      if (out().bytesBehindBothCloses() != 0 && !dropped) {
        find(
            Claim.NOTHING_IS_WRITTEN_WHEN_BOTH_CLOSES_ARE_THROUGH,
            "%s wrote %d bytes".formatted(name, out().bytesBehindBothCloses()));
      }
      if (out().unanswered() > 0 && !dropped) {
        find(Claim.PINGS_ARE_ANSWERED, name + " left " + out().unanswered());
      }
      WebSocketState state = socket().state();
      if (endings != 1 || (dropped ? !state.isTerminal() : state != WebSocketState.CLOSED)) {
        find(Claim.IT_ENDS_WITHOUT_A_TIME_LIMIT, name + " is " + state);
      }
      if (host.uncredited() != 0 && !dropped && !other.wasCut()) {
        find(Claim.ALL_THAT_WAS_HELD_IS_GIVEN_BACK, name + " keeps " + host.uncredited());
      }
    }

    private boolean heardWas(List<Said> all, boolean owed) {
      return heard.size() <= all.size()
          && heard.equals(all.subList(0, heard.size()))
          && (!owed || heard.size() == all.size());
    }

    @Override
    public String toString() {
      return "is %s (%s), said %d and heard %d, with %d to take and %d held"
          .formatted(
              socket().state(),
              ending,
              said.size(),
              heard.size(),
              host.pending(),
              host.uncredited());
    }
  }
}
