package dev.windhover.protocol.deflate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.windhover.protocol.deflate.DeflateAgreement.Terms;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** In the tables, PMD stands for permessage-deflate, and no answer for a declined offer. */
class DeflateAgreementTest {
  private static final Terms LEAN = new Terms(false, 14, true, 15);
  private static final Terms CAPPED = new Terms(true, 15, false, 10);

  private static @Nullable String answer(Terms terms, String... lines) {
    List<String> spelledOut =
        List.of(lines).stream().map(line -> line.replace("PMD", "permessage-deflate")).toList();
    DeflateAgreement agreement = DeflateAgreement.negotiate(spelledOut, terms);
    return agreement == null ? null : agreement.response().replace("permessage-deflate", "PMD");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          PMD                                                 | PMD
          PMD; server_no_context_takeover                     | PMD; server_no_context_takeover
          PMD; client_no_context_takeover                     | PMD; client_no_context_takeover
          PMD; client_max_window_bits=9                       | PMD; client_max_window_bits=9
          PMD; client_max_window_bits="9"                     | PMD; client_max_window_bits=9
          PMD; client_max_window_bits="\\9"                   | PMD; client_max_window_bits=9
          PMD; client_max_window_bits                         | PMD; client_max_window_bits=15
          PMD; server_max_window_bits=10                      | PMD; server_max_window_bits=10
          PMD; server_max_window_bits=15                      | PMD; server_max_window_bits=15
          PMD;server_max_window_bits=10;server_no_context_takeover | PMD; server_no_context_takeover; server_max_window_bits=10
          PMD; server_max_window_bits=10; server_no_context_takeover; client_no_context_takeover; client_max_window_bits=12 | PMD; client_no_context_takeover; client_max_window_bits=12; server_no_context_takeover; server_max_window_bits=10
          PMD; client_max_window_bits=12; client_no_context_takeover | PMD; client_max_window_bits=12; client_no_context_takeover
          """)
  void aServerThatAsksForNothingAgreesToWhatIsOffered(String offer, String answer) {
    assertThat(answer(Terms.DEFAULT, offer)).isEqualTo(answer);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          PMD                                                  | PMD; server_no_context_takeover; server_max_window_bits=14
          PMD; server_no_context_takeover                      | PMD; server_no_context_takeover; server_max_window_bits=14
          PMD; client_no_context_takeover                      | PMD; client_no_context_takeover; server_no_context_takeover; server_max_window_bits=14
          PMD; client_max_window_bits=9                        | PMD; client_max_window_bits=9; server_no_context_takeover; server_max_window_bits=14
          PMD; client_max_window_bits                          | PMD; client_max_window_bits=15; server_no_context_takeover; server_max_window_bits=14
          PMD; server_max_window_bits=14                       | PMD; server_no_context_takeover; server_max_window_bits=14
          PMD; server_max_window_bits=15                       | PMD; server_no_context_takeover; server_max_window_bits=14
          PMD; server_max_window_bits=10                       | PMD; server_no_context_takeover; server_max_window_bits=10
          PMD; server_max_window_bits=10; server_no_context_takeover | PMD; server_no_context_takeover; server_max_window_bits=10
          PMD; server_max_window_bits=10; client_no_context_takeover; client_max_window_bits=12 | PMD; client_no_context_takeover; client_max_window_bits=12; server_no_context_takeover; server_max_window_bits=10
          """)
  void aLeanServerSaysSoWhateverIsOffered(String offer, String answer) {
    assertThat(answer(LEAN, offer)).isEqualTo(answer);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          PMD                                      | PMD; client_no_context_takeover
          PMD; client_no_context_takeover          | PMD; client_no_context_takeover
          PMD; client_max_window_bits              | PMD; client_max_window_bits=10; client_no_context_takeover
          PMD; client_max_window_bits=12           | PMD; client_max_window_bits=10; client_no_context_takeover
          PMD; client_max_window_bits=9            | PMD; client_max_window_bits=9; client_no_context_takeover
          """)
  void whatAClientsCompressionCostsIsCappedWhereItsOfferAllows(String offer, String answer) {
    assertThat(answer(CAPPED, offer)).isEqualTo(answer);
  }

  /** The spec's table has an answer to a valueless server_max_window_bits; RFC 7692 7.1.2.1 not. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "PMD; server_max_window_bits",
        "PMD; server_max_window_bits=8",
        "PMD; client_max_window_bits=7",
        "PMD; client_max_window_bits=08",
        "PMD; server_max_window_bits=7",
        "PMD; server_max_window_bits=16",
        "PMD; client_max_window_bits=16",
        "PMD; client_max_window_bits=\"15",
        "PMD; client_max_window_bits=14\"",
        "PMD; client_max_window_bits=\"",
        "PMD; client_max_window_bits=\"13",
        "PMD; client_max_window_bits=",
        "PMD; client_max_window_bits=\"\"",
        "PMD; client_max_window_bits=\" 9\"",
        "PMD; client_max_window_bits= 9",
        "PMD; client_max_window_bits =9",
        "PMD; client_max_window_bits=09",
        "PMD; client_max_window_bits=+9",
        "PMD; client_max_window_bits=9.0",
        "PMD; client_max_window_bits=9 9",
        "PMD; server_max_window_bits=010",
        "PMD; server_max_window_bits=ten",
        "PMD; server_no_context_takeover=true",
        "PMD; client_no_context_takeover=\"\"",
        "PMD; client_no_context_takeover=",
        "PMD; server_no_context_takeover; server_no_context_takeover",
        "PMD; client_no_context_takeover; client_no_context_takeover",
        "PMD; server_max_window_bits=10; server_max_window_bits=10",
        "PMD; client_max_window_bits; client_max_window_bits=10",
        "PMD; window=15",
        "PMD; CLIENT_MAX_WINDOW_BITS",
        "PMD;",
        "PMD;; client_max_window_bits",
        "PMD; =9",
        "PMD client_max_window_bits",
        "PMDX",
        "Permessage-Deflate",
        "x-webkit-deflate-frame",
        "\"PMD\"",
        "",
        ",",
      })
  void whatRfc7692DoesNotAllowIsDeclined(String offer) {
    assertThat(answer(Terms.DEFAULT, offer)).isNull();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          PMD; server_max_window_bits=14, PMD; server_max_window_bits=13    | PMD; server_max_window_bits=13
          PMD; client_max_window_bits=7, PMD; client_max_window_bits=13     | PMD; client_max_window_bits=13; server_max_window_bits=13
          , foo; a="x,PMD", ,PMD                                            | PMD; server_max_window_bits=13
          PMD; bad="\\",PMD", PMD; client_no_context_takeover               | PMD; client_no_context_takeover; server_max_window_bits=13
          """)
  void theFirstAcceptableOfferWins(String offers, String answer) {
    assertThat(answer(new Terms(true, 13, true, 15), offers)).isEqualTo(answer);
  }

