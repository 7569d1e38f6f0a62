package dev.windhover.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/**
 * The texts of other violations are asserted where their rules are tested, mostly in
 * FrameReaderTest.
 */
class ViolationTest {
  @Test
  void isTheReasonOfTheCloseThatAnswersIt() {
    assertThat(Violation.NOT_MASKED.toCloseReason())
        .isEqualTo(new CloseReason(1002, "client frame is not masked"));
  }

  @Test
  void aMessageThatIsTooBigIs1009() {
    assertThat(Violation.messageTooBig(70_000, 65_536))
        .isEqualTo(new Violation(1009, "message of 70000 bytes exceeds limit of 65536"));
  }

  @Test
  void payloadThatCannotBeDecodedIs1007() {
    assertThat(Violation.undecodable("no such block"))
        .isEqualTo(new Violation(1007, "no such block"));
  }

  @Test
  void aBrokenPolicyIs1008() {
    assertThat(Violation.policy("too many pings")).isEqualTo(new Violation(1008, "too many pings"));
  }

  @Test
  void theLongestWordsFitIntoAClose() {
    assertThat(Violation.messageTooBig(Long.MAX_VALUE, Long.MAX_VALUE).toCloseReason().toPayload())
        .matches(payload -> payload.remaining() <= 125);
  }
}
