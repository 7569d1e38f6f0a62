package dev.windhover.http.host;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.CapturedLog;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.slf4j.LoggerFactory;
import org.slf4j.helpers.NOPLoggerFactory;

class LoggersTest {
  @RegisterExtension final CapturedLog stderr = new CapturedLog();

  @Test
  void withoutABackendErrorsGoToStderrAndNothingElse() {
    var log = Loggers.of(new NOPLoggerFactory(), LoggersTest.class);
    log.warn("a warning");
    log.info("a line");
    assertThat(stderr.take()).isEmpty();
    log.error("request {} failed: {}", "c7-1", "GET /", new IllegalStateException("no luck"));
    assertThat(stderr.take())
        .startsWith(
            """
            ERROR dev.windhover.http.host.LoggersTest - request c7-1 failed: GET /
            java.lang.IllegalStateException: no luck
            \tat dev.windhover.http\
            """);
  }

  @Test
  void withABackendItsLoggersAreUsed() {
    assertThat(Loggers.get(LoggersTest.class))
        .isSameAs(LoggerFactory.getLogger(LoggersTest.class.getName()));
    assertThat(Loggers.haveNoBackend()).isFalse();
  }
}
