package dev.windhover.verification.witness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.verification.wire.Wire;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

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

  private final Process process;
  private final int port;

  private Nginx(Process process, int port) {
    this.process = process;
    this.port = port;
  }

  /**
   * Starts it, or skips the test if it is not installed.
   *
   * @param folder where it keeps its files
   * @param http what stands in its block {@code http}, with ITS for the port where it listens
   */
  static Nginx start(Path folder, String http) throws IOException, InterruptedException {
    Program program = Program.require("nginx");
    int port = freePort();
    Path configuration = folder.resolve("nginx.conf");
    Files.writeString(
        configuration,
        CONFIGURATION
            .replace("FOLDER", folder.toString())
            .replace("HTTP", http.replace("ITS", Integer.toString(port))));
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
    while (!isListening(port)) {
      if (process.waitFor(20, TimeUnit.MILLISECONDS)) {
        throw new AssertionError(Files.readString(output));
      }
    }
    return new Nginx(process, port);
  }

  /** Returns a port at which it may listen. */
  static int freePort() throws IOException {
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return free.getLocalPort();
    }
  }

  private static boolean isListening(int port) throws IOException {
    try {
      Wire.connect(port).close();
      return true;
    } catch (ConnectException e) {
      return false;
    }
  }

  int port() {
    return port;
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
