package dev.windhover.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import dev.windhover.http.Application;
import dev.windhover.http.HttpVersion;
import dev.windhover.http.middleware.HostFiltering;
import dev.windhover.http.websocket.Message;
import dev.windhover.http.websocket.SubprotocolSelector;
import dev.windhover.http.websocket.WebSocketAcceptContext;
import dev.windhover.protocol.WebSocketState;
import dev.windhover.websocket.WebSocketOptions;
import dev.windhover.websocket.WebSockets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.event.Level;

/** The opening handshake: what is accepted, and how almost-handshakes are answered. */
class HandshakeTest {
  @RegisterExtension final SocketFixture server = new SocketFixture();

  /** The handshakes of spec 2.3 that are almost right, with our outcome. */
  static Stream<Arguments> faults() {
    return Stream.of(
        fault("no upgrade header", r -> r.without("Upgrade"), 400, "Upgrade: websocket is missing"),
        fault(
            "another upgrade",
            r -> r.header("Upgrade", "h2c"),
            400,
            "Upgrade: websocket is missing"),
        fault(
            "no connection header",
            r -> r.without("Connection"),
            400,
            "Connection: Upgrade is missing"),
        fault("post", r -> r.method("POST"), 400, "a WebSocket is opened with GET, not POST"),
        fault("get", r -> r.method("get"), 400, "a WebSocket is opened with GET, not get"),
        fault(
            "no version",
            r -> r.without("Sec-WebSocket-Version"),
            426,
            "Sec-WebSocket-Version is missing; 13 is supported"),
        fault(
            "version 8",
            r -> r.header("Sec-WebSocket-Version", "8"),
            426,
            "Sec-WebSocket-Version 8 is not supported; 13 is"),
        fault(
            "version 12",
            r -> r.header("Sec-WebSocket-Version", "12"),
            426,
            "Sec-WebSocket-Version 12 is not supported; 13 is"),
        fault(
            "version 14",
            r -> r.header("Sec-WebSocket-Version", "14"),
            426,
            "Sec-WebSocket-Version 14 is not supported; 13 is"),
        fault("no key", r -> r.without("Sec-WebSocket-Key"), 400, "Sec-WebSocket-Key is missing"),
        fault(
            "key of 15 bytes",
            r -> r.header("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAA"),
            400,
            "Sec-WebSocket-Key is not the base64 of 16 bytes"),
        fault(
            "key of 17 bytes",
            r -> r.header("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAAA="),
            400,
            "Sec-WebSocket-Key is not the base64 of 16 bytes"),
        fault(
            "key that is no base64",
            r -> r.header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25j!Q=="),
            400,
            "Sec-WebSocket-Key is not the base64 of 16 bytes"),
        fault(
            "two keys",
            r -> r.add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            400,
            "Sec-WebSocket-Key comes more than once"),
        fault("a body", r -> r.body("x"), 400, "a WebSocket request has no body"),
        fault(
            "HTTP/1.0",
            r -> r.version(HttpVersion.HTTP_1_0),
            400,
            "a WebSocket needs HTTP/1.1 or later"),
        fault(
            "HTTP/2 without a version",
            r -> r.http2().without("Sec-WebSocket-Version"),
            400,
            "sec-websocket-version is not 13"),
        fault(
            "HTTP/2 with version 12",
            r -> r.http2().header("Sec-WebSocket-Version", "12"),
            400,
            "sec-websocket-version is not 13"));
  }

  private static Arguments fault(
      String name, UnaryOperator<TestRequest> change, int status, String cause) {
    return argumentSet(name, change, status, cause);
  }

  private void assertTold(int status, String cause) {
    assertThat(server.events())
        .filteredOn(line -> !line.startsWith("failed"))
        .containsExactly("refused " + status + ": " + cause);
    assertThat(SocketFixture.log(Level.DEBUG)).filteredOn(line -> line.contains(cause)).hasSize(1);
  }

