package dev.windhover.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WebSocketStateTest {
  @ParameterizedTest
  @CsvSource(
      useHeadersInDisplayName = true,
      textBlock =
          """
          state,          OPENED,         SENT_CLOSE,     RECEIVED_CLOSE, CONNECTION_ENDED
          CONNECTING,     OPEN,           CONNECTING,     CONNECTING,     ABORTED
          OPEN,           OPEN,           CLOSE_SENT,     CLOSE_RECEIVED, ABORTED
          CLOSE_SENT,     CLOSE_SENT,     CLOSE_SENT,     CLOSED,         ABORTED
          CLOSE_RECEIVED, CLOSE_RECEIVED, CLOSED,         CLOSE_RECEIVED, ABORTED
          CLOSED,         CLOSED,         CLOSED,         CLOSED,         CLOSED
          ABORTED,        ABORTED,        ABORTED,        ABORTED,        ABORTED
          """)
  void everyEventLeadsOn(
      WebSocketState state,
      WebSocketState opened,
      WebSocketState sentClose,
      WebSocketState receivedClose,
      WebSocketState ended) {
    assertThat(state.on(WebSocketState.Event.OPENED)).isEqualTo(opened);
    assertThat(state.on(WebSocketState.Event.SENT_CLOSE)).isEqualTo(sentClose);
    assertThat(state.on(WebSocketState.Event.RECEIVED_CLOSE)).isEqualTo(receivedClose);
    assertThat(state.on(WebSocketState.Event.CONNECTION_ENDED)).isEqualTo(ended);
  }

  @ParameterizedTest
  @CsvSource(
      useHeadersInDisplayName = true,
      textBlock =
          """
          state,          canSend, canReceive, isTerminal
          CONNECTING,     false,   false,      false
          OPEN,           true,    true,       false
          CLOSE_SENT,     false,   true,       false
          CLOSE_RECEIVED, true,    false,      false
          CLOSED,         false,   false,      true
          ABORTED,        false,   false,      true
          """)
  void everyStateAllowsItsOwn(
      WebSocketState state, boolean canSend, boolean canReceive, boolean isTerminal) {
    assertThat(state.canSend()).isEqualTo(canSend);
    assertThat(state.canReceive()).isEqualTo(canReceive);
    assertThat(state.isTerminal()).isEqualTo(isTerminal);
  }
}
