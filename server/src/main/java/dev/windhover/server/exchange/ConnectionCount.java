package dev.windhover.server.exchange;

import dev.windhover.http.Headers;
import dev.windhover.http.HttpException;
import dev.windhover.server.ServerLimits;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The open connections of a server. It counts upgraded and other connections separately, limits
 * both, and tells the operator when a limit is reached: at most once a minute, because otherwise
 * clients could fill the log. Thread-safe.
 */
public final class ConnectionCount {
  private static final Logger log = LoggerFactory.getLogger(ConnectionCount.class);
  private static final long QUIET_NANOS = TimeUnit.MINUTES.toNanos(1);
  private static final String RETRY_AFTER_SECONDS = "5";
  private static final AtomicLong ids = new AtomicLong();

  private final ServerLimits limits;

  /** By age. This map takes no lock; other concurrent maps do. */
  private final Map<Place, Channel> channels =
      new ConcurrentSkipListMap<>(Comparator.comparingLong(place -> place.number));

  private final AtomicInteger plain = new AtomicInteger();
  private final AtomicInteger upgraded = new AtomicInteger();
  private final AtomicLong nextLine = new AtomicLong(System.nanoTime());
  private final AtomicLong nextUpgradedLine = new AtomicLong(System.nanoTime());

  /** Creates one without connections. */
  public ConnectionCount(ServerLimits limits) {
    this.limits = limits;
  }

  /** Returns the answer to a request that would need one more than {@code most}. */
  public static HttpException tooMany(int most, String ofWhat) {
    String why = ofWhat + " are limited to " + most;
    return new HttpException(503, why, new Headers().add("Retry-After", RETRY_AFTER_SECONDS));
  }

  /** Counts a connection until it ends, and returns its place; null if there are too many. */
  public @Nullable Place enter(Channel channel) {
    if (take(plain, limits.maxConnections())) {
      Place place = new Place();
      channels.put(place, channel);
      channel
          .closeFuture()
          .addListener(place); // the only listener: a second one would cost each connection a list
      return place;
    }
    if (isDue(nextLine)) {
      log.warn("more than {} connections; these are closed unread", limits.maxConnections());
    }
    return null;
  }

  /** Returns the open connections. */
  public List<Channel> channels() {
    return List.copyOf(channels.values());
  }

  private boolean takeUpgraded() {
    int most = limits.maxUpgradedConnections();
    boolean taken = take(upgraded, most);
    if (!taken && isDue(nextUpgradedLine)) {
      log.warn("more than {} upgraded connections; these are refused with 503", most);
    }
    return taken;
  }

  private static boolean isDue(AtomicLong next) {
    long now = System.nanoTime();
    long due = next.get();
    return now - due >= 0 && next.compareAndSet(due, now + QUIET_NANOS);
  }

  private static boolean take(AtomicInteger count, int most) {
    int before = count.getAndUpdate(taken -> taken < most ? taken + 1 : taken);
    return before < most;
  }

  /** As what a connection counts. */
  private enum Among {
    PLAIN,
    UPGRADED,
    /** It has ended and does not count. */
    NONE
  }

  /** The place of one connection. */
  public final class Place implements ChannelFutureListener {
    private static final AtomicReferenceFieldUpdater<Place, Among> AMONG =
        AtomicReferenceFieldUpdater.newUpdater(Place.class, Among.class, "among");

    private final long number = ids.incrementAndGet();
    private volatile Among among = Among.PLAIN;

    private Place() {}

    /** Returns what names the connection in logs, unique within the process. */
    public String id() {
      return "c" + number;
    }

    /** Returns the name in logs of the connection's request with that number. */
    public RequestId requestId(long which) {
      return new RequestId(number, which);
    }

    /**
     * Counts a stream of the connection as an upgraded connection, until {@link #removeSocket()}.
     *
     * @return false if there are too many
     */
    public boolean addSocket() {
      return takeUpgraded();
    }

    /** The stream has ended. */
    public void removeSocket() {
      upgraded.decrementAndGet();
    }

    /**
     * Counts the connection as an upgraded one from now on.
     *
     * @return false if there are too many
     */
    public boolean upgrade() {
      if (among != Among.PLAIN) {
        return true;
      }
      if (!takeUpgraded()) {
        return false;
      }
      boolean isUpgraded = AMONG.compareAndSet(this, Among.PLAIN, Among.UPGRADED);
      (isUpgraded ? plain : upgraded).decrementAndGet(); // it may just have ended
      return true;
    }

    /** Counts the connection as a plain one again, because its upgrade came to nothing. */
    public void downgrade() {
      if (AMONG.compareAndSet(this, Among.UPGRADED, Among.PLAIN)) {
        plain.incrementAndGet();
        upgraded.decrementAndGet();
      }
    }

    /** The connection has ended. */
    @Override
    public void operationComplete(ChannelFuture closed) {
      channels.remove(this);
      boolean wasUpgraded = AMONG.getAndSet(this, Among.NONE) == Among.UPGRADED;
      (wasUpgraded ? upgraded : plain).decrementAndGet();
    }
  }
}