  @Nested
  class Accepted {
    /** The key and answer of RFC 6455 1.3. */
    @Test
    void theAnswerProvesThatTheKeyWasRead() {
      TestFrames client = server.echo(Form.BLOCKING);
      assertThat(client.response().status()).isEqualTo(101);
      assertThat(client.response().headers().toString())
          .isEqualTo(
              "[Upgrade: websocket, Connection: Upgrade,"
                  + " Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=]");
      client.close();
    }

    @Test
    void extendedConnectIsAnsweredWith200AndNothingMore() {
      server.start(context -> context.webSockets().accept());
      TestFrames client = server.host().webSocket("/").http2().connect().frames();
      assertThat(client.response().status()).isEqualTo(200);
      assertThat(client.response().headers()).isEmpty();
      client.answerClose();
    }

    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        value = {
          "Connection | keep-alive, Upgrade",
          "Connection | upgrade",
          "Upgrade | WebSocket",
          "Upgrade | h2c, websocket",
          "Sec-WebSocket-Version | 8, 13"
        })
    void whatTheRfcAllowsIsAccepted(String name, String value) {
      server.start(context -> context.webSockets().accept());
      TestRequest handshake = server.host().webSocket("/").header(name, value);
      assertThat(handshake.send().status()).isEqualTo(101);
      assertThat(server.socket().state()).isNotEqualTo(WebSocketState.CONNECTING);
      server.host().allowLeftOvers();
    }

    @Test
    void whatHandlerAndMiddlewareAddGoesOutWithTheAnswer() {
      Application application = new Application();
      application.use((context, next) -> {
        context.response().onStarting(() -> context.response().headers().add("X-Late", "1"));
        next.handle(context);
      });
      application.use(new WebSockets(new WebSocketOptions().allowedOrigins("*")));
      application.map(
          "/",
          context -> {
            context.response().headers().add("Set-Cookie", "a=b");
            context.webSockets().accept();
          });
      TestFrames client = server.start(application).webSocket("/").connect().frames();
      assertThat(client.response().headers().get("Set-Cookie")).isEqualTo("a=b");
      assertThat(client.response().headers().get("X-Late")).isEqualTo("1");
      client.answerClose();
    }

    @Test
    void framesThatComeWithTheHandshakeReachTheEngine() {
      server.start(context -> {
        var socket = context.webSockets().accept();
        for (Message message : socket) {
          socket.send(message);
        }
      });
      TestFrames client =
          server.host().webSocket("/").followedBy("81 85 37fa213d 7f9f4d5158").connect().frames();
      assertThat(client.receiveText()).isEqualTo("Hello");
      client.close();
    }

