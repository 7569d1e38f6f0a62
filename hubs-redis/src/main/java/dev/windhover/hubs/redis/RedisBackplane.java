package dev.windhover.hubs.redis;

import dev.windhover.hubs.backplane.Backplane;
import dev.windhover.hubs.backplane.HubLink;
import dev.windhover.hubs.backplane.LocalHub;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.SslOptions;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.protocol.ProtocolVersion;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultClientResources;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Lets the servers of a hub share their clients through Redis: ours, and those of ASP.NET Core with
 * {@code AddStackExchangeRedis}, whose channels and payloads these are.
 *
 * <pre>{@code
 * try (RedisBackplane redis = RedisBackplane.connect("redis://cache.internal:6379")) {
 *   Hubs.on(app).backplane(redis).map("/chat", ChatHub.class, ChatHub::new);
 *   app.run();
 * }
 * }</pre>
 *
 * <p><b>Order.</b> What is sent to all, to a group or to a user goes through Redis for everybody,
 * also for the clients of this server: each group, and all together, see one order. What is sent to
 * a connection of this server goes to it directly.
 *
 * <p><b>Redis away.</b> It counts as away when a connection is lost, or when nothing comes back
 * within {@link RedisOptions#timeLimit}. Nothing waits for it: the clients of this server get what
 * is sent, clients can connect, join groups and leave, and what is meant for others is kept or
 * refused as {@link RedisOptions#whenAway} says. Redis is tried again and again, at growing
 * intervals. When it is back, all subscriptions are restored before anything is published. A
 * message that was on its way when Redis was lost may or may not have reached other servers; it is
 * not sent twice, and the clients of this server may get it after newer ones.
 *
 * <p>It has two threads, and those of Lettuce. Any thread may call it.
 */
public final class RedisBackplane implements Backplane, AutoCloseable {
  /** As many bits as make it unlikely that two of a thousand servers have the same. */
  private static final int PREFIX_BYTES = 6;

  private final RedisOptions options;
  private final @Nullable String prefix;
  private final RedisCarrier carrier;
  private final RedisClient client;
  private final ClientResources resources;

  private RedisBackplane(String address, RedisOptions options) {
    this.options = options;
    this.prefix = options.isEachConnection() ? null : newPrefix();
    RedisURI uri = RedisURI.create(address);
    uri.setTimeout(options.timeLimit());
    this.resources =
        DefaultClientResources.builder().ioThreadPoolSize(2).computationThreadPoolSize(2).build();
    this.client = RedisClient.create(resources, uri);
    client.setOptions(clientOptions(options));
    this.carrier = new RedisCarrier(client, uri, options, newServerName());
  }

  private static String newPrefix() {
    byte[] random = new byte[PREFIX_BYTES];
    new SecureRandom().nextBytes(random);
    return Base64.getUrlEncoder().withoutPadding().encodeToString(random);
  }

  private static ClientOptions clientOptions(RedisOptions options) {
    ClientOptions.Builder builder =
        ClientOptions.builder()
            .autoReconnect(false) // the carrier connects anew: it checks the role, and restores
            .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
            .protocolVersion(ProtocolVersion.RESP2)
            .socketOptions(
                SocketOptions.builder().connectTimeout(options.timeLimit()).keepAlive(true).build())
            .timeoutOptions(TimeoutOptions.builder().timeoutCommands(false).build());
    Path certificates = options.trustedCertificates();
    if (certificates != null) {
      builder.sslOptions(SslOptions.builder().trustManager(certificates.toFile()).build());
    }
    return builder.build();
  }

  /** Returns a name that no other server has: of the machine, and random, as the reference's. */
  private static String newServerName() {
    String machine;
    try {
      machine = InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      machine = "unknown";
    }
    return machine + "_" + UUID.randomUUID().toString().replace("-", "");
  }

  /**
   * As {@link #connect(String, Consumer)}, with the defaults.
   *
   * @param address see there
   */
  public static RedisBackplane connect(String address) {
    return connect(address, _ -> {});
  }

  /**
   * Connects to Redis. Returns at once. {@link #health} tells whether Redis is there.
   *
   * @param address {@code redis://user:password@host:port}, {@code rediss:} for TLS, {@code
   *     redis-sentinel://host:port,host:port#name} for the primary that Sentinels know
   * @throws IllegalArgumentException if the address cannot be read
   */
  public static RedisBackplane connect(String address, Consumer<RedisOptions> change) {
    RedisOptions options = new RedisOptions();
    change.accept(options);
    RedisBackplane backplane = new RedisBackplane(address, new RedisOptions(options));
    backplane.carrier.start();
    return backplane;
  }

  @Override
  public HubLink join(Class<?> hub, LocalHub here) {
    Channels channels =
        new Channels(options.channelPrefix(), options.hubName(hub), carrier.server());
    RedisHub member = new RedisHub(carrier, channels, here, prefix, options.acknowledgementLimit());
    carrier.add(member);
    return member;
  }

  @Override
  public @Nullable String connectionIdPrefix() {
    return prefix;
  }

  /** Returns how well the servers reach each other now. */
  public BackplaneHealth health() {
    return carrier.health();
  }

  /** Returns what has passed so far. */
  public Counts counts() {
    return carrier.tally().counts();
  }

  /**
   * Publishes what waits, if Redis takes it within the {@linkplain RedisOptions#timeLimit time
   * limit}, and disconnects. To be called when the application has stopped.
   */
  @Override
  public void close() {
    carrier.close();
    client.shutdown(0, 1, TimeUnit.SECONDS);
    resources.shutdown(0, 1, TimeUnit.SECONDS);
  }
}
