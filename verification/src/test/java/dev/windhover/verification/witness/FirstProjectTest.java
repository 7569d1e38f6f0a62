package dev.windhover.verification.witness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.http.HttpContext;
import dev.windhover.protocol.Opcode;
import dev.windhover.server.Transport;
import dev.windhover.verification.Repository;
import dev.windhover.websocket.WebSockets;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the README's first project needs no build for. {@link FirstProjectBuildTest} builds it. */
class FirstProjectTest {
  @Test
  void singleFileEchoesWithAFolderOfJars(@TempDir Path folder) throws Exception {
    FirstProject project = FirstProject.read();
    project.write(folder, "Chat.java");
    copyJars(Files.createDirectory(folder.resolve("libs")));

    String command = project.command("java --enable-native-access=ALL-UNNAMED --class-path");
    try (StartedApplication application = StartedApplication.start(folder, command)) {
      application.expectEcho();
      assertThat(application.errors()).isEmpty();
    }
  }

  /** Its test, run here as its Maven would run it there. */
  @Test
  void testOfTheApplicationPasses(@TempDir Path folder) throws Exception {
    FirstProject.read().write(folder, FirstProject.CHAT, FirstProject.CHAT_TEST);
    int status =
        ToolProvider.findFirst("javac")
            .orElseThrow()
            .run(
                System.out,
                System.err,
                "-d",
                folder.toString(),
                "-cp",
                System.getProperty("java.class.path"),
                folder.resolve(FirstProject.CHAT).toString(),
                folder.resolve(FirstProject.CHAT_TEST).toString());
    assertThat(status).isZero();

    try (URLClassLoader loader = new URLClassLoader(new URL[] {folder.toUri().toURL()})) {
      Class<?> test = loader.loadClass("chat.ChatTest");
      Constructor<?> constructor = test.getDeclaredConstructor();
      constructor.setAccessible(true);
      Method method = test.getDeclaredMethod("whatOneSaysAllHear");
      method.setAccessible(true);
      method.invoke(constructor.newInstance());
    }
  }

  /** Copies, or makes, the jars of Windhover and of what it needs. */
  private static void copyJars(Path libs) throws IOException, URISyntaxException {
    for (Class<?> one :
        new Class<?>[] {
          Opcode.class, HttpContext.class, WebSockets.class, Transport.class, WebApplication.class
        }) {
      Path built = Path.of(one.getProtectionDomain().getCodeSource().getLocation().toURI());
      Path jar = libs.resolve(one.getPackageName() + ".jar");
      if (Files.isRegularFile(built)) {
        Files.copy(built, jar);
      } else {
        int status =
            ToolProvider.findFirst("jar")
                .orElseThrow()
                .run(System.out, System.err, "-cf", jar.toString(), "-C", built.toString(), ".");
        assertThat(status).isZero();
      }
    }
    Pattern needed = Pattern.compile("(netty|slf4j|jspecify)-.*\\.jar");
    List<Path> jars =
        Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
            .map(Path::of)
            .filter(jar -> needed.matcher(jar.getFileName().toString()).matches())
            .toList();
    for (Path jar : jars) {
      Files.copy(jar, libs.resolve(jar.getFileName()), StandardCopyOption.REPLACE_EXISTING);
    }
  }

  /** So that they are versions that have been seen to work together. */
  @ParameterizedTest
  @CsvSource({
    "windhover-bom, windhover-bom",
    "slf4j-simple, slf4j.version",
    "junit-jupiter, junit.version",
    "maven-compiler-plugin, maven-compiler-plugin",
    "maven-surefire-plugin, maven-surefire-plugin",
    "maven-jar-plugin, maven-jar-plugin",
    "maven-dependency-plugin, maven-dependency-plugin"
  })
  void versionsAreThoseThatThisBuildUses(String artifact, String here) throws IOException {
    String pom = FirstProject.read().files().getOrDefault("pom.xml", "");
    Path root = Repository.root();
    String ours =
        Files.readString(root.resolve("pom.xml")) + Files.readString(root.resolve("bom/pom.xml"));

    assertThat(version(pom, artifact)).isEqualTo(version(ours, here));
  }

  /** Finds the version of an artifact, or the value of a property. */
  private static String version(String pom, String name) {
    String quoted = Pattern.quote(name);
    return Stream.of("<artifactId>" + quoted + "</artifactId>.*?<version>", "<" + quoted + ">")
        .flatMap(
            start -> Pattern.compile(start + "([^<]+)<", Pattern.DOTALL).matcher(pom).results())
        .map((MatchResult found) -> found.group(1))
        .findFirst()
        .orElseThrow();
  }
}
