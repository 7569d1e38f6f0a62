package dev.windhover.http;

import static org.assertj.core.api.Assertions.assertThat;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DeveloperExceptionPageTest {
  private static final String BROWSER = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8";

  @RegisterExtension final CapturedLog log = new CapturedLog();

  private final Application application = new Application();

  private TestExchange fail(@Nullable String accept, Exception failure) {
    application.map(
        "/{*path}",
        context -> {
          context.response().status(201).headers().set("X-Secret", "1");
          context.response().write("half an answer");
          throw failure;
        });
    TestExchange exchange = TestExchange.get("/a?<b>=\"1\"");
    if (accept != null) {
      exchange.header("Accept", accept);
    }
    return exchange.through(application);
  }

  private static Exception failure() {
    return new IllegalStateException("<script>alert('1 & 2')</script>", new Exception("the cause"));
  }

  @ParameterizedTest
  @CsvSource({
    ", false, false",
    "Production, true, false",
    "Staging, true, false",
    "'', true, false",
    "Development, false, false",
    "Development, true, true",
    "development, true, true",
  })
  void isShownInDevelopmentOnlyAndTheLogLineStays(
      @Nullable String environment, boolean used, boolean shown) {
    if (environment != null) {
      application.environment(environment);
    }
    if (used) {
      application.useDeveloperExceptionPage();
    }
    TestExchange sent = fail(BROWSER, failure());
    assertThat(sent.status()).isEqualTo(500);
    assertThat(sent.sentHeader("X-Secret")).isNull();
    assertThat(log.take()).contains("ERROR", "request request-7 failed", "<script>", "the cause");
    if (shown) {
      assertThat(sent.sentText()).contains("the cause");
    } else {
      assertThat(sent.sentText()).isEqualTo("internal server error\n");
      assertThat(sent.sentHeader("Content-Type")).isEqualTo("text/plain; charset=utf-8");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "'" + BROWSER + "', true",
    "TEXT/HTML;q=0.5, true",
    "'application/json, text/html', true",
    ", false",
    "*/*, false",
    "text/plain, false",
    "application/json, false",
    "text/htmlx, false",
  })
  void isAPageForBrowsersAndTextForOthers(@Nullable String accept, boolean html) {
    application.environment("Development").useDeveloperExceptionPage();
    TestExchange sent = fail(accept, failure());
    assertThat(sent.sentHeader("Content-Type"))
        .isEqualTo(html ? "text/html; charset=utf-8" : "text/plain; charset=utf-8");
    assertThat(sent.sentText()).contains("request-7", "IllegalStateException", "the cause");
    assertThat(sent.sentText().contains("<script>")).isEqualTo(!html);
    assertThat(sent.sentHeader("X-Content-Type-Options")).isEqualTo("nosniff");
    assertThat(sent.sentHeader("Cache-Control")).isEqualTo("no-store");
    assertThat(log.take()).contains("request request-7 failed");
  }

  @Test
  void isEscaped() {
    application.environment("Development").useDeveloperExceptionPage();
    TestExchange sent = fail("text/html", failure());
    assertThat(sent.sentText())
        .contains(
            "<h1>java.lang.IllegalStateException:"
                + " &lt;script&gt;alert(&#39;1 &amp; 2&#39;)&lt;/script&gt;</h1>",
            "<p>GET /a?&lt;b&gt;=&quot;1&quot;, request request-7</p>",
            "Caused by: java.lang.Exception: the cause\n\t");
    assertThat(sent.sentHeader("Content-Security-Policy")).startsWith("default-src 'none'");
    log.take();
  }

  @Test
  void isNotForWhatTheClientDidWrong() {
    application.environment("Development").useDeveloperExceptionPage();
    TestExchange sent = fail(BROWSER, new HttpException(409, "taken"));
    assertThat(sent.status()).isEqualTo(409);
    assertThat(sent.sentText()).isEqualTo("taken\n");
  }
}
