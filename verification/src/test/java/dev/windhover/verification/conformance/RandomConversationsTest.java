package dev.windhover.verification.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.verification.Certificate;
import dev.windhover.verification.conformance.RandomConversation.Claim;
import dev.windhover.verification.conformance.RandomConversation.Finding;
import dev.windhover.verification.logs.Logs;
import java.nio.file.Path;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.event.Level;

/**
 * Random conversations of a client, which reads and writes the wire by itself, with a server on a
 * port: over HTTP/1.1 and HTTP/2, with and without TLS, with a handler and with a listener. Every
 * run holds the same conversations, and the full run holds more. {@code -Dwindhover.seed=random}
 * tries new ones, and the number that a failure names replays that one, as far as threads and the
 * network allow. The check that guards all classes here sees whether every buffer is released.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RandomConversationsTest {
  private static final boolean FULL = System.getProperty("full") != null;
  private static final int CONVERSATIONS = FULL ? 2_000 : 100;
  private static final int AT_ONCE = 16;
  private static final int MOST_MINUTES = 15;

  private final Queue<Finding> findings = new ConcurrentLinkedQueue<>();
  private List<Logs.Line> logged = List.of();

  @BeforeAll
  @Timeout(value = MOST_MINUTES + 1, unit = TimeUnit.MINUTES)
  void lead(@TempDir Path folder) throws Exception {
    Long only = Long.getLong("windhover.seed");
    boolean others = "random".equals(System.getProperty("windhover.seed"));
    long first = only != null ? only : others ? new SplittableRandom().nextLong() >>> 1 : 1;
    int count = only != null ? 1 : CONVERSATIONS;
    try (Logs.Recording lines = Logs.record(line -> line.level().toInt() >= Level.WARN.toInt());
        TalkServer server =
            new TalkServer(Certificate.USUAL.writePkcs12(folder.resolve("certificate.p12")))) {
      ExecutorService clients = Executors.newFixedThreadPool(AT_ONCE, Thread.ofVirtual().factory());
      LongStream.range(first, first + count)
          .mapToObj(seed -> new RandomConversation(seed, server))
          .forEach(each -> clients.execute(() -> findings.addAll(each.lead())));
      clients.shutdown();
      assertThat(clients.awaitTermination(MOST_MINUTES, TimeUnit.MINUTES))
          .as(findings::toString)
          .isTrue();
      logged = lines.lines();
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyConversationKeeps(Claim claim) {
    assertThat(findings).filteredOn(finding -> finding.claim() == claim).isEmpty();
  }

  @Test
  void noneOfThemIsWorthAWarning() {
    assertThat(logged).isEmpty();
  }
}
