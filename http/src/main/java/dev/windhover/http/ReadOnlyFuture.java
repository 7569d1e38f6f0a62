package dev.windhover.http;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * A view of another future that only that future completes. It is handed to code that may wait for
 * an event, but must not bring it about. What is derived from it, for example by {@link #copy()},
 * is an ordinary future.
 */
final class ReadOnlyFuture extends CompletableFuture<Void> {
  private ReadOnlyFuture() {}

  /** Returns a view of {@code source}, which never completes exceptionally. */
  static CompletableFuture<Void> of(CompletableFuture<Void> source) {
    ReadOnlyFuture view = new ReadOnlyFuture();
    source.thenRun(view::happened);
    return view;
  }

  private void happened() {
    super.complete(null);
  }

  @Override
  public <U> CompletableFuture<U> newIncompleteFuture() {
    return new CompletableFuture<>();
  }

  private static UnsupportedOperationException refused() {
    return new UnsupportedOperationException("this future cannot be completed by its receivers");
  }

  @Override
  public boolean complete(Void value) {
    throw refused();
  }

  @Override
  public boolean completeExceptionally(Throwable failure) {
    throw refused();
  }

  @Override
  public boolean cancel(boolean mayInterrupt) {
    throw refused();
  }

  @Override
  public void obtrudeValue(Void value) {
    throw refused();
  }

  @Override
  public void obtrudeException(Throwable failure) {
    throw refused();
  }

  @Override
  public CompletableFuture<Void> completeAsync(Supplier<? extends Void> supplier) {
    throw refused();
  }

  @Override
  public CompletableFuture<Void> completeAsync(
      Supplier<? extends Void> supplier, Executor executor) {
    throw refused();
  }

  @Override
  public CompletableFuture<Void> orTimeout(long timeout, TimeUnit unit) {
    throw refused();
  }

  @Override
  public CompletableFuture<Void> completeOnTimeout(Void value, long timeout, TimeUnit unit) {
    throw refused();
  }
}
