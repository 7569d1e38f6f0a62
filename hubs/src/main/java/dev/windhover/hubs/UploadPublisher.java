package dev.windhover.hubs;

import java.util.Iterator;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** What a client uploads, as a publisher for one subscriber, which has a thread of its own. */
final class UploadPublisher implements Flow.Publisher<@Nullable Object> {
  private final Upload upload;
  private final AtomicBoolean subscribed = new AtomicBoolean();

  UploadPublisher(Upload upload) {
    this.upload = upload;
  }

  @Override
  public void subscribe(Flow.Subscriber<? super @Nullable Object> subscriber) {
    if (!subscribed.compareAndSet(false, true)) {
      subscriber.onSubscribe(
          new Flow.Subscription() {
            @Override
            public void request(long n) {}

            @Override
            public void cancel() {}
          });
      subscriber.onError(new IllegalStateException("a client's stream has one subscriber"));
      return;
    }
    upload.start(new Pump(subscriber));
  }

  private final class Pump implements Runnable, Flow.Subscription {
    private final Flow.Subscriber<? super @Nullable Object> subscriber;
    private final AtomicLong demand = new AtomicLong();
    private volatile boolean cancelled;
    private volatile boolean badRequest;
    private volatile @Nullable Thread thread;

    Pump(Flow.Subscriber<? super @Nullable Object> subscriber) {
      this.subscriber = subscriber;
    }

    @Override
    public void request(long n) {
      if (n <= 0) {
        badRequest = true; // Reactive Streams 3.9
      } else {
        demand.accumulateAndGet(n, (had, more) -> had + more < 0 ? Long.MAX_VALUE : had + more);
      }
      LockSupport.unpark(thread);
    }

    @Override
    public void cancel() {
      cancelled = true;
      upload.close();
      LockSupport.unpark(thread);
    }

    @Override
    public void run() {
      thread = Thread.currentThread();
      subscriber.onSubscribe(this);
      Iterator<@Nullable Object> items = upload.items();
      try {
        while (awaitDemand() && items.hasNext()) {
          demand.decrementAndGet();
          subscriber.onNext(items.next());
        }
      } catch (RuntimeException e) {
        if (!cancelled) {
          subscriber.onError(e);
        }
        return;
      }
      if (badRequest) {
        upload.close();
        subscriber.onError(new IllegalArgumentException("a subscriber must ask for 1 or more"));
      } else if (!cancelled) {
        subscriber.onComplete();
      }
    }

    /** Waits until an item is wanted, or there are no more; returns false if none is wanted. */
    private boolean awaitDemand() {
      upload.awaitUnlessOver(() -> demand.get() > 0 || cancelled || badRequest);
      return !cancelled && !badRequest;
    }
  }
}
