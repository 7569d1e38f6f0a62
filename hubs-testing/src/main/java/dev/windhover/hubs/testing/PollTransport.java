package dev.windhover.hubs.testing;

import dev.windhover.testing.TestResponse;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Long polling, and POSTs in the other direction. A poll is always there: the next one leaves on
 * the host's loop as soon as one is answered, even while the test only moves the clock.
 */
final class PollTransport implements Transport {
  private static final long SECONDS = 10;

  private final Endpoint endpoint;

  /** What polls brought; something empty after the last. */
  private final BlockingQueue<ByteBuffer> came = new LinkedBlockingQueue<>();

  /** Whether the test has seen the last. */
  private boolean ended;

  /** The status of the last poll; 0 if it was not answered. */
  private volatile int lastStatus;

  // ---- Guarded by this

  private boolean gone;
  private @Nullable CompletableFuture<TestResponse> poll;

  PollTransport(Endpoint endpoint) {
    this.endpoint = endpoint;
    endpoint.request("GET").expectStatus(200).expectText(""); // the first shows that polls work
    next();
  }

  private synchronized void next() {
    if (!gone) {
      CompletableFuture<TestResponse> sent = endpoint.request("GET").sendAsync();
      poll = sent;
      CompletableFuture<TestResponse> _ = sent.whenComplete(this::answered);
    }
  }

  private void answered(@Nullable TestResponse answer, @Nullable Throwable failure) {
    lastStatus = answer == null ? 0 : answer.status();
    if (answer == null || answer.status() != 200) {
      came.add(ByteBuffer.allocate(0));
      return;
    }
    if (answer.body().length > 0) {
      came.add(ByteBuffer.wrap(answer.body()));
    }
    next();
  }

  @Override
  public void send(ByteBuffer records) {
    endpoint.post(records);
  }

  @Override
  public @Nullable ByteBuffer receive() {
    try {
      if (ended) {
        return null;
      }
      ByteBuffer next = came.poll(SECONDS, TimeUnit.SECONDS);
      if (next == null) {
        throw new AssertionError("nothing came within " + SECONDS + " s");
      }
      return unlessEnd(next);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted while waiting for a poll", e);
    }
  }

  @Override
  public @Nullable ByteBuffer poll() {
    ByteBuffer next = came.poll();
    return next == null ? null : unlessEnd(next);
  }

  private @Nullable ByteBuffer unlessEnd(ByteBuffer next) {
    ended = !next.hasRemaining();
    return ended ? null : next;
  }

  @Override
  public boolean isOpen() {
    return !ended;
  }

  @Override
  public void expectEnd() {
    if (receive() != null || lastStatus != 204) {
      throw new AssertionError("expected the end\n but the last poll was answered " + lastStatus);
    }
  }

  @Override
  public synchronized void lose() {
    gone = true;
    Objects.requireNonNull(poll).cancel(true);
  }

  @Override
  public void close() {
    lose();
    endpoint.request("DELETE").send(); // 404 if the hub has ended it meanwhile
  }
}
