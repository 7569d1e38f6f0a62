package dev.windhover.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.benchmarks.MemoryCompare.Memory;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@Tag("full") // starts a server of its own
@EnabledOnOs(OS.LINUX)
class HubMemoryTest {
  @Test
  void anIdleConnectionTakesLessThan8KiB() throws Exception {
    var servers = HubServers.of(new Arguments(List.of("--servers", "threads")));
    Memory each = new HubMemory(servers, 1000).live();
    assertThat(each.heap()).isGreaterThan(1024);
    assertThat(each.heap() + each.outside()).isLessThan(8 * 1024);
  }
}
