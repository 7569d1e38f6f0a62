package dev.windhover.verification.witness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.verification.logs.Logs;
import dev.windhover.verification.logs.StrictLogs;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slf4j.event.Level;

/** Node's {@code http} and {@code net}; their claims stand in {@code src/test/node/http.mjs}. */
@ExtendWith(StrictLogs.class)
class NodeHttpTest {
  /** Long enough for what was asked behind it to be there. */
  private static final long SLOW_NANOS = 50_000_000;

  @Test
  void nodeIsContentWithTheServer() throws Exception {
    Program node = Program.require("node");
    WebApplication app = WebApplication.create("--urls", "http://127.0.0.1:0");
    app.map("/hello", context -> context.response().write("hello\n"));
    app.map(
        "/slow",
        context -> {
          LockSupport.parkNanos(SLOW_NANOS);
          context.response().write("slow\n");
        });
    app.map("/nothing", context -> context.response().status(204));
    app.map("/unchanged", context -> context.response().status(304));
    app.map(
        "/fails",
        context -> {
          throw new IllegalStateException("on purpose");
        });
    app.map(
        "/cut",
        context -> {
          if (context.request().target().endsWith("length")) {
            context.response().contentLength(100);
          }
          context.response().write("begun");
          context.response().flush();
          throw new IllegalStateException("on purpose");
        });
    app.mapPost(
        "/echo",
        context -> {
          context.request().body().transferTo(context.response().body());
          context.response().flush(); // so that it is always in chunks
        });
    app.start();
    try (Logs.Recording log =
        Logs.record(line ->
            line.level() == Level.ERROR
                && line.failure() != null
                && "on purpose".equals(line.failure().getMessage()))) {
      Program.Result result = node.run("src/test/node/http.mjs", app.urls().getFirst());
      assertThat(result.exitCode()).as(result.output()).isZero();
      assertThat(result.output()).contains("# pass 19");
      assertThat(log.lines()).hasSize(6); // as often as it was asked for, and nothing else
    } finally {
      app.stop();
    }
  }
}
