package dev.windhover.hubs;

import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Flow;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** What a publisher publishes, for one thread that takes it and waits for it. */
final class PublishedItems implements Iterator<Object>, Flow.Subscriber<Object> {
  /** So many are asked for ahead of time. */
  private static final int AHEAD = 16;

  private final Thread taker = Thread.currentThread();
  private final Queue<Object> items = new ConcurrentLinkedQueue<>();
  private volatile Flow.@Nullable Subscription subscription;
  private int taken;
  private volatile boolean closed;
  private volatile boolean completed;
  private volatile @Nullable Throwable failure;

  private PublishedItems() {}

  /** Subscribes; what is returned belongs to this thread. */
  static StreamForm.Items of(Flow.Publisher<?> publisher) {
    PublishedItems items = new PublishedItems();
    publisher.subscribe(items);
    return new StreamForm.Items(items, items::close, items::cancel);
  }

  private void close() {
    closed = true;
    Flow.Subscription from = subscription;
    if (!completed && from != null) {
      from.cancel();
    }
  }

  /** Nobody waits for more. Any thread. */
  private void cancel() {
    closed = true;
    LockSupport.unpark(taker);
  }

  @Override
  public void onSubscribe(Flow.Subscription subscription) {
    if (this.subscription != null || closed) {
      subscription.cancel();
      return;
    }
    this.subscription = subscription;
    subscription.request(AHEAD);
  }

  @Override
  public void onNext(Object item) {
    items.add(item);
    LockSupport.unpark(taker);
  }

  @Override
  public void onError(Throwable error) {
    failure = error;
    completed = true;
    LockSupport.unpark(taker);
  }

  @Override
  public void onComplete() {
    completed = true;
    LockSupport.unpark(taker);
  }

  @Override
  public boolean hasNext() {
    while (true) {
      boolean last = completed; // before looking for the items that came before it
      if (!items.isEmpty()) {
        return true;
      }
      if (last) {
        throwFailure();
        return false;
      }
      if (closed) {
        return false;
      }
      if (taker.isInterrupted()) {
        throw new CancellationException("interrupted while waiting for a publisher");
      }
      LockSupport.park(this);
    }
  }

  private void throwFailure() {
    Throwable error = failure;
    switch (error) {
      case null -> {}
      case RuntimeException unchecked -> throw unchecked;
      case Error serious -> throw serious;
      default -> throw new PublisherFailure(error);
    }
  }

  /** Carries a checked exception of a publisher; see {@link Errors#unwrapped}. */
  static final class PublisherFailure extends RuntimeException {
    private static final long serialVersionUID = 1;

    PublisherFailure(Throwable cause) {
      super(cause);
    }
  }

  @Override
  public Object next() {
    if (!hasNext()) {
      throw new NoSuchElementException("the publisher has published no more");
    }
    Object item = items.remove();
    Flow.Subscription from = subscription;
    if (++taken == AHEAD / 2 && from != null) {
      taken = 0;
      from.request(AHEAD / 2);
    }
    return item;
  }
}
