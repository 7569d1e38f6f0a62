package dev.windhover.verification.logs;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.event.Level;

/** Every line that is logged in this JVM, Netty's included, arrives here. */
public final class Logs {
  /** One logged line. */
  public record Line(Level level, String logger, String text, @Nullable Throwable failure) {
    @Override
    public String toString() {
      return level + " " + logger + " - " + text + (failure == null ? "" : ": " + failure);
    }
  }

  /** Lines of the levels WARN and ERROR that no recording has claimed. */
  private static final Queue<Line> unclaimed = new ConcurrentLinkedQueue<>();

  private static final Queue<Line> leaks = new ConcurrentLinkedQueue<>();
  private static final List<Recording> recordings = new CopyOnWriteArrayList<>();

  private Logs() {}

  static void add(Line line) {
    if (line.logger().equals("io.netty.util.ResourceLeakDetector")) {
      leaks.add(line);
      return;
    }
    boolean claimed = false;
    for (Recording recording : recordings) {
      claimed |= recording.add(line);
    }
    if (!claimed && line.level().toInt() >= Level.WARN.toInt()) {
      unclaimed.add(line);
      System.err.println(line);
      if (line.failure() != null) {
        line.failure().printStackTrace();
      }
    }
  }

  /** Records the lines that fit until it is closed; those are expected, whatever their level. */
  public static Recording record(Predicate<Line> fits) {
    Recording recording = new Recording(fits);
    recordings.add(recording);
    return recording;
  }

  static List<Line> takeLeaks() {
    return take(leaks);
  }

  static List<Line> takeUnclaimed() {
    return take(unclaimed);
  }

  private static List<Line> take(Queue<Line> from) {
    List<Line> taken = new ArrayList<>();
    for (Line line = from.poll(); line != null; line = from.poll()) {
      taken.add(line);
    }
    return taken;
  }

  /** See {@link #record}. */
  public static final class Recording implements AutoCloseable {
    private final Predicate<Line> fits;
    private final List<Line> lines = new CopyOnWriteArrayList<>();

    private Recording(Predicate<Line> fits) {
      this.fits = fits;
    }

    private boolean add(Line line) {
      return fits.test(line) && lines.add(line);
    }

    /** Returns what was recorded so far. */
    public List<Line> lines() {
      return List.copyOf(lines);
    }

    @Override
    public void close() {
      recordings.remove(this);
    }
  }
}
