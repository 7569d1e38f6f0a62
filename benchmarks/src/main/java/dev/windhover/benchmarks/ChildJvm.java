package dev.windhover.benchmarks;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A main class of ours in a process of its own, with this JVM's executable, class path and flags.
 * Its standard error goes where ours goes. Closing kills it.
 */
final class ChildJvm implements AutoCloseable {
  private final String name;
  private final Process process;
  private final BufferedReader output;

  /**
   * Starts a main class, pinned to a core if {@link #canPin}.
   *
   * @param flags flags of the JVM, in addition to this one's
   */
  ChildJvm(int core, List<String> flags, Class<?> main, List<String> arguments) throws IOException {
    name = main.getSimpleName() + " " + String.join(" ", arguments);
    var command = new ArrayList<String>();
    if (canPin()) {
      command.addAll(
          List.of("taskset", "-c", Integer.toString(core))); // becomes the JVM and keeps the pid
    }
    command.add(ProcessHandle.current().info().command().orElse("java"));
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.addAll(flags);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    command.addAll(arguments);
    process = new ProcessBuilder(command).redirectError(Redirect.INHERIT).start();
    output = process.inputReader();
  }

  /** Whether this machine has {@code taskset}, and one core each for server and client. */
  static boolean canPin() {
    return Runtime.getRuntime().availableProcessors() > 1
        && Arrays.stream(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator, -1))
            .anyMatch(folder -> new File(folder, "taskset").canExecute());
  }

  long pid() {
    return process.pid();
  }

  /**
   * Waits for a line that matches, and drops the output after it; without one the process is
   * killed.
   */
  Matcher awaitLine(Pattern pattern, int seconds) throws IOException {
    var found = new CompletableFuture<Optional<Matcher>>();
    Thread.startVirtualThread(() -> {
      try (Stream<String> lines = output.lines()) {
        lines
            .map(pattern::matcher)
            .filter(Matcher::matches)
            .forEach(m -> found.complete(Optional.of(m)));
      } catch (UncheckedIOException e) {
        // killed
      }
      found.complete(Optional.empty());
    });
    Optional<Matcher> line =
        found.completeOnTimeout(Optional.empty(), seconds, TimeUnit.SECONDS).join();
    if (line.isEmpty()) {
      close();
      throw new IOException(name + " did not get ready");
    }
    return line.get();
  }

  /** Waits for its end, which must be successful, and returns its output. */
  String finish(int seconds) throws IOException, InterruptedException {
    if (!process.waitFor(seconds, TimeUnit.SECONDS)) {
      throw new IOException(name + " did not end within " + seconds + " s");
    }
    if (process.exitValue() != 0) {
      throw new IOException(name + " failed");
    }
    return output.readAllAsString();
  }

  @Override
  public void close() {
    process.destroyForcibly().onExit().join();
  }
}
