package dev.windhover.app;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The options that a user has set: in arguments, environment variables, or a file. The first of
 * these places that sets an option wins, and what the program sets comes last.
 */
final class Settings {
  /** Read from the working directory if {@code --config} names no file. */
  static final String FILE = "windhover.properties";

  private static final String PREFIX = "WINDHOVER_";

  /** What people write who know other servers, and what they mean. */
  private static final Map<String, String> FOREIGN =
      Map.of(
          "port", "urls=http://localhost:",
          "server.port", "urls=http://localhost:",
          "host", "urls=http://",
          "bind", "urls=http://",
          "cert", "certificate=");

  /**
   * A value and where it was set.
   *
   * @param place for the user: {@code --urls}, {@code WINDHOVER_URLS}, {@code windhover.properties
   *     line 3: urls}
   */
  private record Given(String value, String place) {}

  private final Map<String, Setting<?>> known = new LinkedHashMap<>();
  private final Map<String, Given> given = new HashMap<>();
  private @Nullable String problem;

  /**
   * Reads the options. A mistake of the user is remembered as {@link #problem()}.
   *
   * @param folder the working directory
   */
  Settings(List<String> arguments, Map<String, String> environment, Path folder) {
    Setting.all().forEach(each -> known.put(each.name(), each));
    try {
      readArguments(arguments);
      readEnvironment(environment);
      readFile(folder);
    } catch (IllegalArgumentException e) {
      problem = e.getMessage();
    }
  }

  /** Returns what is wrong with the options, in one line for the user; null if nothing is. */
  @Nullable String problem() {
    return problem;
  }

  /** Returns the value of an option; null if it was not set. */
  @Nullable String value(Setting<?> setting) {
    Given found = given.get(setting.name());
    return found == null ? null : found.value();
  }

  /** Lets all of {@code settings} that were set change {@code options}. */
  <T> void apply(List<Setting<T>> settings, T options) {
    for (Setting<T> each : settings) {
      Given found = given.get(each.name());
      if (found == null) {
        continue;
      }
      try {
        each.apply().accept(options, found.value());
      } catch (IllegalArgumentException e) {
        problem = problem == null ? found.place() + ": " + e.getMessage() : problem;
      }
    }
  }

  /**
   * Refuses options that have no effect.
   *
   * @param why what the program does not do
   */
  void requireNone(List<? extends Setting<?>> settings, String why) {
    for (Setting<?> each : settings) {
      Given found = given.get(each.name());
      if (found != null && problem == null) {
        problem = found.place() + " has no effect: " + why;
      }
    }
  }

  // ---- Reading

  private void readArguments(List<String> arguments) {
    Set<Setting<?>> seen = new HashSet<>();
    for (int i = 0; i < arguments.size() && !arguments.get(i).equals("--"); i++) {
      String argument = arguments.get(i);
      if (!argument.startsWith("--")) {
        continue;
      }
      int equals = argument.indexOf('=');
      String name = argument.substring(2, equals < 0 ? argument.length() : equals);
      String next = i + 1 < arguments.size() ? arguments.get(i + 1) : "";
      String value = equals >= 0 ? argument.substring(equals + 1) : next;
      Setting<?> setting = known.get(name);
      if (setting == null) {
        requireForeign("--", name, value);
        continue;
      }
      if (!seen.add(setting)) {
        throw new IllegalArgumentException(setting.argument() + " is given twice");
      }
      if (setting.isSwitch() && equals < 0) {
        value = "true";
      } else if (equals < 0) {
        value = next.startsWith("--") ? "" : next;
        i++;
      }
      if (value.isBlank()) {
        throw new IllegalArgumentException(
            setting.argument() + " needs a value: " + setting.synopsis());
      }
      give(setting, value, setting.argument());
    }
  }

  /** Leaves what is unknown to the program, unless it is close to an option of ours. */
  private void requireForeign(String prefix, String name, String value) {
    String meant = meant(prefix, name, value);
    if (!meant.isEmpty()) {
      throw new IllegalArgumentException("unknown option " + prefix + name + meant);
    }
  }

  private void readEnvironment(Map<String, String> environment) {
    Map<String, Setting<?>> variables =
        known.values().stream()
            .filter(each -> !each.equals(Setting.HELP))
            .collect(Collectors.toMap(Setting::variable, each -> each));
    environment.forEach((variable, value) -> {
      Setting<?> setting = variables.get(variable);
      if (setting == null && variable.startsWith(PREFIX)) {
        requireForeign(variable, variables.keySet());
      } else if (setting != null && !value.isBlank()) {
        give(setting, value, variable);
      }
    });
  }

