package dev.windhover.hubs.connections;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.EnumSet;
import org.junit.jupiter.api.Test;

class ConnectionOptionsTest {
  @Test
  void optionsRefuseWhatMakesNoSense() {
    ConnectionOptions options = new ConnectionOptions();
    assertThatThrownBy(() -> options.transports(EnumSet.noneOf(TransportType.class)))
        .hasMessage("an endpoint needs a transport");
    assertThatThrownBy(() -> options.applicationMaxBufferSize(-1))
        .hasMessage("applicationMaxBufferSize -1 is negative");
    assertThatThrownBy(() -> options.pollTimeout(Duration.ZERO))
        .hasMessage("pollTimeout PT0S is not positive");
    assertThatThrownBy(() -> options.drainTime(Duration.ofSeconds(-1)))
        .hasMessage("drainTime PT-1S is negative");
    assertThatThrownBy(() -> options.minimumProtocolVersion(2))
        .hasMessage("minimumProtocolVersion 2 is not 0 or 1");
    assertThatThrownBy(() -> options.maxUnfinishedNegotiations(0))
        .hasMessage("maxUnfinishedNegotiations 0 is not positive");
    assertThatThrownBy(options::requireRole).isInstanceOf(IllegalArgumentException.class);
  }
}
