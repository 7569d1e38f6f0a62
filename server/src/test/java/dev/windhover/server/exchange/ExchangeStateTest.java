package dev.windhover.server.exchange;

import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.windhover.server.TransitionTable;
import org.junit.jupiter.api.Test;

class ExchangeStateTest {
  @Test
  void everyEventLeadsOnOrCannotHappen() {
    TransitionTable.check(
        """
        state      RESPONDED  ENDED    ACCEPTED  UPGRADED ABORTED
        PENDING    RESPONDING -        UPGRADING -        ABORTED
        RESPONDING -          COMPLETE -         -        ABORTED
        COMPLETE   -          COMPLETE -         -        COMPLETE
        UPGRADING  -          -        -         UPGRADED ABORTED
        UPGRADED   -          -        -         -        UPGRADED
        ABORTED    ABORTED    ABORTED  ABORTED   -        ABORTED
        """,
        ExchangeState.class,
        ExchangeState.Event.class,
        ExchangeState::on);
  }

  @Test
  void secondAnswerIsRefusedWithTheReason() {
    assertThatIllegalStateException()
        .isThrownBy(() -> ExchangeState.COMPLETE.on(ExchangeState.Event.RESPONDED))
        .withMessage("the response has started");
  }
}
