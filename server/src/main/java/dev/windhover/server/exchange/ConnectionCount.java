package dev.windhover.server.exchange;

import dev.windhover.http.Headers;
import dev.windhover.http.HttpException;
import dev.windhover.http.Limit;
import dev.windhover.http.host.Loggers;
import dev.windhover.http.host.MemoryBudget;
import dev.windhover.server.ServerLimits;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import java.net.InetAddress;
import java.net.SocketAddress;
import java.util.List;
import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * The open connections of a server. It counts upgraded and other connections separately, limits
 * both, in total and for each remote address, and tells the operator when a limit is reached. If
 * there are too many connections, the oldest one that has not sent a request makes room for a new
 * one. Thread-safe.
 */
public final class ConnectionCount {
  private static final Logger log = Loggers.get(ConnectionCount.class);
  static final String RETRY_AFTER_SECONDS = "5";
  private static final AtomicLong ids = new AtomicLong();

  private final ServerLimits limits;
  private final MemoryBudget memory;
  private final BiConsumer<SocketAddress, Limit> onDropped;

  /** By age. This map takes no lock; other concurrent maps do. */
  private final ConcurrentNavigableMap<Long, Place> places = new ConcurrentSkipListMap<>();

  /** Every place with a smaller number has sent a request, or has ended. */
  private final AtomicLong oldestSilent = new AtomicLong();

  private final AtomicInteger plain = new AtomicInteger();
  private final AtomicInteger upgraded = new AtomicInteger();

  /** Connections that are not upgraded, and requests that a proxy passes on. */
  private final AddressCount plainByAddress = new AddressCount();

  private final AddressCount upgradedByAddress = new AddressCount();

  private final RareLine full = new RareLine();
  private final RareLine madeRoom = new RareLine();
  private final RareLine fullOfUpgraded = new RareLine();
  private final RareLine addressFull = new RareLine();
  private final RareLine addressFullOfUpgraded = new RareLine();

  /**
   * Creates one without connections.
   *
   * @param onDropped is told of each connection that a limit ends outside of a request, on any
   *     thread
   */
  public ConnectionCount(ServerLimits limits, BiConsumer<SocketAddress, Limit> onDropped) {
    this.limits = limits;
    this.onDropped = onDropped;
    this.memory = new MemoryBudget(limits.memory(), limits.directMemory());
  }

  /** Returns the memory budget of all connections. */
  public MemoryBudget memory() {
    return memory;
  }

  /** Returns the answer to a request that would need one more than {@code most}. */
  public static HttpException tooMany(int most, String ofWhat) {
    String why = ofWhat + " are limited to " + most;
    return new HttpException(503, why, new Headers().add("Retry-After", RETRY_AFTER_SECONDS));
  }

  /** Counts a connection until it ends, and returns its place; null if there are too many. */
  public @Nullable Place enter(Channel channel) {
    SocketAddress remote = channel.remoteAddress();
    long address = AddressCount.key(remote, limits.exemptAddresses());
    int most = limits.maxConnectionsPerAddress();
    if (!plainByAddress.take(address, most)) {
      if (addressFull.isDue()) {
        log.warn(
            "more than {} connections from {}; these are closed unread"
                + " (ServerLimits.maxConnectionsPerAddress)",
            most,
            remote);
      }
      dropped(remote, Limit.CONNECTIONS_PER_ADDRESS);
      return null;
    }
    if (!take(plain, limits.maxConnections()) && !makeRoom()) {
      plainByAddress.giveBack(address);
      if (full.isDue()) {
        log.warn(
            "more than {} connections; these are closed unread (ServerLimits.maxConnections)",
            limits.maxConnections());
      }
      dropped(remote, Limit.CONNECTIONS);
      return null;
    }
    Place place = new Place(channel, address);
    places.put(place.number, place);
    channel
        .closeFuture()
        .addListener(place); // the only listener: a second one would cost each connection a list
    return place;
  }

  /**
   * Ends the oldest connection that has not sent a request, and hands its room over.
   *
   * @return false if every connection has sent one
   */
  private boolean makeRoom() {
    for (Place oldest : places.tailMap(oldestSilent.get()).values()) {
      boolean gone = oldest.leave(Among.SILENT);
      oldestSilent.accumulateAndGet(oldest.number + 1, Math::max);
      if (gone) {
        plainByAddress.giveBack(oldest.address);
        if (madeRoom.isDue()) {
          log.warn(
              "more than {} connections; the oldest that have not sent a request are closed"
                  + " (ServerLimits.maxConnections)",
              limits.maxConnections());
        }
        dropped(oldest.channel.remoteAddress(), Limit.CONNECTIONS);
        oldest.channel.close();
        return true;
      }
    }
    return false;
  }

  private void dropped(@Nullable SocketAddress remote, Limit limit) {
    if (remote != null) { // else it has ended by itself
      onDropped.accept(remote, limit);
    }
  }

  /** Returns the open connections. */
  public List<Channel> channels() {
    return places.values().stream().map(place -> place.channel).toList();
  }

  private boolean takeUpgraded() {
    int most = limits.maxUpgradedConnections();
    boolean taken = take(upgraded, most);
    if (!taken && fullOfUpgraded.isDue()) {
      log.warn(
          "more than {} upgraded connections; these are refused with 503"
              + " (ServerLimits.maxUpgradedConnections)",
          most);
    }
    return taken;
  }

