package dev.windhover.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.windhover.http.middleware.HostFiltering;
import dev.windhover.http.middleware.HostFilteringOptions;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HostFilteringTest {
  private static final HostFiltering FILTER =
      HostFiltering.with(
          o -> o.allowedHosts("example.com", "*.example.org", "[::1]", "192.0.2.1", "münchen.de"));

  private static TestExchange get(HostFiltering filter, String target, @Nullable String host) {
    TestExchange exchange = TestExchange.get(target);
    if (host != null) {
      exchange.header("Host", host);
    }
    TestExchange sent = exchange.through(new Application().use(filter));
    assertThat(sent.hadThread()).isFalse();
    return sent;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "example.com",
        "EXAMPLE.Com",
        "example.com:80",
        "example.com:",
        "a.example.org",
        "a.b.example.org:8443",
        "[::1]",
        "[::1]:5000",
        "[0:0:0:0:0:0:0:1]",
        "192.0.2.1:80",
        "[::ffff:192.0.2.1]",
        "xn--mnchen-3ya.de",
      })
  void ourHostsPass(String host) {
    assertThat(get(FILTER, "/", host).status()).isEqualTo(404);
  }

  @ParameterizedTest
  @CsvSource({
    "evil.org, host evil.org is not allowed",
    "example.org, host example.org is not allowed", // *. is what stands below it
    "evilexample.org, host evilexample.org is not allowed",
    "example.com.evil.org, host example.com.evil.org is not allowed",
    "evil.org:80, host evil.org is not allowed",
    "example.com., host example.com. is not allowed", // another origin to a browser
    "[::2], host [0:0:0:0:0:0:0:2] is not allowed",
    "127.0.0.1, host 127.0.0.1 is not allowed",
    ".example.org, malformed host",
    "a..example.org, malformed host",
    "example.com@evil.org, malformed host",
    "evil.org/.example.org, malformed host",
    "example.com:80:80, malformed host",
    "example.com:65536, malformed host",
    "example.com:x, malformed host",
    "'example.com,evil.org', malformed host",
    "<script>, malformed host",
    "::1, malformed host",
    "[::1, malformed host",
    "[], malformed host",
    "[::1]x, malformed host",
    "[example.com], malformed host",
    "'', host is missing",
    ", host is missing",
  })
  void othersAre400(String host, String text) {
    TestExchange sent = get(FILTER, "/", host);
    assertThat(sent.status()).isEqualTo(400);
    assertThat(sent.sentText()).isEqualTo(text + "\n");
  }

  @ParameterizedTest
  @CsvSource({
    "http://example.com/, evil.org, 404",
    "http://evil.org/, example.com, 400",
    "http://evil.org:80, example.com, 400",
  })
  void theTargetsHostGoesBeforeTheHeaders(String target, String header, int status) {
    assertThat(get(FILTER, target, header).status()).isEqualTo(status);
  }

  @Test
  void noHostMayBeAllowed() {
    HostFiltering filter =
        HostFiltering.with(o -> o.allowedHosts("example.com").allowEmptyHosts(true));
    assertThat(get(filter, "/", null).status()).isEqualTo(404);
    assertThat(get(filter, "/", "evil.org").status()).isEqualTo(400);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "*",
        "*.",
        "",
        "example.com:80",
        "example.com:",
        "a.*.com",
        "*a.com",
        "http://a.com",
        "*.[::1]",
        "::1",
        "a b"
      })
  void whatIsNoHostIsRefusedWhereItIsSet(String host) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new HostFilteringOptions().allowedHosts(host))
        .withMessage("host \"" + host + "\" is not a name, *.name or address without a port");
  }

  @Test
  void someHostHasToBeAllowed() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> HostFiltering.with(o -> {}))
        .withMessage("no host is allowed: name yours with allowedHosts(…)");
  }
}
