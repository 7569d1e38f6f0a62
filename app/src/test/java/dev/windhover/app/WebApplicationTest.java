package dev.windhover.app;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.Application;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.net.URI;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class WebApplicationTest {
  private static final String ANY_PORT = "--urls=http://127.0.0.1:0";

  @Test
  void aProgramIsOneChain() {
    WebApplication app = WebApplication.create(ANY_PORT);
    app.useWebSockets(options -> options.allowedOrigins("*"))
        .mapGet("/", context -> context.response().write("hello"))
        .mapWebSocket("/echo", socket -> {})
        .onStarted(app::stop)
        .run();
    assertThat(app.urls()).isEmpty();
  }

  /** What {@link WebApplication} inherits must not cut a chain of its own calls short. */
  @ParameterizedTest
  @MethodSource
  void everyCallThatAnApplicationChainsReturnsTheWebApplication(Method chained) throws Exception {
    Method ours = WebApplication.class.getMethod(chained.getName(), chained.getParameterTypes());
    assertThat(ours.getReturnType()).isEqualTo(WebApplication.class);
  }

  static Stream<Method> everyCallThatAnApplicationChainsReturnsTheWebApplication() {
    return Arrays.stream(Application.class.getMethods())
        .filter(method -> method.getReturnType() == Application.class);
  }

  @Test
  void leavingItsBlockStopsIt() throws Exception {
    WebApplication left;
    try (WebApplication app = WebApplication.create(ANY_PORT)) {
      app.mapGet("/", context -> context.response().write("hello")).start();
      try (InputStream body = new URI(app.urls().getFirst()).toURL().openStream()) {
        assertThat(body.readAllBytes()).asString(UTF_8).isEqualTo("hello");
      }
      left = app;
    }
    assertThat(left.stopping()).isCompleted();
    assertThat(left.urls()).isEmpty();
  }
}
