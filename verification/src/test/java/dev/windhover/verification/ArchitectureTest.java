package dev.windhover.verification;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackages;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import dev.windhover.http.websocket.WebSocket;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The module map of ARCHITECTURE.md as rules, where {@code module-info} cannot hold them. */
class ArchitectureTest {
  private static final List<String> LIBRARIES =
      List.of("protocol", "zlib", "http", "websocket", "server", "app", "testing", "hubs");

  private static final JavaClasses ALL =
      new ClassFileImporter()
          .importPackages(
              LIBRARIES.stream().map(name -> "dev.windhover." + name).toArray(String[]::new));

  /** Folder, what it may use of ours, and of others. */
  @ParameterizedTest
  @CsvSource({
    "protocol,                                     ,",
    "zlib,      protocol                           , org.slf4j..",
    "http,      protocol                           , org.slf4j..",
    "websocket, protocol http                      , org.slf4j..",
    "server,    protocol http                      , org.slf4j.. io.netty.. javax.crypto.. javax.net.ssl..",
    "app,       protocol http websocket server     , org.slf4j..",
    "testing,   protocol http websocket            , org.slf4j.. jdk.management..",
    "hubs,      protocol http                      , org.slf4j.. javax.crypto.. tools.jackson.. com.fasterxml.jackson.annotation..",
    "hubs.testing, protocol http websocket testing hubs, tools.jackson..",
    "hubs.redis, http hubs                         , org.slf4j.. io.lettuce..",
  })
  void modulesDependOnlyOnWhatStandsBelowThem(String module, String ours, String others) {
    String[] allowed =
        ("java.. org.jspecify.. dev.windhover." + module + "..")
            .concat(ours == null ? "" : " " + ours.replaceAll("(\\w+)", "dev.windhover.$1.."))
            .concat(others == null ? "" : " " + others)
            .split(" +");
    DescribedPredicate<JavaClass> own = resideInAPackage("dev.windhover." + module + "..");
    if (module.equals("hubs")) { // two packages within are modules of their own
      own =
          own.and(
              resideOutsideOfPackages(
                  "dev.windhover.hubs.testing..", "dev.windhover.hubs.redis.."));
    }
    classes()
        .that(own)
        .should()
        .onlyDependOnClassesThat(resideInAnyPackage(allowed).or(ARRAYS_AND_PRIMITIVES))
        .allowEmptyShould(true)
        .check(ALL);
  }

  private static final DescribedPredicate<JavaClass> ARRAYS_AND_PRIMITIVES =
      DescribedPredicate.describe(
          "arrays and primitives", type -> type.isPrimitive() || type.isArray());

  @Test
  void onlyServerKnowsNetty() {
    noClasses()
        .that(resideOutsideOfPackages("dev.windhover.server.."))
        .should()
        .dependOnClassesThat(resideInAPackage("io.netty.."))
        .check(ALL);
  }

  @Test
  void protocolHasNoThread() {
    noClasses()
        .that(resideInAPackage("dev.windhover.protocol.."))
        .should()
        .dependOnClassesThat(
            DescribedPredicate.describe(
                "run, lock or wait",
                type ->
                    type.isAssignableTo(Thread.class)
                        || type.isAssignableTo(ThreadLocal.class)
                        || type.getPackageName().startsWith("java.util.concurrent")
                        || type.getName().startsWith("java.util.Timer")))
        .check(ALL);
  }

