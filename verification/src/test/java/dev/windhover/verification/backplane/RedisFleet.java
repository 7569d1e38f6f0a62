package dev.windhover.verification.backplane;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.hubs.redis.BackplaneHealth;
import dev.windhover.hubs.redis.RedisBackplane;
import dev.windhover.hubs.redis.RedisOptions;
import dev.windhover.verification.logs.Logs;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** The backplanes of a test, and the health that they report. */
final class RedisFleet implements AutoCloseable {
  private final List<RedisBackplane> all = new ArrayList<>();
  private final List<BlockingQueue<BackplaneHealth>> healths = new ArrayList<>();

  /** Lettuce says that it could also use io_uring. */
  private final Logs.Recording transports =
      Logs.record(line -> line.logger().equals("io.lettuce.core.resource.Transports"));

  /** Connects one, which calls hubs by their simple names, and waits until it is up. */
  RedisBackplane connect(String url, Consumer<RedisOptions> change) throws InterruptedException {
    RedisBackplane backplane = begin(url, change);
    await(backplane, BackplaneHealth.UP);
    return backplane;
  }

  /** As {@link #connect}, without the wait. */
  RedisBackplane begin(String url, Consumer<RedisOptions> change) {
    BlockingQueue<BackplaneHealth> health = new LinkedBlockingQueue<>();
    RedisBackplane backplane =
        RedisBackplane.connect(
            url,
            options -> change.accept(options.hubName(Class::getSimpleName).onHealth(health::add)));
    all.add(backplane);
    healths.add(health);
    return backplane;
  }

  /** Waits until a backplane says of itself that it is so. */
  void await(RedisBackplane backplane, BackplaneHealth expected) throws InterruptedException {
    assertThat(await(backplane, expected, Duration.ofSeconds(10)))
        .as("not %s but %s", expected, backplane.health())
        .isTrue();
  }

  /** As {@link #await(RedisBackplane, BackplaneHealth)}, for so long; returns whether it is so. */
  boolean await(RedisBackplane backplane, BackplaneHealth expected, Duration limit)
      throws InterruptedException {
    BlockingQueue<BackplaneHealth> told = healths.get(all.indexOf(backplane));
    BackplaneHealth next;
    do {
      next = told.poll(limit.toMillis(), TimeUnit.MILLISECONDS);
    } while (next != null && next != expected);
    return next != null;
  }

  @Override
  public void close() {
    all.forEach(RedisBackplane::close);
    transports.close();
  }
}
