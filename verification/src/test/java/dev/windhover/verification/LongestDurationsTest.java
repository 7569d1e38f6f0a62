package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.http.EventStream;
import dev.windhover.http.websocket.Message;
import dev.windhover.verification.logs.StrictLogs;
import java.lang.reflect.Method;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** A duration that no counter of nanoseconds holds means "never" wherever one can be given. */
@ExtendWith(StrictLogs.class)
class LongestDurationsTest {
  private static final Duration LONGEST = Duration.ofSeconds(Long.MAX_VALUE);

  private final Set<String> set = new TreeSet<>();

  /** Gives each of {@code options} that takes a duration the longest. */
  private <T> void setAll(T options) {
    for (Method method : options.getClass().getMethods()) {
      Class<?>[] types = method.getParameterTypes();
      try {
        if (types.length == 1 && types[0] == Duration.class) {
          method.invoke(options, LONGEST);
        } else if (types.length == 2 && types[0] == int.class && types[1] == Duration.class) {
          method.invoke(options, 1, LONGEST);
        } else {
          continue;
        }
      } catch (ReflectiveOperationException e) {
        throw new LinkageError(method + " refuses it", e);
      }
      set.add(method.getName());
    }
  }

  @Test
  void aServerServesWithTheLongestOfAllDurations(@TempDir Path folder) throws Exception {
    Path certificate = Certificate.USUAL.writePkcs12(folder.resolve("certificate.p12"));
    WebApplication app =
        WebApplication.create(
            "--urls=http://127.0.0.1:0;https://127.0.0.1:0",
            "--certificate=" + certificate,
            "--certificate-password=" + Certificate.PASSWORD);
    app.server(options -> {
      setAll(options);
      setAll(options.limits());
      setAll(options.limits().http2());
      setAll(options.tls());
    });
    app.useWebSockets(options -> {
      options.allowedOrigins("*");
      setAll(options);
      setAll(options.limits());
    });
    app.every(LONGEST, () -> {});
    app.mapPost("/", context -> context.request().body().transferTo(context.response().body()));
    app.mapGet("/events", context -> EventStream.open(context, LONGEST).close());
    app.mapGet("/stream", context -> context.response().stream(LONGEST).end());
    app.mapWebSocket(
        "/ws",
        socket -> {
          Message message = socket.receiveMessage(LONGEST);
          if (message != null) {
            socket.send(message);
          }
        });
    app.start();
    assertThat(set).hasSize(17);
    try (HttpClient client =
        HttpClient.newBuilder().sslContext(Certificate.USUAL.trust()).build()) {
      for (String url : app.urls()) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url + "/"));
        request.POST(HttpRequest.BodyPublishers.ofString("x"));
        assertThat(client.send(request.build(), BodyHandlers.ofString()).body()).isEqualTo("x");
        for (String path : new String[] {"/events", "/stream"}) {
          HttpRequest get = HttpRequest.newBuilder(URI.create(url + path)).build();
          assertThat(client.send(get, BodyHandlers.ofString()).body()).isEmpty();
        }
        assertThat(echo(client, URI.create(url.replaceFirst("http", "ws") + "/ws"))).isEqualTo("x");
      }
    } finally {
      app.stop();
    }
  }

  private static CharSequence echo(HttpClient client, URI uri) throws Exception {
    CompletableFuture<CharSequence> echo = new CompletableFuture<>();
    WebSocket.Listener listener =
        new WebSocket.Listener() {
          @Override
          public CompletionStage<?> onText(WebSocket socket, CharSequence text, boolean last) {
            echo.complete(text.toString());
            socket.request(1); // for the Close
            return CompletableFuture.completedStage(null);
          }
        };
    WebSocket socket = client.newWebSocketBuilder().buildAsync(uri, listener).get();
    socket.sendText("x", true).get();
    return echo.get();
  }
}
