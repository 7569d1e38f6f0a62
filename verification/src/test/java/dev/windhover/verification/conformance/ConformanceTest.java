package dev.windhover.verification.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.windhover.app.WebApplication;
import dev.windhover.samples.conformance.ConformanceServer;
import dev.windhover.verification.Certificate;
import dev.windhover.verification.Repository;
import dev.windhover.verification.conformance.Case.Need;
import dev.windhover.verification.conformance.Suite.End;
import dev.windhover.verification.logs.StrictLogs;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
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
import org.junit.jupiter.api.io.TempDir;

/**
 * The suite against {@code samples/conformance} in both forms; the results stand in {@code
 * docs/conformance.md}. The quick run plays all but most of the thousands of compressed messages
 * over HTTP/1.1 to listeners, and a few cases of each group otherwise; the full run plays all over
 * all. {@code -Dwindhover.conformance.bytes} says how much is echoed where a case sends many
 * messages; from 131072000 on it is each row's thousand.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@ExtendWith(StrictLogs.class)
class ConformanceTest {
  private static final long PATIENCE_MILLIS = 30_000;
  private static final long QUICK_BYTES = 32 * 1024;
  private static final long MOST_BYTES = 1 << 20;
  private static final long FULL_BYTES = 256 * 1024;
  private static final long FULL_BYTES_ELSEWHERE = 64 * 1024;

  /** So many cases of a group are a few. */
  private static final int FEW = 3;

  /** The tester's groups of compressed messages, a thousand in each case. */
  private static final Set<Integer> COMPRESSED = Set.of(12, 13);

  private static final boolean FULL = System.getProperty("full") != null;

  /** How the sample is reached: each transport has columns of its own on the page. */
  private static final List<Transport> TRANSPORTS =
      List.of(Transport.PLAIN, Transport.TLS, Transport.HTTP_2, Transport.HTTP_2_TLS);

  private static final String LISTENER = "listener";
  private static final List<String> FORMS = List.of("blocking", LISTENER);

  private static final String BOTH_SIDES =
      "BoringSSL ends both sides when close_notify comes, so data on its way may be lost; see tls.md";

  /** Cases that are not played, and why. */
  private static final Map<String, String> EXCEPTED =
      Map.of(
          "24.3.10 over TLS", BOTH_SIDES,
          "24.3.11 over TLS", BOTH_SIDES,
          "24.3.12 over TLS", BOTH_SIDES);

  @SuppressWarnings("NullAway.Init") // set before all
  private WebApplication app;

  @BeforeAll
  void start(@TempDir Path folder) throws Exception {
    Path file = Certificate.USUAL.writePkcs12(folder.resolve("certificate.p12"));
    app =
        ConformanceServer.create(
                "--urls=http://127.0.0.1:0;https://127.0.0.1:0",
                "--certificate=" + file,
                "--certificate-password=" + Certificate.PASSWORD)
            .start();
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
    return TRANSPORTS.stream()
        .flatMap(transport -> FORMS.stream().flatMap(form -> play(transport, form)));
  }

  /** Plays when JUnit gets there: one form after the other. */
  private Stream<DynamicNode> play(Transport transport, String form) {
    boolean whole = FULL || (transport.equals(Transport.PLAIN) && form.equals(LISTENER));
    Stage stage =
        new Stage(
            transport, port(transport), "api=" + form, PATIENCE_MILLIS, bytes(transport, form));
    List<Case> playable = Suite.cases().stream().filter(each -> isPlayed(each, transport)).toList();
    List<Case> played = FULL ? playable : whole ? fewCompressed(playable) : few(playable);
    List<CompletableFuture<End>> ends = Suite.play(played, stage, each -> true);
    Stream<DynamicTest> cases =
        IntStream.range(0, played.size())
            .mapToObj(i -> dynamicTest(played.get(i).id(), () -> require(ends.get(i).get())));
    String name = transport.name() + ", " + form;
    return Stream.of(
        dynamicContainer(name, cases),
        dynamicTest(
            name + " is documented",
            () -> {
              List<End> all = ends.stream().map(CompletableFuture::join).toList();
              if (FULL) {
                new Page(Repository.root(), "cases").check(name, Page.cells(all));
              }
            }));
  }

  private static boolean isPlayed(Case each, Transport transport) {
    return each.runsOver(transport)
        && !EXCEPTED.containsKey(each.id() + " over " + transport.name());
  }

  private int port(Transport transport) {
    String scheme = transport.isSecure() ? "https:" : "http:";
    String url = app.urls().stream().filter(each -> each.startsWith(scheme)).findFirst().get();
    return URI.create(url).getPort();
  }

  private static long bytes(Transport transport, String form) {
    long full = FULL_BYTES_ELSEWHERE;
    if (transport.equals(Transport.PLAIN)) {
      full = form.equals(FORMS.getFirst()) ? MOST_BYTES : FULL_BYTES;
    }
    return Long.getLong("windhover.conformance.bytes", FULL ? full : QUICK_BYTES);
  }

  /** Returns some of each group, from its first on; and all of what HTTP/2 alone has. */
  private static List<Case> few(List<Case> cases) {
    Map<Integer, List<Case>> groups =
        cases.stream()
            .collect(Collectors.groupingBy(Case::group, TreeMap::new, Collectors.toList()));
    return groups.values().stream()
        .flatMap(group -> {
          boolean all = group.getFirst().needs() == Need.HTTP_2;
          int step = all ? 1 : Math.ceilDiv(group.size(), FEW);
          return IntStream.iterate(0, i -> i < group.size(), i -> i + step).mapToObj(group::get);
        })
        .toList();
  }

  /** Returns all, but only some of the groups that consist of many compressed messages. */
  private static List<Case> fewCompressed(List<Case> cases) {
    List<Case> compressed =
        cases.stream().filter(each -> COMPRESSED.contains(each.group())).toList();
    List<Case> some = few(compressed);
    return cases.stream()
        .filter(each -> !compressed.contains(each) || some.contains(each))
        .toList();
  }

  private static void require(End end) {
    String id = end.played().id();
    if (end.wrong() != null) {
      throw new AssertionError(id + ": " + end.wrong().getMessage(), end.wrong());
    }
  }
}
