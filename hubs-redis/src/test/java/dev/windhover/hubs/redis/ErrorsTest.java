package dev.windhover.hubs.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.hubs.backplane.Form;
import dev.windhover.hubs.backplane.HubLink;
import dev.windhover.hubs.backplane.LocalHub;
import dev.windhover.hubs.backplane.Target;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The threads of a backplane outlive what a delivery or a hub throws, even an error. */
class ErrorsTest {
  @Test
  void whatComesAfterAnErrorIsDelivered() throws Exception {
    CountDownLatch delivered = new CountDownLatch(1);
    Inbound inbound = new Inbound(1_000);
    inbound.execute(() -> {
      throw new LinkageError("thrown by a test");
    });
    inbound.execute(delivered::countDown);
    assertThat(delivered.await(5, TimeUnit.SECONDS)).isTrue();
    inbound.close();
  }

  @Test
  void nobodyWaitsForAThreadThatAnErrorHasEnded() throws Exception {
    try (RedisBackplane backplane = RedisBackplane.connect("redis://127.0.0.1:1")) { // not there
      HubLink link = backplane.join(String.class, new FailingHub(Thread.currentThread()));
      CompletionStage<Boolean> _ = link.changed(new Target.Group("first"));
      CompletableFuture<Boolean> second =
          link.changed(new Target.Group("second")).toCompletableFuture();
      assertThat(second.get(5, TimeUnit.SECONDS)).isFalse();
    }
  }

  /** Fails when it is first asked by a thread that is not the test's. */
  private static final class FailingHub implements LocalHub {
    private final Thread test;
    private final AtomicBoolean hasFailed = new AtomicBoolean();

    FailingHub(Thread test) {
      this.test = test;
    }

    @Override
    public boolean has(Target target) {
      if (!Thread.currentThread().equals(test) && hasFailed.compareAndSet(false, true)) {
        throw new LinkageError("thrown by a test");
      }
      return true;
    }

    @Override
    public void deliver(Target to, Set<String> except, List<Form> forms) {}

    @Override
    public void ask(
        String connectionId, String invocationId, List<Form> forms, Consumer<Form> answer) {}

    @Override
    public @Nullable String answered(Form answer) {
      return null;
    }

    @Override
    public void unanswered(String invocationId, NoAnswer reason) {}

    @Override
    public @Nullable CompletionStage<Boolean> addToGroup(String connectionId, String group) {
      return null;
    }

    @Override
    public boolean removeFromGroup(String connectionId, String group) {
      return false;
    }
  }
}
