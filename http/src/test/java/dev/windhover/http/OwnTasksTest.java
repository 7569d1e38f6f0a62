package dev.windhover.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.windhover.http.host.Background;
import dev.windhover.http.host.Loop;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the application asks of its host; what its tasks do is tested in the test kit's module. */
class OwnTasksTest {
  private final Application application = new Application();
  private final List<String> events = new ArrayList<>();

  /** A host whose time stands still. */
  private final class StoppedClock implements Background {
    @Override
    public long nanoTime() {
      return Long.MAX_VALUE;
    }

    @Override
    public Instant now() {
      return Instant.EPOCH;
    }

    @Override
    public Loop.Timer schedule(Duration delay, Runnable task) {
      events.add("scheduled in " + delay);
      return () -> events.add("cancelled");
    }

    @Override
    public Thread start(Runnable task) {
      return Thread.startVirtualThread(task);
    }
  }

  @Test
  void timersStartAfterTheTasksOfTheStartAndEndWithTheStop() {
    application.every(Duration.ofSeconds(1), () -> {});
    application.onStarted(() -> events.add("started at " + application.now()));
    application.host(new StoppedClock());
    application.started();
    assertThat(events).containsExactly("started at 1970-01-01T00:00:00Z", "scheduled in PT1S");
    assertThat(application.beginStop()).isCompleted();
    assertThat(events).endsWith("cancelled").hasSize(3);
  }

  @Test
  void theStopOfAnApplicationThatNeverStartedRunsItsTasks() {
    application.every(Duration.ofSeconds(1), () -> {});
    application.onStopping(() -> events.add("last"));
    assertThat(application.beginStop()).isCompleted();
    assertThat(events).containsExactly("last");
  }

  @Test
  void withoutAHostThereIsNoStart() {
    assertThatIllegalStateException()
        .isThrownBy(application::started)
        .withMessage("the application has no host before its start");
  }
}
