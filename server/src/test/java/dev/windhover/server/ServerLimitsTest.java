package dev.windhover.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class ServerLimitsTest {
  private final ServerLimits limits = new ServerOptions().limits();

  @Test
  void defaultsAreThoseOfTheReferenceWhereItHasThem() {
    assertThat(limits.maxRequestLine()).isEqualTo(8_192);
    assertThat(limits.maxHeaders()).isEqualTo(32_768);
    assertThat(limits.maxHeaderCount()).isEqualTo(100);
    assertThat(limits.maxBodySize()).isEqualTo(30_000_000);
    assertThat(limits.headersTimeout()).isEqualTo(Duration.ofSeconds(30));
    assertThat(limits.idleTimeout()).isEqualTo(Duration.ofSeconds(130));
    assertThat(limits.minBodyRate())
        .isEqualTo(new ServerLimits.Rate(240, Duration.ofSeconds(5)))
        .isEqualTo(limits.minResponseRate());
    assertThat(limits.maxConnections()).isEqualTo(16_384);
    assertThat(limits.maxUpgradedConnections()).isEqualTo(1_048_576);
  }

  @Test
  void nonsenseIsRefusedWithTheNumber() {
    refused(() -> limits.maxRequestLine(0), "maxRequestLine 0 is not positive");
    refused(() -> limits.maxHeaders(0), "maxHeaders 0 is not positive");
    refused(() -> limits.maxHeaderCount(0), "maxHeaderCount 0 is not positive");
    refused(() -> limits.maxBodySize(-1), "maxBodySize -1 is negative");
    refused(() -> limits.headersTimeout(Duration.ZERO), "headersTimeout PT0S is not positive");
    refused(() -> limits.idleTimeout(Duration.ZERO), "idleTimeout PT0S is not positive");
    refused(() -> limits.minBodyRate(-1, Duration.ofDays(1)), "minBodyRate -1 is negative");
    refused(
        () -> limits.minResponseRate(1, Duration.ZERO),
        "minResponseRate's grace PT0S is not positive");
    refused(() -> limits.maxConnections(0), "maxConnections 0 is not positive");
    refused(() -> limits.maxUpgradedConnections(-1), "maxUpgradedConnections -1 is negative");
  }

  private static void refused(Runnable change, String why) {
    assertThatIllegalArgumentException().isThrownBy(change::run).withMessage(why);
  }
}
