package dev.windhover.app;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What happens when an event loop has ended. That may be because memory is exhausted, so everything
 * that is needed then was made before.
 */
final class LoopEnd implements Consumer<Throwable> {
  /** As the JVM ends with {@code -XX:+ExitOnOutOfMemoryError}. */
  private static final int EXIT_CODE = 3;

  private final FileOutputStream errors = new FileOutputStream(FileDescriptor.err);
  private final byte[] line;
  private final @Nullable Thread waiting;
  private volatile @Nullable Throwable cause;
  private volatile boolean over;

  private LoopEnd(String then, @Nullable Consumer<Throwable> task) {
    this.line = ("windhover: an event loop has ended, and " + then + "\n").getBytes(US_ASCII);
    this.waiting =
        task == null
            ? null
            : Thread.ofPlatform().daemon().name("windhover-guard").unstarted(() -> await(task));
  }

  /** Ends the process, without its shutdown hooks. */
  static LoopEnd ofProcess() {
    return new LoopEnd("the process ends with exit code " + EXIT_CODE, null);
  }

  /** Runs {@code task} on a thread that has waited for this. */
  static LoopEnd of(Consumer<Throwable> task) {
    return new LoopEnd("the application stops", task);
  }

  /** Begins to wait, until {@link #stopWaiting()}. */
  void await() {
    if (waiting != null) {
      waiting.start();
    }
  }

  private void await(Consumer<Throwable> task) {
    while (cause == null && !over) {
      LockSupport.park(this);
    }
    Throwable ended = cause;
    if (ended != null) {
      task.accept(ended);
    }
  }

  void stopWaiting() {
    over = true;
    LockSupport.unpark(waiting);
  }

  /** On the loop's thread. */
  @Override
  public void accept(Throwable error) {
    try {
      errors.write(line);
    } catch (IOException e) {
      // nobody reads it
    }
    if (waiting == null) {
      Runtime.getRuntime().halt(EXIT_CODE);
    }
    cause = error;
    LockSupport.unpark(waiting);
  }
}
