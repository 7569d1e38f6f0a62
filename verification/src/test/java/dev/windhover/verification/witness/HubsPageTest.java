package dev.windhover.verification.witness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.samples.hubs.Lounge;
import dev.windhover.verification.wire.CuttingProxy;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.Keys;

/**
 * The page of the sample of hubs in Chromium: two people in two tabs, and a server that restarts.
 */
@Tag("full")
class HubsPageTest {
  @TempDir private Path folder = Path.of("");

  /** A process of its own: on one class path, the pages of the samples have the same name. */
  private StartedApplication start() throws Exception {
    Path sample = Path.of(Lounge.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    Program.requireThat(
        Files.isRegularFile(sample) || Files.exists(sample.resolve("wwwroot/signalr.min.js")),
        "the npm package @microsoft/signalr is not where the page is");
    return StartedApplication.start(
        folder,
        String.join(
            " ",
            "java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC --enable-native-access=ALL-UNNAMED",
            "-Dslf4j.provider=dev.windhover.verification.logs.CapturingProvider",
            "-cp",
            sample + File.pathSeparator + System.getProperty("java.class.path"),
            Lounge.class.getName()));
  }

  private static void awaitState(Browser browser, String state) {
    browser.awaitCount("html[data-state=" + state + "]", 1);
  }

  @Test
  void twoTalkAskAndComeBackWhenTheServerDoes() throws Exception {
    try (Browser browser = new Browser();
        StartedApplication first = start();
        CuttingProxy way = new CuttingProxy(first.port())) {
      String page = "http://localhost:" + way.port() + "/";
      String bobs = enter(browser, page);
      talk(browser, bobs);
      ask(browser, bobs);
      assertThat(browser.console()).isEmpty();
      layOut(browser);

      first.stop();
      awaitState(browser, "lost");
      assertThat(browser.text("#state")).isEqualTo("Reconnecting…");
      assertThat(browser.element("#send").isEnabled()).isFalse();
      browser.screenshot("hubs-lost");
      try (StartedApplication second = start()) {
        way.forwardTo(second.port());
        awaitState(browser, "open");
        browser.type("#text", "Still here?", Keys.ENTER);
        browser.awaitCount("#log li:not(.news):last-child", 1);
        assertThat(browser.texts("#log li:not(.news) span"))
            .containsExactly("Still here?"); // the new server has forgotten the rest
        browser.awaitCount("#names li", 2); // Bob is back, too
      }
    }
  }

  /** Ada enters by the form, Bob by a link; returns what leads to Bob's tab, from Ada's. */
  private static String enter(Browser browser, String page) throws IOException {
    browser.screen(1200, 800, "light");
    browser.open(page);
    awaitState(browser, "open");
    browser.screenshot("hubs-door");
    browser.type("#name", "Ada");
    browser.type("#room", "tea");
    browser.click("#door button");
    browser.awaitCount("#names li.me", 1);
    String adas = browser.openTab(page + "?room=tea&name=Bob");
    browser.awaitCount("#names li", 2);
    String bobs = browser.switchTo(adas);
    browser.awaitCount("#names li", 2);
    assertThat(browser.texts("#names li span")).containsExactly("Ada", "Bob");
    assertThat(browser.texts("#log .news")).containsExactly("Ada has come", "Bob has come");
    return bobs;
  }

  private static void talk(Browser browser, String bobs) {
    browser.type("#text", "Hello <b>Bob</b>", Keys.ENTER);
    String adas = browser.switchTo(bobs);
    browser.awaitCount("#log li:not(.news)", 1);
    assertThat(browser.texts("#log li:not(.news) span")).containsExactly("Hello <b>Bob</b>");
    browser.awaitCount("#trace[points*=' ']", 1); // the wind has blown twice
    assertThat(browser.text("#speed")).matches("[0-9]+\\.[0-9] m/s");
    browser.switchTo(adas);
  }

  private static void ask(Browser browser, String bobs) throws IOException {
    browser.click("#names li:not(.me) button");
    browser.type("#text", "Milk?", Keys.ENTER);
    String adas = browser.switchTo(bobs);
    browser.awaitCount(".question", 1);
    assertThat(browser.text(".question p")).isEqualTo("Ada asks: Milk?");
    browser.screen(380, 700, "dark");
    browser.screenshot("hubs-question-narrow");
    browser.click(".question .primary");
    browser.awaitCount(".question", 0);
    browser.switchTo(adas);
    browser.awaitCount("#log .news", 4);
    assertThat(browser.texts("#log .news")).endsWith("You ask Bob: Milk?", "Bob says yes");
  }

  private static void layOut(Browser browser) throws IOException {
    for (int width : new int[] {1200, 380}) {
      browser.screen(width, 700, "light");
      browser.screenshot("hubs-" + width);
      assertThat(browser.run("return document.documentElement.scrollWidth"))
          .isEqualTo((long) width);
    }
    browser.screen(1200, 800, "light");
  }
}
