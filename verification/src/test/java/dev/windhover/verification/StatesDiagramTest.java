package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.protocol.WebSocketState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/** The diagram that people read is the table that runs. */
class StatesDiagramTest {
  private static final String BEGIN = "<!-- states -->\n";
  private static final String END = "<!-- /states -->";

  @Test
  void documentedStatesAreTheEnginesTable() throws IOException {
    Path page = Repository.root().resolve("ARCHITECTURE.md");
    String text = Files.readString(page);
    String shown = text.substring(text.indexOf(BEGIN) + BEGIN.length(), text.indexOf(END));

    assertThat(shown).as(page + " between its markers").isEqualTo(diagram());
  }

  private static String diagram() {
    StringBuilder lines = new StringBuilder("```mermaid\nstateDiagram-v2\n");
    lines.append("  [*] --> ").append(WebSocketState.CONNECTING).append('\n');
    for (WebSocketState from : WebSocketState.values()) {
      for (WebSocketState.Event event : WebSocketState.Event.values()) {
        WebSocketState to = from.on(event);
        if (to != from) {
          lines.append("  %s --> %s : %s%n".formatted(from, to, words(event)));
        }
      }
      if (from.isTerminal()) {
        lines.append("  ").append(from).append(" --> [*]\n");
      }
    }
    return lines.append("```\n").toString();
  }

  private static String words(WebSocketState.Event event) {
    return event.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }
}