  /** No lock or monitor is ever taken on a loop: most of this code runs there. */
  @Test
  void loopsTakeNoLock() throws IOException {
    Pattern lock =
        Pattern.compile(
            "\\b(synchronized|(Reentrant\\w*|Stamped)Lock|ConcurrentHashMap|\\w*BlockingQueue)\\b");
    List<String> found = new ArrayList<>();
    for (String module : List.of("protocol", "zlib", "http", "websocket", "server")) {
      Path sources = Repository.root().resolve(module).resolve("src/main/java");
      try (Stream<Path> files = Files.walk(sources)) {
        for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
          if (lock.matcher(withoutComments(Files.readString(file))).find()) {
            found.add(file.getFileName().toString().replace(".java", ""));
          }
        }
      }
    }
    assertThat(found).isEmpty();
  }

  private static String withoutComments(String source) {
    return source.replaceAll("(?s)/\\*.*?\\*/|//[^\n]*", "");
  }

  @Test
  void protocolDoesNoInputOrOutput() {
    noClasses()
        .that(resideInAPackage("dev.windhover.protocol.."))
        .should()
        .dependOnClassesThat(
            resideInAnyPackage(
                "java.net..", "java.nio.channels..", "java.nio.file..", "org.slf4j.."))
        .orShould()
        .accessField(System.class, "out")
        .orShould()
        .accessField(System.class, "err")
        .orShould()
        .dependOnClassesThat()
        .areAssignableTo(System.Logger.class)
        .check(ALL);
  }

  @Test
  void onlyTheHostHasAClock() {
    noClasses()
        .that(resideInAnyPackage("..protocol..", "..http..", "..websocket.."))
        .should()
        .callMethod(System.class, "nanoTime")
        .orShould()
        .callMethod(System.class, "currentTimeMillis")
        .orShould()
        .callMethod(Instant.class, "now")
        .orShould()
        .callMethod(Thread.class, "sleep", long.class)
        .orShould()
        .dependOnClassesThat()
        .areAssignableTo(Clock.class)
        .check(ALL);
  }

  /**
   * {@code http}, {@code http.websocket} and {@code http.host} are one: the vocabulary, its
   * sockets, and the seam that is made of both. {@code server} is two: {@code Server} and {@code
   * Negotiation} know the packages inside, and these know the options beside it.
   */
  @Test
  void packagesHaveNoCycles() {
    slices()
        .assignedFrom(
            new SliceAssignment() {
              @Override
              public SliceIdentifier getIdentifierOf(JavaClass type) {
                String name = type.getPackageName();
                if (type.getName()
                    .matches("dev\\.windhover\\.server\\.(Server|Negotiation)(\\$.*)?")) {
                  return SliceIdentifier.of(name, "Server");
                }
                return name.startsWith("dev.windhover.")
                    ? SliceIdentifier.of(name.replaceFirst("http\\.(host|websocket)$", "http"))
                    : SliceIdentifier.ignore();
              }

              @Override
              public String getDescription() {
                return "packages";
              }
            })
        .should()
        .beFreeOfCycles()
        .check(ALL);
  }

  /** Leaving a block must not tell the peer 1000 when the handler failed. */
  @Test
  void noSocketIsClosedByLeavingABlock() {
    noClasses()
        .that()
        .areAssignableTo(WebSocket.class)
        .should()
        .beAssignableTo(AutoCloseable.class)
        .check(ALL);
  }

  @Test
  void namesSayWhatAThingIs() {
    noClasses()
        .should()
        .haveNameMatching(
            ".*[.$]((\\w*(Impl|Utils?|Helper))|(I[A-Z][a-z]\\w*)|((Abstract|Base)[A-Z]\\w*))")
        .orShould()
        .haveNameMatching(".*[.$]\\w*(Websocket\\w*|Ws[A-Z]\\w*)")
        .check(ALL);
  }

  /** A module that is {@code @NullMarked} marks all its packages; none may opt out. */
  @Test
  void everyPackageIsNullMarkedThroughItsModule() throws IOException {
    for (String module : LIBRARIES) {
      Path sources = Repository.root().resolve(module).resolve("src/main/java");
      if (Files.notExists(sources)) {
        continue; // not written yet
      }
      assertThat(sources.resolve("module-info.java"))
          .content()
          .contains("@org.jspecify.annotations.NullMarked\nmodule dev.windhover." + module + " {");
    }
    noClasses()
        .should()
        .beAnnotatedWith("org.jspecify.annotations.NullUnmarked")
        .orShould()
        .beAnnotatedWith("org.jspecify.annotations.NullMarked")
        .check(ALL);
  }
}
