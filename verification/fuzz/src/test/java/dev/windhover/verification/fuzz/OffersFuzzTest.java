package dev.windhover.verification.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.windhover.protocol.deflate.DeflateAgreement;
import dev.windhover.protocol.deflate.DeflateAgreement.Terms;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * Any text as Sec-WebSocket-Extensions: what is agreed keeps to what we want, and is well-formed.
 */
class OffersFuzzTest {
  @FuzzTest
  void fuzz(byte[] bytes) {
    Input input = new Input(bytes);
    Terms terms =
        new Terms(
            input.choice(2) == 0, 9 + input.choice(7), input.choice(2) == 0, 9 + input.choice(7));
    String text = new String(input.rest(), StandardCharsets.ISO_8859_1);
    List<String> lines = Arrays.asList(text.split("\n", -1));
    DeflateAgreement agreed = DeflateAgreement.negotiate(lines, terms);
    String all = String.join(",", lines);
    assertThat(
            DeflateAgreement.negotiate(List.of(all), terms) != null
                || agreed == null
                || all.indexOf('"') >= 0)
        .as("several lines are as one, but for quotes that do not end")
        .isTrue();
    if (agreed == null) {
      return;
    }
    assertThat(text).as("an offer").contains(DeflateAgreement.TOKEN);
    assertThat(agreed.serverMaxWindowBits()).isBetween(9, terms.serverMaxWindowBits());
    assertThat(agreed.clientMaxWindowBits()).isBetween(9, 15);
    assertThat(agreed.serverContextTakeover() && !terms.serverContextTakeover()).isFalse();
    assertThat(agreed.clientContextTakeover() && !terms.clientContextTakeover()).isFalse();
    assertThat(agreed.response())
        .matches(
            "permessage-deflate(; ((server|client)_(no_context_takeover|max_window_bits=(9|1[0-5]))"
                + "|client_max_window_bits=8))*");
    boolean asked = agreed.response().contains("client_max_window_bits");
    assertThat(agreed.clientMaxWindowBits() == 15 || asked).isTrue();
    assertThat(!asked || text.contains("client_max_window_bits")).isTrue();
    assertThat(!asked || agreed.clientMaxWindowBits() <= terms.clientMaxWindowBits()).isTrue();
    assertThat(agreed.response().contains("server_no_context_takeover"))
        .isEqualTo(!agreed.serverContextTakeover());
    assertThat(agreed.response().contains("client_no_context_takeover"))
        .isEqualTo(!agreed.clientContextTakeover());
    DeflateAgreement again = DeflateAgreement.negotiate(List.of(agreed.response()), Terms.DEFAULT);
    assertThat(again).as("our answer, read again").isNotNull();
    assertThat(
            List.of(
                again.serverContextTakeover(),
                again.serverMaxWindowBits(),
                again.clientContextTakeover(),
                again.clientMaxWindowBits()))
        .isEqualTo(
            List.of(
                agreed.serverContextTakeover(),
                agreed.serverMaxWindowBits(),
                agreed.clientContextTakeover(),
                agreed.clientMaxWindowBits()));
  }
}
