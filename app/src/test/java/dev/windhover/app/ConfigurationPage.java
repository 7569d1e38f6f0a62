package dev.windhover.app;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes the tables of {@code docs/configuration.md} from the table of all options. */
final class ConfigurationPage {
  static final Path FILE = Path.of("..", "docs", "configuration.md");

  private static final String BEGIN = "<!-- Written by ConfigurationPage. -->\n";

  private ConfigurationPage() {}

  /** Returns the page with its tables as they should be. */
  static String withTables() throws IOException {
    String page = Files.readString(FILE);
    return page.substring(0, page.indexOf(BEGIN)) + BEGIN + tables();
  }

  private static String tables() {
    StringBuilder text = new StringBuilder();
    for (Setting.Section section : Setting.sections()) {
      text.append("\n## ").append(section.heading()).append("\n\n");
      text.append(
          "| option | value | range | default | what | in code |\n|---|---|---|---|---|---|\n");
      for (Setting<?> each : section.settings()) {
        text.append("| `")
            .append(each.name())
            .append("` | ")
            .append(each.isSwitch() ? "true or false" : each.value().name())
            .append(" | ")
            .append(each.range())
            .append(" | ")
            .append(each.isSwitch() && !each.equals(Setting.HELP) ? "false" : each.preset())
            .append(" | ")
            .append(each.help())
            .append(" | ")
            .append(each.code().isEmpty() ? "" : "`" + each.code() + "`")
            .append(" |\n");
      }
    }
    return text.toString();
  }

  static void main() throws IOException {
    Files.writeString(FILE, withTables());
  }
}
