package dev.windhover.hubs.redis;

import dev.windhover.http.host.Durations;
import dev.windhover.http.host.Loggers;
import dev.windhover.hubs.backplane.BackplaneException;
import dev.windhover.hubs.protocol.InvalidDataException;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
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
 */
final class RedisCarrier {
  private static final Logger log = Loggers.get(RedisCarrier.class);

  /** For a name, TCP, TLS and a first answer; nobody waits for it. */
  private static final Duration FOR_CONNECTING = Duration.ofSeconds(10);

  /** Subscriptions of a large server take their time. */
  private static final Duration FOR_RESTORING = Duration.ofSeconds(15);

  /** How exact time limits are. */
  private static final Duration SOON = Duration.ofMillis(20);

  private static final Duration NOW_AND_THEN = Duration.ofMillis(250);

  private static final String CLOSED = "the connection was closed";

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
  private final Tally tally = new Tally();
  private final Publishing publishing;
  private final Thread thread;

  // Any thread.
  private final Queue<Runnable> mailbox = new ConcurrentLinkedQueue<>();
  private final List<RedisHub> hubs = new CopyOnWriteArrayList<>();
  private final AtomicLong numbers = new AtomicLong();
  private volatile boolean isUp;
  private volatile boolean isParked;
  private volatile boolean isClosing;
  private volatile boolean isClosed;
  private volatile long heard;
  private volatile BackplaneHealth health = BackplaneHealth.DOWN;

  // The thread's own.
  private final Subscriptions subscriptions = new Subscriptions();
  private Phase phase = Phase.AWAY;
  private @Nullable RedisSession session;

  /** Completes when all that were closed are. */
  private CompletableFuture<?> closing = CompletableFuture.completedFuture(null);

  /** Which try it is; what an earlier one says is ignored. */
  private int attempt;

  private int failures;
  private boolean isLossLogged;
  private long since = System.nanoTime();
  private long nextTry = since;
  private long nextBeat;
  private long beatSent;
  private long nextLook = since;
  private boolean areHubsWaiting;
  private long order;

  /** What had passed when Redis was last there. */
  private Counts before = tally.counts();

  RedisCarrier(RedisClient client, RedisURI address, RedisOptions options, String server) {
    this.client = client;
    this.address = address;
    this.options = options;
    this.server = server;
    this.beat = options.channelPrefix() + "windhover:beat:" + server;
    this.timeLimit = Durations.nanos(options.timeLimit());
    this.inbound = new Inbound(options.maximumReceived());
    this.publishing = new Publishing(options, inbound, tally, this::post);
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

  Tally tally() {
    return tally;
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
    requireSmall(bytes);
    boolean isAway = !isUp;
    if (here != null && (isAway || options.isLocalFirst())) {
      here.run();
      here = null;
    }
    if (isAway && options.whenAway() instanceof WhenAway.Refuse) {
      tally.dropped();
      throw new BackplaneException(
          "Redis is away: clients of other servers do not get the message");
    }
    Outgoing outgoing = Outgoing.message(origin.number(), channel, bytes, here);
    if (!enqueue(outgoing) && here != null) {
      here.run();
    }
  }

  /** Throws an exception if other servers would drop {@code payload}. */
  void requireSmall(byte[] payload) {
    if (payload.length > options.maximumMessageSize()) {
      throw new IllegalArgumentException(
          "message of %d bytes exceeds the backplane's limit of %d"
              .formatted(payload.length, options.maximumMessageSize()));
    }
  }

  /** Publishes what is of no use later; returns false if Redis is away. */
  boolean publish(String channel, byte[] payload, Outgoing.@Nullable Reply reply) {
    return isUp && enqueue(Outgoing.urgent(channel, payload, reply));
  }

  /** Returns false if the backplane is closed, and nothing will happen. */
  private boolean enqueue(Outgoing outgoing) {
    publishing.announce(outgoing);
    return offer(() -> {
      outgoing.order = ++order;
      publishing.add(outgoing, phase == Phase.UP);
    });
  }

  /** Redis has sent back a message of this server. On the inbound thread. */
  void returned(long number) {
    publishing.returned(number);
  }

  /** Looks anew whether {@code channel} is wanted; see {@link Subscriptions#change}. */
  void change(String channel, BooleanSupplier isWanted, CompletableFuture<Boolean> done) {
    long due = System.nanoTime() + timeLimit;
    if (!offer(() -> subscriptions.change(channel, isWanted, ++order, done, due))) {
      done.complete(false);
    }
  }

  /** Runs {@code task} on the thread, unless the backplane is closed. */
  private void post(Runnable task) {
    boolean _ = offer(task);
  }

  /** As {@link #post}; returns false if the backplane is closed, and the task will not run. */
  private boolean offer(Runnable task) {
    mailbox.add(task);
    if (isClosed) {
      return !mailbox.remove(task); // the thread may have taken it at its end
    }
    if (isParked) {
      LockSupport.unpark(thread);
    }
    return true;
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
      RedisSession known = session;
      publishing.work(phase == Phase.UP ? known : null, subscriptions);
      if (known != null) {
        known.flush();
      }
      tellHealth(now);
    } catch (Throwable e) { // without this thread, nobody would hear from Redis again
      log.error("the backplane has failed, and connects anew", e);
      lost("it has failed: " + e);
    }
  }

