package dev.windhover.http;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HeadersTest {
  private final Headers headers = new Headers();

  @Test
  void namesAreComparedWithoutCase() {
    headers.add("Content-Type", "text/plain");
    assertThat(headers.get("content-TYPE")).isEqualTo("text/plain");
    assertThat(headers.contains("CONTENT-TYPE")).isTrue();
    assertThat(headers.all("content-type")).containsExactly("text/plain");
  }

  @Test
  void orderAndSpellingStay() {
    headers.add("B", "1").add("a", "2").add("b", "3");
    assertThat(headers).containsExactly(entry("B", "1"), entry("a", "2"), entry("b", "3"));
    assertThat(headers).hasToString("[B: 1, a: 2, b: 3]");
  }

  @Test
  void setReplacesAllOfThatName() {
    headers.add("a", "1").add("b", "2").add("A", "3").set("a", "4");
    assertThat(headers).containsExactly(entry("b", "2"), entry("a", "4"));
  }

  @Test
  void aRefusedValueReplacesNothing() {
    headers.add("a", "1");
    assertThatIllegalArgumentException().isThrownBy(() -> headers.set("a", "2\r\nb: 3"));
    assertThat(headers).containsExactly(entry("a", "1"));
  }

  @Test
  void removeAndClearTakeAway() {
    headers.add("a", "1").add("b", "2").add("A", "3").remove("a");
    assertThat(headers.size()).isEqualTo(1);
    headers.clear();
    assertThat(headers.get("b")).isNull();
  }

  @Test
  void aListGoesOverAllLinesAndSkipsEmptyElements() {
    headers.add("Connection", " keep-alive,, Upgrade\t,").add("connection", "x");
    assertThat(headers.list("Connection")).containsExactly("keep-alive", "Upgrade", "x");
    assertThat(headers.list("Upgrade")).isEmpty();
  }

  @Test
  void tokensAreComparedWholeAndWithoutCase() {
    headers.add("Connection", "keep-alive, Upgrade");
    assertThat(headers.hasToken("connection", "upgrade")).isTrue();
    assertThat(headers.hasToken("connection", "up")).isFalse();
    assertThat(headers.hasToken("connection", "keep-alive, Upgrade")).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", "a b", "a:", "a\r\nb", "é", "a\"", "(a)", "a\0"})
  void aNameIsAToken(String name) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> headers.add(name, "value"))
        .withMessage("header name \"" + name + "\" is not a token");
  }

  @ParameterizedTest
  @ValueSource(strings = {"a\rb", "a\nb", "\0", "a\u001b", "\u007f"})
  void aValueHasNoControlCharacter(String value) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> headers.add("a", value))
        .withMessageStartingWith("value of header a has control character 0x");
  }

  @ParameterizedTest
  @ValueSource(strings = {"\u010a", "\u560a", "🦅"}) // a line feed, if only the low byte were sent
  void aValueIsBytes(String value) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> headers.add("a", value))
        .withMessageStartingWith("value of header a has character 0x");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", "a\tb", "é", "\"a, b\""})
  void othersPass(String value) {
    assertThat(headers.add("a", value).get("a")).isEqualTo(value);
  }
}
