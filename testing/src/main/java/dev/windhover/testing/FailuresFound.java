package dev.windhover.testing;

import dev.windhover.http.Events;
import dev.windhover.http.HttpContext;
import java.util.function.Consumer;

/** Reports handlers and tasks that fail to the test host. */
record FailuresFound(Consumer<Throwable> found) implements Events {
  @Override
  public void handlerFailed(HttpContext context, Throwable failure) {
    found.accept(failure);
  }

  @Override
  public void taskFailed(Throwable failure) {
    found.accept(failure);
  }
}
