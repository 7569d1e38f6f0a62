package dev.windhover.verification.witness;

import dev.windhover.verification.Repository;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * What the README's section "Your first project" tells a newcomer to write and to say.
 *
 * @param files the text of each file, by its path
 * @param commands what to say to a shell
 * @param warnings what the JVM prints if nothing allows native access on the class path
 */
record FirstProject(Map<String, String> files, List<String> commands, List<String> warnings) {
  static final String CHAT = "src/main/java/chat/Chat.java";
  static final String CHAT_TEST = "src/test/java/chat/ChatTest.java";
  static final String MODULE_INFO = "src/main/java/module-info.java";

  private static final Pattern SECTION =
      Pattern.compile("^## Your first project$.*?(?=^## )", Pattern.MULTILINE | Pattern.DOTALL);

  private static final Pattern FILE =
      Pattern.compile("`([^`\n]+)`:\n\n```(?:xml|java)\n(.*?)```", Pattern.DOTALL);

  private static final Pattern BLOCK =
      Pattern.compile("^```(\\w*)\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);

  /** Reads it. */
  static FirstProject read() throws IOException {
    String readme = Files.readString(Repository.root().resolve("README.md"));
    String section =
        SECTION.matcher(readme).results().map(MatchResult::group).findFirst().orElseThrow();
    Map<String, String> files = new LinkedHashMap<>();
    FILE.matcher(section).results().forEach(file -> files.put(file.group(1), file.group(2)));
    List<String> lines =
        BLOCK
            .matcher(section)
            .results()
            .filter(block -> block.group(1).isEmpty())
            .flatMap(block -> block.group(2).replaceAll("\\\\\n *", "").lines())
            .toList();
    return new FirstProject(
        files,
        lines.stream()
            .filter(line -> !line.startsWith("WARNING: "))
            .map(line -> line.replaceAll(" +#.*", ""))
            .toList(),
        lines.stream().filter(line -> line.startsWith("WARNING: ")).toList());
  }

  /** Returns the command that begins so. */
  String command(String beginning) {
    return commands.stream()
        .filter(command -> command.startsWith(beginning))
        .findFirst()
        .orElseThrow(() -> new NoSuchElementException(beginning + " in " + commands));
  }

  /** Writes some of the files. */
  void write(Path folder, String... paths) throws IOException {
    for (String path : paths) {
      Path file = folder.resolve(path);
      Files.createDirectories(file.getParent());
      String text = files.get(path);
      if (text == null) {
        throw new NoSuchElementException(path + " in " + files.keySet());
      }
      Files.writeString(file, text);
    }
  }
}
