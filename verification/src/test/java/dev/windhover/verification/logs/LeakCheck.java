package dev.windhover.verification.logs;

import io.netty.buffer.ByteBufAllocator;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.List;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Fails a test class after which Netty's leak detector, at its level {@code paranoid}, found a
 * buffer that was never released. Registered for all classes of this module.
 */
public final class LeakCheck implements AfterAllCallback {
  private static final int ROUNDS = 2;
  private static final long MOST_MILLIS = 5_000;

  /** Called by JUnit. */
  public LeakCheck() {}

  @Override
  public void afterAll(ExtensionContext context) throws InterruptedException {
    requireNone();
  }

  static void requireNone() throws InterruptedException {
    List<Logs.Line> leaks = find();
    if (!leaks.isEmpty()) {
      throw new AssertionError(
          leaks.size() + " buffers were never released; first " + leaks.get(0));
    }
  }

  /** Returns, and forgets, what has leaked until now. */
  static List<Logs.Line> find() throws InterruptedException {
    for (int i = 0; i < ROUNDS; i++) {
      collectGarbage();
      ByteBufAllocator.DEFAULT.directBuffer(1).release(); // the detector reports when it tracks
    }
    return Logs.takeLeaks();
  }

  /** Collects garbage and waits until its weak references are enqueued. */
  private static void collectGarbage() throws InterruptedException {
    ReferenceQueue<Object> queue = new ReferenceQueue<>();
    WeakReference<Object> witness = new WeakReference<>(new Object(), queue);
    try {
      System.gc();
      if (queue.remove(MOST_MILLIS) == null) {
        throw new AssertionError("no garbage was collected within " + MOST_MILLIS + " ms");
      }
    } finally {
      Reference.reachabilityFence(witness);
    }
  }
}
