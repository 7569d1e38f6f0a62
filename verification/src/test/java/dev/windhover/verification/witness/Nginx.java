package dev.windhover.verification.witness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.verification.wire.Wire;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;

/** A real nginx. */
final class Nginx implements AutoCloseable {
  private static final String CONFIGURATION =
      """
      user root; # its temporary folders are below one of ours; without effect for others
      worker_processes 1;
      pid FOLDER/pid;
      error_log FOLDER/errors;
      events { worker_connections 100; }
      http {
        access_log off;
        client_body_temp_path FOLDER/bodies;
        proxy_temp_path FOLDER/proxied;
        fastcgi_temp_path FOLDER/f;
        uwsgi_temp_path FOLDER/u;
        scgi_temp_path FOLDER/s;
        HTTP
      }
      """;

  /** How often it may find that somebody else has taken a port in the meantime. */
  private static final int MOST_TRIES = 10;

  private final Process process;
  private final int port;
  private final int secondPort;

  private Nginx(Process process, int port, int secondPort) {
    this.process = process;
    this.port = port;
    this.secondPort = secondPort;
  }

  /**
   * Starts it, or skips the test if it is not installed.
   *
   * @param folder where it keeps its files
   * @param http what stands in its block {@code http}, with ITS for the port where it listens, and
   *     SECOND for another one
   */
  static Nginx start(Path folder, String http) throws IOException, InterruptedException {
    Program program = Program.require("nginx");
    for (int tries = 1; ; tries++) {
      int port = freePort();
      int secondPort = port + 1; // if it is not free, the next try has others
      Path configuration = folder.resolve("nginx.conf");
      Files.writeString(
          configuration,
          CONFIGURATION
              .replace("FOLDER", folder.toString())
              .replace(
                  "HTTP",
                  http.replace("ITS", Integer.toString(port))
                      .replace("SECOND", Integer.toString(secondPort))));
      Path output = folder.resolve("output");
      Process process =
          new ProcessBuilder(
                  program.path().toString(),
                  "-p",
                  folder.toString(),
                  "-c",
                  configuration.toString(),
                  "-g",
                  "daemon off;")
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
      if (isUp(process, folder.resolve("pid"))) {
        return new Nginx(process, port, secondPort);
      }
      String said = Files.readString(output);
      if (!said.contains("Address already in use") || tries == MOST_TRIES) {
        throw new AssertionError(said);
      }
    }
  }

  /** Returns a port that is not among those that clients get, so that few others want it. */
  private static int freePort() throws IOException {
    RandomGenerator random = RandomGenerator.getDefault();
    while (true) {
      int port = random.nextInt(20_000, 32_000);
      try (ServerSocket free = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        return free.getLocalPort();
      } catch (BindException e) {
        // another one, then
      }
    }
  }

  /** Waits until it listens, and has written its number; returns false if it has ended instead. */
  private static boolean isUp(Process process, Path pid) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(Wire.MOST_MILLIS);
    while (!Files.exists(pid)) {
      if (process.waitFor(20, TimeUnit.MILLISECONDS)) {
        return false;
      }
      assertThat(System.nanoTime()).as("time to start").isLessThan(end);
    }
    return true;
  }

  int port() {
    return port;
  }

  int secondPort() {
    return secondPort;
  }

  @Override
  public void close() {
    process.destroy();
    try {
      assertThat(process.waitFor(Wire.MOST_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
