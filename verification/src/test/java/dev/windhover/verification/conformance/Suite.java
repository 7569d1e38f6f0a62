package dev.windhover.verification.conformance;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** All cases, and how they are played. */
final class Suite {
  /** So many cases at once: enough to keep two cores busy while others wait for a time limit. */
  private static final int AT_ONCE = 12;

  private Suite() {}

  /** Returns a case for each row of the tester, then those for what it never checks. */
  static List<Case> cases() {
    List<Case> cases = new ArrayList<>();
    for (Row row : Row.ofTheTester()) {
      cases.add(Case.of(row.id(), Standard.script(row)));
    }
    cases.addAll(Beyond.cases());
    return cases;
  }

  /**
   * Begins to play, on threads of its own.
   *
   * @return for each case its end: null, or what was not right
   */
  static Map<Case, CompletableFuture<@Nullable Throwable>> play(
      List<Case> cases, Stage stage, Predicate<Case> selected) {
    Executor threads = Executors.newVirtualThreadPerTaskExecutor();
    Semaphore places = new Semaphore(AT_ONCE);
    Map<Case, CompletableFuture<@Nullable Throwable>> ends = new LinkedHashMap<>();
    for (Case each : cases) {
      if (selected.test(each)) {
        ends.put(each, CompletableFuture.supplyAsync(() -> play(each, stage, places), threads));
      }
    }
    return ends;
  }

  private static @Nullable Throwable play(Case played, Stage stage, Semaphore places) {
    places.acquireUninterruptibly();
    try {
      played.script().play(stage);
      return null;
    } catch (Exception | AssertionError e) {
      return e;
    } finally {
      places.release();
    }
  }
}
