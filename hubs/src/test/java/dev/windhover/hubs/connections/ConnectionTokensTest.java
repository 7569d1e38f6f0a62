package dev.windhover.hubs.connections;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ConnectionTokensTest {
  private final ConnectionTokens tokens = new ConnectionTokens();

  @Test
  void areUniqueAndFitIntoUrls() {
    Set<String> all = new HashSet<>();
    for (int i = 0; i < 1000; i++) {
      all.add(tokens.newToken());
      all.add(tokens.newId());
    }
    assertThat(all).hasSize(2000).allMatch(each -> each.matches("[\\w-]{22}"));
  }

  @Test
  void areRecognized() {
    String token = tokens.newToken();
    assertThat(tokens.isOurs(token)).isTrue();
    assertThat(new ConnectionTokens().isOurs(token)).isFalse();
    char other = token.charAt(5) == 'A' ? 'B' : 'A';
    assertThat(tokens.isOurs(token.substring(0, 5) + other + token.substring(6))).isFalse();
    for (String bad : new String[] {"", "nobody", "!".repeat(22), token + "AA"}) {
      assertThat(tokens.isOurs(bad)).isFalse();
    }
  }

  @Test
  void secretsAreNotPrinted() {
    assertThat(new NegotiationRedirect("https://x", "secret").toString()).doesNotContain("secret");
    assertThat(new Negotiated("secret", "id", false, 0).toString()).doesNotContain("secret");
  }
}
