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
 * The objects that are open on the loops of a host, such as sockets, so that a stop can end all of
 * them. Each loop keeps its own, so this needs no lock.
 */
public final class PerLoop<T> {
  /** Each set belongs to its loop alone. A change replaces the map with a copy. */
  private final AtomicReference<Map<Loop, Set<T>>> loops = new AtomicReference<>(Map.of());

  /** Creates an empty collection. */
  public PerLoop() {}

  /** Adds {@code one}; must be called on {@code loop}. */
  public void add(Loop loop, T one) {
    of(loop).add(one);
  }

  /** Removes {@code one} and returns whether it was there; must be called on {@code loop}. */
  public boolean remove(Loop loop, T one) {
    return of(loop).remove(one);
  }

  /**
   * Ends all objects, each on its loop; from any thread.
   *
   * @param end ends one object; the future that it returns must not complete exceptionally
   * @return a future that completes when all futures of {@code end} have completed
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

  /** Returns the number of objects, which is exact only while none is added or removed. */
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
    return Collections.newSetFromMap(
        new IdentityHashMap<>()); // half the size of a HashSet's entries
  }
}
