package dev.windhover.verification.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.verification.Repository;
import dev.windhover.verification.conformance.Case.Need;
import dev.windhover.verification.conformance.EchoServers.Running;
import dev.windhover.verification.conformance.Suite.End;
import dev.windhover.verification.logs.Logs;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The suite against servers of others, in which it must find what is known to be wrong there: one
 * that finds nothing anywhere proves nothing.
 */
@Tag("full")
class PeersTest {
  /** Many cases fail there by waiting for a Close that never comes. */
  private static final long PATIENCE_MILLIS = 4_000;

  /** What is large, or many, may take a peer longer, and never waits for a Close in vain. */
  private static final long PATIENCE_WITH_MUCH_MILLIS = 30_000;

  private static final long BYTES = 64 * 1024;

  @Test
  void jettyJudgesTextAtItsEndAndIgnoresTheWindow() throws Exception {
    List<End> ends;
    try (Logs.Recording log = Logs.record(line -> true);
        Running jetty = EchoServers.jetty()) {
      ends = play(jetty);
      assertThat(log).isNotNull();
    }
    assertThat(wrong(ends, "6.4.")).containsExactly("6.4.1", "6.4.2", "6.4.3", "6.4.4");
    assertThat(wrong(ends, "13.3.")).hasSize(18); // server_max_window_bits=9
    assertThat(wrong(ends, "13.5.")).hasSize(18);
    assertThat(wrong(ends, "1.")).isEmpty();
    report("Jetty 12.1", ends);
  }

  @Test
  void undertowIgnoresTheWindowAndIsStrictWithText() throws Exception {
    List<End> ends;
    try (Logs.Recording log = Logs.record(line -> true);
        Running undertow = EchoServers.undertow()) {
      ends = play(undertow);
      assertThat(log).isNotNull();
    }
    assertThat(wrong(ends, "13.3.")).hasSize(18);
    assertThat(wrong(ends, "13.5.")).hasSize(18);
    assertThat(wrong(ends, "6.")).isEmpty();
    assertThat(wrong(ends, "1.")).isEmpty();
    report("Undertow 2.3", ends);
  }

  private static List<End> play(Running server) {
    List<End> ends = new ArrayList<>();
    ends.addAll(play(server, PATIENCE_WITH_MUCH_MILLIS, Case::isMuch));
    ends.addAll(play(server, PATIENCE_MILLIS, each -> !each.isMuch()));
    return ends;
  }

  private static List<End> play(Running server, long patience, Predicate<Case> selected) {
    Stage stage = new Stage(Transport.PLAIN, server.port(), "", patience, BYTES);
    Predicate<Case> playable = each -> each.needs() == Need.ECHO;
    return Suite.play(Suite.cases(), stage, playable.and(selected)).stream()
        .map(CompletableFuture::join)
        .toList();
  }

  private static List<String> wrong(List<End> ends, String start) {
    return ends.stream()
        .filter(end -> end.wrong() != null && end.played().id().startsWith(start))
        .map(end -> end.played().id())
        .toList();
  }

  /** What else they do may hang on the moment: the table is written and not compared. */
  private static void report(String column, List<End> ends) throws Exception {
    if (System.getProperty("windhover.docs.rewrite") != null) {
      new Page(Repository.root(), "peers").check(column, Page.cells(ends));
    }
  }
}
