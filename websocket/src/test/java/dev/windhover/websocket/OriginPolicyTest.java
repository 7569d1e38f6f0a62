package dev.windhover.websocket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OriginPolicyTest {
  private static boolean allows(WebSocketOptions options, String origin) {
    return new OriginPolicy(options).allows(origin, "https", "example.com");
  }

  @Test
  void untilSomethingIsSetEverythingPasses() {
    assertThat(new OriginPolicy(new WebSocketOptions()).isOpen()).isTrue();
    assertThat(allows(new WebSocketOptions(), "http://evil.org")).isTrue();
  }

  @Test
  void aStarIsAChoiceAndNeedsNoWarning() {
    assertThat(new OriginPolicy(new WebSocketOptions().allowedOrigins("*")).isOpen()).isFalse();
    assertThat(allows(new WebSocketOptions().allowedOrigins("*"), "http://evil.org")).isTrue();
  }

  @Test
  void noOriginIsNoBrowserAndPasses() {
    WebSocketOptions options = new WebSocketOptions().allowedOrigins("https://a.com");
    assertThat(new OriginPolicy(options).allows(null, "https", "example.com")).isTrue();
    assertThat(allows(options, "")).isTrue();
    assertThat(allows(options, "null")).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "https://a.com, https://a.com, true",
    "https://A.com, https://a.COM, true",
    "https://a.com:443, https://a.com, true",
    "https://a.com, https://a.com:443, true",
    "http://a.com:80, http://a.com, true",
    "http://a.com:443, http://a.com, false",
    "https://a.com, http://a.com, false",
    "https://a.com, https://a.com.evil.org, false",
    "https://a.com, 'https://a.com,https://b.com', false",
    "https://*.a.com, https://x.a.com, true",
    "https://*.a.com, https://x.y.a.com, true",
    "https://*.a.com, https://x.a.com:443, true",
    "https://*.a.com, https://x.a.com:8443, false",
    "https://*.a.com:8443, https://x.a.com:8443, true",
    "https://*.a.com, https://.a.com, false",
    "https://*.a.com, https://a.com, false",
    "https://*.a.com, https://xa.com, false",
    "https://*.a.com, https://evil.org/.a.com, false",
    "https://*.a.com, https://evil.org@x.a.com, false",
    "https://*.a.com, https://evil.org?.a.com, false",
    "https://*.a.com, https://evil.org:1.a.com, false"
  })
  void originsAreComparedAsBrowsersWriteThem(String allowed, String origin, boolean expected) {
    assertThat(allows(new WebSocketOptions().allowedOrigins(allowed), origin)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "https://example.com, https, example.com, true",
    "https://example.com:443, https, example.com, true",
    "https://example.com:8443, https, example.com:8443, true",
    "https://EXAMPLE.com, https, Example.COM, true",
    "http://example.com, https, example.com, false",
    "https://example.com:8443, https, example.com, false",
    "https://other.com, https, example.com, false",
    "https://other.com, https, other.com, false",
    "http://[::1]:5000, http, [::1]:5000, true",
    "http://[::1], http, [::1], true"
  })
  void sameOriginIsOfAHostThatIsOurs(String origin, String scheme, String host, boolean expected) {
    OriginPolicy policy =
        new OriginPolicy(new WebSocketOptions().sameOrigin("example.com", "[::1]"));
    assertThat(policy.allows(origin, scheme, host)).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "a.com",
        "://a.com",
        "https://",
        "https://a.com/",
        "https://a.com/path",
        "https://x*.a.com",
        "https://*a.com",
        "https://a.*.com"
      })
  void whatIsNoOriginIsRefusedWhereItIsSet(String origin) {
    assertThatThrownBy(() -> new WebSocketOptions().allowedOrigins(origin))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("origin \"" + origin + "\" ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"*", "null", "https://a.com", "https://*.a.com:1", "app://x"})
  void whatIsOneIsNot(String origin) {
    assertThatCode(() -> new WebSocketOptions().allowedOrigins(origin)).doesNotThrowAnyException();
  }

  @Test
  void sameOriginWithoutNamesRestsOnWhatFiltersHosts() {
    OriginPolicy policy = new OriginPolicy(new WebSocketOptions().sameOrigin());
    assertThat(policy.reliesOnHostFiltering()).isTrue();
    assertThat(policy.allows("https://a.com", "https", "a.com")).isTrue();
    assertThat(policy.allows("https://b.com", "https", "a.com")).isFalse();
    assertThat(policy.isOpen()).isFalse();
  }
}
