package dev.windhover.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.windhover.http.middleware.ForwardedHeaders;
import dev.windhover.http.middleware.Hsts;
import dev.windhover.http.middleware.HstsOptions;
import dev.windhover.http.middleware.HttpsRedirection;
import dev.windhover.http.middleware.HttpsRedirectionOptions;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@link HttpsRedirection} and {@link Hsts}. */
class HttpsTest {
  private static TestExchange send(Application application, TestExchange exchange) {
    application.map("/", Handler.nonBlocking(context -> context.response().write("here")));
    TestExchange sent = exchange.through(application);
    assertThat(sent.hadThread()).isFalse();
    return sent;
  }

  @Nested
  class Redirection {
    @ParameterizedTest
    @CsvSource({
      "/, example.com, 443, https://example.com/",
      "/a%20b/../c?x=%2F&y=1, example.com, 443, https://example.com/a%20b/../c?x=%2F&y=1",
      "/, example.com:80, 443, https://example.com/",
      "/, example.com:5000, 5001, https://example.com:5001/",
      "/, [::1]:5000, 5001, https://[0:0:0:0:0:0:0:1]:5001/",
      "//evil.org/, example.com, 443, https://example.com//evil.org/",
      "/\\evil.org, example.com, 443, https://example.com/\\evil.org",
      "http://example.org/a?b, example.com, 443, https://example.org/a?b",
      "http://example.org?b, example.com, 443, https://example.org/?b",
      "http://example.org, example.com, 443, https://example.org/",
      "*, example.com, 443, https://example.com/",
    })
    void keepsHostPathAndQuery(String target, String host, int port, String location) {
      TestExchange sent =
          send(
              new Application().use(HttpsRedirection.with(o -> o.httpsPort(port))),
              TestExchange.get(target).header("Host", host));
      assertThat(sent.status()).isEqualTo(307);
      assertThat(sent.sentHeader("Location")).isEqualTo(location);
      assertThat(sent.sentText()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"evil.org/x", "a@evil.org", "evil.org?", "a b", "", "evil.org\\x"})
    void goesNowhereForAHostThatIsNone(String host) {
      TestExchange sent =
          send(
              new Application().use(HttpsRedirection.with(o -> {})),
              TestExchange.get("/").header("Host", host));
      assertThat(sent.status()).isEqualTo(400);
      assertThat(sent.sentHeader("Location")).isNull();
    }

    @Test
    void isForThoseWhoCameByHttp() {
      Application application = new Application().use(HttpsRedirection.with(o -> {}));
      TestExchange https = TestExchange.get("/").header("Host", "example.com").scheme("https");
      assertThat(send(application, https).sentText()).isEqualTo("here");
    }

    @ParameterizedTest
    @CsvSource({"127.0.0.1, 200", "203.0.113.7, 307"})
    void believesAKnownProxyThatEndsTls(String peer, int status) {
      Application application = new Application();
      application.use(ForwardedHeaders.with(o -> {})).use(HttpsRedirection.with(o -> {}));
      TestExchange exchange =
          TestExchange.get("/")
              .from(new InetSocketAddress(InetAddress.ofLiteral(peer), 1))
              .header("Host", "example.com")
              .header("X-Forwarded-Proto", "https");
      assertThat(send(application, exchange).status()).isEqualTo(status);
    }

    @Test
    void mayBePermanent() {
      Application application =
          new Application().use(HttpsRedirection.with(o -> o.redirectStatusCode(308)));
      TestExchange exchange = TestExchange.of("POST", "/").header("Host", "example.com");
      assertThat(send(application, exchange).status()).isEqualTo(308);
    }

    @Test
    void hasLimits() {
      HttpsRedirectionOptions options = new HttpsRedirectionOptions();
      assertThatIllegalArgumentException()
          .isThrownBy(() -> options.redirectStatusCode(302))
          .withMessage("redirectStatusCode 302 is neither 307 nor 308");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> options.httpsPort(0))
          .withMessage("httpsPort 0 is not within 1-65535");
    }
  }

  @Nested
  class StrictTransportSecurity {
    private static @Nullable String sent(Hsts hsts, String scheme, String host) {
      return send(
              new Application().use(hsts),
              TestExchange.get("/").header("Host", host).scheme(scheme))
          .sentHeader("Strict-Transport-Security");
    }

    @ParameterizedTest
    @CsvSource({
      "https, example.com, max-age=2592000",
      "https, example.com:8443, max-age=2592000",
      "http, example.com,",
      "https, localhost,",
      "https, LOCALHOST:5001,",
      "https, 127.0.0.1,",
      "https, [::1]:5001,",
      "https, test.example.com,",
      "https, localhost.example.com, max-age=2592000",
    })
    void isSaidByHttpsAndNotOfHostsLeftOut(String scheme, String host, String expected) {
      Hsts hsts = Hsts.with(o -> o.excludedHosts("test.example.com"));
      assertThat(sent(hsts, scheme, host)).isEqualTo(expected);
    }

    @Test
    void saysWhatWasSet() {
      Hsts hsts =
          Hsts.with(o -> o.maxAge(Duration.ofDays(365)).includeSubDomains(true).preload(true));
      assertThat(sent(hsts, "https", "example.com"))
          .isEqualTo("max-age=31536000; includeSubDomains; preload");
      assertThat(sent(Hsts.with(o -> o.maxAge(Duration.ZERO)), "https", "example.com"))
          .isEqualTo("max-age=0");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new HstsOptions().maxAge(Duration.ofSeconds(-1)))
          .withMessage("maxAge PT-1S is negative");
    }

    @Test
    void isSaidOnErrorsToo() {
      Application application = new Application().use(Hsts.with(o -> {}));
      application.map(
          "/no",
          context -> {
            throw new HttpException(403, "no");
          });
      TestExchange sent =
          TestExchange.get("/no")
              .header("Host", "example.com")
              .scheme("https")
              .through(application);
      assertThat(sent.status()).isEqualTo(403);
      assertThat(sent.sentHeader("Strict-Transport-Security")).isEqualTo("max-age=2592000");
    }
  }
}
