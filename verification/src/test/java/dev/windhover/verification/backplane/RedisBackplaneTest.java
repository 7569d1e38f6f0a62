package dev.windhover.verification.backplane;

import dev.windhover.hubs.backplane.Backplane;
import java.io.IOException;
import java.time.Duration;
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
    return fleet.connect(
        java.util.Objects.requireNonNull(redis).url(),
        options -> options.acknowledgementLimit(Duration.ofMillis(500)));
  }

  @AfterEach
  void closeFleet() {
    fleet.close();
  }
}
