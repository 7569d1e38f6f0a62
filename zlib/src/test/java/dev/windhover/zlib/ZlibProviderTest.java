package dev.windhover.zlib;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.windhover.protocol.spi.DeflateCodec;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.Logger;

/** Wherever an application has Windhover and this module, it gets the system's zlib. */
class ZlibProviderTest {
  /**
   * On which path the JVM finds what.
   *
   * @param from what the program says of this module
   * @param nativeAccess whose calls of native code the JVM must allow
   * @param modules what is on the module path; the rest is on the class path
   */
  record Arrangement(String from, String nativeAccess, List<String> modules) {
    /** Runs a program, and returns the lines that it and its JVM print. */
    List<String> run(String... flags) throws IOException {
      List<String> command = new ArrayList<>();
      command.add(System.getProperty("java.home") + "/bin/java");
      command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")); // a short run
      command.addAll(List.of(flags));
      if (!modules.isEmpty()) {
        command.addAll(
            List.of(
                "--module-path",
                String.join(File.pathSeparator, modules),
                "--add-modules",
                "dev.windhover.protocol"));
      }
      command.addAll(List.of("--class-path", classPath(), "dev.windhover.zlib.program.WhichCodec"));
      Process jvm = new ProcessBuilder(command).redirectErrorStream(true).start();
      return new String(jvm.getInputStream().readAllBytes(), UTF_8).lines().toList();
    }

    /** All that this test runs with, except what is on the module path. */
    private String classPath() {
      return Stream.of(
              "target/test-classes",
              System.getProperty("jdk.module.path", ""),
              System.getProperty("java.class.path", ""))
          .flatMap(path -> Stream.of(path.split(File.pathSeparator)))
          .filter(entry -> !entry.isEmpty() && !modules.contains(entry))
          .collect(Collectors.joining(File.pathSeparator));
    }
  }

  private static String path(Class<?> type) {
    return Path.of(type.getProtectionDomain().getCodeSource().getLocation().getPath()).toString();
  }

  static List<Arrangement> arrangements() {
    String windhover = path(DeflateCodec.class);
    return List.of(
        new Arrangement("on the class path", "ALL-UNNAMED", List.of()),
        new Arrangement(
            "module dev.windhover.zlib",
            "dev.windhover.zlib",
            List.of(windhover, path(ZlibProvider.class), path(Logger.class))),
        // As when Maven tests an application that is a module: nothing requires this one.
        new Arrangement("on the class path", "ALL-UNNAMED", List.of(windhover)));
  }

  @BeforeEach
  void aZlibIsHere() {
    assumeThat(ZlibCodec.ofSystem(8)).isNotNull();
  }

  @ParameterizedTest
  @MethodSource("arrangements")
  void isFoundAndWorks(Arrangement arrangement) throws IOException {
    assertThat(arrangement.run("--enable-native-access=" + arrangement.nativeAccess))
        .containsExactly("the system's, " + arrangement.from); // and no warning of the JVM
  }

  @ParameterizedTest
  @MethodSource("arrangements")
  void saysThatItNeedsNativeAccess(Arrangement arrangement) throws IOException {
    List<String> lines = arrangement.run();

    assertThat(lines).hasSize(2).last().isEqualTo("the JDK's"); // and no warning of the JVM
    assertThat(lines.getFirst())
        .endsWith(
            "the JDK's zlib is used, because windhover-zlib may not call native code: start Java"
                + " with --enable-native-access="
                + arrangement.nativeAccess);
  }
}
