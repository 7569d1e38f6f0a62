package dev.windhover.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Captures log lines at level warn and above; a test that does not take all of them fails. */
@SuppressWarnings("exports") // what tests share is seen by tests only
public final class CapturedLog implements BeforeEachCallback, AfterEachCallback {
  private final ByteArrayOutputStream log = new ByteArrayOutputStream();
  private final PrintStream stderr = System.err;

  /** Creates one, to be registered as an extension. */
  public CapturedLog() {}

  /** Returns what was logged since the last call. */
  public String take() {
    System.err.flush();
    String text = log.toString(UTF_8);
    log.reset();
    return text;
  }

  @Override
  public void beforeEach(ExtensionContext test) {
    System.setErr(new PrintStream(log, true, UTF_8));
  }

  @Override
  public void afterEach(ExtensionContext test) {
    System.setErr(stderr);
    assertThat(take()).as("left in the log").isEmpty();
  }
}
