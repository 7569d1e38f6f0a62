package dev.windhover.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.app.WebApplication;
import dev.windhover.samples.hub.server.HubServer;
import java.io.UncheckedIOException;
import java.net.URI;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HubLoadTest {
  private static final WebApplication server = HubServer.create("--urls", "http://127.0.0.1:0");

  @BeforeAll
  static void start() throws Exception {
    server.start();
  }

  @AfterAll
  static void stop() {
    server.stop();
  }

  private static Measurement measure(String load) throws Exception {
    int port = URI.create(server.urls().getFirst()).getPort();
    return LoadGenerator.measure(
        new Arguments(List.of(("--port " + port + " " + load).split(" ", -1))));
  }

  @Tag("full")
  @ParameterizedTest
  @ValueSource(strings = {"/bench-loop", "/bench"})
  void answersAreCountedAndVerified(String path) throws Exception {
    Measurement measured =
        measure("--hub " + path + " --connections 4 --in-flight 3 --warmup 0 --seconds 1");
    assertThat(measured.messagesPerSecond()).isPositive();
    // Four bytes of a header more; with 8 calls in flight, several may come in one read.
    assertThat(measured.bytesPerReply()).isBetween(64.0 + 41, 64.0 + 50);
  }

  @Tag("full")
  @ParameterizedTest
  @ValueSource(strings = {"/bench-loop", "/bench"})
  void whatIsSentToAllCountsOnceForEachConnection(String path) throws Exception {
    Measurement measured =
        measure("--hub " + path + " --connections 10 --sends 5 --size 128 --warmup 0 --seconds 1");
    assertThat(measured.messagesPerSecond()).isPositive();
    assertThat(measured.bytesPerReply()).isBetween(128.0 + 40, 128.0 + 70);
  }

  @Test
  void aHubThatAnswersSomethingElseIsNotMeasured() {
    assertThatThrownBy(() -> measure("--hub /testhub --warmup 0 --seconds 1"))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("wrong answer: {\"type\":3,\"invocationId\":\"1\",\"error\":");
  }
}
