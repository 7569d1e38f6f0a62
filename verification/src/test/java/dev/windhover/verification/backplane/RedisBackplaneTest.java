package dev.windhover.verification.backplane;

import dev.windhover.hubs.backplane.Backplane;
import dev.windhover.hubs.redis.RedisOptions;
import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;

class RedisBackplaneTest extends BackplaneContract {
  private static @Nullable RedisServer redis;

  private final RedisFleet fleet = new RedisFleet();

  @BeforeAll
  static void startRedis() throws IOException {
    redis = RedisServer.start();
  }

  @AfterAll
  static void stopRedis() {
    if (redis != null) {
      redis.close();
    }
  }

  @Override
  Backplane server() throws InterruptedException {
    return server(_ -> {});
  }

  @Override
  Backplane hastyServer() throws InterruptedException {
    return server(options -> options.acknowledgementLimit(Duration.ofMillis(300)));
  }

  private Backplane server(Consumer<RedisOptions> change) throws InterruptedException {
    return fleet.connect(Objects.requireNonNull(redis).url(), change);
  }

  @AfterEach
  @Override
  void closeBackplanes() {
    fleet.close();
  }
}
