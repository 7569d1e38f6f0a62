package dev.windhover.verification.witness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.http.websocket.Message;
import dev.windhover.verification.Certificate;
import dev.windhover.verification.logs.Logs;
import dev.windhover.verification.logs.StrictLogs;
import java.nio.file.Path;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.event.Level;

/** Node's {@code http2}; its claims stand in {@code src/test/node/http2.mjs}. */
@ExtendWith(StrictLogs.class)
class NodeHttp2Test {
  /** Long enough for what was asked behind it to be answered. */
  private static final long SLOW_NANOS = 200_000_000;

  @ParameterizedTest
  @ValueSource(strings = {"http", "https"})
  void nodeIsContentWithTheServer(String scheme, @TempDir Path folder) throws Exception {
    Program node = Program.require("node");
    WebApplication app = WebApplication.create("--urls", scheme + "://127.0.0.1:0");
    Path certificate = Certificate.USUAL.writePkcs12(folder.resolve("c.p12"));
    app.server(options -> options.tls().certificate(certificate).password(Certificate.PASSWORD));
    app.useWebSockets(options -> options.allowedOrigins("*"));
    app.map("/hello", context -> context.response().write("hello\n"));
    app.map(
        "/slow",
        context -> {
          LockSupport.parkNanos(SLOW_NANOS);
          context.response().write("slow\n");
        });
    app.map("/nothing", context -> context.response().status(204));
    app.map(
        "/fails",
        context -> {
          throw new IllegalStateException("on purpose");
        });
    app.map(
        "/cut",
        context -> {
          context.response().write("begun");
          context.response().flush();
          throw new IllegalStateException("on purpose");
        });
    app.mapPost("/echo", context -> context.request().body().transferTo(context.response().body()));
    app.mapWebSocket(
        "/ws",
        socket -> {
          for (Message message : socket) {
            socket.send(message);
          }
        });
    app.start();
    try (Logs.Recording log =
        Logs.record(line ->
            line.level() == Level.ERROR
                && line.failure() != null
                && "on purpose".equals(line.failure().getMessage()))) {
      Program.Result result =
          node.run("--test-timeout=20000", "src/test/node/http2.mjs", app.urls().getFirst());
      assertThat(result.exitCode()).as(result.output()).isZero();
      assertThat(result.output()).contains("# pass 8");
      assertThat(log.lines()).hasSize(2);
    } finally {
      app.stop();
    }
  }
}