  private static void requireForeign(String variable, Set<String> variables) {
    List<String> names = variables.stream().map(each -> each.substring(PREFIX.length())).toList();
    Spelling.closest(variable.substring(PREFIX.length()), names)
        .ifPresent(close -> {
          throw new IllegalArgumentException(
              "unknown environment variable "
                  + variable
                  + "; did you mean "
                  + PREFIX
                  + close
                  + "?");
        });
  }

  private void readFile(Path folder) {
    Given config = given.get(Setting.CONFIG.name());
    try {
      Path file = folder.resolve(config == null ? FILE : config.value());
      if (config != null || Files.exists(file)) {
        read(file, Files.readString(file, UTF_8).lines().toList());
      }
    } catch (IOException | InvalidPathException e) {
      throw new IllegalArgumentException(
          config == null
              ? FILE + " " + reason(e)
              : config.place() + ": " + config.value() + " " + reason(e),
          e);
    }
  }

  private static String reason(Exception e) {
    return switch (e) {
      case NoSuchFileException _ -> "does not exist";
      case AccessDeniedException _ -> "may not be read by this user";
      default -> "cannot be read as text in UTF-8";
    };
  }

  private void read(Path file, List<String> lines) {
    Map<String, Integer> seen = new HashMap<>();
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).strip();
      if (line.isEmpty() || line.startsWith("#") || line.startsWith("!")) {
        continue;
      }
      String place = file.getFileName() + " line " + (i + 1) + ": ";
      int equals = line.indexOf('=');
      if (equals < 1) {
        throw new IllegalArgumentException(place + "expected name=value");
      }
      String name = line.substring(0, equals).strip();
      Setting<?> setting = known.get(name);
      if (setting == null) {
        String meant = meant("", name, line.substring(equals + 1).strip());
        throw new IllegalArgumentException(place + "unknown option " + name + meant);
      }
      if (setting.equals(Setting.HELP) || setting.equals(Setting.CONFIG)) {
        throw new IllegalArgumentException(place + name + " cannot be set in a file");
      }
      Integer before = seen.putIfAbsent(name, i + 1);
      if (before != null) {
        throw new IllegalArgumentException(place + name + " was set in line " + before);
      }
      String value = line.substring(equals + 1).strip();
      if (value.isEmpty()) {
        throw new IllegalArgumentException(place + name + " needs a value");
      }
      give(setting, value, place + name);
    }
  }

  /** Keeps the value of the first place. */
  private void give(Setting<?> setting, String value, String place) {
    given.putIfAbsent(setting.name(), new Given(value, place));
  }

  /** Returns a question about what was meant by {@code name}; empty if nothing is close. */
  private String meant(String prefix, String name, String value) {
    String foreign = FOREIGN.get(name);
    if (foreign != null) {
      String shown = value.isEmpty() || value.startsWith("--") ? "…" : value;
      return "; did you mean " + prefix + foreign + shown + "?";
    }
    return Spelling.closest(name, known.keySet())
        .map(close -> "; did you mean " + prefix + close + "?")
        .orElse("");
  }

  // ---- Help

  /** Returns what {@code --help} says. */
  static String help() {
    StringBuilder text = new StringBuilder();
    for (Setting.Section section : Setting.sections()) {
      text.append(section.heading()).append(":\n");
      int width =
          section.settings().stream().mapToInt(each -> each.synopsis().length()).max().orElse(0);
      for (Setting<?> each : section.settings()) {
        text.append("  ")
            .append(each.synopsis())
            .append(" ".repeat(width - each.synopsis().length() + 2))
            .append(each.help())
            .append(each.preset().isEmpty() ? "" : " (" + each.preset() + ")")
            .append('\n');
      }
      text.append('\n');
    }
    return text.append(
            """
            Times: 500ms, 30s, 2m, 1h. Sizes: 65536, 64KiB, 1MiB.
            Every option can also be set by an environment variable, such as WINDHOVER_URLS, or in the
            file windhover.properties of the working directory, as urls=http://localhost:5000.
            The first of these that sets an option wins: arguments, environment, file, program.
            """)
        .toString();
  }
}
