package dev.windhover.verification.witness;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.verification.logs.StrictLogs;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * {@code @microsoft/signalr} in Chromium, unmodified, with the claims of {@code
 * src/test/node/hub-claims.mjs}: over HTTP/1.1 without TLS, over HTTP/2 with it.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@ExtendWith(StrictLogs.class)
class BrowserHubsTest {
  private static final int CLAIMS = 12;

  @TempDir private static Path folder = Path.of("");

  private @Nullable HubStage stage;
  private @Nullable Browser browser;

  @BeforeAll
  void start() throws Exception {
    Program.requireThat(
        Files.isDirectory(HubStage.SCRIPTS.resolve("node_modules/@microsoft/signalr")),
        "the npm package @microsoft/signalr is not installed");
    browser = new Browser("--ignore-certificate-errors");
    stage = new HubStage(folder);
  }

  @AfterAll
  void stop() throws IOException {
    if (browser != null) {
      browser.close();
    }
    if (stage != null) {
      stage.close();
    }
  }

  @Test
  void claimsHoldOverHttp2() throws Exception {
    claimsHold("https", "webSockets messagepack");
  }

  @Tag("full")
  @ParameterizedTest
  @CsvSource({
    "http, webSockets json",
    "http, webSockets messagepack noNegotiation",
    "http, serverSentEvents json",
    "http, longPolling json",
    "http, longPolling messagepack",
    "http, webSockets messagepack automatic",
    "http, webSockets json stateful",
    "http, serverSentEvents json automatic",
    "http, longPolling json automatic",
    "https, webSockets json noNegotiation",
    "https, serverSentEvents json",
    "https, longPolling json",
    "https, longPolling messagepack",
    "https, webSockets json automatic",
    "https, webSockets messagepack stateful",
    "https, serverSentEvents json automatic",
    "https, longPolling messagepack automatic",
  })
  void claimsHold(String scheme, String cell) throws Exception {
    HubStage stage = Objects.requireNonNull(this.stage);
    Browser browser = Objects.requireNonNull(this.browser);
    String server = stage.url(scheme);
    boolean isCut = cell.endsWith("automatic") || cell.endsWith("stateful");
    String origin = isCut ? scheme + "://127.0.0.1:" + stage.openProxy(scheme) : server;
    browser.console(); // what others left
    browser.open(
        origin + "/hubs.html?cell=" + URLEncoder.encode(cell, UTF_8) + "&server=" + server);
    browser.awaitCount("html[data-state=done]", 1);
    assertThat(browser.texts("li.failed")).isEmpty();
    assertThat(browser.texts("li.passed")).hasSize(CLAIMS);
    assertThat(browser.element("html").getDomAttribute("data-http-version"))
        .isEqualTo(scheme.equals("https") ? "h2" : "http/1.1");
    // Elsewhere the client's last requests may come after the end, which Chromium tells: 404.
    if (!isCut && cell.startsWith("webSockets")) {
      assertThat(browser.console()).isEmpty();
    }
  }
}
