package dev.windhover.samples.dashboard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.testing.TestHost;
import dev.windhover.testing.TestWebSocket;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The dashboard without a port, on the test's clock. */
class DashboardTest {
  private final AtomicInteger readings = new AtomicInteger();
  private final TestHost host =
      TestHost.start(
          Dashboard.create(() -> new Reading(readings.incrementAndGet(), readings.get() / 10.0)));

  @AfterEach
  void close() {
    host.close(); // fails if a handler failed, or something came that no test received
  }

  private TestWebSocket watch() {
    TestWebSocket viewer = host.webSocket("/ticks").connect();
    host.awaitIdle(); // it has joined
    return viewer;
  }

  private void advance(int ticks) {
    host.clock().advance(Dashboard.PERIOD.multipliedBy(ticks));
  }

  /** Returns the number of the next tick. */
  private static int tick(TestWebSocket viewer) {
    String tick = viewer.receiveText();
    return Integer.parseInt(tick.substring("{\"tick\":".length(), tick.indexOf(',')));
  }

  @Test
  void aViewerGetsTwentyTicksASecond() {
    TestWebSocket viewer = watch();
    host.clock().advance(Duration.ofSeconds(1));
    for (int i = 1; i <= 20; i++) {
      assertThat(tick(viewer)).isEqualTo(i);
    }
    viewer.expectNothing().close();
  }

  @Test
  void aTickSaysAllThatThePageShows() {
    TestWebSocket viewer = watch();
    advance(1);
    assertThat(viewer.receiveText())
        .matches(
            "\\{\"tick\":1,\"at\":[0-9]{13},\"viewers\":1,\"slow\":null,\"heap\":\\[.*\\],\"cpu\":\\[.*\\]}")
        .contains("\"heap\":[" + "null,".repeat(599) + "1.0]")
        .contains("\"cpu\":[" + "null,".repeat(599) + "0.1]");
    viewer.close();
  }

  @Test
  void whoComesLateSeesThirtySeconds() {
    advance(1000);
    TestWebSocket viewer = watch();
    advance(1);
    String heap =
        IntStream.rangeClosed(402, 1001).mapToObj(i -> i + ".0").collect(Collectors.joining(","));
    assertThat(viewer.receiveText()).contains("\"tick\":1001,", "\"heap\":[" + heap + "]");
    viewer.close();
  }

  /** It reads nothing for 20 s. */
  @Test
  void aSlowViewerSkipsAndTheOthersDoNotWait() {
    TestWebSocket slow = watch();
    TestWebSocket other = watch();
    slow.stopTaking();
    for (int i = 1; i <= 400; i++) {
      advance(1);
      assertThat(tick(other)).isEqualTo(i);
    }
    slow.takeAll();
    int old = 0;
    while (tick(slow) < 400) {
      old++;
    }
    assertThat(old * 8000).isLessThan(128 * 1024); // those that had left
    slow.expectNothing().close();
    other.close();
  }

  @Test
  void pagesOfOthersMayNotWatch() {
    assertThat(
            host.webSocket("/ticks").header("Origin", "https://elsewhere.example").send().status())
        .isEqualTo(403);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/", "/dashboard.js", "/dashboard.css", "/favicon.svg"})
  void thePageIsServedAndLoadsNothingForeign(String path) {
    var response = host.get(path).send();
    assertThat(response.status()).isEqualTo(200);
    assertThat(response.headers().get("Content-Security-Policy")).startsWith("default-src 'self'");
    assertThat(response.text()).doesNotContain("//cdn", "https://");
  }
}
