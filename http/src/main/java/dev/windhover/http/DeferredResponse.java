package dev.windhover.http;

import dev.windhover.http.host.Exchange;
import dev.windhover.http.host.Loop;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A response that is given after its handler has returned: {@link HttpResponse#defer}. It holds no
 * thread while it waits. Any thread may call its methods, and none of them blocks.
 */
public final class DeferredResponse {
  /** Takes the place of the answer when the client is gone. */
  private static final Handler NONE = _ -> {};

  private final Loop loop;
  private final AtomicReference<@Nullable Handler> answer = new AtomicReference<>();
  private final CompletableFuture<Void> over = new CompletableFuture<>();

  /** What gives the answer, as soon as the handler has returned; loop only. */
  private @Nullable Consumer<Handler> giver;

  DeferredResponse(Exchange exchange) {
    this.loop = exchange.loop();
    exchange.aborted().thenRun(() -> clientGone(exchange)); // on the loop
  }

  /**
   * Nobody will answer any more, so nothing else would end a connection of which the client has
   * ended its half. An answer that was given before still leaves.
   */
  private void clientGone(Exchange exchange) {
    if (answer.compareAndSet(null, NONE)) {
      exchange.abort();
      over.complete(null);
    }
  }

  /**
   * Answers the request, soon: {@code answer} runs on the connection's loop, after the handler has
   * returned, with the status and headers that were set before. It must not block. If it throws an
   * exception, that is answered as a handler's.
   *
   * @return false if nothing will be answered: another call was first, or the client is gone
   */
  public boolean complete(Handler answer) {
    if (over.isDone() || !this.answer.compareAndSet(null, answer)) {
      return false;
    }
    loop.execute(this::give);
    return true;
  }

  /** Returns whether the request waits: it was not answered, and the client is there. */
  public boolean isPending() {
    return answer.get() == null && !over.isDone();
  }

  /**
   * Returns a stage that completes, on the connection's loop, when the request was answered or the
   * client is gone. It never completes exceptionally.
   */
  public CompletionStage<Void> ended() {
    return over.minimalCompletionStage();
  }

  // ---- The pipeline's side

  /** The handler has returned: {@code giver} may give the answer, on the loop. */
  void handlerEnded(Consumer<Handler> giver) {
    loop.execute(() -> {
      this.giver = giver;
      give();
    });
  }

  /** The handler has failed, which is answered instead. */
  void cancel() {
    loop.execute(() -> over.complete(null));
  }

  private void give() {
    Handler given = answer.get();
    Consumer<Handler> known = giver;
    if (given == null || known == null || over.isDone()) {
      return;
    }
    giver = null;
    known.accept(given);
    over.complete(null);
  }
}
