package dev.windhover.verification.witness;

import static java.nio.file.StandardCopyOption.COPY_ATTRIBUTES;
import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.verification.Repository;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Maven builds the README's first project, exactly as it stands there, against what {@code ./run
 * install} has put into a repository of its own; and {@code ./run bundle} packs what Maven Central
 * asks for. Both work on a copy of the sources and of this build's classes, which other tests are
 * using. The user's own repository is only read.
 */
@Tag("full")
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class FirstProjectBuildTest {
  @TempDir static Path work = Path.of("");

  private static String mavenOptions = "";
  private static String installed = "";

  @BeforeAll
  @Timeout(value = 15, unit = TimeUnit.MINUTES)
  static void install() throws Exception {
    Program.require("mvn");
    Program.require("bash");
    Path machine =
        Path.of(
            System.getProperty(
                "localRepository", System.getProperty("user.home") + "/.m2/repository"));
    Path settings = work.resolve("settings.xml");
    Files.writeString(settings, settings(machine));
    mavenOptions = "-gs %s -Dmaven.repo.local=%s".formatted(settings, work.resolve("repository"));
    Path copy = work.resolve("windhover");
    copy(Repository.root(), copy, Set.of(".git", "node_modules", "target", "test"));
    for (String artifact : published()) {
      if (endings(artifact).contains(".jar")) {
        String classes = artifact.substring("windhover-".length()) + "/target/classes";
        copy(Repository.root().resolve(classes), copy.resolve(classes), Set.of());
      }
    }
    skipMostJavadoc(copy);
    installed = say(copy, "./run install -Dmaven.main.skip " + mavenOptions);
  }

  /** Javadoc takes long, and the compiler has checked it: only that of one module is made. */
  private static void skipMostJavadoc(Path copy) throws IOException {
    String skip = "<properties><maven.javadoc.skip>%s</maven.javadoc.skip>";
    Path all = copy.resolve("pom.xml");
    Files.writeString(
        all, Files.readString(all).replaceFirst("<properties>", skip.formatted(true)));
    Path app = copy.resolve("app/pom.xml");
    Files.writeString(
        app, Files.readString(app).replaceFirst("<properties>", skip.formatted(false)));
  }

  /** Lets Maven look into a folder before it asks the network. */
  private static String settings(Path machine) {
    return """
    <settings>
      <profiles>
        <profile>
          <id>machine</id>
          <repositories>
            <repository>%1$s</repository>
          </repositories>
          <pluginRepositories>
            <pluginRepository>%1$s</pluginRepository>
          </pluginRepositories>
        </profile>
      </profiles>
      <activeProfiles><activeProfile>machine</activeProfile></activeProfiles>
    </settings>
    """
        .formatted(
            "<id>machine</id><url>%s</url><releases><checksumPolicy>ignore</checksumPolicy></releases>"
                .formatted(machine.toUri()));
  }

  private static void copy(Path from, Path to, Set<String> without) throws IOException {
    Files.walkFileTree(
        from,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes)
              throws IOException {
            if (without.contains(folder.getFileName().toString())) {
              return FileVisitResult.SKIP_SUBTREE;
            }
            Files.createDirectories(to.resolve(from.relativize(folder)));
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.copy(file, to.resolve(from.relativize(file)), COPY_ATTRIBUTES);
            return FileVisitResult.CONTINUE;
          }
        });
  }

  /** Says a command to a shell, and returns what it answers. */
  private static String say(Path folder, String command) throws IOException, InterruptedException {
    return say(folder, command, Map.of());
  }

  private static String say(Path folder, String command, Map<String, String> environment)
      throws IOException, InterruptedException {
    ProcessBuilder builder =
        StartedApplication.shell(
                folder, command.replaceFirst("^mvn ", "mvn -B -ntp " + mavenOptions + " "))
            .redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process process = builder.start();
    String output = process.inputReader().readAllAsString();
    int exitCode = process.waitFor();
    Program.requireThat(
        exitCode == 0 || !output.contains("Could not transfer artifact"),
        "Maven cannot download what this test needs, and it is not in the local repository");
    assertThat(exitCode).as("%s%n%s", command, output).isZero();
    return output;
  }

  /** Starts the application as the README does, and without its flag for native access. */
  private static void expectEcho(Path folder, String command, List<String> warnings)
      throws IOException {
    try (StartedApplication application = StartedApplication.start(folder, command)) {
      application.expectEcho();
      assertThat(application.errors()).isEmpty();
    }
    String without = command.replaceFirst("--enable-native-access=\\S+ ", "");
    try (StartedApplication application = StartedApplication.start(folder, without)) {
      application.expectEcho();
      assertThat(application.errors()).isEqualTo(warnings);
    }
  }

  // ---- The project

  @Test
  void projectRunsOnTheClassPath(@TempDir Path folder) throws Exception {
    FirstProject project = FirstProject.read();
    project.write(folder, "pom.xml", FirstProject.CHAT, FirstProject.CHAT_TEST, "Chat.java");

    assertThat(say(folder, project.command("mvn package"))).contains("Tests run: 1, Failures: 0");
    try (StartedApplication jar = StartedApplication.start(folder, project.command("java -jar"))) {
      jar.expectEcho();
      assertThat(jar.errors()).isEmpty();
    }
    String exec =
        project.command("mvn compile exec:exec").replaceFirst("mvn", "mvn -q " + mavenOptions);
    try (StartedApplication byMaven = StartedApplication.start(folder, exec)) {
      byMaven.expectEcho();
    }

    Files.move(folder.resolve("target/libs"), folder.resolve("libs"));
    expectEcho(
        folder,
        project.command("java --enable-native-access=ALL-UNNAMED --class-path"),
        project.warnings());
  }

  @Test
  void projectRunsOnTheModulePath(@TempDir Path folder) throws Exception {
    FirstProject project = FirstProject.read();
    project.write(
        folder, "pom.xml", FirstProject.CHAT, FirstProject.CHAT_TEST, FirstProject.MODULE_INFO);

    assertThat(say(folder, project.command("mvn package"))).contains("Tests run: 1, Failures: 0");

    expectEcho(
        folder,
        project.command("java --module-path"),
        project.warnings().stream()
            .map(line -> line.replace("an unnamed module", "module io.netty.common"))
            .map(line -> line.replace("=ALL-UNNAMED", "=io.netty.common"))
            .toList());
  }

  // ---- What is published

  /** The modules of the bill of materials, and the two poms. */
  private static List<String> published() throws IOException {
    String bom = Files.readString(Repository.root().resolve("bom/pom.xml"));
    Stream<String> modules =
        Pattern.compile("<artifactId>(windhover-[^<]+)</artifactId>")
            .matcher(bom)
            .results()
            .map((MatchResult module) -> module.group(1));
    return Stream.concat(modules, Stream.of("windhover-parent")).sorted().toList();
  }

  private static String version() throws IOException {
    String bom = Files.readString(Repository.root().resolve("bom/pom.xml"));
    return Pattern.compile("<version>([^<]+)</version>")
        .matcher(bom)
        .results()
        .map((MatchResult version) -> version.group(1))
        .findFirst()
        .orElseThrow();
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(file -> !file.getFileName().toString().startsWith("maven-metadata"))
          .map(file -> file.getFileName().toString())
          .sorted()
          .toList();
    }
  }

  /** How the names of an artifact's files end. */
  private static List<String> endings(String artifact) {
    return switch (artifact) {
      case "windhover-bom", "windhover-parent" -> List.of(".pom");
      case "windhover-app" -> List.of(".jar", ".pom", "-sources.jar", "-javadoc.jar");
      default -> List.of(".jar", ".pom", "-sources.jar");
    };
  }

  @Test
  void modulesOfTheBillOfMaterialsAreInstalledWithSourcesAndJavadoc() throws IOException {
    Path group = work.resolve("repository/dev/windhover");

    assertThat(names(group)).isEqualTo(published());
    for (String artifact : published()) {
      String start = artifact + "-" + version();
      assertThat(names(group.resolve(artifact).resolve(version())))
          .containsAll(endings(artifact).stream().map(start::concat).toList());
    }
    assertThat(installed.lines()).last().asString().contains(version(), "" + work);
  }

  @Test
  void bundleHoldsSignedFilesWithChecksums(@TempDir Path folder) throws Exception {
    Program gpg = Program.require("gpg");
    Path copy = folder.resolve("windhover");
    copy(work.resolve("windhover"), copy, Set.of());
    try (Stream<Path> files = Files.walk(copy)) {
      for (Path pom : files.filter(file -> file.endsWith("pom.xml")).toList()) {
        Files.writeString(pom, Files.readString(pom).replace(version(), "0.0.1"));
      }
    }
    Map<String, String> keys = Map.of("GNUPGHOME", Files.createDirectory(folder.resolve("k")) + "");
    Program.Result made =
        gpg.run(
            keys, "--batch", "--passphrase", "", "--quick-generate-key", "Test <test@example.com>");
    assertThat(made.exitCode()).as(made.output()).isZero();

    say(copy, "./run bundle -Dmaven.main.skip " + mavenOptions, keys);

    Path group = copy.resolve("target/central/dev/windhover");
    assertThat(names(group)).isEqualTo(published());
    for (String artifact : published()) {
      assertThat(names(group.resolve(artifact).resolve("0.0.1")))
          .containsAll(
              endings(artifact).stream()
                  .map(end -> artifact + "-0.0.1" + end)
                  .flatMap(file -> Stream.of(file, file + ".asc", file + ".md5", file + ".sha1"))
                  .toList());
    }
    Path signed = group.resolve("windhover-app/0.0.1/windhover-app-0.0.1.jar");
    Program.Result verified = gpg.run(keys, "--verify", signed + ".asc", signed + "");
    assertThat(verified.exitCode()).as(verified.output()).isZero();
    assertThat(copy.resolve("target/central.zip")).isNotEmptyFile();
  }

  @Test
  void snapshotIsNotBundled(@TempDir Path folder) throws Exception {
    copy(work.resolve("windhover/bom"), folder.resolve("bom"), Set.of());
    Path pom = folder.resolve("bom/pom.xml");
    Files.writeString(pom, Files.readString(pom).replace(version(), "0.0.1-SNAPSHOT"));
    Files.copy(Repository.root().resolve("run"), folder.resolve("run"), COPY_ATTRIBUTES);
    Process process =
        StartedApplication.shell(folder, "./run bundle").redirectErrorStream(true).start();

    assertThat(process.inputReader().readAllAsString())
        .startsWith("run: Maven Central takes no snapshots, and this is 0.0.1-SNAPSHOT");
    assertThat(process.waitFor()).isEqualTo(1);
  }
}
