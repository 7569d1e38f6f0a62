package dev.windhover.verification.witness;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/**
 * A program of this machine, that others wrote.
 *
 * @param path where it is
 */
public record Program(Path path) {
  /** What a run printed, on both streams, and its exit code. */
  public record Result(int exitCode, String output) {}

  /** Finds a program, or skips the test and says so. */
  public static Program require(String name) {
    Optional<Path> found =
        Stream.of((System.getenv("PATH") + ":/usr/sbin").split(File.pathSeparator))
            .map(folder -> Path.of(folder, name))
            .filter(Files::isExecutable)
            .findFirst();
    requireThat(found.isPresent(), name + " is not installed");
    return new Program(found.orElseThrow());
  }

  /** Skips the test, loudly, unless {@code present}. */
  public static void requireThat(boolean present, String otherwise) {
    if (!present) {
      String text = "SKIPPED: " + otherwise + "; ./run setup installs what the tests use";
      System.err.println("WARNING: " + text);
      Assumptions.abort(text);
    }
  }

  /** Runs it to its end. */
  public Result run(String... args) throws IOException, InterruptedException {
    return run(Map.of(), args);
  }

  /** Runs it to its end, with more in its environment. */
  public Result run(Map<String, String> environment, String... args)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(path.toString()));
    command.addAll(List.of(args));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process process = builder.start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    return new Result(process.waitFor(), output);
  }
}
