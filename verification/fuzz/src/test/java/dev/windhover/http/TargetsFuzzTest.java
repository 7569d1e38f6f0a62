package dev.windhover.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Any text as a request's target: no path that is read leads out of its root. */
class TargetsFuzzTest {
  @FuzzTest
  void fuzz(byte[] bytes) {
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    RequestTarget target;
    try {
      target = RequestTarget.parse(text);
    } catch (HttpException e) {
      assertThat(e.status()).isEqualTo(400);
      return;
    }
    String path = target.path();
    assertThat(path.equals("*") || path.startsWith("/")).as("begins with a slash").isTrue();
    assertThat(List.of(path.split("/", -1))).as("segments").doesNotContain(".", "..");
    assertThat(path).as("path").doesNotContain("\0");
    assertThat(target.query()).as("query").matches("[!-~&&[^#]]*");
    if (target.authority() != null) {
      assertThat(target.authority()).isNotEmpty().doesNotContain("/", "?", "@");
    }
    try {
      Query query = Query.parse(target.query());
      query
          .parameters()
          .forEach(each -> assertThat(query.all(each.getKey())).contains(each.getValue()));
    } catch (IllegalArgumentException e) {
      assertThat(target.query()).as("what is refused").contains("%");
    }
  }
}
