package dev.windhover.verification;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.StringWriter;
import java.lang.reflect.Method;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The code in the README and the docs compiles and runs. */
class ReadmeTest {
  /** The imports that a reader's editor would add. */
  private static final String IMPORTS =
      """
      import dev.windhover.app.*;
      import dev.windhover.http.*;
      import dev.windhover.http.files.*;
      import dev.windhover.http.middleware.*;
      import dev.windhover.http.websocket.*;
      import java.io.*;
      import java.nio.file.*;
      import java.time.*;
      import java.util.*;
      import java.util.concurrent.*;
      """;

  private static final String HUB_IMPORTS =
      IMPORTS
          + """
          import static org.junit.jupiter.api.Assertions.*;
          import com.google.inject.Guice;
          import com.google.inject.Injector;
          import dev.windhover.hubs.*;
          import dev.windhover.hubs.connections.*;
          import dev.windhover.hubs.protocol.*;
          import dev.windhover.hubs.redis.*;
          import dev.windhover.hubs.testing.*;
          import dev.windhover.testing.*;
          import java.nio.ByteBuffer;
          import java.util.stream.*;
          import org.jspecify.annotations.Nullable;
          import org.springframework.context.annotation.AnnotationConfigApplicationContext;
          """;

  private static final String TEST_IMPORTS =
      IMPORTS
          + """
          import static org.junit.jupiter.api.Assertions.*;
          import dev.windhover.protocol.*;
          import dev.windhover.testing.*;
          import dev.windhover.testing.Frame;
          import java.nio.*;
          import org.junit.jupiter.api.*;
          """;

  private static final JavaCompiler COMPILER = ToolProvider.getSystemJavaCompiler();

  /** Keeps the jars of the class path open, which all programs have in common. */
  private static final JavaFileManager FILES = COMPILER.getStandardFileManager(null, null, null);

  private static final String HUB_CLASS = "public static final class";

  @Test
  void theProgramCompilesAsItStands(@TempDir Path classes) throws IOException {
    requireCompiles(IMPORTS + javaBlocks("README.md").getFirst(), classes);
  }

  @Test
  void theHubCompilesAsItStands(@TempDir Path classes) throws IOException {
    requireCompiles(HUB_IMPORTS + javaBlocks("README.md").get(1), classes);
  }

  /** Their lines come after {@code var app = …}. */
  @Test
  void theFormsOfSocketsCompile(@TempDir Path classes) throws IOException {
    List<String> blocks =
        javaBlocks("README.md").stream()
            .filter(block -> block.contains("mapWebSocketListener"))
            .toList();
    assertThat(blocks).hasSize(1);
    requireCompiles(programOf(blocks.getFirst()), classes);
  }

  /** The README's test runs, and passes. */
  @Test
  void theTestPasses(@TempDir Path classes) throws Exception {
    String program =
        javaBlocks("README.md").stream()
            .filter(block -> block.contains("void echoesAndDropsWhoIsSilent()"))
            .findFirst()
            .orElseThrow();
    requireCompiles(TEST_IMPORTS + program, classes);
    try (URLClassLoader loader = new URLClassLoader(new URL[] {classes.toUri().toURL()})) {
      Class<?> test = loader.loadClass("ChatTest");
      var constructor = test.getDeclaredConstructor();
      constructor.setAccessible(true);
      Method method = test.getDeclaredMethod("echoesAndDropsWhoIsSilent");
      method.setAccessible(true);
      method.invoke(constructor.newInstance());
    }
  }

  /**
   * The first block contains methods; the lines of the others come after {@code TestHost host = …}.
   */
  @Test
  void theExamplesOfTestsCompile(@TempDir Path classes) throws IOException {
    List<String> blocks = javaBlocks("docs/testing.md");
    Stream<String> rest = blocks.stream().skip(1);
    requireCompile(
        Stream.concat(
                Stream.of(TEST_IMPORTS + blocks.getFirst() + "void main() {}"),
                rest.map(block ->
                    TEST_IMPORTS + "void main() {} void test(TestHost host) {" + block + "}"))
            .toList(),
        classes);
  }

