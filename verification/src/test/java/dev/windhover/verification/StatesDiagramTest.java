package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.protocol.WebSocketState;
import dev.windhover.server.exchange.ExchangeState;
import dev.windhover.server.http1.Http1State;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.BiFunction;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/** The diagrams that people read are the tables that run. */
class StatesDiagramTest {
  @Test
  void documentedStatesOfASocketAreTheEnginesTable() throws IOException {
    check(
        "socket states",
        WebSocketState.class,
        WebSocketState.Event.class,
        WebSocketState::on,
        WebSocketState::isTerminal);
  }

  @Test
  void documentedStatesOfAConnectionAreTheHostsTable() throws IOException {
    check(
        "connection states",
        Http1State.class,
        Http1State.Event.class,
        Http1State::on,
        Http1State::isTerminal);
  }

  @Test
  void documentedStatesOfAnExchangeAreTheHostsTable() throws IOException {
    check(
        "exchange states",
        ExchangeState.class,
        ExchangeState.Event.class,
        ExchangeState::on,
        ExchangeState::isTerminal);
  }

  /** Compares the diagram between the markers of that name with the table, which {@code on} is. */
  private static <S extends Enum<S>, E extends Enum<E>> void check(
      String name,
      Class<S> states,
      Class<E> events,
      BiFunction<S, E, S> on,
      Predicate<S> isTerminal)
      throws IOException {
    Path page = Repository.root().resolve("ARCHITECTURE.md");
    String text = Files.readString(page);
    String begin = "<!-- " + name + " -->\n";
    String end = "<!-- /" + name + " -->";
    String shown = text.substring(text.indexOf(begin) + begin.length(), text.indexOf(end));
    assertThat(shown)
        .as(page + " between the markers of " + name)
        .isEqualTo(diagram(states.getEnumConstants(), events.getEnumConstants(), on, isTerminal));
  }

  private static <S extends Enum<S>, E extends Enum<E>> String diagram(
      S[] states, E[] events, BiFunction<S, E, S> on, Predicate<S> isTerminal) {
    StringBuilder lines = new StringBuilder("```mermaid\nstateDiagram-v2\n");
    lines.append("  [*] --> ").append(states[0]).append('\n');
    for (S from : states) {
      for (E event : events) {
        S to = after(from, event, on);
        if (to != from) {
          lines.append("  %s --> %s : %s%n".formatted(from, to, words(event)));
        }
      }
      if (isTerminal.test(from)) {
        lines.append("  ").append(from).append(" --> [*]\n");
      }
    }
    return lines.append("```\n").toString();
  }

  /** Returns the same state if the event cannot happen in it. */
  private static <S, E> S after(S from, E event, BiFunction<S, E, S> on) {
    try {
      return on.apply(from, event);
    } catch (IllegalStateException e) {
      return from;
    }
  }

  private static String words(Enum<?> event) {
    return event.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }
}
