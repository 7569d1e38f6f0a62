package dev.windhover.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.benchmarks.Arguments.UsageException;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CompressionTest {
  private static Compression parse(String text) {
    return Compression.parse("--modes", text);
  }

  @ParameterizedTest
  @ValueSource(strings = {"off", "takeover", "no-takeover", "takeover:9", "no-takeover:14"})
  void isWrittenAsItIsRead(String text) {
    assertThat(parse(text)).hasToString(text);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "on", "takeover:", "takeover:8", "takeover:16", "takeover:nine"})
  void whatItIsNotIsRefused(String text) {
    assertThatThrownBy(() -> parse(text)).isInstanceOf(UsageException.class);
  }

  @ParameterizedTest
  @CsvSource({
    "off, ''",
    "takeover, permessage-deflate",
    "no-takeover, permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    "takeover:9, permessage-deflate; server_max_window_bits=9; client_max_window_bits=9"
  })
  void theOfferNamesWhatIsNotDefault(String text, String offer) {
    assertThat(parse(text).offer()).isEqualTo(offer);
  }

  @ParameterizedTest
  @CsvSource({
    "takeover, permessage-deflate",
    "takeover, 'permessage-deflate; client_max_window_bits=15'",
    "no-takeover, permessage-deflate;client_no_context_takeover;server_no_context_takeover",
    "no-takeover:9, 'permessage-deflate; server_no_context_takeover; client_no_context_takeover;"
        + " client_max_window_bits=9; server_max_window_bits=\"9\"'"
  })
  void anAnswerThatMeansWhatWasOfferedIsAgreed(String text, String answer) {
    assertThatCode(() -> parse(text).requireAgreed(answer)).doesNotThrowAnyException();
  }

  @Test
  void nothingIsAgreedWhereNothingWasOffered() {
    assertThatCode(() -> Compression.OFF.requireAgreed(null)).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource(
      nullValues = "null",
      value = {
        "off, permessage-deflate",
        "takeover, null",
        "takeover, x-webkit-deflate-frame",
        "takeover, permessage-deflate; server_no_context_takeover",
        "no-takeover, permessage-deflate",
        "no-takeover, permessage-deflate; server_no_context_takeover",
        "takeover:9, permessage-deflate",
        "takeover:9, permessage-deflate; server_max_window_bits=10; client_max_window_bits=9",
        "takeover, 'permessage-deflate, permessage-deflate'"
      })
  void anAnswerThatMeansAnythingElseFails(String text, String answer) {
    assertThatThrownBy(() -> parse(text).requireAgreed(answer))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("not negotiated: offered \"");
  }
}