  private static boolean take(AtomicInteger count, int most) {
    int before = count.getAndUpdate(taken -> taken < most ? taken + 1 : taken);
    return before < most;
  }

  /** As what a connection counts. */
  private enum Among {
    /** As one that is not upgraded and has not sent a request. */
    SILENT,
    /** As one that is not upgraded. */
    PLAIN,
    UPGRADED,
    /** It has ended, or has made room for another one, and does not count. */
    NONE
  }

  /** The place of one connection. */
  public final class Place implements ChannelFutureListener {
    private static final AtomicReferenceFieldUpdater<Place, Among> AMONG =
        AtomicReferenceFieldUpdater.newUpdater(Place.class, Among.class, "among");

    private final Long number = ids.incrementAndGet(); // boxed once, for the map
    private final Channel channel;
    private final long address;

    /** The address for which the connection counts as an upgraded one. */
    private volatile long socketAddress;

    private volatile Among among = Among.SILENT;

    private Place(Channel channel, long address) {
      this.channel = channel;
      this.address = address;
    }

    /** Returns what names the connection in logs, unique within the process. */
    public String id() {
      return "c" + number;
    }

    /** Returns the memory budget of all connections. */
    public MemoryBudget memory() {
      return memory;
    }

    /** Returns the name in logs of the connection's request with that number. */
    public RequestId requestId(long which) {
      return new RequestId(number, which);
    }

    // ---- Requests

    /**
     * A request has come.
     *
     * @return false if the connection has made room for another one and is about to end
     */
    public boolean requestCame() {
      return among != Among.SILENT || AMONG.compareAndSet(this, Among.SILENT, Among.PLAIN);
    }

    /** Returns the key under which the connection's peer is counted. */
    long address() {
      return address;
    }

    /**
     * Counts a request of {@code client} that a proxy has passed on, until {@link #requestEnded}.
     *
     * @return the key under which it is counted
     * @throws HttpException 503 if that client has too many
     */
    long requestOf(InetAddress client) {
      long key = AddressCount.key(client, limits.exemptAddresses());
      int most = limits.maxConnectionsPerAddress();
      if (!plainByAddress.take(key, most)) {
        if (addressFull.isDue()) {
          log.warn(
              "more than {} requests from {} at once; these are refused with 503"
                  + " (ServerLimits.maxConnectionsPerAddress)",
              most,
              client);
        }
        throw tooMany(most, "requests of one address at once");
      }
      return key;
    }

    /** A request that was counted for {@code client} has ended. */
    void requestEnded(long client) {
      plainByAddress.giveBack(client);
    }

    // ---- Sockets

    /**
     * Counts a stream of the connection as an upgraded connection, until {@link #removeSocket}.
     *
     * @param client the key of the address that the socket counts for
     * @throws HttpException 503 if there are too many
     */
    public void addSocket(long client) {
      int most = limits.maxUpgradedConnectionsPerAddress();
      if (!upgradedByAddress.take(client, most)) {
        if (addressFullOfUpgraded.isDue()) {
          log.warn(
              "more than {} upgraded connections from one address; these are refused with 503"
                  + " (ServerLimits.maxUpgradedConnectionsPerAddress)",
              most);
        }
        throw tooMany(most, "upgraded connections of one address");
      }
      if (!takeUpgraded()) {
        upgradedByAddress.giveBack(client);
        throw tooMany(limits.maxUpgradedConnections(), "upgraded connections");
      }
    }

    /** The stream has ended. */
    public void removeSocket(long client) {
      upgraded.decrementAndGet();
      upgradedByAddress.giveBack(client);
    }

    /**
     * Counts the connection as an upgraded one from now on.
     *
     * @param client the key of the address that it counts for
     * @throws HttpException 503 if there are too many
     */
    public void upgrade(long client) {
      if (among != Among.PLAIN) {
        return; // it has just ended
      }
      addSocket(client);
      socketAddress = client;
      if (AMONG.compareAndSet(this, Among.PLAIN, Among.UPGRADED)) {
        plain.decrementAndGet();
        plainByAddress.giveBack(address);
      } else {
        removeSocket(client);
      }
    }

    /** Counts the connection as a plain one again, because its upgrade came to nothing. */
    public void downgrade() {
      if (AMONG.compareAndSet(this, Among.UPGRADED, Among.PLAIN)) {
        plain.incrementAndGet();
        plainByAddress.take(address, Integer.MAX_VALUE);
        removeSocket(socketAddress);
      }
    }

    // ---- The end

    /** A limit is about to end the connection, outside of a request. */
    public void dropped(Limit limit) {
      ConnectionCount.this.dropped(channel.remoteAddress(), limit);
    }

    private boolean leave(Among from) {
      return AMONG.compareAndSet(this, from, Among.NONE);
    }

    /** The connection has ended. */
    @Override
    public void operationComplete(ChannelFuture closed) {
      places.remove(number);
      Among before = AMONG.getAndSet(this, Among.NONE);
      if (before == Among.UPGRADED) {
        removeSocket(socketAddress);
      } else if (before != Among.NONE) { // else another connection has taken its room
        plain.decrementAndGet();
        plainByAddress.giveBack(address);
      }
    }
  }
}
