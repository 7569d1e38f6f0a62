package dev.windhover.verification.witness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.samples.conformance.ConformanceServer;
import dev.windhover.verification.logs.StrictLogs;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Node's {@code ws}; its claims stand in {@code src/test/node/echo.mjs}. */
@ExtendWith(StrictLogs.class)
class NodeWsTest {
  private static final Path SCRIPTS = Path.of("src/test/node");

  @Test
  void wsIsContentWithTheConformanceServer() throws Exception {
    run("4");
  }

  @Test
  @Tag("full")
  void wsIsContentWithMessagesOf64MiB() throws Exception {
    run("64");
  }

  private static void run(String mebibytes) throws Exception {
    Program node = Program.require("node");
    Program.requireThat(
        Files.isDirectory(SCRIPTS.resolve("node_modules/ws")),
        "the npm package ws is not installed");
    WebApplication app = ConformanceServer.create("--urls", "http://127.0.0.1:0").start();
    try {
      Program.Result result = node.run(SCRIPTS + "/echo.mjs", app.urls().getFirst(), mebibytes);
      assertThat(result.exitCode()).as(result.output()).isZero();
      assertThat(result.output()).contains("# pass 28");
    } finally {
      app.stop();
    }
  }
}
