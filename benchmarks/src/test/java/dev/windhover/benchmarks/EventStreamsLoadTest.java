package dev.windhover.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@Tag("full") // starts a server of its own
@EnabledOnOs(OS.LINUX)
class EventStreamsLoadTest {
  @Test
  void openStreamsTakeMemoryAndClosedOnesGiveItBack() throws Exception {
    var arguments = new Arguments(List.of("--connections", "500", "--events", "20"));
    EventStreamsLoad.Result result = EventStreamsLoad.measure(arguments);
    assertThat(result.opened()).isBetween(500.0, 10_000.0);
    assertThat(result.afterAll()).isLessThan(1.2 * result.opened());
    assertThat(result.afterwards()).isLessThan(0.2 * result.opened());
    assertThat(result.eventsPerSecond()).isGreaterThan(10_000);
  }
}