  /** Their lines come after {@code var app = …}. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "docs/middleware.md",
        "docs/compression.md",
        "docs/event-streams.md",
        "docs/groups.md",
        "docs/stopping.md",
        "docs/users.md"
      })
  void theExamplesCompile(String page, @TempDir Path classes) throws IOException {
    requireCompile(javaBlocks(page).stream().map(ReadmeTest::programOf).toList(), classes);
  }

  /**
   * The first block is a program with a hub. A block with a class stands alone, members are those
   * of a hub with the same client interface, and lines come after {@code var app = …} and {@code
   * Hubs hubs = …}, where they know all hubs.
   */
  @ParameterizedTest
  @ValueSource(strings = {"docs/hubs.md", "docs/scale.md"})
  void theExamplesOfHubsCompile(String page, @TempDir Path classes) throws IOException {
    List<String> blocks = javaBlocks(page);
    String program = blocks.getFirst();
    requireCompiles(HUB_IMPORTS + program, classes);
    List<String> rest = blocks.subList(1, blocks.size());
    String types =
        program.substring(program.indexOf(HUB_CLASS))
            + rest.stream().filter(block -> block.startsWith(HUB_CLASS)).collect(joining());
    requireCompile(
        rest.stream().map(block -> HUB_IMPORTS + types + hubProgramOf(block)).toList(), classes);
  }

  private static String hubProgramOf(String block) {
    if (block.startsWith(HUB_CLASS)) {
      return "void main() {}";
    }
    if (block.startsWith("public ") || block.startsWith("@")) {
      return "void main() {} static class Members extends Hub<ChatHub.Client> {" + block + "}";
    }
    return """
    void main(String[] args) throws Exception {
      var app = WebApplication.create(args);
      Hubs hubs = Hubs.on(app);
    """
        + block
        + "}";
  }

  private static String programOf(String lines) {
    return IMPORTS
        + "void main(String[] args) { var app = WebApplication.create(args);"
        + lines
        + "}";
  }

  private static void requireCompiles(String program, Path classes) {
    requireCompile(List.of(program), classes);
  }

  /** Compiles programs at once, because the compiler reads what they all use only once then. */
  private static void requireCompile(List<String> programs, Path classes) {
    StringWriter errors = new StringWriter();
    List<String> options =
        List.of("-d", classes.toString(), "-cp", System.getProperty("java.class.path"));
    List<JavaFileObject> sources =
        IntStream.range(0, programs.size())
            .mapToObj(i -> source("Readme" + i + ".java", programs.get(i)))
            .toList();
    boolean compiled = COMPILER.getTask(errors, FILES, null, options, null, sources).call();

    assertThat(compiled).as("%s%n%s", errors, String.join("\n----\n", programs)).isTrue();
  }

  @Test
  void everyLinkInTheDocumentsLeadsSomewhere() throws IOException {
    Pattern link = Pattern.compile("]\\((?!http)([^)#]+)");
    for (String page : List.of("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")) {
      Matcher links = link.matcher(read(page));
      while (links.find()) {
        assertThat(Repository.root().resolve(links.group(1))).as("link in " + page).exists();
      }
    }
  }

  private static List<String> javaBlocks(String page) throws IOException {
    Matcher block = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL).matcher(read(page));
    List<String> blocks = block.results().map(found -> found.group(1)).toList();
    assertThat(blocks).as("programs in " + page).isNotEmpty();
    return blocks;
  }

  private static String read(String page) throws IOException {
    return Files.readString(Repository.root().resolve(page));
  }

  private static JavaFileObject source(String name, String text) {
    return new SimpleJavaFileObject(URI.create("string:///" + name), JavaFileObject.Kind.SOURCE) {
      @Override
      public CharSequence getCharContent(boolean ignoreEncodingErrors) {
        return text;
      }
    };
  }
}
