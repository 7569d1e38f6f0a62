package dev.windhover.verification.witness;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Fails the class whose tests make a program of ours, which runs in this JVM, log a warning. */
final class NothingLogged implements BeforeAllCallback, AfterAllCallback {
  private final ByteArrayOutputStream copy = new ByteArrayOutputStream();
  private final PrintStream out = System.out;

  @Override
  public void beforeAll(ExtensionContext tests) {
    System.setOut(new PrintStream(new Copying(), true, UTF_8)); // where the samples log
  }

  @Override
  public void afterAll(ExtensionContext tests) {
    System.setOut(out);
    assertThat(
            copy.toString(UTF_8)
                .lines()
                .filter(line -> line.contains("WARN") || line.contains("ERROR")))
        .as("warnings in the log")
        .isEmpty();
  }

  private final class Copying extends OutputStream {
    @Override
    public void write(int b) {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
      synchronized (copy) {
        copy.write(bytes, offset, length);
      }
      out.write(bytes, offset, length);
    }
  }
}
