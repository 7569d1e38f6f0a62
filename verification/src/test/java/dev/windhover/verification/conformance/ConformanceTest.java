package dev.windhover.verification.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.windhover.app.WebApplication;
import dev.windhover.samples.conformance.ConformanceServer;
import dev.windhover.verification.Repository;
import dev.windhover.verification.conformance.Suite.End;
import dev.windhover.verification.logs.StrictLogs;
import java.io.IOException;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The suite against {@code samples/conformance} over HTTP/1.1, in both forms; the results stand in
 * {@code docs/conformance.md}. {@code -Dwindhover.conformance.bytes} says how much is echoed where
 * a case sends many messages; from 131072000 on it is each row's thousand.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@ExtendWith(StrictLogs.class)
class ConformanceTest {
  private static final long PATIENCE_MILLIS = 15_000;
  private static final long QUICK_BYTES = 32 * 1024;
  private static final long FULL_BYTES = 4 << 20;

  /** How the sample is reached: each transport has columns of its own on the page. */
  private static final List<Transport> TRANSPORTS = List.of(Transport.PLAIN);

  private static final List<String> FORMS = List.of("blocking", "listener");

  /** Cases that do not end as they should, and why; none may stand here that does. */
  private static final Map<String, String> EXCEPTED = Map.of();

  private final WebApplication app = ConformanceServer.create("--urls=http://127.0.0.1:0");

  @BeforeAll
  void start() throws Exception {
    app.start();
  }

  @AfterAll
  void stop() {
    app.stop();
  }

  @Test
  void everyRowHasACase() {
    List<String> ids = Suite.cases().stream().map(Case::id).toList();
    assertThat(ids).doesNotHaveDuplicates();
    assertThat(Row.ofTheTester()).hasSize(517).allMatch(row -> ids.contains(row.id()));
    assertThat(Row.beyond())
        .allMatch(row -> ids.stream().anyMatch(id -> id.startsWith(row.id() + ".")));
  }

  @Test
  void exceptedCasesAreDocumented() throws IOException {
    new Page(Repository.root(), "exceptions").check(EXCEPTED);
  }

  @TestFactory
  Stream<DynamicNode> everyCaseEndsAsItShould() {
    return play(System.getProperty("full") == null ? QUICK_BYTES : FULL_BYTES);
  }

  private Stream<DynamicNode> play(long bytes) {
    return TRANSPORTS.stream()
        .flatMap(transport -> FORMS.stream().flatMap(form -> play(transport, form, bytes)));
  }

  /** Plays when JUnit gets there: one form after the other. */
  private Stream<DynamicNode> play(Transport transport, String form, long bytes) {
    int port = URI.create(app.urls().getFirst()).getPort();
    long echoed = Long.getLong("windhover.conformance.bytes", bytes);
    Stage stage = new Stage(transport, port, "api=" + form, PATIENCE_MILLIS, echoed);
    List<Case> all = Suite.cases().stream().filter(each -> each.runsOver(transport)).toList();
    List<CompletableFuture<End>> ends = Suite.play(all, stage, each -> true);
    Stream<DynamicTest> cases =
        IntStream.range(0, all.size())
            .mapToObj(i -> dynamicTest(all.get(i).id(), () -> require(ends.get(i).get())));
    return Stream.of(
        dynamicContainer(form, cases),
        dynamicTest(form + " is documented", () -> expectDocumented(stage, form, ends)));
  }

  private static void require(End end) {
    String id = end.played().id();
    String excepted = EXCEPTED.get(id);
    if (excepted != null) {
      assertThat(end.wrong()).as("excepted, since %s, and it went well", excepted).isNotNull();
    } else if (end.wrong() != null) {
      throw new AssertionError(id + ": " + end.wrong().getMessage(), end.wrong());
    }
  }

  private static void expectDocumented(Stage stage, String form, List<CompletableFuture<End>> ends)
      throws Exception {
    List<End> all = ends.stream().map(CompletableFuture::join).toList();
    new Page(Repository.root(), "cases")
        .check(stage.transport().name() + ", " + form, Page.cells(all));
  }
}