  @Test
  void offersMayStandInSeveralLines() {
    assertThat(answer(Terms.DEFAULT, "foo", "PMD; x, bar", "PMD; client_max_window_bits=9"))
        .isEqualTo("PMD; client_max_window_bits=9");
  }

  /** An unbalanced quote invalidates the rest of its line, but not the next line. */
  @Test
  void aQuoteEndsWithItsLine() {
    assertThat(answer(Terms.DEFAULT, "PMD; client_max_window_bits=\"9, PMD")).isNull();
    assertThat(answer(Terms.DEFAULT, "PMD; client_max_window_bits=\"9", "PMD")).isEqualTo("PMD");
    assertThat(answer(Terms.DEFAULT, "PMD; client_max_window_bits=\"9\\", "PMD")).isEqualTo("PMD");
  }

  @Test
  void whatIsAgreedIsWhatTheAnswerSays() {
    assertThat(
            DeflateAgreement.negotiate(
                List.of("permessage-deflate; server_max_window_bits=12; client_max_window_bits"),
                new Terms(false, 13, false, 11)))
        .isEqualTo(
            new DeflateAgreement(
                false,
                12,
                false,
                11,
                "permessage-deflate; client_max_window_bits=11; client_no_context_takeover;"
                    + " server_no_context_takeover; server_max_window_bits=12"));
  }

  /** RFC 7692 7.1.2.2: a client that did not offer it may use 15 bits, whatever we prefer. */
  @Test
  void aClientsWindowIsItsOwnUnlessItOffers() {
    DeflateAgreement agreement = DeflateAgreement.negotiate(List.of("permessage-deflate"), CAPPED);
    assertThat(agreement).isNotNull();
    assertThat(agreement.clientMaxWindowBits()).isEqualTo(15);
  }

  /** RFC 7692 7.1.2.2. Some clients' zlib turns 8 bits into 9, so 9 is what we read with. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "permessage-deflate; client_max_window_bits=8",
        "permessage-deflate; client_max_window_bits=\"8\"",
      })
  void aClientMayLimitItselfTo8Bits(String offer) {
    assertThat(DeflateAgreement.negotiate(List.of(offer), Terms.DEFAULT))
        .isEqualTo(
            new DeflateAgreement(
                true, 15, true, 9, "permessage-deflate; client_max_window_bits=8"));
  }

  @ParameterizedTest
  @ValueSource(ints = {8, 16, -1})
  void windowsOutsideOf9To15AreRefused(int bits) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Terms(true, bits, true, 15))
        .withMessage("serverMaxWindowBits of %d is not within 9-15", bits);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Terms(true, 15, true, bits))
        .withMessage("clientMaxWindowBits of %d is not within 9-15", bits);
  }
}
