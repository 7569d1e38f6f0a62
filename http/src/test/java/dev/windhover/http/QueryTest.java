package dev.windhover.http;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class QueryTest {
  @Test
  void namesAndValuesAreDecoded() {
    assertThat(Query.parse("a+b=c%20d&zo%C3%AB=%26%3D%2B").parameters())
        .containsExactly(entry("a b", "c d"), entry("zoë", "&=+"));
  }

  @Test
  void theValueBeginsBehindTheFirstEqualsSign() {
    assertThat(Query.parse("a=b=c").get("a")).isEqualTo("b=c");
  }

  @Test
  void aNameAloneHasAnEmptyValue() {
    assertThat(Query.parse("a&b=").parameters()).containsExactly(entry("a", ""), entry("b", ""));
  }

  @Test
  void emptyPartsAreNothing() {
    assertThat(Query.parse("").parameters()).isEmpty();
    assertThat(Query.parse("&&a=1&").parameters()).containsExactly(entry("a", "1"));
  }

  @Test
  void aNameMayComeSeveralTimes() {
    Query query = Query.parse("a=1&b=2&a=3");
    assertThat(query.get("a")).isEqualTo("1");
    assertThat(query.all("a")).containsExactly("1", "3");
  }

  @Test
  void namesAreCaseSensitive() {
    assertThat(Query.parse("a=1").get("A")).isNull();
    assertThat(Query.parse("a=1").all("A")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"%", "a=%2", "a=%zz", "a=%-1", "%+1"})
  void malformedEncodingsAreRefused(String text) {
    assertThatIllegalArgumentException().isThrownBy(() -> Query.parse(text));
  }
}
