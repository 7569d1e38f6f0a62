package dev.windhover.verification.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.verification.conformance.Suite.End;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * {@code docs/conformance.md}. With {@code -Dwindhover.docs.rewrite}, each run writes its column of
 * the tables; without it, a run whose results differ from its column fails.
 */
final class Page {
  private static final Map<Integer, String> GROUPS = groups();

  private final Path file;
  private final String begin;
  private final String end;
  private final List<String> labels;

  /** Opens the page at one of its tables, with a line for each group. */
  Page(Path root, String table) {
    this(root, table, labels());
  }

  /** Opens the page at one of its tables, with lines of its own. */
  Page(Path root, String table, List<String> labels) {
    this.labels = labels;
    this.file = root.resolve("docs").resolve("conformance.md");
    this.begin = "<!-- " + table + " -->\n";
    this.end = "<!-- /" + table + " -->";
  }

  private static Map<Integer, String> groups() {
    Map<Integer, String> groups = new LinkedHashMap<>();
    groups.put(1, "one frame of each length");
    groups.put(2, "pings and pongs");
    groups.put(3, "reserved bits");
    groups.put(4, "reserved opcodes");
    groups.put(5, "fragments");
    groups.put(6, "UTF-8");
    groups.put(7, "closing");
    groups.put(9, "large messages, many messages");
    groups.put(10, "a large message in fragments");
    groups.put(12, "compression, data of five kinds");
    groups.put(13, "compression, offers of seven kinds");
    groups.put(20, "opening handshake");
    groups.put(21, "frames that the tester never sends");
    groups.put(22, "message limits");
    groups.put(23, "closed by the server, time limits");
    groups.put(24, "slow, reset and half-closed connections");
    groups.put(25, "compression: what is agreed");
    groups.put(26, "compression: messages, right and wrong");
    groups.put(27, "HTTP/2: the stream is the socket");
    return groups;
  }

  private static List<String> labels() {
    List<String> labels = new ArrayList<>();
    GROUPS.forEach((number, title) -> labels.add(number + " " + title));
    labels.add("**all**");
    return labels;
  }

  /** Returns a cell for each group and one for all: how many cases, of how many if not all. */
  static List<String> cells(List<End> ends) {
    List<String> cells = new ArrayList<>();
    for (int group : GROUPS.keySet()) {
      cells.add(cell(ends.stream().filter(end -> end.played().group() == group).toList()));
    }
    cells.add("**" + cell(ends) + "**");
    return cells;
  }

  private static String cell(List<End> ends) {
    long right = ends.stream().filter(end -> end.wrong() == null).count();
    if (ends.isEmpty()) {
      return "–";
    }
    return right == ends.size() ? "" + right : right + " of " + ends.size();
  }

  /** Requires that a column stands there, or writes it. */
  void check(String column, List<String> cells) throws IOException {
    String text = Files.readString(file);
    int from = text.indexOf(begin) + begin.length();
    int to = text.indexOf(end);
    List<List<String>> table = parse(text.substring(from, to));
    if (System.getProperty("windhover.docs.rewrite") != null) {
      put(table, column, cells);
      Files.writeString(file, text.substring(0, from) + print(table) + text.substring(to));
      return;
    }
    int at = table.getFirst().indexOf(column);
    List<String> documented =
        at < 0 ? List.of() : table.stream().skip(2).map(line -> line.get(at)).toList();
    assertThat(documented).as("column %s of %s", column, file).isEqualTo(cells);
  }

  /** Requires that the cases that do not end as they should stand there, each with its reason. */
  void check(Map<String, String> excepted) throws IOException {
    StringBuilder lines = new StringBuilder();
    new TreeMap<>(excepted).forEach((id, reason) -> lines.append("* " + id + ": " + reason + "\n"));
    checkText(lines.isEmpty() ? "No case is excepted.\n" : "Exceptions:\n\n" + lines);
  }

  private void checkText(String due) throws IOException {
    String text = Files.readString(file);
    int from = text.indexOf(begin) + begin.length();
    int to = text.indexOf(end);
    if (System.getProperty("windhover.docs.rewrite") != null) {
      Files.writeString(file, text.substring(0, from) + due + text.substring(to));
      return;
    }
    assertThat(text.substring(from, to)).as("%s, %s", file, begin.strip()).isEqualTo(due);
  }

  private static List<List<String>> parse(String table) {
    List<List<String>> lines = new ArrayList<>();
    for (String line : table.lines().toList()) {
      String[] cells = line.strip().substring(1, line.length() - 1).split("\\|", -1);
      lines.add(new ArrayList<>(Arrays.stream(cells).map(String::strip).toList()));
    }
    return lines;
  }

  private void put(List<List<String>> table, String column, List<String> cells) {
    if (table.size() != labels.size() + 2) {
      table.clear();
      table.add(new ArrayList<>(List.of("group")));
      table.add(new ArrayList<>(List.of("---")));
      labels.forEach(label -> table.add(new ArrayList<>(List.of(label))));
    }
    int at = table.getFirst().indexOf(column);
    if (at < 0) {
      at = table.getFirst().size();
      table.forEach(line -> line.add(""));
    }
    table.getFirst().set(at, column);
    table.get(1).set(at, "---:");
    for (int i = 0; i < labels.size(); i++) {
      table.get(i + 2).set(0, labels.get(i));
      table.get(i + 2).set(at, cells.get(i));
    }
  }

  private static String print(List<List<String>> table) {
    StringBuilder lines = new StringBuilder();
    for (List<String> line : table) {
      lines.append("| ").append(String.join(" | ", line)).append(" |\n");
    }
    return lines.toString();
  }
}
