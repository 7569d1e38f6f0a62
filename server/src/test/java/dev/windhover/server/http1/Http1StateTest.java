package dev.windhover.server.http1;

import dev.windhover.server.TransitionTable;
import org.junit.jupiter.api.Test;

class Http1StateTest {
  @Test
  void everyEventLeadsOnOrCannotHappen() {
    TransitionTable.check(
        """
        state            REQUESTED LEFT_BODY  COMPLETED COMPLETED_LAST BLOCKED       CONTINUED        UPGRADED CLOSE_BEGAN OUTPUT_ENDED CONNECTION_ENDED
        AWAITING_REQUEST EXCHANGE  -          -         -              -             -                UPGRADED CLOSING     -            CLOSED
        EXCHANGE         -         DISCARDING ANSWERED  LAST_ANSWERED  -             -                UPGRADED -           -            CLOSED
        DISCARDING       -         -          ANSWERED  LAST_ANSWERED  -             -                -        -           -            CLOSED
        ANSWERED         -         -          -         -              AWAITING_ROOM AWAITING_REQUEST -        CLOSING     -            CLOSED
        LAST_ANSWERED    -         -          -         -              -             -                -        CLOSING     -            CLOSED
        AWAITING_ROOM    -         -          -         -              -             AWAITING_REQUEST -        CLOSING     -            CLOSED
        CLOSING          -         -          -         -              -             -                -        -           LINGERING    CLOSED
        LINGERING        -         -          -         -              -             -                -        -           -            CLOSED
        UPGRADED         -         -          -         -              -             -                -        -           -            -
        CLOSED           -         -          -         -              -             -                -        -           -            -
        """,
        Http1State.class,
        Http1State.Event.class,
        Http1State::on);
  }
}
