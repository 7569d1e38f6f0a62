package dev.windhover.samples.hubs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The program as its operator sees it: a process of its own, on the module path. */
class ProgramTest {
  private static final String LISTENING = "Now listening on: ";

  @Test
  void saysWhereItListensAndStopsQuietly() throws Exception {
    Process program = start("http://127.0.0.1:0");
    try (BufferedReader output = program.inputReader()) {
      String line = output.readLine(); // the first one: no warning of the JVM before it
      assertThat(line).matches("Now listening on: http://127\\.0\\.0\\.1:[1-9][0-9]*");
      URI page = URI.create(line.substring(LISTENING.length()) + "/");
      assertThat(new String(page.toURL().openStream().readAllBytes(), UTF_8))
          .contains("<title>Windhover");

      program.toHandle().destroy(); // SIGTERM
      assertThat(output.readLine()).isNull();
      assertThat(program.waitFor()).isZero();
    } finally {
      program.destroyForcibly();
    }
  }

  /** Starts it as {@code ./run hubs} does. */
  private static Process start(String urls) throws IOException {
    String module = Lounge.class.getModule().getName();
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=io.netty.common,io.netty.transport.unix.common,"
                + "io.netty.transport.classes.epoll,io.netty.transport.classes.io_uring",
            "--module-path",
            System.getProperty("jdk.module.path"),
            "--module",
            module + "/" + Lounge.class.getName(),
            "--urls",
            urls)
        .redirectErrorStream(true)
        .start();
  }
}
