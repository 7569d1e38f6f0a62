package dev.windhover.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RequestTargetTest {
  @ParameterizedTest
  @CsvSource({
    "/, /",
    "/chat/room, /chat/room",
    "/a//b/, /a//b/",
    "/a%20b, /a b",
    "/%63hat, /chat",
    "/zo%C3%AB, /zoë",
    "/%F0%9F%A6%85, /🦅",
    "/100%25, /100%",
    "/a+b, /a+b",
    "/a;v=1, /a;v=1",
    "/a%3Fb, /a?b",
  })
  void thePathIsDecodedOnce(String target, String path) {
    assertThat(RequestTarget.parse(target).path()).isEqualTo(path);
  }

  @ParameterizedTest
  @CsvSource({"/a%2Fb, /a%2Fb", "/a%2fb, /a%2Fb", "/..%2F..%2Fetc, /..%2F..%2Fetc"})
  void anEncodedSlashSeparatesNothing(String target, String path) {
    assertThat(RequestTarget.parse(target).path()).isEqualTo(path);
  }

  /** Otherwise two paths that differ would look the same, and reach the same route or file. */
  @ParameterizedTest
  @CsvSource({
    "/a%252Fb, /a%252Fb, a%2Fb",
    "/a%252fb, /a%252fb, a%2fb",
    "/a%25%32%46b, /a%252Fb, a%2Fb",
    "/a%25252Fb, /a%25252Fb, a%252Fb",
    "/a%2525, /a%2525, a%25",
    "/a%2Fb, /a%2Fb, a/b",
    "/%25%2F, /%%2F, %/",
    "/a%252, /a%2, a%2",
    "/a%2561, /a%61, a%61",
  })
  void aPercentSignThatWouldReadAsAnEncodedSlashStaysEncoded(
      String target, String path, String segment) {
    assertThat(RequestTarget.parse(target).path()).isEqualTo(path);
    assertThat(RequestTarget.decodedSegment(path.substring(1))).isEqualTo(segment);
  }

  /** RFC 3986 5.2.4, the two examples first. */
  @ParameterizedTest
  @CsvSource({
    "/a/b/c/./../../g, /a/g",
    "/mid/content=5/../6, /mid/6",
    "/.., /",
    "/../../etc/passwd, /etc/passwd",
    "/a/.., /",
    "/a/b/.., /a/",
    "/a/., /a/",
    "/./a, /a",
    "/a//../b, /a/b",
    "/%2e%2E/a, /a",
    "/a/%2e%2e, /",
    "/.well-known/x, /.well-known/x",
    "/..., /...",
  })
  void dotSegmentsAreRemoved(String target, String path) {
    assertThat(RequestTarget.parse(target).path()).isEqualTo(path);
  }

  @ParameterizedTest
  @CsvSource({
    "/x/../admin, dot segment",
    "/x/./admin, dot segment",
    "/admin/.., dot segment",
    "/., dot segment",
    "/%2e%2e/admin, percent-encoding of '.'",
    "/x/.%2E/admin, percent-encoding of '.'",
    "/%61dmin, percent-encoding of 'a'",
    "/%7Ejoe, percent-encoding of '~'",
    "http://localhost/%61?b, percent-encoding of 'a'",
    "/a%2Fb, percent-encoded slash",
    "/a%2fb, percent-encoded slash",
    "/a%5Cb, backslash",
    "/a\\b, backslash",
  })
  void aPathThatAProxyMayReadDifferentlyIsAmbiguous(String target, String why) {
    assertThat(RequestTarget.ambiguityOf(target)).isEqualTo(why);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/",
        "/admin/x",
        "/a%20b/%C3%AB%25/%3F;v=1",
        "/.well-known/x",
        "/...",
        "/a..b/c.",
        "/a?/../%61%2F\\",
        "*",
        "http://%61/b",
      })
  void anyOtherPathIsNot(String target) {
    assertThat(RequestTarget.ambiguityOf(target)).isNull();
  }

  @ParameterizedTest
  @CsvSource({
    "/a, ''",
    "/a?, ''",
    "/a?b=c, b=c",
    "/a?b=%20&c, b=%20&c",
    "/a?b?c, b?c",
    "/a?../b, ../b",
  })
  void theQueryStaysEncoded(String target, String query) {
    assertThat(RequestTarget.parse(target)).isEqualTo(new RequestTarget(null, "/a", query));
  }

  @ParameterizedTest
  @CsvSource({
    "http://localhost, localhost, /, ''",
    "http://localhost:5000/, localhost:5000, /, ''",
    "HTTPS://Example.com/a/../b?c=d, Example.com, /b, c=d",
    "http://[::1]:80?c=/d, [::1]:80, /, c=/d",
  })
  void theAbsoluteFormNamesItsHost(String target, String authority, String path, String query) {
    assertThat(RequestTarget.parse(target)).isEqualTo(new RequestTarget(authority, path, query));
  }

  @Test
  void theAsteriskStandsForTheServer() {
    assertThat(RequestTarget.parse("*")).isEqualTo(new RequestTarget(null, "*", ""));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "a",
        "?a",
        "**",
        "example.com:443",
        "http:/a",
        "http:///a",
        "http://?a",
        "ws://localhost/",
        "http://user@localhost/",
        "/a b",
        "/a\tb",
        "/a\r\nb",
        "/a\0",
        "/zoë",
        "/a#b",
        "/a?b#c",
        "/a?b c",
        "/a?ë",
      })
  void malformedTargetsAreRefused(String target) {
    assertRefused(target, "malformed request target");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/%", "/%2", "/%zz", "/%2g", "/%-1", "/%00", "/a%"})
  void malformedEncodingsAreRefused(String target) {
    assertRefused(target, "malformed percent-encoding in the path");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"/%C3", "/%FF", "/%C0%AF", "/%ED%A0%80"}) // cut, no byte of it, overlong, half
  void thePathIsUtf8(String target) {
    assertRefused(target, "percent-encoded path is not valid UTF-8");
  }

  private static void assertRefused(String target, String message) {
    assertThatExceptionOfType(HttpException.class)
        .isThrownBy(() -> RequestTarget.parse(target))
        .withMessage(message)
        .matches(refused -> refused.status() == 400);
  }
}
