package dev.windhover.http.middleware;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.windhover.http.host.Origins;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/** Any text as a host, an origin, a network, the elements of Forwarded. */
class AddressesFuzzTest {
  @FuzzTest
  void fuzz(byte[] bytes) {
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    HostName host = HostName.parse(text);
    if (host != null) {
      assertThat(host.name()).matches("[a-z0-9._-]{1,255}|\\[[0-9a-f:.%]+\\]");
      assertThat(host.port()).isBetween(-1, 65_535);
      HostName again = Objects.requireNonNull(HostName.parse(host.toString()), "its own spelling");
      assertThat(again).isEqualTo(host);
    }
    if (Origins.isWellFormed(text)) {
      String one = Origins.normalize(text);
      assertThat(one).as("in lower case").isEqualTo(one.toLowerCase(Locale.ROOT));
      assertThat(Origins.isWellFormed(one) || one.endsWith("://")).as("still an origin").isTrue();
    }
    List<String> elements = ForwardedElement.lastFirst(List.of(text));
    assertThat(String.join(",", elements.reversed())).as("nothing is lost").isEqualTo(text);
    for (String element : elements) {
      Hop hop = ForwardedElement.parse(element);
      assertThat(Objects.equals(hop, ForwardedElement.parse(" " + element + "\t"))).isTrue();
    }
  }
}
