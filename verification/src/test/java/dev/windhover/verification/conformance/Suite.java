package dev.windhover.verification.conformance;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** All cases, and how they are played. */
final class Suite {
  /** So many cases at once: enough to keep two cores busy while others wait for a time limit. */
  private static final int AT_ONCE = 24;

  /** How a case ended: {@code wrong} is null, or what was not right. */
  record End(Case played, @Nullable Throwable wrong) {}

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
   * Begins to play those that are selected, on threads of its own.
   *
   * @return for each, in their order, how it ends
   */
  static List<CompletableFuture<End>> play(
      List<Case> cases, Stage stage, Predicate<Case> selected) {
    Executor threads = Executors.newVirtualThreadPerTaskExecutor();
    Semaphore places = new Semaphore(AT_ONCE);
    return cases.stream()
        .filter(selected)
        .map(each -> CompletableFuture.supplyAsync(() -> play(each, stage, places), threads))
        .toList();
  }

  private static End play(Case played, Stage stage, Semaphore places) {
    places.acquireUninterruptibly();
    try {
      played.script().play(stage);
      return new End(played, null);
    } catch (Exception | AssertionError e) {
      return new End(played, e);
    } finally {
      places.release();
    }
  }
}
