package dev.windhover.verification.conformance;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A row of a table of cases.
 *
 * @param id dotted numbers
 * @param sent in words
 * @param expected in words
 */
record Row(String id, String sent, String expected) {
  /** The field's standard tester: 517 rows. */
  static List<Row> ofTheTester() {
    return read("/conformance-cases.tsv");
  }

  /** What that tester never checks. */
  static List<Row> beyond() {
    return read("/conformance-beyond.tsv");
  }

  private static List<Row> read(String resource) {
    try (InputStream in = Row.class.getResourceAsStream(resource)) {
      String text = new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
      return text.lines()
          .skip(1)
          .map(line -> line.split("\t", -1))
          .map(cells -> new Row(cells[0], cells[1], cells[2]))
          .toList();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** Whether the right answer is an echo. */
  boolean isEchoed() {
    return expected.startsWith("echo");
  }

  /** Returns the first group of the only match in what is sent. */
  String find(String regex) {
    Matcher matcher = Pattern.compile(regex).matcher(sent);
    if (!matcher.find()) {
      throw new AssertionError(id + " does not say " + regex + ": " + sent);
    }
    return matcher.group(1);
  }

  boolean says(String words) {
    return sent.contains(words);
  }
}
