package dev.windhover.samples.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Runs the server; its settings are tried by {@code verification}'s witnesses. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ConformanceServerTest {
  private final WebApplication app = ConformanceServer.create("--urls", "http://127.0.0.1:0");
  private final HttpClient http = HttpClient.newHttpClient();

  @BeforeAll
  void start() throws Exception {
    app.start();
  }

  @AfterAll
  void stop() {
    http.close();
    app.stop();
  }

  @Test
  void messagesComeBack() throws Exception {
    FirstText echo = new FirstText();
    WebSocket socket =
        http.newWebSocketBuilder()
            .buildAsync(URI.create(app.urls().getFirst().replace("http:", "ws:")), echo)
            .get();
    socket.sendText("hello", true).get();
    assertThat(echo.text.get(30, TimeUnit.SECONDS)).isEqualTo("hello");
    socket.abort();
  }

  @Test
  void theLineThatTestersWaitForComesWhenItListens() throws Exception {
    WebApplication other = ConformanceServer.create("--urls", "http://127.0.0.1:0");
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    ConformanceServer.announce(other, new PrintStream(printed, true, UTF_8)).start();
    assertThat(printed.toString(UTF_8).strip())
        .isEqualTo("ready: echoes every message on any path of " + other.urls().getFirst());
    other.stop();
  }

  private static final class FirstText implements WebSocket.Listener {
    final CompletableFuture<String> text = new CompletableFuture<>();

    @Override
    public @Nullable CompletionStage<?> onText(WebSocket socket, CharSequence part, boolean last) {
      text.complete(part.toString());
      return null;
    }
  }
}
