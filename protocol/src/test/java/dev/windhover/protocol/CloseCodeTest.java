package dev.windhover.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CloseCodeTest {
  @ParameterizedTest
  @CsvSource({
    "NORMAL_CLOSURE, 1000",
    "GOING_AWAY, 1001",
    "PROTOCOL_ERROR, 1002",
    "UNSUPPORTED_DATA, 1003",
    "NO_STATUS_RECEIVED, 1005",
    "ABNORMAL_CLOSURE, 1006",
    "INVALID_FRAME_PAYLOAD_DATA, 1007",
    "POLICY_VIOLATION, 1008",
    "MESSAGE_TOO_BIG, 1009",
    "MANDATORY_EXTENSION, 1010",
    "INTERNAL_ERROR, 1011",
    "SERVICE_RESTART, 1012",
    "TRY_AGAIN_LATER, 1013",
    "BAD_GATEWAY, 1014",
    "TLS_HANDSHAKE, 1015"
  })
  void namesAndNumbersAreThoseOfIana(String name, int code) throws ReflectiveOperationException {
    assertThat(CloseCode.class.getField(name).getInt(null)).isEqualTo(code);
  }

  @Test
  void threeRangesMayStandInAFrame() {
    List<Integer> allowed =
        IntStream.rangeClosed(-1, 70_000).filter(CloseCode::isAllowedInFrame).boxed().toList();
    List<Integer> ranges =
        IntStream.of(
                IntStream.concat(
                        IntStream.concat(
                            IntStream.rangeClosed(1000, 1003), IntStream.rangeClosed(1007, 1014)),
                        IntStream.rangeClosed(3000, 4999))
                    .toArray())
            .boxed()
            .toList();
    assertThat(allowed).isEqualTo(ranges);
  }
}
