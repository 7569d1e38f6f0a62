package dev.windhover.verification.fuzz;

import dev.windhover.http.Connection;
import dev.windhover.http.Headers;
import dev.windhover.http.HttpVersion;
import dev.windhover.http.host.ConnectionBuilder;
import dev.windhover.http.host.Duplex;
import dev.windhover.http.host.Exchange;
import dev.windhover.http.host.ExchangeHandler;
import dev.windhover.http.host.Loop;
import dev.windhover.http.host.Sink;
import dev.windhover.http.host.Upgrade;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A host of one request on the calling thread. It is deterministic, so that two runs can be
 * compared. Memory that it lends is overwritten afterwards. Breaches of the seam are failures. The
 * peer takes all output at once, unless a {@linkplain #relayed relay} takes it piece by piece.
 */
final class MemoryHost implements Exchange, Upgrade, Duplex, Loop {
  private static final SocketAddress NOWHERE = InetSocketAddress.createUnresolved("memory", 1);

  private static final class Bytes extends ByteArrayOutputStream {
    byte[] range(int from, int to) {
      return Arrays.copyOfRange(buf, from, to);
    }
  }

  /** As many turns of the loop are enough for anybody. */
  private static final int MOST_TURNS = 100_000;

  private record Alarm(long due, long order, Runnable task) {}

  private final String method;
  private final HttpVersion version;
  private final Headers headers;
  private final CompletableFuture<Void> gone = new CompletableFuture<>();

  // The loop.
  private final Queue<Runnable> tasks = new ArrayDeque<>();
  private final PriorityQueue<Alarm> alarms =
      new PriorityQueue<>(Comparator.comparingLong(Alarm::due).thenComparingLong(Alarm::order));
  private long now;
  private long alarmsSet;

  // The answer.
  private int status;
  private @Nullable Headers answer;
  private boolean complete;

  // The connection.
  private @Nullable Receiver receiver;
  private final Bytes output = new Bytes();
  private boolean relayed;
  private int flushed;
  private int taken;
  private int mark = Integer.MAX_VALUE;
  private Runnable belowAgain = () -> {};
  private boolean markReached;
  private final Deque<byte[]> arriving = new ArrayDeque<>();
  private @Nullable ByteBuffer reserved;
  private int reservedFrom;
  private long delivered;
  private long credited;
  private boolean reading = true;
  private boolean ended;
  private boolean peerEnded;
  private boolean peerEndTold;
  private boolean aborted;
  private boolean lost;

  MemoryHost(String method, HttpVersion version, Headers headers) {
    this.method = method;
    this.version = version;
    this.headers = headers;
  }

  static Headers handshake() {
    return new Headers()
        .add("Host", "memory")
        .add("Connection", "Upgrade")
        .add("Upgrade", "websocket")
        .add("Sec-WebSocket-Version", "13")
        .add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
  }

  /** Hands the request over, and runs until there is nothing to do. */
  void handledBy(ExchangeHandler handler) {
    handler.handle(this);
    run();
  }

  // ---- What the peer does

  /** Each piece arrives in a batch of its own. */
  void arrive(byte[] piece) {
    arriving.add(piece);
    deliver();
    run();
  }

  /** Returns whether the engine was given all that arrived: it was not while it paused. */
  boolean isAllDelivered() {
    return arriving.isEmpty();
  }

  void peerEnds() {
    peerEnded = true;
    deliver();
    run();
  }

  void lose(String why) {
    if (!lost) {
      lost = true;
      open().onLost(why);
      gone.complete(null);
      run();
    }
  }

  /** From here on the peer takes only what is {@linkplain #take taken} for it. */
  MemoryHost relayed() {
    relayed = true;
    return this;
  }

  /** Takes output that was flushed. */
  byte[] take(int most) {
    int n = aborted || lost ? 0 : Math.min(most, flushed - taken);
    byte[] bytes = output.range(taken, taken + n);
    taken += n;
    if (markReached && pending() < mark) {
      markReached = false;
      belowAgain.run();
      flush();
    }
    endIfBothDid();
    run();
    return bytes;
  }

  /** Returns whether the peer has been told of the end of our direction. */
  boolean hasEnded() {
    return ended && pending() == 0;
  }

  boolean isAborted() {
    return aborted;
  }

  /** Runs what an application does on its own account. */
  void perform(Runnable task) {
    execute(task);
    run();
  }

  /** Lets time pass. */
  void advance(Duration by) {
    long until = now + by.toNanos();
    for (Alarm next; (next = alarms.peek()) != null && next.due <= until; ) {
      alarms.remove(next);
      now = Math.max(now, next.due);
      next.task.run();
      run();
    }
    now = until;
  }

  /** Lets pass all the time that anything waits for. */
  void letTimePass() {
    for (Alarm next; (next = alarms.poll()) != null; ) {
      now = Math.max(now, next.due);
      next.task.run();
      run();
    }
  }

  private void deliver() {
    while (reading && !lost && !aborted && !arriving.isEmpty()) {
      byte[] piece = arriving.remove();
      ByteBuffer lent = Input.buffer(piece, piece.length % 2 == 0);
      delivered += piece.length;
      open().onBytes(lent);
      require(!lent.hasRemaining() || lost || aborted, "bytes are left of what was delivered");
      lent.clear();
      for (int i = 0; i < lent.capacity(); i++) {
        lent.put(i, (byte) 0xDD);
      }
      open().onBatchEnd();
      flush();
      run();
    }
    if (reading && !lost && !aborted && arriving.isEmpty() && peerEnded && !peerEndTold) {
      peerEndTold = true;
      open().onEnd();
      flush();
      endIfBothDid();
    }
  }

  private void endIfBothDid() {
    if (hasEnded() && peerEndTold) {
      execute(() -> lose("the connection was closed"));
    }
  }

  private void run() {
    int turns = 0;
    for (Runnable task; (task = tasks.poll()) != null; ) {
      require(++turns < MOST_TURNS, "the loop does not come to rest");
      task.run();
    }
  }

  // ---- What is to be seen

  boolean isUpgraded() {
    return receiver != null;
  }

  boolean isAnswered() {
    return complete || isUpgraded();
  }

  int status() {
    return status;
  }

  Headers answer() {
    require(answer != null, "not answered");
    return answer == null ? new Headers() : answer;
  }

  byte[] output() {
    return output.toByteArray();
  }

  /** Returns how much has been put out, taken or not. */
  int outputSize() {
    return output.size();
  }

  /** Returns the delivered bytes for which no credit came back. */
  long uncredited() {
    return delivered - credited;
  }

  boolean isLost() {
    return lost;
  }

  /** Returns how the connection ended. */
  String ending() {
    return (aborted ? "aborted" : ended ? "ended" : "open") + (lost ? ", lost" : "");
  }

  private Receiver open() {
    Receiver known = receiver;
    if (known == null) {
      throw new AssertionError("not upgraded");
    }
    return known;
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new AssertionError(otherwise);
    }
  }

  // ---- Duplex

  @Override
  public Loop loop() {
    return this;
  }

  @Override
  public void pause() {
    reading = false;
  }

  @Override
  public void resume() {
    reading = true;
    execute(this::deliver);
  }

  @Override
  public void consumed(int bytes) {
    credited += bytes;
    require(bytes >= 0 && (credited <= delivered || lost), "credit for more than came");
  }

  @Override
  public ByteBuffer reserve(int bytes) {
    requireOutput();
    ByteBuffer room = Input.buffer(new byte[bytes], bytes % 2 == 0);
    reservedFrom = room.position();
    reserved = room;
    return room;
  }

  @Override
  public void commit() {
    ByteBuffer room = reserved;
    require(room != null, "commit without reserve");
    reserved = null;
    requireOutput();
    if (room != null) {
      append(room.flip().position(reservedFrom));
    }
  }

  @Override
  public void write(ByteBuffer bytes) {
    requireOutput();
    append(bytes);
  }

  private void append(ByteBuffer bytes) {
    byte[] copy = new byte[bytes.remaining()];
    bytes.get(copy);
    output.writeBytes(copy);
    markReached |= pending() >= mark;
  }

  private void requireOutput() {
    require(reserved == null, "output between reserve and commit");
    require(!ended && !aborted && !lost, "output after the end");
  }

  @Override
  public void flush() {
    flushed = output.size();
  }

  @Override
  public long pending() {
    return relayed && !aborted && !lost ? output.size() - taken : 0;
  }

  @Override
  public void mark(int bytes, Runnable action) {
    mark = bytes;
    belowAgain = action;
    markReached = pending() >= mark;
  }

  @Override
  public long transmitted() {
    return relayed ? taken : output.size();
  }

  @Override
  public void end() {
    if (isUpgraded()) {
      ended = true;
      flush();
      reading = true;
      execute(this::deliver);
      endIfBothDid();
    } else {
      require(answer != null && !complete, "the end of no answer");
      complete = true;
    }
  }

  @Override
  public void abort() {
    require(isUpgraded(), "aborted before it was answered");
    if (!aborted && !lost) {
      aborted = true;
      execute(() -> lose("aborted"));
    }
  }

  // ---- Loop

  @Override
  public void execute(Runnable task) {
    tasks.add(task);
  }

  @Override
  public boolean inLoop() {
    return true;
  }

  @Override
  public long nanoTime() {
    return now;
  }

  @Override
  public Instant now() {
    return Instant.EPOCH.plusNanos(now);
  }

  @Override
  public Timer schedule(Duration delay, Runnable task) {
    Alarm alarm = new Alarm(now + delay.toNanos(), alarmsSet++, task);
    alarms.add(alarm);
    return () -> alarms.remove(alarm);
  }

  // ---- Exchange and Upgrade

  @Override
  public void accept(int status, Headers headers, Receiver attached) {
    require(answer == null, "answered twice");
    this.status = status;
    answer = headers;
    receiver = attached;
    execute(() -> {
      attached.onOpen(this);
      flush();
    });
  }

  @Override
  public Sink respond(int status, Headers given, long contentLength) {
    require(answer == null, "answered twice");
    this.status = status;
    answer = given;
    return this;
  }

  @Override
  public boolean isOpen() {
    return !aborted && !lost;
  }

  @Override
  public void writeFile(FileChannel file, long position, long count, Runnable release) {
    throw new AssertionError("there are no files here");
  }

  @Override
  public @Nullable Upgrade upgrade() {
    boolean asked = headers.contains("Upgrade") && headers.hasToken("Connection", "Upgrade");
    return isExtendedConnect() || (version == HttpVersion.HTTP_1_1 && asked) ? this : null;
  }

  @Override
  public boolean isExtendedConnect() {
    return version == HttpVersion.HTTP_2 && method.equals("CONNECT");
  }

  @Override
  public Headers headers() {
    return headers;
  }

  @Override
  public String id() {
    return "1";
  }

  @Override
  public String method() {
    return method;
  }

  @Override
  public String target() {
    return "/";
  }

  @Override
  public String scheme() {
    return "http";
  }

  @Override
  public HttpVersion version() {
    return version;
  }

  @Override
  public Connection connection() {
    return new ConnectionBuilder("1", NOWHERE, NOWHERE).version(version).build();
  }

  @Override
  public InputStream body() {
    return InputStream.nullInputStream();
  }

  @Override
  public CompletableFuture<Void> aborted() {
    return gone;
  }

  @Override
  public Thread start(Runnable task) {
    tasks.add(task); // whoever would block here fails
    return Thread.currentThread();
  }
}
