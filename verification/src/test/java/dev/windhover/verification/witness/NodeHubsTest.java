package dev.windhover.verification.witness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.verification.logs.StrictLogs;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code @microsoft/signalr} in Node, unmodified: its claims stand in {@code
 * src/test/node/hub-claims.mjs} and hold in each cell, which is a way to connect.
 */
@ExtendWith(StrictLogs.class)
class NodeHubsTest {
  /** Each transport and protocol, with and without negotiation, TLS and coming back. */
  private static final List<String> SMOKE_CELLS =
      List.of(
          "webSockets json",
          "webSockets messagepack https",
          "webSockets json noNegotiation automatic https",
          "webSockets messagepack noNegotiation",
          "webSockets json stateful",
          "webSockets messagepack stateful https",
          "serverSentEvents json https",
          "serverSentEvents json automatic",
          "longPolling json automatic https",
          "longPolling messagepack");

  @TempDir private Path folder = Path.of("");

  @Test
  void tenCells() throws Exception {
    run(SMOKE_CELLS);
  }

  @Tag("full")
  @Test
  void allOtherCells() throws Exception {
    List<String> others = new ArrayList<>(cells());
    assertThat(others).hasSize(32).containsAll(SMOKE_CELLS);
    others.removeAll(SMOKE_CELLS);
    run(others);
  }

  /** All cells that are possible; {@code docs/hubs.md} says why the others are not. */
  private static List<String> cells() {
    List<String> cells = new ArrayList<>();
    for (String way :
        List.of(
            "webSockets json",
            "webSockets messagepack",
            "webSockets json noNegotiation",
            "webSockets messagepack noNegotiation",
            "serverSentEvents json",
            "longPolling json",
            "longPolling messagepack")) {
      for (String back : List.of("", " automatic", " stateful")) {
        if (!back.equals(" stateful") || way.matches("webSockets \\w+")) {
          cells.add(way + back);
          cells.add(way + back + " https");
        }
      }
    }
    return cells;
  }

  private void run(List<String> cells) throws Exception {
    try (HubStage stage = new HubStage(folder)) {
      stage.requireHoldInNode(stage.url("http"), folder, cells);
    }
  }
}