  private void park() {
    boolean isAwaited =
        phase != Phase.UP || areHubsWaiting || !publishing.isIdle() || subscriptions.hasWaiters();
    long most = Math.min(NOW_AND_THEN.toNanos(), Durations.nanos(options.heartbeat()));
    isParked = true;
    if (mailbox.isEmpty() && !isClosing) {
      LockSupport.parkNanos(this, isAwaited ? SOON.toNanos() : most);
    }
    isParked = false;
  }

  /** Lets nobody wait for longer than was agreed. */
  private void expire(long now) {
    subscriptions.expire(now);
    publishing.expire(now);
    if (now - nextLook >= 0) {
      nextLook = now + SOON.toNanos();
      areHubsWaiting = false;
      for (RedisHub hub : hubs) {
        areHubsWaiting |= hub.expire(now);
      }
    }
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
    Ears ears = new Ears(mine);
    CompletableFuture<RedisSession> opening;
    try {
      opening = RedisSession.open(client, address, ears);
    } catch (RuntimeException e) {
      lost(RedisSession.reason(e));
      return;
    }
    opening.whenComplete((opened, failure) ->
        post(() -> {
          if (opened == null) {
            if (mine == attempt) {
              lost(RedisSession.reason(failure));
            }
          } else if (mine == attempt && phase == Phase.CONNECTING) {
            restore(opened);
            if (ears.isLost) { // meanwhile
              lost(CLOSED);
            }
          } else {
            close(opened);
          }
        }));
  }

  private void restore(RedisSession opened) {
    session = opened;
    phase = Phase.RESTORING;
    since = System.nanoTime();
    subscriptions.want(beat, false, ++order);
    subscriptions.restore(opened);
  }

  private void up(long time) {
    phase = Phase.UP;
    failures = 0;
    beatSent = 0;
    nextBeat = time;
    isUp = true;
    Counts now = tally.counts();
    if (isLossLogged) {
      isLossLogged = false;
      log.info(
          "Redis at {} is back: publishing {} waiting messages; {} were dropped, and the fate of {}"
              + " is unknown",
          name(),
          publishing.waiting(),
          now.dropped() - before.dropped(),
          now.uncertain() - before.uncertain());
    }
    tally.forget();
    before = now;
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
      nextBeat = now + Durations.nanos(options.heartbeat());
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
      close(known);
    }
    long now = System.nanoTime();
    phase = Phase.AWAY;
    since = now;
    nextTry = now + retryDelay();
    subscriptions.lost();
    if (!isLossLogged) {
      isLossLogged = true;
      log.warn(
          "Redis at {} is away: {}. Messages reach only the clients of this server",
          name(),
          reason);
    } else {
      log.debug("Redis at {} is still away: {}", name(), reason);
    }
    if (wasUp) {
      publishing.lost();
    }
  }

  private void close(RedisSession over) {
    closing = CompletableFuture.allOf(closing, over.close());
  }

  /** Full jitter, so that servers that have lost Redis together do not come back together. */
  private long retryDelay() {
    long first = Durations.nanos(options.firstRetry());
    long most =
        Math.min(Durations.nanos(options.longestRetry()), first << Math.min(failures++, 30));
    return ThreadLocalRandom.current().nextLong(Math.max(most, first)) + 1;
  }

  private String name() {
    return address.getSentinels().isEmpty()
        ? address.getHost() + ":" + address.getPort()
        : address.getSentinelMasterId();
  }

  private final class Ears implements RedisSession.Listener {
    private final int mine;
    private volatile boolean isLost;

    Ears(int mine) {
      this.mine = mine;
    }

    @Override
    public void onMessage(String channel, byte[] payload) {
      if (channel.equals(beat)) {
        heard = System.nanoTime();
        return;
      }
      tally.received();
      if (!inbound.offer(payload.length + Publishing.OVERHEAD, () -> receive(channel, payload))) {
        tally.overflowed();
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
    public void onRefused(Throwable cause) {
      post(() -> {
        if (mine == attempt && session != null) {
          lost("a subscription was refused: " + RedisSession.reason(cause));
        }
      });
    }

    @Override
    public void onLost() {
      isLost = true;
      post(() -> {
        if (mine == attempt && session != null) {
          lost(CLOSED);
        }
      });
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
          tally.refused(String.valueOf(e.getMessage()));
        }
      }
    }
  }

  // ---- Health

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
      try {
        options.onHealth().accept(is);
      } catch (Throwable e) { // the application's, and no fault of Redis
        log.error("the listener of the backplane's health has failed at {}", is, e);
      }
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
      thread.join(Duration.ofNanos(Durations.nanos(options.timeLimit())).plusSeconds(1));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void end() {
    long due = System.nanoTime() + timeLimit;
    while (phase == Phase.UP
        && (!mailbox.isEmpty() || !publishing.isIdle())
        && due - System.nanoTime() > 0) {
      turn();
      LockSupport.parkNanos(this, Duration.ofMillis(1).toNanos());
    }
    isUp = false;
    isClosed = true;
    attempt++;
    phase = Phase.AWAY;
    RedisSession known = session;
    session = null;
    if (known != null) {
      close(known);
    }
    letGo();
    closing
        .completeOnTimeout(null, Durations.millis(options.timeLimit()), TimeUnit.MILLISECONDS)
        .handle((_, _) -> null)
        .join();
    inbound.execute(inbound::close);
  }

  /** Nothing is published any more, and nobody waits for it. */
  private void letGo() {
    for (Runnable task; (task = mailbox.poll()) != null; ) {
      task.run();
    }
    subscriptions.lost();
    publishing.end();
    hubs.forEach(RedisHub::end);
  }
}
