package dev.windhover.app;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.http.Application;
import dev.windhover.server.ListenException;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

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

  @Test
  void aSecondStartIsRefusedAndTheFirstGoesOn() throws Exception {
    try (WebApplication app = WebApplication.create(ANY_PORT)) {
      app.mapGet("/", context -> context.response().write("hello")).start();
      List<String> urls = app.urls();
      assertThatThrownBy(app::start)
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("the application is already running");
      assertThat(app.urls()).isEqualTo(urls);
      assertThat(bodyOf(app)).isEqualTo("hello");
    }
  }

  @Test
  void anApplicationThatWasStoppedDoesNotStart() throws Exception {
    WebApplication ran = WebApplication.create(ANY_PORT);
    ran.start();
    ran.stop();
    WebApplication never = WebApplication.create(ANY_PORT);
    never.stop();
    for (WebApplication app : List.of(ran, never)) {
      assertThatThrownBy(app::start)
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("the application was stopped");
      assertThatThrownBy(app::run).isInstanceOf(IllegalStateException.class);
      assertThat(app.urls()).isEmpty();
    }
  }

  @Test
  void anApplicationThatCouldNotListenMayTryAgain() throws Exception {
    WebApplication app;
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      app = WebApplication.create("--urls=http://127.0.0.1:" + taken.getLocalPort());
      assertThatThrownBy(app::start).isInstanceOf(ListenException.class);
      assertThat(app.urls()).isEmpty();
    }
    app.start();
    assertThat(app.urls()).hasSize(1);
    app.stop();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aTaskThatThrowsWhenItStartsStopsTheApplication(boolean runs) {
    List<String> urls = new ArrayList<>();
    WebApplication app = WebApplication.create(ANY_PORT);
    app.onStarted(() -> urls.addAll(app.urls()));
    app.onStarted(() -> {
      throw new IllegalArgumentException("on purpose");
    });
    assertThatThrownBy(
            () -> {
              if (runs) {
                app.run();
              } else {
                app.start();
              }
            })
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("on purpose");
    assertThat(app.urls()).isEmpty();
    assertThat(app.stopping()).isCompleted();
    assertThatThrownBy(() -> new URI(urls.getFirst()).toURL().openStream())
        .isInstanceOf(ConnectException.class);
  }

  @Test
  void webSocketsAreUsedOnce() {
    WebApplication app = WebApplication.create(ANY_PORT);
    app.useWebSockets(options -> options.allowedOrigins("https://one.example"));
    assertThatThrownBy(
            () -> app.useWebSockets(options -> options.allowedOrigins("https://two.example")))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage(
            "the application uses WebSockets already: set all of their options in one call");
  }

  private static String bodyOf(WebApplication app) throws Exception {
    try (InputStream body = new URI(app.urls().getFirst()).toURL().openStream()) {
      return new String(body.readAllBytes(), UTF_8);
    }
  }
}