    @Test
    void aClientThatIsGoneBeforeTheAnswerIsALostConnection() {
      CompletableFuture<Void> gone = new CompletableFuture<>();
      CompletableFuture<WebSocketState> state = new CompletableFuture<>();
      server.start(context -> {
        gone.get(10, TimeUnit.SECONDS);
        var socket = context.webSockets().accept();
        assertThat(socket.receiveMessage()).isNull();
        state.complete(socket.state());
      });
      server.host().webSocket("/").sendAndLeave();
      gone.complete(null);
      assertThat(state.orTimeout(10, TimeUnit.SECONDS).join()).isEqualTo(WebSocketState.ABORTED);
      assertThat(server.ending().reason().code()).isEqualTo(1006);
      assertThat(server.events()).startsWith("opened", "ended");
    }
  }

  @Nested
  class Almost {
    @ParameterizedTest
    @MethodSource("dev.windhover.testing.HandshakeTest#faults")
    void mapWebSocketAnswersWithTheCause(
        UnaryOperator<TestRequest> change, int status, String cause) {
      TestHost host = server.startMapped(socket -> {});
      TestResponse response = change.apply(host.webSocket("/")).send();
      assertThat(response.status()).isEqualTo(status);
      assertThat(response.text()).isEqualTo(cause + "\n");
      assertTold(status, cause);
    }

    @ParameterizedTest
    @MethodSource("dev.windhover.testing.HandshakeTest#faults")
    void aHandlerThatTouchesNothingGetsTheSameAnswers(
        UnaryOperator<TestRequest> change, int status, String cause) {
      TestHost host = server.start(context -> {});
      TestResponse response = change.apply(host.webSocket("/")).send();
      assertThat(response.status()).isEqualTo(status);
      assertThat(response.text()).isEqualTo(cause + "\n");
      assertTold(status, cause);
    }

    @ParameterizedTest
    @MethodSource("dev.windhover.testing.HandshakeTest#faults")
    void aHandlerThatAnswersItselfIsLeftAlone(
        UnaryOperator<TestRequest> change, int status, String cause) {
      TestHost host =
          server.start(context -> {
            assertThat(context.webSockets().isWebSocketRequest()).isFalse();
            context.response().status(400).write("sockets only");
          });
      TestResponse response = change.apply(host.webSocket("/")).send();
      assertThat(response.status()).isEqualTo(400);
      assertThat(response.text()).isEqualTo("sockets only");
      boolean versionWasTheFault = cause.toLowerCase(java.util.Locale.ROOT).contains("version");
      assertThat(response.headers().all("Sec-WebSocket-Version"))
          .isEqualTo(versionWasTheFault ? List.of("13") : List.of());
      assertThat(response.headers().contains("Upgrade")).isFalse();
      assertTold(400, cause);
    }

    @ParameterizedTest
    @ValueSource(ints = {200, 302, 404, 500})
    void whateverAHandlerAnswersItIsToldWithTheFault(int status) {
      TestHost host = server.start(context -> context.response().status(status));
      TestResponse response = host.webSocket("/").header("Sec-WebSocket-Version", "8").send();
      assertThat(response.status()).isEqualTo(status);
      assertThat(response.headers().all("Sec-WebSocket-Version"))
          .isEqualTo(status == 404 ? List.of("13") : List.of());
      assertTold(status, "Sec-WebSocket-Version 8 is not supported; 13 is");
    }

    @ParameterizedTest
    @ValueSource(ints = {200, 302, 401, 404, 503})
    void aRightHandshakeThatAHandlerAnswersIsToldToo(int status) {
      TestHost host = server.start(context -> context.response().status(status));
      assertThat(host.webSocket("/").send().status()).isEqualTo(status);
      assertTold(status, "the application answered without accepting the socket");
    }

    @Test
    void aRightHandshakeWhoseHandlerFailsIsToldToo() {
      server.expectError("failed");
      TestHost host =
          server.start(context -> {
            throw new IllegalStateException("on purpose");
          });
      assertThat(host.webSocket("/").send().status()).isEqualTo(500);
      assertTold(500, "the application answered without accepting the socket");
    }

    @Test
    void aWrongVersionIsToldTheRightOne() {
      TestHost host = server.startMapped(socket -> {});
      TestResponse response = host.webSocket("/").header("Sec-WebSocket-Version", "8").send();
      assertThat(response.status()).isEqualTo(426);
      assertThat(response.headers().all("Sec-WebSocket-Version")).containsExactly("13");
      assertThat(response.headers().all("Upgrade")).containsExactly("websocket");
      assertThat(response.headers().all("Connection")).containsExactly("Upgrade");
    }

    @Test
    void aWrongVersionOverHttp2IsToldTheRightOneWithoutUpgradeHeaders() {
      TestHost host = server.startMapped(socket -> {});
      TestResponse response =
          host.webSocket("/").http2().header("Sec-WebSocket-Version", "8").send();
      assertThat(response.status()).isEqualTo(400);
      assertThat(response.headers().all("Sec-WebSocket-Version")).containsExactly("13");
      assertThat(response.headers().contains("Upgrade")).isFalse();
      assertThat(response.headers().contains("Connection")).isFalse();
    }

    @Test
    void otherFaultsDoNotNameAVersion() {
      TestHost host = server.startMapped(socket -> {});
      TestResponse response = host.webSocket("/").without("Sec-WebSocket-Key").send();
      assertThat(response.headers().contains("Sec-WebSocket-Version")).isFalse();
    }

    @Test
    void aPlainRequestForASocketIsToldWhatIsMissing() {
      TestHost host = server.startMapped(socket -> {});
      TestResponse response = host.get("/").send();
      assertThat(response.status()).isEqualTo(400);
      assertTold(400, "not a WebSocket request: it has no Upgrade: websocket");
    }

    @Test
    void aPlainRequestThatAHandlerLeavesUnansweredIsNoHandshake() {
      TestHost host = server.start(context -> {});
      assertThat(host.get("/").send().status()).isEqualTo(200);
      assertThat(server.events()).isEmpty();
    }

    @Test
    void withoutARouteItIs404() {
      TestHost host = server.startMapped(socket -> {});
      assertThat(host.webSocket("/nowhere").send().status()).isEqualTo(404);
      assertTold(404, "no route for /nowhere");
    }

    @Test
    void aHandlerMayCatchTheRefusalAndAnswerOtherwise() {
      TestHost host =
          server.start(context -> {
            try {
              context.webSockets().accept();
            } catch (dev.windhover.http.HttpException e) {
              context.response().status(422).write("mine: " + e.getMessage());
            }
          });
      TestResponse response = host.webSocket("/").without("Sec-WebSocket-Key").send();
      assertThat(response.status()).isEqualTo(422);
      assertThat(response.text()).isEqualTo("mine: Sec-WebSocket-Key is missing");
      assertTold(400, "Sec-WebSocket-Key is missing");
    }
  }

  @Nested
  class Origins {
    @ParameterizedTest
    @CsvSource(
        nullValues = "-",
        value = {
          "http://example.com, http://example.com, 101",
          "http://e.com, http://example.com, 403",
          "http://example.com, -, 101",
          "http://example.com, '', 101"
        })
    void onlyAllowedOriginsPass(String allowed, String origin, int status) {
      Application application = new Application();
      application.use(new WebSockets(new WebSocketOptions().allowedOrigins(allowed)));
      application.events(server.recorder());
      application.mapWebSocket("/", socket -> {});
      TestRequest handshake = server.start(application).webSocket("/");
      if (origin != null) {
        handshake.header("Origin", origin);
      }
      TestResponse response = handshake.send();
      assertThat(response.status()).isEqualTo(status);
      if (status == 403) {
        assertThat(response.text()).isEqualTo("origin " + origin + " is not allowed\n");
        assertTold(403, "origin " + origin + " is not allowed");
      }
      server.host().allowLeftOvers();
    }

    @ParameterizedTest
    @CsvSource({"http://server.test, server.test, 101", "http://evil.org, evil.org, 403"})
    void sameOriginNeedsAHostThatIsOurs(String origin, String host, int status) {
      Application application = new Application();
      application.use(new WebSockets(new WebSocketOptions().sameOrigin("server.test")));
      application.mapWebSocket("/", socket -> {});
      TestResponse response =
          server
              .start(application)
              .webSocket("/")
              .header("Origin", origin)
              .header("Host", host)
              .send();
      assertThat(response.status()).isEqualTo(status);
      server.host().allowLeftOvers();
    }

    @ParameterizedTest
    @CsvSource({
      "http://server.test, server.test, 101",
      "http://evil.org, server.test, 403",
      "http://evil.org, evil.org, 400", // DNS rebinding
    })
    void sameOriginRestsOnHostFiltering(String origin, String host, int status) {
      Application application = new Application();
      application.use(HostFiltering.with(o -> o.allowedHosts("server.test")));
      application.use(new WebSockets(new WebSocketOptions().sameOrigin()));
      application.mapWebSocket("/", socket -> {});
      TestResponse response =
          server
              .start(application)
              .webSocket("/")
              .header("Origin", origin)
              .header("Host", host)
              .send();
      assertThat(response.status()).isEqualTo(status);
      server.host().allowLeftOvers();
    }

    @Test
    void sameOriginWithoutHostsAsksForHostFiltering() {
      Application application = new Application();
      WebSockets webSockets = new WebSockets(new WebSocketOptions().sameOrigin());
      assertThatIllegalStateException()
          .isThrownBy(() -> application.use(webSockets))
          .withMessage(
              "sameOrigin() needs this server's host names: call useHostFiltering(…) first, or pass"
                  + " them to sameOrigin(…)");
      assertThat(application.uses(WebSockets.class)).isFalse();
      application.use(HostFiltering.with(o -> o.allowedHosts("server.test"))).use(webSockets);
      assertThat(application.uses(WebSockets.class)).isTrue();
    }

    @Test
    void plainRequestsAndBrokenHandshakesAreNotJudged() {
      Application application = new Application();
      application.use(new WebSockets(new WebSocketOptions().allowedOrigins("http://e.com")));
      application.map("/", context -> context.response().write("hello"));
      TestHost host = server.start(application);
      assertThat(host.get("/").header("Origin", "http://evil.org").send().status()).isEqualTo(200);
      assertThat(
              host.webSocket("/")
                  .without("Sec-WebSocket-Key")
                  .header("Origin", "http://evil.org")
                  .send()
                  .text())
          .isEqualTo("hello");
    }

    @Test
    void whileNothingIsSetEveryOriginPassesAndOneWarningSaysSo() {
      Application application = new Application();
      application.use(new WebSockets(new WebSocketOptions()));
      application.mapWebSocket("/", socket -> {});
      assertThat(SocketFixture.log(Level.WARN))
          .containsExactly(
              "WebSockets are open to pages of every origin; name yours with allowedOrigins(…) or"
                  + " sameOrigin(…)");
      CapturedLog.clear();
      TestHost host = server.start(application);
      host.webSocket("/").header("Origin", "http://evil.org").connect().frames().answerClose();
    }

    @Test
    void optionsAreCopiedWhenTheMiddlewareIsMade() {
      WebSocketOptions options = new WebSocketOptions().allowedOrigins("http://a.com");
      Application application = new Application().use(new WebSockets(options));
      options.allowedOrigins("http://b.com");
      application.mapWebSocket("/", socket -> {});
      TestHost host = server.start(application);
      assertThat(host.webSocket("/").header("Origin", "http://b.com").send().status())
          .isEqualTo(403);
    }
  }

  @Nested
  class Subprotocols {
    private TestRequest offering(WebSocketAcceptContext settings, String... offers) {
      TestRequest handshake =
          server
              .start(context -> {
                var socket = context.webSockets().accept(settings);
                String chosen = socket.subprotocol();
                socket.sendText(String.valueOf(chosen));
              })
              .webSocket("/");
      for (String offer : offers) {
        handshake.add("Sec-WebSocket-Protocol", offer);
      }
      return handshake;
    }

    private void assertChosen(TestRequest handshake, @Nullable String chosen) {
      TestFrames client = handshake.connect().frames();
      assertThat(client.response().headers().all("Sec-WebSocket-Protocol"))
          .isEqualTo(chosen == null ? List.of() : List.of(chosen));
      assertThat(client.receiveText()).isEqualTo(String.valueOf(chosen));
      client.answerClose();
    }

    @Test
    void whatIsOfferedCanBeChosen() {
      assertChosen(offering(new WebSocketAcceptContext().subprotocol("b"), "a, b", "c"), "b");
    }

    @Test
    void noneIsChosenUnlessTheApplicationDoes() {
      assertChosen(offering(new WebSocketAcceptContext(), "a, b"), null);
    }

    @Test
    void theServersPreferenceDecides() {
      var selector = SubprotocolSelector.serverPreference("x", "b", "a");
      assertChosen(
          offering(new WebSocketAcceptContext().subprotocolSelector(selector), "a, b"), "b");
    }

    @Test
    void theClientsPreferenceDecides() {
      var selector = SubprotocolSelector.clientPreference("x", "b", "a");
      assertChosen(
          offering(new WebSocketAcceptContext().subprotocolSelector(selector), "a, b"), "a");
    }

    @Test
    void aSelectorMayRefuse() {
      var selector = SubprotocolSelector.serverPreference("x").orRefuse();
      TestResponse response =
          offering(new WebSocketAcceptContext().subprotocolSelector(selector), "a, b").send();
      assertThat(response.status()).isEqualTo(400);
      assertTold(400, "no supported subprotocol among [a, b]");
    }

    @Test
    void whatWasNotOfferedIsRefusedBeforeTheAnswer() {
      server.expectError("failed");
      TestResponse response = offering(new WebSocketAcceptContext().subprotocol("c"), "a").send();
      assertThat(response.status()).isEqualTo(500);
      assertThat(CapturedLog.lines(Level.ERROR).getFirst().thrown())
          .hasMessage("subprotocol \"c\" is not among the client's [a]");
      assertTold(500, "subprotocol \"c\" is not among the client's [a]");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " "})
    void aBlankOneIsNone(String blank) {
      assertChosen(offering(new WebSocketAcceptContext().subprotocol(blank), "a"), null);
    }

    @Test
    void aMalformedOneIsRefusedBeforeTheAnswer() {
      TestResponse response =
          offering(new WebSocketAcceptContext().subprotocol("a b"), "a b").send();
      assertThat(response.status()).isEqualTo(400);
      assertTold(400, "subprotocol \"a b\" is not a token");
    }

    @Test
    void offersAreListedOnAnyRequest() {
      server.start(context ->
          context.response().write(context.webSockets().webSocketRequestedProtocols().toString()));
      TestHost host = server.host();
      assertThat(host.get("/").send().text()).isEqualTo("[]");
      assertThat(
              host.get("/")
                  .add("Sec-WebSocket-Protocol", "a,b")
                  .add("Sec-WebSocket-Protocol", "c")
                  .send()
                  .text())
          .isEqualTo("[a, b, c]");
    }
  }

  @Nested
  class Misuse {
    @Test
    void acceptWithoutTheMiddlewareSaysWhatIsMissing() {
      Application application = new Application();
      application.map(
          "/",
          context -> {
            assertThat(context.webSockets().isWebSocketRequest()).isFalse();
            assertThatThrownBy(() -> context.webSockets().accept())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("useWebSockets()");
            context.response().status(204);
          });
      assertThat(server.start(application).webSocket("/").send().status()).isEqualTo(204);
    }

    @Test
    void acceptTwiceIsRefused() {
      TestFrames client =
          server
              .start(context -> {
                context.webSockets().accept();
                assertThatThrownBy(() -> context.webSockets().accept())
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("the socket was already accepted");
              })
              .webSocket("/")
              .connect()
              .frames();
      assertThat(client.answerClose().code()).isEqualTo(1000);
    }

    @Test
    void acceptAfterTheResponseHasStartedIsRefused() {
      TestHost host =
          server.start(context -> {
            context.response().flush();
            assertThatThrownBy(() -> context.webSockets().accept())
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("the response has started");
            context.response().write("as I said");
          });
      assertThat(host.webSocket("/").send().text()).isEqualTo("as I said");
    }

    @Test
    void negativeDurationsAreRefusedWhereTheyAreSet() {
      assertThatThrownBy(() -> new WebSocketOptions().keepAliveInterval(Duration.ofSeconds(-1)))
          .hasMessage("keepAliveInterval PT-1S is negative");
      assertThatThrownBy(() -> new WebSocketAcceptContext().keepAliveTimeout(Duration.ofNanos(-1)))
          .hasMessage("keepAliveTimeout PT-0.000000001S is negative");
    }
  }
}
