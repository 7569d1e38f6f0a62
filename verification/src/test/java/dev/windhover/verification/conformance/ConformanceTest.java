package dev.windhover.verification.conformance;

import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.windhover.app.WebApplication;
import dev.windhover.samples.conformance.ConformanceServer;
import dev.windhover.verification.logs.StrictLogs;
import java.net.URI;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/** The suite against {@code samples/conformance}. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@ExtendWith(StrictLogs.class)
class ConformanceTest {
  private static final long PATIENCE_MILLIS = 15_000;

  private final WebApplication app = ConformanceServer.create("--urls=http://127.0.0.1:0");

  @BeforeAll
  void start() throws Exception {
    app.start();
  }

  @AfterAll
  void stop() {
    app.stop();
  }

  @TestFactory
  Stream<DynamicTest> blocking() {
    return tests("blocking");
  }

  @TestFactory
  Stream<DynamicTest> listener() {
    return tests("listener");
  }

  private Stream<DynamicTest> tests(String form) {
    int port = URI.create(app.urls().getFirst()).getPort();
    Stage stage =
        new Stage(
            Transport.PLAIN,
            port,
            "api=" + form,
            PATIENCE_MILLIS,
            Long.getLong("windhover.conformance.bytes", 128 * 1024));
    List<Case> cases = Suite.cases();
    var ends = Suite.play(cases, stage, each -> true);
    return ends.entrySet().stream()
        .map(end ->
            dynamicTest(
                end.getKey().id(),
                () -> {
                  Throwable wrong = end.getValue().get();
                  if (wrong != null) {
                    throw new AssertionError(end.getKey().id() + ": " + wrong.getMessage(), wrong);
                  }
                }));
  }
}
