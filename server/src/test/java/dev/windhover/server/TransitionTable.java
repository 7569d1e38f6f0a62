package dev.windhover.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.List;
import java.util.function.BiFunction;

/** A table of states as text: a column for each event, a row for each state, and - for never. */
public final class TransitionTable {
  private TransitionTable() {}

  public static <S extends Enum<S>, E extends Enum<E>> void check(
      String table, Class<S> states, Class<E> events, BiFunction<S, E, S> on) {
    List<List<String>> rows =
        table.lines().map(line -> List.of(line.strip().split(",? +"))).toList();
    assertThat(rows.getFirst().stream().skip(1))
        .as("columns")
        .containsExactlyElementsOf(names(events));
    assertThat(rows.stream().skip(1).map(List::getFirst))
        .as("rows")
        .containsExactlyElementsOf(names(states));
    for (int row = 0; row < states.getEnumConstants().length; row++) {
      S state = states.getEnumConstants()[row];
      for (int column = 0; column < events.getEnumConstants().length; column++) {
        E event = events.getEnumConstants()[column];
        String after = rows.get(row + 1).get(column + 1);
        if (after.equals("-")) {
          assertThatIllegalStateException()
              .as("%s in %s", event, state)
              .isThrownBy(() -> on.apply(state, event));
        } else {
          assertThat(on.apply(state, event)).as("%s in %s", event, state).hasToString(after);
        }
      }
    }
  }

  private static List<String> names(Class<? extends Enum<?>> type) {
    return List.of(type.getEnumConstants()).stream().map(Enum::name).toList();
  }
}
