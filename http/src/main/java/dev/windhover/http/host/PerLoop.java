package dev.windhover.http.host;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;

/**
 * What is open on the loops of a host, kept by each loop for itself, so that it costs no lock: a
 * stop can reach all of it.
 */
public final class PerLoop<T> {
  /** Each set is its loop's alone. The map is copied to change it. */
  private final AtomicReference<Map<Loop, Set<T>>> loops = new AtomicReference<>(Map.of());

  /** Creates an empty one. */
  public PerLoop() {}

  /** Adds {@code one}; on {@code loop}. */
  public void add(Loop loop, T one) {
    of(loop).add(one);
  }

  /** Removes {@code one} and returns whether it was there; on {@code loop}. */
  public boolean remove(Loop loop, T one) {
    return of(loop).remove(one);
  }

  /**
   * Ends each with {@code end}, on its loop.
   *
   * @return what completes when all that {@code end} has returned is complete
   */
  public CompletableFuture<Void> endAll(Function<T, CompletableFuture<Void>> end) {
    List<CompletableFuture<Void>> all = new ArrayList<>();
    loops
        .get()
        .forEach((loop, open) -> {
          CompletableFuture<Void> done = new CompletableFuture<>();
          all.add(done);
          loop.execute(() ->
              join(List.copyOf(open).stream().map(end).toList())
                  .thenRun(() -> done.complete(null)));
        });
    return join(all);
  }

  /** Returns how many there are, while none comes or goes. */
  public int size() {
    return loops.get().values().stream().mapToInt(Set::size).sum();
  }

  private static CompletableFuture<Void> join(List<CompletableFuture<Void>> all) {
    return CompletableFuture.allOf(all.toArray(CompletableFuture[]::new));
  }

  private Set<T> of(Loop loop) {
    while (true) {
      Map<Loop, Set<T>> known = loops.get();
      Set<T> open = known.get(loop);
      if (open != null) {
        return open;
      }
      Map<Loop, Set<T>> more = new HashMap<>(known);
      more.put(loop, newSet());
      loops.compareAndSet(known, more);
    }
  }

  private static <T> Set<T> newSet() {
    return Collections.newSetFromMap(new IdentityHashMap<>()); // half the size of others' entries
  }
}
