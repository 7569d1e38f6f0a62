package dev.windhover.verification.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.samples.conformance.ConformanceServer;
import dev.windhover.verification.conformance.Distortion.OfHttp2;
import dev.windhover.verification.conformance.Distortion.OfWebSockets;
import dev.windhover.verification.conformance.Suite.End;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Proxy;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The suite against {@code samples/conformance} with some of its words altered: a case that is
 * content with each alteration would see no fault of ours either.
 */
@Tag("full")
@Timeout(300)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@ExtendWith(StrictLogs.class)
class DistortedServerTest {
  private static final long PATIENCE_MILLIS = 2_000;
  private static final long BYTES = 16 * 1024;

  private final WebApplication app = ConformanceServer.create("--urls=http://127.0.0.1:0");

  @BeforeAll
  void start() throws Exception {
    app.start();
  }

  @AfterAll
  void stop() {
    app.stop();
  }

  /** About its code, about what comes before it, and that it comes. */
  @Test
  void whoSeesACloseIsStrictAboutIt() throws Exception {
    List<Case> cases = cases(Transport.PLAIN);
    List<Case> seeNone = content(cases, Transport.PLAIN, OfWebSockets.CODES);
    assertThat(seeNone).hasSizeLessThan(cases.size() / 10);
    assertThat(content(cases, Transport.PLAIN, OfWebSockets.PONGS)).isEqualTo(seeNone);
    assertThat(content(cases, Transport.PLAIN, OfWebSockets.NO_CLOSE)).isEqualTo(seeNone);
  }

  @Test
  void everyCaseFailsForSomething() throws Exception {
    List<Case> content = cases(Transport.PLAIN);
    for (OfWebSockets distortion : OfWebSockets.values()) {
      content = content(content, Transport.PLAIN, distortion);
    }
    assertThat(content).isEmpty();
  }

  @Test
  void everyCaseOfHttp2FailsForSomething() throws Exception {
    List<Case> content = cases(Transport.HTTP_2);
    content.removeAll(cases(Transport.PLAIN));
    for (OfHttp2 distortion : OfHttp2.values()) {
      content = content(content, Transport.HTTP_2, distortion);
    }
    assertThat(content).isEmpty();
  }

  private static List<Case> cases(Transport transport) {
    return Suite.cases().stream()
        .filter(each -> each.runsOver(transport))
        .collect(Collectors.toCollection(ArrayList::new));
  }

  /** Returns those that find nothing wrong. */
  private List<Case> content(List<Case> cases, Transport transport, Distortion distortion)
      throws IOException {
    try (Proxy proxy = distortion.before(URI.create(app.urls().getFirst()).getPort())) {
      Stage stage = new Stage(transport, proxy.port(), "api=blocking", PATIENCE_MILLIS, BYTES);
      return Suite.play(cases, stage, each -> true).stream()
          .map(CompletableFuture::join)
          .filter(end -> end.wrong() == null)
          .map(End::played)
          .toList();
    }
  }
}
