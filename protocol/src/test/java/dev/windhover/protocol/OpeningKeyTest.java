package dev.windhover.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OpeningKeyTest {
  @Test
  void theSampleOfTheRfcIsAnswered() { // RFC 6455 1.3
    assertThat(OpeningKey.accept("dGhlIHNhbXBsZSBub25jZQ=="))
        .isEqualTo("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "dGhlIHNhbXBsZSBub25jZQ==",
        "AAAAAAAAAAAAAAAAAAAAAA==",
        "/////////////////////w==",
        "+/+/+/+/+/+/+/+/+/+/+w=="
      })
  void sixteenBytesAreAKey(String key) {
    assertThat(OpeningKey.isValid(key)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "AAAAAAAAAAAAAAAAAAAA", // 15 bytes
        "AAAAAAAAAAAAAAAAAAAAAAA=", // 17 bytes
        "AAAAAAAAAAAAAAAAAAAAAAAA", // 18 bytes
        "AAAAAAAAAAAAAAAAAAAAAA", // 16 bytes without padding
        "AAAAAAAAAAAAAAAAAAAAAA=",
        "AAAAAAAAAAAAAAAAAAAA====",
        "=AAAAAAAAAAAAAAAAAAAAA==",
        "AAAAAAAAAAAA=AAAAAAAAA==",
        "!AAAAAAAAAAAAAAAAAAAAA==", // not base64
        "_-AAAAAAAAAAAAAAAAAAAA==", // base64url
        " AAAAAAAAAAAAAAAAAAAAA==",
        "AAAAAAAAAAAAAAAAAAAAAA==,AAAAAAAAAAAAAAAAAAAAAA==", // two header lines, joined
        "ÀAAAAAAAAAAAAAAAAAAAAA=="
      })
  void everythingElseIsNone(String key) {
    assertThat(OpeningKey.isValid(key)).isFalse();
  }
}
