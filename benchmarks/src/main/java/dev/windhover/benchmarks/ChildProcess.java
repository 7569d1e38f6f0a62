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

/** A process that we have started. Its standard error goes where ours goes. Closing kills it. */
final class ChildProcess implements AutoCloseable {
  private final String name;
  private final Process process;
  private final BufferedReader output;

  private ChildProcess(String name, int core, List<String> command) throws IOException {
    this.name = name;
    var pinned = new ArrayList<String>();
    if (canPin()) {
      pinned.addAll(
          List.of("taskset", "-c", Integer.toString(core))); // becomes the program, with this pid
    }
    pinned.addAll(command);
    process = new ProcessBuilder(pinned).redirectError(Redirect.INHERIT).start();
    output = process.inputReader();
  }

  /** Starts a program, pinned to a core if {@link #canPin}. */
  static ChildProcess program(int core, List<String> command) throws IOException {
    return new ChildProcess(String.join(" ", command), core, command);
  }

  /**
   * Starts a main class with this JVM's executable, class path and flags, pinned to a core if
   * {@link #canPin}.
   *
   * @param flags flags of the JVM, in addition to this one's
   */
  static ChildProcess jvm(int core, List<String> flags, Class<?> main, List<String> arguments)
      throws IOException {
    var command = new ArrayList<String>();
    command.add(ProcessHandle.current().info().command().orElse("java"));
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.addAll(flags);
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    command.addAll(arguments);
    return new ChildProcess(
        main.getSimpleName() + " " + String.join(" ", arguments), core, command);
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
