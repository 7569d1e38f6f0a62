package dev.windhover.verification.witness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.samples.hub.server.HubServer;
import dev.windhover.verification.logs.Logs;
import dev.windhover.verification.logs.StrictLogs;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * The 328 questions of {@code src/test/node/hubs/hubs.mjs}, whose answers were recorded from the
 * reference, ASP.NET Core. The answers that are meant to differ stand in {@code better-hubs.json}
 * and {@code windhover-hubs.json}, each with its reason.
 */
@ExtendWith(StrictLogs.class)
class HubReferenceTest {
  private static final Path QUESTIONS = Path.of("src/test/node/hubs");
  private static final Pattern DIFFERENCE = Pattern.compile("(?m)^(?:DIFFERS|new    ) (.*)$");

  /** So many differences are not the machine's doing. */
  private static final int MANY = 20;

  private static final JsonMapper json = JsonMapper.shared();

  @TempDir private Path folder = Path.of("");

  @ParameterizedTest
  @ValueSource(strings = {"negotiate, ", "call, ", "messagepack, "})
  void answersAreThoseOfTheReference(String partOfTheName) throws Exception {
    compare(partOfTheName, Map.of("JOBS", "16", "SLOW", "3"));
  }

  @Tag("full")
  @Test
  void allAnswersAreThoseOfTheReference() throws Exception {
    assertThat(compare("", Map.of("JOBS", "8", "SLOW", "2"))).as("questions").isEqualTo(328);
  }

  @Test
  void eachDifferenceIsOneAndHasAReason() throws Exception {
    JsonNode recorded = read("hubs.json");
    JsonNode better = read("better-hubs.json");
    for (Map.Entry<String, JsonNode> difference : read("windhover-hubs.json").properties()) {
      String question = difference.getKey();
      assertThat(recorded.has(question)).as("the question “" + question + "” exists").isTrue();
      assertThat(better.has(question)).as(question + " is in one file").isFalse();
      assertThat(difference.getValue().path("why").asString()).as(question).isNotBlank();
      assertThat(difference.getValue().path("answer"))
          .as(question)
          .isNotEmpty()
          .isNotEqualTo(recorded.get(question));
    }
  }

  /** Asks the questions whose name contains {@code part}; returns how many there were. */
  private int compare(String part, Map<String, String> pace) throws Exception {
    Program node = Program.require("node");
    Path expected = writeExpected();
    try (Logs.Recording _ = Logs.record(HubStage::isAskedFor)) {
      WebApplication app = HubServer.create("--urls", "http://127.0.0.1:0").start();
      try {
        String port = Integer.toString(URI.create(app.urls().getFirst()).getPort());
        String all = ask(node, pace, port, expected, part);
        // A question waits a while for what comes or does not come. On a busy machine that may be
        // too short, so what differs is asked again, alone and slowly.
        assertThat(differences(all)).as(all).hasSizeLessThan(MANY);
        for (String question : differences(all)) {
          String again = ask(node, Map.of("SLOW", "3"), port, expected, question);
          assertThat(questions(again)).as(again).isPositive();
          assertThat(differences(again)).as(again).doesNotContain(question);
        }
        return questions(all);
      } finally {
        app.stop();
      }
    }
  }

  private static String ask(
      Program node, Map<String, String> environment, String port, Path expected, String part)
      throws IOException, InterruptedException {
    return node.run(
            environment,
            QUESTIONS.resolve("hubs.mjs").toString(),
            port,
            "compare",
            expected.toString(),
            part)
        .output();
  }

  private static List<String> differences(String output) {
    return DIFFERENCE.matcher(output).results().map(found -> found.group(1)).toList();
  }

  /** Reads the last line. */
  private static int questions(String output) {
    MatchResult sum =
        Pattern.compile("(\\d+) passed, (\\d+) failed\\s*$")
            .matcher(output)
            .results()
            .findFirst()
            .orElseThrow(() -> new AssertionError(output));
    return Integer.parseInt(sum.group(1)) + Integer.parseInt(sum.group(2));
  }

  /** Puts the answers where the questions look for them; returns the file to name. */
  private Path writeExpected() throws IOException {
    Path expected = Files.copy(QUESTIONS.resolve("hubs.json"), folder.resolve("hubs.json"));
    ObjectNode better = read("better-hubs.json");
    better.setAll(read("windhover-hubs.json"));
    json.writeValue(folder.resolve("better-hubs.json"), better);
    return expected;
  }

  private static ObjectNode read(String name) {
    return (ObjectNode) json.readTree(QUESTIONS.resolve(name));
  }
}
