package dev.windhover.verification.witness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.http.Handler;
import dev.windhover.verification.logs.StrictLogs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** HTTP/1.1 and HTTP/2 as nghttp2's h2load wants it, in numbers: every request has its answer. */
@ExtendWith(StrictLogs.class)
class LoadTest {
  private static final int REQUESTS = System.getProperty("full") == null ? 1_000 : 3_000;

  private static final WebApplication app = WebApplication.create("--urls", "http://127.0.0.1:0");

  private static Program h2load = new Program(Path.of("h2load"));

  @BeforeAll
  static void start() throws Exception {
    h2load = Program.require("h2load");
    app.map("/blocking", context -> context.response().write("x".repeat(1_000)));
    app.map("/loop", Handler.nonBlocking(context -> context.response().write("x".repeat(1_000))));
    app.map(
        "/chunks",
        context -> {
          for (int i = 0; i < 10; i++) {
            context.response().write("x".repeat(100));
            context.response().flush();
          }
        });
    app.mapPost(
        "/length",
        context ->
            context.response().write("x".repeat(context.request().body().readAllBytes().length)));
    app.mapPost("/ignore", context -> context.response().write("x".repeat(1_000)));
    app.start();
  }

  @AfterAll
  static void stop() {
    app.stop();
  }

  private static void load(String version, int requests, List<String> options, String... paths)
      throws Exception {
    List<String> args = new ArrayList<>(List.of("--requests=" + requests));
    if (version.equals("h1")) { // else HTTP/2, by prior knowledge
      args.add("--h1");
    }
    args.addAll(options);
    for (String path : paths) {
      args.add(app.urls().getFirst() + path);
    }
    Program.Result result = h2load.run(args.toArray(String[]::new));
    assertThat(result.exitCode()).as(result.output()).isZero();
    assertThat(result.output())
        .contains(
            "requests: %1$d total, %1$d started, %1$d done, %1$d succeeded, 0 failed, 0 errored, 0 timeout"
                .formatted(requests))
        .contains("status codes: %d 2xx, 0 3xx, 0 4xx, 0 5xx".formatted(requests))
        .containsPattern("traffic: .* \\(%d\\) data".formatted(requests * 1_000));
  }

  @ParameterizedTest
  @CsvSource({
    "h1, /blocking, 1",
    "h1, /loop, 1",
    "h1, /chunks, 1",
    "h1, /blocking, 10",
    "h1, /loop, 10",
    "h1, /chunks, 10",
    "h2, /blocking, 1",
    "h2, /blocking, 10",
    "h2, /loop, 10",
    "h2, /chunks, 10"
  })
  void everyRequestIsAnswered(String version, String path, int pipelined) throws Exception {
    load(version, REQUESTS, List.of("--clients=50", "--max-concurrent-streams=" + pipelined), path);
  }

  @ParameterizedTest
  @ValueSource(strings = {"h1", "h2"})
  void everyRequestOfAMixtureIsAnswered(String version) throws Exception {
    load(
        version,
        REQUESTS,
        List.of("--clients=50", "--max-concurrent-streams=10"),
        "/blocking",
        "/loop",
        "/chunks");
  }

  @ParameterizedTest
  @CsvSource({"h1, /length", "h1, /ignore", "h2, /length"})
  void everyRequestWithABodyIsAnswered(String version, String path, @TempDir Path folder)
      throws Exception {
    Path body = Files.write(folder.resolve("body"), new byte[1_000]);
    load(
        version,
        REQUESTS,
        List.of("--clients=50", "--max-concurrent-streams=10", "--data=" + body),
        path);
  }
}
