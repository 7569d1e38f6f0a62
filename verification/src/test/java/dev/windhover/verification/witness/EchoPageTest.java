package dev.windhover.verification.witness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.samples.echo.Echo;
import dev.windhover.verification.logs.StrictLogs;
import java.io.IOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.openqa.selenium.Keys;

/** The echo sample's page in Chromium. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@ExtendWith(StrictLogs.class)
class EchoPageTest {
  private static final String HOSTILE =
      "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>&amp;";

  private WebApplication app = Echo.create("--urls", "http://localhost:0");
  private @Nullable Browser started;

  @BeforeAll
  void start() throws Exception {
    started = new Browser();
    app.start();
  }

  @AfterAll
  void stop() throws IOException {
    if (started != null) {
      started.close();
    }
    app.stop();
  }

  @BeforeEach
  void openPage() {
    browser().screen(1200, 900, "light");
    browser().open(app.urls().getFirst());
    awaitState("ready");
    browser().console();
  }

  private Browser browser() {
    return Objects.requireNonNull(started);
  }

  private void awaitState(String state) {
    browser().awaitCount("html[data-state=" + state + "]", 1);
  }

  private void connect(String endpoint) {
    browser().click("label:has(#" + endpoint + ")");
    browser().click("#connectButton");
    awaitState("open");
  }

  /** Waits for the answer to the message that makes {@code rows} rows of the log. */
  private void awaitMessages(int rows) {
    browser().awaitCount("#commsLog tr.message", rows);
  }

  @ParameterizedTest
  @CsvSource({
    "endpointWs, /ws, Closing from client",
    "endpointMessages, /ws/messages, none",
    "endpointController, /ws/controller, none",
    "endpointBackground, /ws/background, none"
  })
  void aConversationIsLogged(String endpoint, String path, String reason) throws Exception {
    Browser browser = browser();
    assertThat(browser.text("#stateLabel")).isEqualTo("Ready to connect…");
    assertThat(browser.element("#sendButton").isEnabled()).isFalse();
    browser.type("#subprotocols", "chat, superchat");
    connect(endpoint);
    assertThat(browser.element("#connectionUrl").getDomProperty("value"))
        .isEqualTo(app.urls().getFirst().replace("http:", "ws:") + path);
    assertThat(browser.text("#stateLabel")).isEqualTo("Open");
    assertThat(browser.text("#negotiatedProtocol")).isEqualTo("chat");
    assertThat(browser.text("#negotiatedExtensions"))
        .isEqualTo("permessage-deflate; client_max_window_bits=15");
    assertThat(browser.text("#socketHttpVersion")).isEqualTo("HTTP/1.1");
    assertThat(browser.element("#connectButton").isEnabled()).isFalse();

    browser.type("#sendMessage", "Grüße");
    browser.click("#sendButton");
    awaitMessages(2);
    browser.type("#sendMessage", HOSTILE, Keys.ENTER);
    awaitMessages(4);
    browser.click("label:has(#sendAsBinary)");
    browser.type("#sendMessage", "48 65 6c 6c 6f ff", Keys.ENTER);
    awaitMessages(6);

    assertThat(browser.texts("#commsLog tr.message td.from"))
        .containsExactly("Client", "Server", "Client", "Server", "Client", "Server");
    assertThat(browser.texts("#commsLog tr.message td.to"))
        .containsExactly("Server", "Client", "Server", "Client", "Server", "Client");
    assertThat(browser.texts("#commsLog tr.message td.data .payload"))
        .containsExactly(
            "Grüße", "Grüße", HOSTILE, HOSTILE, "48 65 6c 6c 6f ff", "48 65 6c 6c 6f ff");
    assertThat(browser.text("#lastRoundTrip")).endsWith(" ms");
    browser.screenshot("echo-" + endpoint + "-open");

    browser.click("#closeButton");
    awaitState("closed");
    assertThat(browser.text("#stateLabel")).isEqualTo("Closed");
    assertThat(browser.text("#commsLog tr.notice.closed"))
        .isEqualTo("Connection closed. Code: 1000 (normal closure). Reason: " + reason);
    assertThat(browser.element("#connectButton").isEnabled()).isTrue();
    assertThat(browser.run("return document.title")).isEqualTo("Windhover · WebSocket echo");
    assertThat(browser.console()).isEmpty(); // nothing that the page's policy forbids, either
  }

  @ParameterizedTest
  @CsvSource({"endpointWs", "endpointMessages", "endpointController", "endpointBackground"})
  void theServerClosesAndAbortsOnRequest(String endpoint) {
    Browser browser = browser();
    connect(endpoint);
    browser.click("#fillServerClose");
    browser.click("#sendButton");
    awaitState("closed");
    assertThat(browser.text("#commsLog tr.notice.closed"))
        .isEqualTo("Connection closed. Code: 1000 (normal closure). Reason: Closing from Server");
    assertThat(browser.console()).isEmpty();

    connect(endpoint);
    browser.click("#fillServerAbort");
    browser.click("#sendButton");
    awaitState("closed");
    assertThat(browser.text("#commsLog tr.notice.fault")).contains("Code: 1006");
  }

  @Test
  void aCodeOfOnesOwnComesBack() {
    Browser browser = browser();
    connect("endpointWs");
    browser.type("#closeCode", "4001");
    browser.type("#closeReason", "<b>enough</b>");
    browser.click("#closeButton");
    awaitState("closed");
    assertThat(browser.text("#commsLog tr.notice.closed"))
        .isEqualTo("Connection closed. Code: 4001. Reason: <b>enough</b>");
  }

  @Test
  void aRefusedConnectionIsTold() {
    Browser browser = browser();
    browser.type("#connectionUrl", app.urls().getFirst().replace("http:", "ws:") + "/nothing/here");
    browser.click("#connectButton");
    awaitState("closed");
    assertThat(browser.text("#commsLog tr.notice.fault")).startsWith("Could not connect to ws:");
  }

  @Test
  void aMegabyteComesBack() {
    Browser browser = browser();
    connect("endpointWs");
    browser.run("document.getElementById('sendMessage').value = 'x'.repeat(1 << 20)");
    browser.click("#sendButton");
    awaitMessages(2);
    assertThat(browser.texts("#commsLog tr.message td.size"))
        .containsExactly("1,048,576 bytes", "1,048,576 bytes");
  }

  @Test
  void aStopIsSeen() throws Exception {
    Browser browser = browser();
    connect("endpointMessages");
    app.stop();
    awaitState("closed");
    assertThat(browser.text("#commsLog tr.notice.closed"))
        .isEqualTo("Connection closed. Code: 1001 (going away). Reason: the server is stopping");
    app = Echo.create("--urls", "http://localhost:0").start();
  }

  @Test
  void thePageIsReadableDarkAndOnAPhone() throws Exception {
    Browser browser = browser();
    connect("endpointMessages");
    browser.type("#sendMessage", "Hello", Keys.ENTER);
    awaitMessages(2);
    browser.type("#sendMessage", HOSTILE, Keys.ENTER);
    awaitMessages(4);
    browser.screenshot("echo-light");
    browser.screen(1200, 900, "dark");
    browser.screenshot("echo-dark");
    browser.screen(390, 1100, "dark");
    browser.screenshot("echo-phone-dark");
    assertThat(browser.run("return document.documentElement.scrollWidth <= innerWidth"))
        .isEqualTo(true);
  }
}
