package dev.windhover.hubs.redis;

import io.lettuce.core.RedisChannelHandler;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisConnectionStateListener;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.codec.RedisCodec;
import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Two connections to a Redis that takes publishes: one to publish, the other to subscribe. It ends
 * with the first of them that is lost, and is never repaired.
 */
final class RedisSession {
  private static final RedisCodec<String, byte[]> CODEC =
      RedisCodec.of(StringCodec.UTF8, ByteArrayCodec.INSTANCE);

  /** More in one command would let other clients of Redis wait. */
  private static final int CHANNELS_AT_ONCE = 1_000;

  /** Hears what happens, on a thread of Lettuce that must not be held. */
  interface Listener {
    void onMessage(String channel, byte[] payload);

    /** A channel or a pattern is subscribed to; once for each time that it was asked. */
    void onSubscribed(String channel);

    /** Redis does not let this server subscribe. */
    void onRefused(Throwable cause);

    void onLost();
  }

  private final StatefulRedisConnection<String, byte[]> publisher;
  private final StatefulRedisPubSubConnection<String, byte[]> subscriber;
  private final Listener listener;

  private RedisSession(
      StatefulRedisConnection<String, byte[]> publisher,
      StatefulRedisPubSubConnection<String, byte[]> subscriber,
      Listener listener) {
    this.publisher = publisher;
    this.subscriber = subscriber;
    this.listener = listener;
  }

  /** Connects; the future fails if the server is a replica, on which nobody hears a publish. */
  static CompletableFuture<RedisSession> open(
      RedisClient client, RedisURI address, Listener listener) {
    CompletableFuture<StatefulRedisConnection<String, byte[]>> publishing =
        client.connectAsync(CODEC, address).toCompletableFuture();
    CompletableFuture<StatefulRedisPubSubConnection<String, byte[]>> subscribing =
        client.connectPubSubAsync(CODEC, address).toCompletableFuture();
    return publishing
        .thenCombine(
            subscribing,
            (publisher, subscriber) -> new RedisSession(publisher, subscriber, listener))
        .thenCompose(RedisSession::begin)
        .handle((session, failure) ->
            failure == null
                ? CompletableFuture.completedFuture(session)
                : CompletableFuture.allOf(
                        publishing.thenCompose(StatefulRedisConnection::closeAsync),
                        subscribing.thenCompose(StatefulRedisConnection::closeAsync))
                    .handle((_, _) -> null)
                    .thenCompose(_ -> CompletableFuture.<RedisSession>failedFuture(failure)))
        .thenCompose(closed -> closed);
  }

  private CompletableFuture<RedisSession> begin() {
    RedisConnectionStateListener loss =
        new RedisConnectionStateListener() {
          @Override
          public void onRedisDisconnected(RedisChannelHandler<?, ?> connection) {
            listener.onLost();
          }
        };
    publisher.addListener(loss);
    subscriber.addListener(loss);
    subscriber.addListener(new Ears(listener));
    CompletableFuture<Void> roles =
        CompletableFuture.allOf(
            publisher.async().role().thenAccept(RedisSession::requirePrimary).toCompletableFuture(),
            subscriber
                .async()
                .role()
                .thenAccept(RedisSession::requirePrimary)
                .toCompletableFuture());
    return roles.thenApply(_ -> {
      publisher.setAutoFlushCommands(false);
      subscriber.setAutoFlushCommands(false);
      return this;
    });
  }

  private static void requirePrimary(List<Object> role) {
    String name =
        role.getFirst() instanceof byte[] text
            ? new String(text, StandardCharsets.UTF_8)
            : String.valueOf(role.getFirst());
    if (!name.equals("master")) {
      throw new CompletionException(
          new IllegalStateException(
              "it has the role '%s', in which nobody hears a publish".formatted(name)));
    }
  }

  private static final class Ears extends RedisPubSubAdapter<String, byte[]> {
    private final Listener listener;

    Ears(Listener listener) {
      this.listener = listener;
    }

    @Override
    public void message(String channel, byte[] payload) {
      listener.onMessage(channel, payload);
    }

    @Override
    public void message(String pattern, String channel, byte[] payload) {
      listener.onMessage(channel, payload);
    }

    @Override
    public void subscribed(String channel, long count) {
      listener.onSubscribed(channel);
    }

    @Override
    public void psubscribed(String pattern, long count) {
      listener.onSubscribed(pattern);
    }
  }

  /**
   * Publishes with the next {@link #flush}.
   *
   * @param published called with the number of receivers, or with what went wrong
   */
  void publish(
      String channel, byte[] payload, BiConsumer<@Nullable Long, @Nullable Throwable> published) {
    publisher.async().publish(channel, payload).whenComplete(published);
  }

  /** Subscribes with the next {@link #flush}. */
  void subscribe(Collection<String> channels) {
    List<String> all = List.copyOf(channels);
    for (int from = 0; from < all.size(); from += CHANNELS_AT_ONCE) {
      List<String> some = all.subList(from, Math.min(all.size(), from + CHANNELS_AT_ONCE));
      subscriber.async().subscribe(some.toArray(String[]::new)).exceptionally(this::refused);
    }
  }

  void subscribePattern(String pattern) {
    subscriber.async().psubscribe(pattern).exceptionally(this::refused);
  }

  private @Nullable Void refused(Throwable cause) {
    listener.onRefused(cause);
    return null;
  }

  void unsubscribe(String channel) {
    subscriber.async().unsubscribe(channel);
  }

  /** Lets what was asked leave. */
  void flush() {
    subscriber.flushCommands();
    publisher.flushCommands();
  }

  /** Closes both connections; returns what completes when they are. */
  CompletableFuture<?> close() {
    return CompletableFuture.allOf(publisher.closeAsync(), subscriber.closeAsync());
  }

  /** Returns what a failure says, without what carries it. */
  static String reason(@Nullable Throwable failure) {
    Throwable cause = failure;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    if (cause == null) {
      return "it is not known why";
    }
    Throwable deeper = cause.getCause();
    return String.valueOf((deeper == null ? cause : deeper).getMessage());
  }
}
