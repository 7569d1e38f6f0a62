package dev.windhover.verification.conformance;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** All cases, and how they are played. */
final class Suite {
  /** So many cases at once: enough to keep two cores busy while others wait for a time limit. */
  private static final int AT_ONCE = 24;

  /** How a case ended: {@code wrong} is null, or what was not right. */
  record End(Case played, @Nullable Throwable wrong) {}

  private static final ThreadFactory PLAYERS =
      Thread.ofPlatform().daemon().name("player-", 0).factory();

  private static final List<Case> CASES = make();

  private Suite() {}

  /** Returns a case for each row of the tester, then those for what it never checks. */
  static List<Case> cases() {
    return CASES;
  }

  private static List<Case> make() {
    List<Case> cases = new ArrayList<>();
    for (Row row : Row.ofTheTester()) {
      cases.add(Case.of(row.id(), Standard.script(row)));
    }
    cases.addAll(Beyond.cases());
    return List.copyOf(cases);
  }

  /**
   * Begins to play those that are selected, in their order. The players are platform threads,
   * because the server's handlers may share this JVM's few carriers: virtual threads that compress
   * and compare megabytes would keep those handlers waiting for seconds.
   *
   * @return for each, in their order, how it ends
   */
  static List<CompletableFuture<End>> play(
      List<Case> cases, Stage stage, Predicate<Case> selected) {
    ExecutorService players = Executors.newFixedThreadPool(AT_ONCE, PLAYERS);
    List<CompletableFuture<End>> ends =
        cases.stream()
            .filter(selected)
            .map(each -> CompletableFuture.supplyAsync(() -> play(each, stage), players))
            .toList();
    players.shutdown();
    return ends;
  }

  private static End play(Case played, Stage stage) {
    try {
      played.script().play(stage);
      return new End(played, null);
    } catch (Exception | AssertionError e) {
      return new End(played, e);
    }
  }
}
