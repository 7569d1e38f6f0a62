package dev.windhover.verification.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.windhover.app.WebApplication;
import dev.windhover.verification.Repository;
import dev.windhover.verification.conformance.Distortion.OfHttp2;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Proxy;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;

/** The cases of HTTP/2 against our port, and against the codec that ours is built on. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@ExtendWith(StrictLogs.class)
class Http2AttackTest {
  private static final int MOST_STREAMS = 20;
  private static final List<Attack> ATTACKS = Attacks.all();

  /** Cases that end otherwise than they should, and whose behavior it is. */
  private static final Map<String, String> EXCEPTED =
      Map.of(
          "5.3: HEADERS that depend on their own stream",
          "Netty ends the connection with PROTOCOL_ERROR; RFC 7540 5.3.1 ended only the stream, and"
              + " in RFC 9113 this is not an error");

  private final CountDownLatch gate = new CountDownLatch(1);
  private final Executor threads = Executors.newVirtualThreadPerTaskExecutor();
  private final WebApplication app = WebApplication.create("--urls=http://127.0.0.1:0");

  @BeforeAll
  void start() throws Exception {
    app.server(options -> options.limits().http2().maxStreamsPerConnection(MOST_STREAMS));
    app.map(
        "/",
        context -> {
          context.request().body().readAllBytes();
          context.response().write("hello");
        });
    app.map("/gate", context -> gate.await());
    app.start();
  }

  @AfterAll
  void stop() {
    gate.countDown();
    app.stop();
  }

  /** How a case ended. */
  private record Outcome(Attack attack, String came) {
    boolean isRight() {
      return attack.due().contains(came);
    }
  }

  private List<CompletableFuture<Outcome>> play(List<Attack> attacks, int port) {
    return attacks.stream()
        .map(attack ->
            CompletableFuture.supplyAsync(() -> new Outcome(attack, play(attack, port)), threads))
        .toList();
  }

  private static String play(Attack attack, int port) {
    try {
      return attack.play(port);
    } catch (IOException | RuntimeException | AssertionError e) {
      return "not right: " + e;
    }
  }

  @TestFactory
  Stream<DynamicNode> everyCaseEndsAsTheRfcSays() {
    List<CompletableFuture<Outcome>> outcomes = play(ATTACKS, port());
    Stream<DynamicNode> cases =
        IntStream.range(0, ATTACKS.size())
            .mapToObj(
                i -> dynamicTest(ATTACKS.get(i).name(), () -> require(outcomes.get(i).get())));
    return Stream.concat(
        cases, Stream.of(dynamicTest("documented", () -> check("Windhover", outcomes))));
  }

  private int port() {
    return URI.create(app.urls().getFirst()).getPort();
  }

  private static void require(Outcome outcome) {
    String name = outcome.attack().name();
    if (EXCEPTED.containsKey(name)) {
      assertThat(outcome.isRight()).as("%s is excepted, and went well", name).isFalse();
    } else {
      assertThat(outcome.came()).as(name).isIn(outcome.attack().due());
    }
  }

  @Test
  void bareCodecIsNoBetterAnywhere() throws Exception {
    try (BareNetty bare = new BareNetty(MOST_STREAMS)) {
      List<CompletableFuture<Outcome>> outcomes = play(ATTACKS, bare.port());
      List<String> wrong = new ArrayList<>();
      for (CompletableFuture<Outcome> outcome : outcomes) {
        Outcome ended = outcome.join();
        if (!ended.isRight()) {
          wrong.add("* " + ended.attack().name() + ": " + ended.came());
        }
      }
      check("Netty's codec alone", outcomes);
      assertThat(EXCEPTED.keySet())
          .allMatch(name -> wrong.stream().anyMatch(line -> line.startsWith("* " + name + ": ")));
      if (System.getProperty("windhover.docs.rewrite") != null) {
        System.out.println(String.join("\n", wrong));
      }
    }
  }

  /** A case that is content with a wrong code, no answer and no end tests nothing. */
  @Tag("full")
  @Test
  void everyCaseFailsWhereOurWordsAreAltered() throws IOException {
    List<Attack> content = ATTACKS;
    for (OfHttp2 distortion : List.of(OfHttp2.CODES, OfHttp2.RESET, OfHttp2.NO_END)) {
      try (Proxy proxy = distortion.before(port())) {
        content =
            play(content, proxy.port()).stream()
                .map(CompletableFuture::join)
                .filter(Outcome::isRight)
                .map(Outcome::attack)
                .toList();
      }
    }
    assertThat(content).isEmpty();
  }

  @Test
  void titlesAreUnique() {
    assertThat(ATTACKS.stream().map(Attack::name)).doesNotHaveDuplicates();
  }

  @Test
  void exceptedCasesAreDocumented() throws IOException {
    new Page(Repository.root(), "attack exceptions").check(EXCEPTED);
  }

  private static void check(String column, List<CompletableFuture<Outcome>> outcomes)
      throws IOException {
    Map<String, List<Outcome>> sections =
        outcomes.stream()
            .map(CompletableFuture::join)
            .collect(
                Collectors.groupingBy(
                    outcome -> outcome.attack().section(),
                    LinkedHashMap::new,
                    Collectors.toList()));
    List<String> labels = new ArrayList<>(sections.keySet());
    labels.sort(Attacks.BY_NUMBER);
    List<String> cells =
        labels.stream()
            .map(label -> cell(sections.getOrDefault(label, List.of())))
            .collect(Collectors.toCollection(ArrayList::new));
    cells.add("**" + cell(outcomes.stream().map(CompletableFuture::join).toList()) + "**");
    labels.add("**all**");
    new Page(Repository.root(), "attacks", labels).check(column, cells);
  }

  private static String cell(List<Outcome> outcomes) {
    long right = outcomes.stream().filter(Outcome::isRight).count();
    return right == outcomes.size() ? "" + right : right + " of " + outcomes.size();
  }
}
