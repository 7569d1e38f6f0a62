package dev.windhover.verification.witness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.samples.echo.Echo;
import dev.windhover.verification.logs.StrictLogs;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
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

  /** How far the log is below the top of what is said about the connection. */
  private static final String PLACE_OF_THE_LOG =
      "document.querySelector('.log').getBoundingClientRect().top"
          + " - document.querySelector('.record').getBoundingClientRect().top";

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

  @Tag("full")
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

  @Tag("full")
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

  @Tag("full")
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

  @Tag("full")
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

  /** For a page from its cache, the browser reports nothing. */
  @Test
  void aReloadKnowsTheVersionOfHttp() {
    Browser browser = browser();
    for (int i = 0; i < 2; i++) {
      browser.awaitCount("#pageHttpVersion:not([aria-busy])", 1);
      assertThat(browser.text("#pageHttpVersion")).isEqualTo("HTTP/1.1");
      browser.run("location.reload()");
      browser.awaitCount("#pageHttpVersion:not([aria-busy])", 1);
      assertThat(browser.text("#pageHttpVersion")).isEqualTo("HTTP/1.1");
      browser.open(app.urls().getFirst()); // from the cache, if the browser likes
    }
  }

  @Tag("full")
  @Test
  void aLongMessageIsFolded() throws Exception {
    Browser browser = browser();
    connect("endpointMessages");
    browser.run("document.getElementById('sendMessage').value = 'word '.repeat(400)");
    browser.click("#sendButton");
    awaitMessages(2);
    browser.run("document.getElementById('sendMessage').value = 'line\\n'.repeat(40)");
    browser.click("#sendButton");
    awaitMessages(4);
    browser.screenshot("echo-folded");
    assertThat(browser.texts("#commsLog .more"))
        .containsExactly(
            "Show all 2,000 characters",
            "Show all 2,000 characters",
            "Show all 200 characters",
            "Show all 200 characters");
    assertThat(heights("#commsLog tr.message")).allMatch(height -> height < 200);
    browser.click("#commsLog .more");
    assertThat(browser.text("#commsLog .payload")).hasSizeGreaterThan(1990);
    assertThat(browser.text("#commsLog .more")).isEqualTo("Show less");
    browser.click("#commsLog .more");
    assertThat(heights("#commsLog tr.message")).allMatch(height -> height < 200);
  }

  @Tag("full")
  @ParameterizedTest
  @CsvSource({"1280", "380"})
  void whatComesDoesNotBreakTheLayout(int width) throws Exception {
    Browser browser = browser();
    browser.screen(width, width > 600 ? 900 : 844, "light");
    browser.open(app.urls().getFirst());
    browser.screenshot("echo-" + width + "-ready");
    double before = number(PLACE_OF_THE_LOG);
    connect("endpointMessages");
    assertThat(browser.text("#negotiatedExtensions"))
        .isEqualTo("permessage-deflate; client_max_window_bits=15");
    assertThat(number(PLACE_OF_THE_LOG)).as("the log stays where it is").isEqualTo(before);
    assertThat(brokenWords("#negotiatedExtensions")).isZero();
    browser.click("label:has(#sendAsBinary)");
    browser.type("#sendMessage", "01 02 03", Keys.ENTER);
    awaitMessages(2);
    browser.click("label:has(#sendAsText)");
    browser.run("document.getElementById('sendMessage').value = 'word '.repeat(400)");
    browser.click("#sendButton");
    awaitMessages(4);
    browser.screenshot("echo-" + width + "-open");
    assertThat(browser.texts("#commsLog td.size").getFirst()).isEqualTo("binary, 3 bytes");
    assertThat(number(linesOf("#commsLog td.size"))).as("lines of the size").isEqualTo(1);
    for (String chip : new String[] {"td.from span", ".word"}) {
      assertThat(number(roomIn(chip)))
          .as("room beside the word in " + chip)
          .isGreaterThanOrEqualTo(6);
    }
    for (int i = 0; i < 20; i++) {
      browser.click("#sendButton");
    }
    awaitMessages(44);
    double closeAt =
        number("document.getElementById('closeButton').getBoundingClientRect().bottom");
    double logAt = number("document.querySelector('.log').getBoundingClientRect().top");
    assertThat(width > 600 || closeAt < logAt).as("Close comes before the log").isTrue();
    browser.run("scrollTo(0, 0)");
    browser.screenshot("echo-" + width + "-full");
    browser.run("scrollTo(0, 1e6)");
    browser.screenshot("echo-" + width + "-end");
    assertThat(browser.run("return document.documentElement.scrollWidth <= innerWidth"))
        .isEqualTo(true);
  }

  private double number(String expression) {
    return ((Number) browser().run("return " + expression)).doubleValue();
  }

  @SuppressWarnings("unchecked")
  private List<Number> all(String expression) {
    return (List<Number>) browser().run("return " + expression);
  }

  private List<Double> heights(String selector) {
    return all(
            "[...document.querySelectorAll('"
                + selector
                + "')].map(e => e.getBoundingClientRect().height)")
        .stream()
        .map(Number::doubleValue)
        .toList();
  }

  /** How many lines the text of the first element takes. */
  private static String linesOf(String selector) {
    return "(() => { const r = document.createRange();"
        + " r.selectNodeContents(document.querySelector('"
        + selector
        + "')); return new Set([...r.getClientRects()].map(c => Math.round(c.top))).size; })()";
  }

  /** The least distance in pixels between the text of the first element and its edges. */
  private static String roomIn(String selector) {
    return "(() => { const e = document.querySelector('"
        + selector
        + "'), r = document.createRange(); r.selectNodeContents(e);"
        + " const t = r.getBoundingClientRect(), b = e.getBoundingClientRect();"
        + " return Math.min(t.left - b.left, b.right - t.right); })()";
  }

  /** How many words of the first element are broken over two lines. */
  private int brokenWords(String selector) {
    return (int)
        number(
            "(() => { const n = document.querySelector('"
                + selector
                + "').firstChild; let broken = 0; for (const m of n.data.matchAll(/\\S+/g)) { const"
                + " r = document.createRange(); r.setStart(n, m.index); r.setEnd(n, m.index +"
                + " m[0].length); if (new Set([...r.getClientRects()].map(c =>"
                + " Math.round(c.top))).size > 1) broken++; } return broken; })()");
  }
}
