package dev.windhover.verification.logs;

import java.util.List;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Fails a test that logs a warning or an error which it did not record. */
public final class StrictLogs implements BeforeEachCallback, AfterEachCallback {
  /** Called by JUnit. */
  public StrictLogs() {}

  @Override
  public void beforeEach(ExtensionContext context) {
    Logs.takeUnclaimed();
  }

  @Override
  public void afterEach(ExtensionContext context) {
    List<Logs.Line> lines = Logs.takeUnclaimed();
    if (!lines.isEmpty()) {
      throw new AssertionError("unexpectedly logged: " + lines);
    }
  }
}
