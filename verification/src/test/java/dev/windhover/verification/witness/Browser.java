package dev.windhover.verification.witness;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.openqa.selenium.By;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.ScriptTimeoutException;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.WindowType;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;

/** Debian's Chromium without a window; downloads nothing and leaves nothing behind. */
final class Browser implements AutoCloseable {
  /** Held, or its level would be forgotten: that Selenium is older than Chromium is no news. */
  private static final Logger SELENIUM = Logger.getLogger("org.openqa.selenium");

  private static final Path SCREENSHOTS = Path.of("target", "screenshots");

  private final Path profile;
  private final ChromeDriver driver;

  /** Starts it, with further arguments, or skips the test and says so. */
  Browser(String... arguments) throws IOException {
    Program chromium = Program.require("chromium");
    Program chromedriver = Program.require("chromedriver");
    profile = Files.createTempDirectory("windhover-chromium-");
    ChromeOptions options = new ChromeOptions();
    options.setBinary(chromium.path().toString());
    options.addArguments(
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--user-data-dir=" + profile);
    options.addArguments(arguments);
    LoggingPreferences everything = new LoggingPreferences();
    everything.enable(LogType.BROWSER, Level.ALL);
    options.setCapability(ChromeOptions.LOGGING_PREFS, everything);
    ChromeDriverService service =
        new ChromeDriverService.Builder()
            .usingDriverExecutable(chromedriver.path().toFile()) // so Selenium looks for none
            .build();
    SELENIUM.setLevel(Level.SEVERE);
    driver = new ChromeDriver(service, options);
    driver.manage().timeouts().scriptTimeout(Duration.ofSeconds(30));
  }

  void open(String url) {
    driver.get(url);
  }

  /** Opens a page in a tab of its own, and returns what leads to the tab that was there before. */
  String openTab(String url) {
    String before = driver.getWindowHandle();
    driver.switchTo().newWindow(WindowType.TAB);
    driver.get(url);
    return before;
  }

  /** Goes to another tab, and returns what leads back. */
  String switchTo(String tab) {
    String before = driver.getWindowHandle();
    driver.switchTo().window(tab);
    return before;
  }

  /** Lays the page out for a screen of that size and taste. */
  void screen(int width, int height, String colorScheme) {
    driver.executeCdpCommand(
        "Emulation.setDeviceMetricsOverride",
        Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", width < 600));
    driver.executeCdpCommand(
        "Emulation.setEmulatedMedia",
        Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", colorScheme))));
  }

  WebElement element(String selector) {
    return driver.findElement(By.cssSelector(selector));
  }

  void click(String selector) {
    element(selector).click();
  }

  /** Replaces what stands in an input. */
  void type(String selector, CharSequence... keys) {
    WebElement input = element(selector);
    input.clear();
    input.sendKeys(keys);
  }

  String text(String selector) {
    return element(selector).getText();
  }

  List<String> texts(String selector) {
    return driver.findElements(By.cssSelector(selector)).stream().map(WebElement::getText).toList();
  }

  /** Waits until exactly {@code count} elements fit. */
  void awaitCount(String selector, int count) {
    try {
      driver.executeAsyncScript(
          """
          const [selector, count, done] = arguments;
          const fits = () => document.querySelectorAll(selector).length === count;
          if (fits()) return done();
          const observer = new MutationObserver(() => {
            if (!fits()) return;
            observer.disconnect();
            done();
          });
          observer.observe(document, { subtree: true, childList: true, attributes: true });
          """,
          selector,
          count);
    } catch (ScriptTimeoutException e) {
      throw new AssertionError("not " + count + " of " + selector + ", but " + texts(selector), e);
    }
  }

  Object run(String script) {
    return driver.executeScript(script);
  }

  /** Keeps a picture of what is to be seen, under {@code target/screenshots}. */
  void screenshot(String name) throws IOException {
    Files.createDirectories(SCREENSHOTS);
    Files.write(SCREENSHOTS.resolve(name + ".png"), driver.getScreenshotAs(OutputType.BYTES));
  }

  /** Returns what the page's console has shown since the last call. */
  List<String> console() {
    return driver.manage().logs().get(LogType.BROWSER).getAll().stream()
        .map(LogEntry::getMessage)
        .toList();
  }

  @Override
  public void close() throws IOException {
    driver.quit();
    try (var files = Files.walk(profile)) {
      for (Path path : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    }
    assertThat(profile).doesNotExist();
  }
}
