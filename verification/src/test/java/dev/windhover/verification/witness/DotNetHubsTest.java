package dev.windhover.verification.witness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.verification.Repository;
import dev.windhover.verification.logs.StrictLogs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * SignalR's .NET client, with the checks that come with the reference. It is not part of the
 * repository: where it is not beside it, the test says that it was skipped.
 */
@ExtendWith(StrictLogs.class)
class DotNetHubsTest {
  /** Also makes the two checks over HTTP/2, of which the reference's port is not capable. */
  private static final Map<String, String> WITH_HTTP_2 = Map.of("H2", "1");

  @TempDir private Path folder = Path.of("");

  @Tag("full")
  @Test
  void theDotNetClientNoticesNoDifference() throws Exception {
    Program reference =
        new Program(Repository.root().resolveSibling("shared/oracle/reference/start"));
    if (!Files.isExecutable(reference.path())) {
      String text = "SKIPPED: the .NET client is not at " + reference.path();
      System.err.println("WARNING: " + text);
      Assumptions.abort(text);
    }
    try (HubStage stage = new HubStage(folder)) {
      Program.Result result = reference.run(WITH_HTTP_2, "client", stage.url("http"));
      assertThat(result.exitCode()).as(result.output()).isZero();
      assertThat(result.output()).endsWith("115 passed, 0 failed\n");
    }
  }
}
