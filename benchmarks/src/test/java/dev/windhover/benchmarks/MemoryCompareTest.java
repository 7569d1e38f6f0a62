package dev.windhover.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@Tag("full") // starts servers of its own and waits
@EnabledOnOs(OS.LINUX)
class MemoryCompareTest {
  @Test
  void takeoverTakesMoreThanNone() throws IOException, InterruptedException {
    var arguments =
        new Arguments(
            List.of(
                "--contenders",
                "netty",
                "--modes",
                "no-takeover,takeover",
                "--connections",
                "100",
                "--idle",
                "1"));
    List<MemoryCompare.Row> rows = MemoryCompare.measure(arguments, false);
    assertThat(rows).extracting(row -> row.memory().size()).containsExactly(2, 2);
    // What zlib's hash tables take at least, in bytes.
    assertThat(rows.getLast().memory().getLast().outside()).isGreaterThan(64 * 1024);
    assertThat(rows.getFirst().memory().getLast().outside()).isLessThan(64 * 1024);
  }
}
