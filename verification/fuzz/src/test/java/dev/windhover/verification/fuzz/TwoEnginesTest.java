package dev.windhover.verification.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.verification.fuzz.Dialogue.Claim;
import dev.windhover.verification.fuzz.Dialogue.Finding;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Random conversations between two engines. Every run holds the same conversations, so that a build
 * does not fail for something that it did not change; the full run holds more. {@code
 * -Dwindhover.seed=random} tries new ones, and the number that a failure names replays that one
 * exactly, because there is one thread and no clock.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TwoEnginesTest {
  private static final boolean FULL = System.getProperty("full") != null;
  private static final int CONVERSATIONS = FULL ? 5_000 : 300;

  /** Those that once found a fault, here or in the engine. */
  private static final long[] FOUND = {3232, 244156385789989431L, 244156385789990554L};

  private final List<Finding> findings = new ArrayList<>();

  @BeforeAll
  @Timeout(value = 10, unit = TimeUnit.MINUTES) // it computes, however busy the machine
  void lead() {
    seeds().forEach(seed -> findings.addAll(new Dialogue(seed).lead()));
  }

  private static LongStream seeds() {
    Long only = Long.getLong("windhover.seed");
    if (only != null) {
      return LongStream.of(only);
    }
    boolean others = "random".equals(System.getProperty("windhover.seed"));
    long first = others ? new SplittableRandom().nextLong() >>> 1 : 1;
    return LongStream.concat(LongStream.of(FOUND), LongStream.range(first, first + CONVERSATIONS));
  }

  @ParameterizedTest
  @EnumSource
  void everyConversationKeeps(Claim claim) {
    assertThat(findings).filteredOn(finding -> finding.claim() == claim).isEmpty();
  }
}
