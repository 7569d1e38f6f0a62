package dev.windhover.server.http2;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class StreamHistoryTest {
  private final StreamHistory history = new StreamHistory();

  @Test
  void streamMayHaveBegunIfItOrALaterOneHas() {
    assertThat(history.mayHaveBegun(1)).isFalse();
    history.begin(5);
    assertThat(history.mayHaveBegun(3)).isTrue();
    assertThat(history.mayHaveBegun(5)).isTrue();
    assertThat(history.mayHaveBegun(7)).isFalse();
    assertThat(history.mayHaveBegun(4)).as("a stream of the server").isFalse();
  }

  @Test
  void lowerStreamsThatTheClientHasNotBegunAreSkipped() {
    history.begin(5);
    history.begin(7);
    history.begin(11);
    assertThat(List.of(1, 3, 9)).allMatch(history::wasSkipped);
    assertThat(List.of(5, 7, 11, 13)).noneMatch(history::wasSkipped);
  }

  @Test
  void streamsThatFollowEachOtherAreSkippedByNoGap() {
    history.begin(1);
    history.begin(3);
    assertThat(List.of(1, 3, 5)).noneMatch(history::wasSkipped);
  }

  @Test
  void faultInAHeadBeginsItsStreamAndOneBeforeTheHeadDoesNot() {
    assertThat(history.beginWithFault(1)).isFalse(); // in PRIORITY, for example
    history.headComes(1);
    assertThat(history.beginWithFault(1)).isTrue();
    assertThat(history.beginWithFault(1)).as("again").isFalse();
    assertThat(history.mayHaveBegun(1)).isTrue();
  }

  @Test
  void furtherHeadOfAStreamIsNoticedUntilAnotherStreamHasOne() {
    history.headComes(1);
    assertThat(history.hasHeadAgain(1)).isFalse();
    history.headComes(3);
    history.headComes(1);
    assertThat(history.hasHeadAgain(1)).isTrue();
    history.headComes(3);
    assertThat(history.hasHeadAgain(1)).isFalse();
  }

  @Test
  void anyNumberOfResetStreamsThatFollowEachOtherIsRemembered() {
    for (int stream = 1; stream < 20_000; stream += 2) {
      history.addReset(stream);
    }
    assertThat(history.wasReset(1)).isTrue();
    assertThat(history.wasReset(9_999)).isTrue();
    assertThat(history.wasReset(20_001)).isFalse();
  }

  @Test
  void ofScatteredResetsTheLast100AreRemembered() {
    for (int i = 0; i < 101; i++) {
      history.addReset(1 + 4 * i);
    }
    assertThat(history.wasReset(1)).isFalse();
    assertThat(history.wasReset(5)).isTrue();
    assertThat(history.wasReset(7)).as("between two").isFalse();
    assertThat(history.wasReset(401)).isTrue();
  }
}
