package dev.windhover.samples.echo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class EchoTest {
  private final WebApplication app = Echo.create("--urls", "http://127.0.0.1:0");
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

  @ParameterizedTest
  @ValueSource(strings = {"/ws", "/ws/messages", "/ws/controller", "/ws/background"})
  void everyEndpointEchoesAndKnowsTheMagicWords(String path) throws Exception {
    Heard heard = new Heard();
    WebSocket socket =
        http.newWebSocketBuilder()
            .subprotocols("chat", "superchat")
            .buildAsync(URI.create(app.urls().getFirst().replace("http:", "ws:") + path), heard)
            .get();
    assertThat(socket.getSubprotocol()).isEqualTo("chat");
    socket.sendText("Grüße", true).get();
    assertThat(heard.next()).isEqualTo("Grüße");
    socket.sendText("ServerClose", true).get();
    assertThat(heard.next()).isEqualTo("1000 Closing from Server");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/", "/echo.js", "/echo.css", "/favicon.svg"})
  void thePageIsServedAndLoadsNothingForeign(String path) throws Exception {
    HttpResponse<String> response = get(path);
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.headers().firstValue("Content-Security-Policy").orElseThrow())
        .startsWith("default-src 'self'");
  }

  private HttpResponse<String> get(String path) throws Exception {
    URI uri = URI.create(app.urls().getFirst() + path);
    return http.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
  }

  /** The texts that came, and the close. */
  private static final class Heard implements WebSocket.Listener {
    private final BlockingQueue<String> heard = new LinkedBlockingQueue<>();

    @Override
    public @Nullable CompletionStage<?> onText(WebSocket socket, CharSequence text, boolean last) {
      heard.add(text.toString());
      socket.request(1);
      return null;
    }

    @Override
    public @Nullable CompletionStage<?> onClose(WebSocket socket, int status, String reason) {
      heard.add(status + " " + reason);
      return null;
    }

    @Nullable String next() throws InterruptedException {
      return heard.poll(30, TimeUnit.SECONDS);
    }
  }
}
