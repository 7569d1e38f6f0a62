package dev.windhover.hubs.redis;

import dev.windhover.http.host.Loggers;
import dev.windhover.hubs.backplane.BackplaneException;
import dev.windhover.hubs.protocol.InvalidDataException;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * Carries payloads to Redis and back, for all hubs of a process.
 *
 * <pre>
 * AWAY        there is no connection, and the next try has its time
 * CONNECTING  two connections are being opened
 * RESTORING   Redis is asked for all subscriptions
 * UP          payloads pass
 * </pre>
 *
 * <p>One thread owns the connections and all that waits for them. Others leave it what they want in
 * a mailbox, without a lock, and wait for nothing here. What it hears it passes to {@link Inbound}.
 *
 * <p>A message for clients of this server waits in {@link #returning} until Redis sends it back, so
 * that everybody sees one order. If Redis is lost meanwhile, or sends nothing back in time, it is
 * delivered from there; what comes back later is not in there any more, and dropped. So no client
 * of this server misses a message, or gets it twice.
 */
final class RedisCarrier {
  private static final Logger log = Loggers.get(RedisCarrier.class);

  /** What Redis has been sent and has not answered. More would not make it faster. */
  private static final int MOST_IN_FLIGHT = 8_192;

  private static final long MOST_BYTES_IN_FLIGHT = 4L << 20;

  /** What a payload costs in addition to its bytes: about that. */
  private static final int OVERHEAD = 200;

  /** For a name, TCP, TLS and a first answer; nobody waits for it. */
  private static final Duration FOR_CONNECTING = Duration.ofSeconds(10);

  /** Subscriptions of a large server take their time. */
  private static final Duration FOR_RESTORING = Duration.ofSeconds(15);

  private static final Duration AT_ONCE = Duration.ofMillis(20);
  private static final Duration NOW_AND_THEN = Duration.ofMillis(250);

  private enum Phase {
    AWAY,
    CONNECTING,
    RESTORING,
    UP
  }

  private final RedisClient client;
  private final RedisURI address;
  private final RedisOptions options;
  private final String server;
  private final String beat;
  private final long timeLimit;
  private final Inbound inbound;
  private final Thread thread;

  // Any thread.
  private final Queue<Runnable> mailbox = new ConcurrentLinkedQueue<>();
  private final List<RedisHub> hubs = new CopyOnWriteArrayList<>();
  private final ConcurrentNavigableMap<Long, Outgoing> returning = new ConcurrentSkipListMap<>();
  private final AtomicLong numbers = new AtomicLong();
  private final AtomicLong waitingBytes = new AtomicLong();
  private final AtomicLong published = new AtomicLong();
  private final AtomicLong received = new AtomicLong();
  private final AtomicLong dropped = new AtomicLong();
  private final AtomicLong uncertain = new AtomicLong();
  private final AtomicLong refused = new AtomicLong();
  private final AtomicLong overflowed = new AtomicLong();
  private volatile boolean isUp;
  private volatile boolean isParked;
  private volatile boolean isClosing;
  private volatile boolean isClosed;
  private volatile long heard;
  private volatile BackplaneHealth health = BackplaneHealth.DOWN;

  /** What was logged once and is not to be logged again before Redis was away. */
  private final Set<String> logged = new ConcurrentSkipListSet<>();

  // The thread's own.
  private final Subscriptions subscriptions = new Subscriptions();
  private final Deque<Outgoing> waiting = new ArrayDeque<>();
  private final Set<Outgoing> inFlight = new HashSet<>();
  private long bytesInFlight;
  private Phase phase = Phase.AWAY;
  private @Nullable RedisSession session;

  /** Which try it is; what an earlier one says is ignored. */
  private int attempt;

  private int failures;
  private boolean isLossLogged;
  private long since = System.nanoTime();
  private long nextTry = since;
  private long nextBeat;
  private long beatSent;
  private long order;
  private long droppedBefore;
  private long uncertainBefore;

  RedisCarrier(RedisClient client, RedisURI address, RedisOptions options, String server) {
    this.client = client;
    this.address = address;
    this.options = options;
    this.server = server;
    this.beat = options.channelPrefix() + "windhover:beat:" + server;
    this.timeLimit = options.timeLimit().toNanos();
    this.inbound = new Inbound(options.maximumReceived());
    this.thread = Thread.ofPlatform().daemon().name("windhover-redis-out").unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  // ---- What any thread may ask

  String server() {
    return server;
  }

  Subscriptions subscriptions() {
    return subscriptions;
  }

  BackplaneHealth health() {
    return health;
  }

  Counts counts() {
    return new Counts(
        published.get(),
        received.get(),
        dropped.get(),
        uncertain.get(),
        refused.get(),
        overflowed.get());
  }

  Payload.Origin newOrigin() {
    return new Payload.Origin(server, numbers.incrementAndGet());
  }

  /** One more hub takes part. */
  void add(RedisHub hub) {
    hubs.add(hub);
    post(() -> {
      hub.channels().forEach(channel -> subscriptions.want(channel, false, ++order));
      String pattern = hub.pattern();
      if (pattern != null) {
        subscriptions.want(pattern, true, ++order);
      }
    });
  }

  /**
   * Publishes a message for clients.
   *
   * @param here delivers it to those of this server; null if there are none
   */
  void send(String channel, Function<Payload.Origin, Payload> payload, @Nullable Runnable here) {
    Payload.Origin origin = newOrigin();
    byte[] bytes = payload.apply(origin).write();
    if (bytes.length > options.maximumMessageSize()) {
      throw new IllegalArgumentException(
          "message of %d bytes exceeds the backplane's limit of %d"
              .formatted(bytes.length, options.maximumMessageSize()));
    }
    boolean isAway = !isUp;
    if (here != null && (isAway || options.isLocalFirst())) {
      here.run();
      here = null;
    }
    if (isAway && options.whenAway() instanceof WhenAway.Refuse) {
      dropped.incrementAndGet();
      throw new BackplaneException(
          "Redis is away: clients of other servers do not get the message");
    }
    if (isClosed) {
      return;
    }
    enqueue(Outgoing.message(origin.number(), channel, bytes, here));
  }

  /** Publishes what is of no use later; returns false if Redis is away. */
  boolean publish(String channel, Payload payload, Outgoing.@Nullable Reply reply) {
    if (!isUp) {
      return false;
    }
    enqueue(Outgoing.urgent(channel, payload.write(), reply));
    return true;
  }

  private void enqueue(Outgoing outgoing) {
    waitingBytes.addAndGet(cost(outgoing));
    post(() -> {
      outgoing.order = ++order;
      waiting.add(outgoing);
      if (phase != Phase.UP) {
        deliverHere(outgoing); // it was up when the sender looked
      }
    });
  }

  private static long cost(Outgoing outgoing) {
    return outgoing.payload().length + OVERHEAD;
  }

  /** Looks anew whether {@code channel} is wanted; see {@link Subscriptions#change}. */
  void change(String channel, BooleanSupplier isWanted, CompletableFuture<Void> done) {
    long due = System.nanoTime() + timeLimit;
    post(() -> subscriptions.change(channel, isWanted, ++order, done, due));
    if (isClosing) {
      done.complete(null);
    }
  }

  private void post(Runnable task) {
    if (isClosed) {
      return;
    }
    mailbox.add(task);
    if (isParked) {
      LockSupport.unpark(thread);
    }
  }

  // ---- The thread

  private void run() {
    while (!isClosing) {
      turn();
      park();
    }
    end();
  }

  private void turn() {
    try {
      for (Runnable task; (task = mailbox.poll()) != null; ) {
        task.run();
      }
      long now = System.nanoTime();
      connect(now);
      expire(now);
      publishWaiting();
      RedisSession known = session;
      if (known != null) {
        known.flush();
      }
      tellHealth(now);
    } catch (RuntimeException e) {
      log.error("the backplane has failed, and connects anew", e);
      lost("it has failed: " + e);
    }
  }

  private void park() {
    boolean isAwaited =
        phase != Phase.UP
            || !inFlight.isEmpty()
            || !returning.isEmpty()
            || subscriptions.hasWaiters();
    for (RedisHub hub : hubs) {
      isAwaited |= hub.expire(System.nanoTime());
    }
    isParked = true;
    if (mailbox.isEmpty() && !isClosing) {
      LockSupport.parkNanos(this, (isAwaited ? AT_ONCE : NOW_AND_THEN).toNanos());
    }
    isParked = false;
  }

  // ---- The connections

  private void connect(long now) {
    switch (phase) {
      case AWAY -> {
        if (nextTry - now <= 0) {
          open(now);
        }
      }
      case CONNECTING -> {
        if (now - since > FOR_CONNECTING.toNanos()) {
          lost("no connection within " + FOR_CONNECTING);
        }
      }
      case RESTORING -> {
        if (subscriptions.isComplete()) {
          up(now);
        } else if (now - since > FOR_RESTORING.toNanos()) {
          lost("subscriptions are not restored within " + FOR_RESTORING);
        }
      }
      case UP -> beat(now);
    }
  }

  private void open(long now) {
    phase = Phase.CONNECTING;
    since = now;
    int mine = ++attempt;
    CompletableFuture<RedisSession> opening;
    try {
      opening = RedisSession.open(client, address, new Ears(mine));
    } catch (RuntimeException e) {
      lost(reason(e));
      return;
    }
    opening.whenComplete((opened, failure) ->
        post(() -> {
          if (opened == null) {
            if (mine == attempt) {
              lost(reason(failure));
            }
          } else if (mine == attempt && phase == Phase.CONNECTING) {
            restore(opened);
          } else {
            opened.close();
          }
        }));
  }

  private static String reason(@Nullable Throwable failure) {
    Throwable cause = failure;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    Throwable deepest = cause == null ? null : cause.getCause();
    return String.valueOf(
        deepest != null && deepest.getMessage() != null
            ? deepest.getMessage()
            : cause == null ? null : cause.getMessage());
  }

  private void restore(RedisSession opened) {
    session = opened;
    phase = Phase.RESTORING;
    since = System.nanoTime();
    subscriptions.want(beat, false, ++order);
    subscriptions.restore(opened);
  }

  private void up(long now) {
    phase = Phase.UP;
    failures = 0;
    beatSent = 0;
    nextBeat = now;
    isUp = true;
    if (isLossLogged) {
      isLossLogged = false;
      log.info(
          "Redis at {} is back: {} payloads that waited are published, {} messages were dropped, of"
              + " {} it is not known whether they arrived",
          name(),
          waiting.size(),
          dropped.get() - droppedBefore,
          uncertain.get() - uncertainBefore);
    }
    logged.clear();
    droppedBefore = dropped.get();
    uncertainBefore = uncertain.get();
  }

  /** Sends a message to itself, which comes back over both connections. */
  private void beat(long now) {
    long last = heard;
    if (beatSent != 0 && last - beatSent >= 0) {
      beatSent = 0;
    }
    if (beatSent != 0 && now - beatSent > timeLimit) {
      lost("nothing has come back within " + options.timeLimit());
    } else if (beatSent == 0 && nextBeat - now <= 0 && session != null) {
      beatSent = now;
      nextBeat = now + options.heartbeat().toNanos();
      session.publish(beat, new byte[] {1}, (_, _) -> {});
    }
  }

  private void lost(String reason) {
    boolean wasUp = isUp;
    isUp = false;
    attempt++;
    RedisSession known = session;
    session = null;
    if (known != null) {
      known.close();
    }
    long now = System.nanoTime();
    phase = Phase.AWAY;
    since = now;
    nextTry = now + retryDelay();
    subscriptions.lost();
    if (!isLossLogged) {
      isLossLogged = true;
      log.warn(
          "Redis at {} is away: {}. Clients of this server are reached, others are not",
          name(),
          reason);
    } else {
      log.debug("Redis at {} is still away: {}", name(), reason);
    }
    if (wasUp) {
      List.copyOf(inFlight)
          .forEach(each -> {
            uncertain.incrementAndGet();
            ended(each);
            failed(each);
          });
      returning.values().forEach(this::deliverHere);
      returning.clear();
      waiting.forEach(this::deliverHere);
      waiting.removeIf(each -> {
        boolean isOver = !each.mayWait() || options.whenAway() instanceof WhenAway.Refuse;
        if (isOver) {
          drop(each);
        }
        return isOver;
      });
    }
  }

  /** Full jitter, so that servers that have lost Redis together do not come back together. */
  private long retryDelay() {
    long first = options.firstRetry().toNanos();
    long most = Math.min(options.longestRetry().toNanos(), first << Math.min(failures++, 30));
    return ThreadLocalRandom.current().nextLong(Math.max(most, first)) + 1;
  }

  private String name() {
    return address.getSentinels().isEmpty()
        ? address.getHost() + ":" + address.getPort()
        : address.getSentinelMasterId();
  }

  private final class Ears implements RedisSession.Listener {
    private final int mine;

    Ears(int mine) {
      this.mine = mine;
    }

    @Override
    public void onMessage(String channel, byte[] payload) {
      if (channel.equals(beat)) {
        heard = System.nanoTime();
        return;
      }
      received.incrementAndGet();
      if (!inbound.offer(payload.length + OVERHEAD, () -> receive(channel, payload))) {
        overflowed.incrementAndGet();
        logOnce(
            "overflow", "the event loops are too slow for what comes from Redis: it is dropped");
      }
    }

    @Override
    public void onSubscribed(String channel) {
      post(() -> {
        if (mine == attempt) {
          subscriptions.confirmed(channel);
        }
      });
    }

    @Override
    public void onLost() {
      post(() -> {
        if (mine == attempt && session != null) {
          lost("the connection was closed");
        }
      });
    }
  }

  // ---- Publishing

  private void publishWaiting() {
    RedisSession known = session;
    if (phase == Phase.UP && known != null) {
      for (Outgoing next; (next = waiting.peek()) != null && mayPublish(next); ) {
        waiting.remove();
        waitingBytes.addAndGet(-cost(next));
        publish(known, next);
      }
    }
    limitWaiting();
  }

  private boolean mayPublish(Outgoing next) {
    return inFlight.size() < MOST_IN_FLIGHT
        && bytesInFlight < MOST_BYTES_IN_FLIGHT
        && !subscriptions.isOpenBefore(next.order);
  }

  private void publish(RedisSession to, Outgoing next) {
    if (next.isAwaitedHere()) {
      returning.put(next.number(), next);
    }
    inFlight.add(next);
    bytesInFlight += cost(next);
    to.publish(
        next.channel(),
        next.payload(),
        (receivers, failure) -> post(() -> published(next, receivers, failure)));
  }

  private void published(Outgoing outgoing, @Nullable Long receivers, @Nullable Throwable failure) {
    if (!inFlight.contains(outgoing)) {
      return; // Redis was lost meanwhile
    }
    ended(outgoing);
    if (receivers == null) {
      dropped.incrementAndGet();
      logOnce("publish", "a payload could not be published: " + reason(failure));
      failed(outgoing);
      return;
    }
    published.incrementAndGet();
    Outgoing.Reply reply = outgoing.reply();
    if (reply != null) {
      reply.published(receivers);
    }
  }

  private void ended(Outgoing outgoing) {
    inFlight.remove(outgoing);
    bytesInFlight -= cost(outgoing);
  }

  private void failed(Outgoing outgoing) {
    returning.remove(outgoing.number());
    deliverHere(outgoing);
    Outgoing.Reply reply = outgoing.reply();
    if (reply != null) {
      reply.failed();
    }
  }

  /** Drops what is too old, and what is too much. */
  private void limitWaiting() {
    while (waitingBytes.get() > options.maximumWaiting() && waiting.size() > 1) {
      drop(waiting.remove());
    }
    if (phase != Phase.UP && options.whenAway() instanceof WhenAway.Keep(var longest)) {
      long oldest = System.nanoTime() - longest.toNanos();
      for (Outgoing first; (first = waiting.peek()) != null && first.since() - oldest <= 0; ) {
        drop(waiting.remove());
      }
    }
  }

  private void drop(Outgoing outgoing) {
    waitingBytes.addAndGet(-cost(outgoing));
    dropped.incrementAndGet();
    failed(outgoing);
  }

  private void deliverHere(Outgoing outgoing) {
    Runnable here = outgoing.claim();
    if (here != null) {
      inbound.execute(here);
    }
  }

  /** Redis has sent back a message of this server. On the inbound thread. */
  void returned(long number) {
    Outgoing own = returning.remove(number);
    Runnable here = own == null ? null : own.claim();
    if (here != null) {
      here.run();
    }
  }

  // ---- Receiving

  private void receive(String channel, byte[] payload) {
    for (RedisHub hub : hubs) {
      Channels.Purpose purpose = hub.purpose(channel);
      if (purpose != null) {
        try {
          if (payload.length > options.maximumMessageSize()) {
            throw new MalformedException(
                "payload of %d bytes exceeds limit of %d"
                    .formatted(payload.length, options.maximumMessageSize()));
          }
          hub.receive(purpose, payload);
        } catch (MalformedException | InvalidDataException e) {
          refused.incrementAndGet();
          logOnce("refused", "another server has published what is refused: " + e.getMessage());
        }
      }
    }
  }

  /** What has come is awaited by nobody any more, which is ordinary. */
  void late(String what) {
    refused.incrementAndGet();
    if (logged.add(what)) {
      log.info("{} awaited by nobody (logged once; later ones are counted)", what);
    }
  }

  private void logOnce(String kind, String text) {
    if (logged.add(kind)) {
      log.warn("{} (logged once; later ones are counted)", text);
    } else {
      log.debug("{}", text);
    }
  }

  // ---- Time

  private void expire(long now) {
    subscriptions.expire(now);
    for (Outgoing first; (first = firstReturning()) != null && now - first.since() > timeLimit; ) {
      returning.remove(first.number());
      deliverHere(first);
    }
  }

  private @Nullable Outgoing firstReturning() {
    var first = returning.firstEntry();
    return first == null ? null : first.getValue();
  }

  private void tellHealth(long now) {
    BackplaneHealth is;
    if (phase == Phase.UP) {
      boolean isLate = beatSent != 0 && now - beatSent > timeLimit / 2;
      is = isLate ? BackplaneHealth.DEGRADED : BackplaneHealth.UP;
    } else {
      is = phase == Phase.RESTORING ? BackplaneHealth.DEGRADED : BackplaneHealth.DOWN;
    }
    if (is != health) {
      health = is;
      options.onHealth().accept(is);
    }
  }

  // ---- The end

  /** Publishes what waits, within the time limit, and ends. */
  void close() {
    if (isClosing) {
      return;
    }
    isClosing = true;
    LockSupport.unpark(thread);
    try {
      thread.join(options.timeLimit().plusSeconds(1));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void end() {
    long due = System.nanoTime() + timeLimit;
    while (phase == Phase.UP
        && (!mailbox.isEmpty() || !waiting.isEmpty() || !inFlight.isEmpty())
        && due - System.nanoTime() > 0) {
      turn();
      LockSupport.parkNanos(this, Duration.ofMillis(1).toNanos());
    }
    isUp = false;
    isClosed = true;
    attempt++;
    subscriptions.lost();
    returning.values().forEach(this::deliverHere);
    waiting.forEach(this::failed);
    inbound.execute(inbound::close);
  }
}
