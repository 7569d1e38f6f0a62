package dev.windhover.verification.witness;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Wire;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** An application that a shell has started, on a port that was free. */
final class StartedApplication implements AutoCloseable {
  private static final String LISTENING = "Now listening on: http://127.0.0.1:";

  private final Process process;
  private final Path errors;
  private final int port;

  private StartedApplication(Process process, Path errors, int port) {
    this.process = process;
    this.errors = errors;
    this.port = port;
  }

  /** Says a command to a shell whose {@code java} and {@code mvn} are those of JDK 25. */
  static ProcessBuilder shell(Path folder, String command) {
    ProcessBuilder builder =
        new ProcessBuilder("bash", "-c", "exec " + command).directory(folder.toFile());
    Path home = Path.of(System.getProperty("java.home"));
    builder.environment().put("JAVA_HOME", home.toString());
    builder.environment().merge("PATH", home.resolve("bin") + ":", (path, bin) -> bin + path);
    builder.environment().keySet().removeIf(name -> name.startsWith("WINDHOVER_"));
    builder.environment().remove("JAVA_TOOL_OPTIONS");
    builder
        .environment()
        .put("MAVEN_OPTS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"); // short runs
    return builder;
  }

  /** Starts one in a folder, and waits until it listens. */
  static StartedApplication start(Path folder, String command) throws IOException {
    Path errors = Files.createTempFile(folder, "errors", ".txt");
    ProcessBuilder builder = shell(folder, command).redirectError(errors.toFile());
    builder.environment().put("WINDHOVER_URLS", "http://127.0.0.1:0");
    Process process = builder.start();
    BufferedReader out = process.inputReader(UTF_8);
    StringBuilder said = new StringBuilder();
    for (@Nullable String line = out.readLine(); line != null; line = out.readLine()) {
      if (line.startsWith(LISTENING)) {
        int port = Integer.parseInt(line.substring(LISTENING.length()));
        return new StartedApplication(process, errors, port);
      }
      said.append(line).append('\n');
    }
    throw new AssertionError(command + " has ended: " + said + Files.readString(errors));
  }

  /** Returns where it listens. */
  int port() {
    return port;
  }

  /** A socket is welcome, and gets back what it sends. */
  void expectEcho() throws IOException {
    try (Wire wire = Wire.open(port, "/chat")) {
      assertThat(wire.frame()).isEqualTo(Frame.text("welcome"));
      wire.send(Frame.text("hello"));
      assertThat(wire.frame()).isEqualTo(Frame.text("hello"));
    }
  }

  /** What it has printed to the stream of errors, without the folders of jars. */
  List<String> errors() throws IOException {
    return Files.readString(errors)
        .lines()
        .filter(line -> !line.isEmpty())
        .map(line -> line.replaceAll("file:/\\S*/libs/", "file:/…/libs/"))
        .toList();
  }

  /** Ends the process by SIGTERM, and waits for its end. */
  void stop() {
    process.descendants().forEach(ProcessHandle::destroy); // Maven's
    process.destroy();
    try {
      assertThat(process.waitFor(Wire.MOST_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void close() {
    stop();
  }
}
