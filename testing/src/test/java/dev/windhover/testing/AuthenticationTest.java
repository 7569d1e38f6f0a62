package dev.windhover.testing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.windhover.http.Application;
import dev.windhover.http.Handler;
import dev.windhover.http.User;
import dev.windhover.http.middleware.Authentication;
import dev.windhover.http.middleware.AuthenticationOptions;
import dev.windhover.http.websocket.WebSocketAcceptContext;
import dev.windhover.websocket.WebSocketOptions;
import dev.windhover.websocket.WebSockets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.event.Level;

/** Who is asking: {@link Authentication}, and what it means for routes, groups and sockets. */
class AuthenticationTest {
  private static final String SECRET = "s3cr3t-token";
  private static final String BEARER = "Bearer realm=\"application\"";
  private static final Map<String, User> TOKENS =
      Map.of(SECRET, User.of("zoë", "admin"), "dot.ted~t0ken==", User.of("bob"));

  @BeforeEach
  void clearLog() {
    CapturedLog.clear();
  }

  /** An application with a public route, a group for users, and one for admins. */
  private static TestHost start(Consumer<AuthenticationOptions> change) {
    Application application = new Application();
    application.use(new WebSockets(new WebSocketOptions().allowedOrigins("*")));
    application.use(Authentication.with(change));
    application.mapGet("/", context -> context.response().write("hello " + nameOf(context.user())));
    application.mapGroup(
        "/api",
        api ->
            api.requireUser()
                .mapGet("", context -> context.response().write(context.requireUser().name()))
                .mapWebSocket(
                    "/ws",
                    new WebSocketAcceptContext()
                        .subprotocolSelector(offered -> offered.contains("chat") ? "chat" : null),
                    (context, socket) -> {
                      socket.sendText("hello " + nameOf(context.user()));
                      socket.receiveMessage();
                    })
                .mapGroup(
                    "/admin",
                    admin -> admin.mapGet("/x", context -> {}).requireRole("admin", "owner")));
    return TestHost.start(application);
  }

  private static String nameOf(@Nullable User user) {
    return user == null ? "stranger" : user.name();
  }

  private static TestHost startBearer() {
    return start(o -> o.bearer(TOKENS::get).bearerInQuery().bearerInSubprotocol("bearer."));
  }

  private static List<String> challenges(TestResponse response) {
    return response.headers().all("WWW-Authenticate");
  }

  private static void expectNoSecretInTheLog() {
    for (Level level : Level.values()) {
      assertThat(CapturedLog.lines(level)).noneMatch(line -> line.text().contains(SECRET));
      assertThat(CapturedLog.lines(Level.ERROR)).isEmpty();
    }
  }

  @Nested
  class Tokens {
    @ParameterizedTest
    @ValueSource(strings = {"Bearer " + SECRET, "bearer " + SECRET, "BEARER  " + SECRET})
    void nameTheUser(String credentials) {
      try (TestHost host = startBearer()) {
        assertThat(host.get("/").header("Authorization", credentials).expectStatus(200).text())
            .isEqualTo("hello zoë");
        assertThat(host.get("/api").header("Authorization", credentials).expectStatus(200).text())
            .isEqualTo("zoë");
      }
    }

    @Test
    void thatAreNotThereLeavePublicRoutesOpenAndGet401Elsewhere() {
      try (TestHost host = startBearer()) {
        assertThat(host.get("/").expectStatus(200).text()).isEqualTo("hello stranger");
        TestResponse refused = host.get("/api").expectStatus(401);
        assertThat(challenges(refused)).containsExactly(BEARER);
        assertThat(refused.text()).isEqualTo("authentication required\n");
      }
    }

    @ParameterizedTest
    @ValueSource(strings = {"Bearer s3cr3t-tokem", "Bearer s3cr3t-token="})
    void thatAreNotValidGetTheErrorOfRfc6750(String credentials) {
      try (TestHost host = startBearer()) {
        TestRequest request = host.get("/api").header("Authorization", credentials);
        assertThat(challenges(request.expectStatus(401)))
            .containsExactly(BEARER + ", error=\"invalid_token\"");
        expectNoSecretInTheLog();
      }
    }

    @ParameterizedTest
    @ValueSource(strings = {"Bearer a b", "Bearer \"" + SECRET + "\"", "Bearer =a"})
    void thatAreMalformedGet400(String credentials) {
      try (TestHost host = startBearer()) {
        TestRequest request = host.get("/").header("Authorization", credentials);
        TestResponse refused = request.expectStatus(400);
        assertThat(challenges(refused)).containsExactly(BEARER + ", error=\"invalid_request\"");
        assertThat(refused.text()).isEqualTo("malformed access token\n");
        expectNoSecretInTheLog();
      }
    }

    @Test
    void thatAreSentTwiceGet400() {
      try (TestHost host = startBearer()) {
        TestResponse refused =
            host.webSocket("/api/ws?access_token=" + SECRET)
                .header("Authorization", "Bearer " + SECRET)
                .expectStatus(400);
        assertThat(refused.text()).isEqualTo("more than one access token\n");
      }
    }

    @ParameterizedTest
    @ValueSource(strings = {"Negotiate " + SECRET, "Bearer" + SECRET, "Bearers " + SECRET, SECRET})
    void ofOtherSchemesAreIgnored(String credentials) {
      try (TestHost host = startBearer()) {
        TestRequest request = host.get("/api").header("Authorization", credentials);
        assertThat(challenges(request.expectStatus(401))).containsExactly(BEARER);
      }
    }
  }

  @Nested
  class Passwords {
    private TestHost start() {
      return AuthenticationTest.start(o ->
          o.realm("the \"chat\" in \\")
              .basic((name, password) ->
                  name.equals("zoë") && Authentication.isSame(password, "a:b€")
                      ? User.of(name)
                      : null));
    }

    private static String basic(String pair) {
      return "Basic " + Base64.getEncoder().encodeToString(pair.getBytes(UTF_8));
    }

    @Test
    void nameTheUserInUtf8() {
      try (TestHost host = start()) {
        TestRequest request = host.get("/api").header("Authorization", basic("zoë:a:b€"));
        assertThat(request.expectStatus(200).text()).isEqualTo("zoë");
      }
    }

    @Test
    void thatAreWrongGet401() {
      try (TestHost host = start()) {
        for (String pair : List.of("zoë:a:b", "bob:a:b€", "zoë:a:b€ ", "ZOË:a:b€")) {
          TestRequest request = host.get("/api").header("Authorization", basic(pair));
          assertThat(challenges(request.expectStatus(401)))
              .containsExactly("Basic realm=\"the \\\"chat\\\" in \\\\\", charset=\"UTF-8\"");
        }
      }
    }

    @Test
    void thatAreMalformedAreNotChecked() {
      try (TestHost host =
          AuthenticationTest.start(o -> o.basic((name, password) -> User.of("anybody")))) {
        host.get("/api").header("Authorization", basic(":")).expectStatus(200);
        for (String credentials :
            List.of(
                basic("zoë"), // no colon
                basic("zoë:a\0"),
                basic("zoë\n:a"),
                "Basic",
                "Basic ",
                "Basic ?",
                "Basic Og=", // one more = is missing
                "Basic Og ==",
                "Basic em9lOmFi-_==", // the alphabet of URLs
                "Basic /zo=", // FF is not UTF-8
                "BasicOg==",
                "Basic,Og==")) {
          TestRequest request = host.get("/api").header("Authorization", credentials);
          assertThat(request.send().status()).as(credentials).isEqualTo(401);
        }
        host.get("/api")
            .header("Authorization", basic("zoë:a"))
            .add("Authorization", basic("zoë:a"))
            .expectStatus(401);
        assertThat(CapturedLog.lines(Level.ERROR)).isEmpty();
      }
    }
  }

  @Nested
  class Keys {
    @Test
    void nameTheUser() {
      try (TestHost host = start(o -> o.apiKey(TOKENS::get))) {
        host.get("/api").header("X-API-Key", SECRET).expectStatus(200);
        TestResponse refused = host.get("/api").header("X-API-Key", "other").expectStatus(401);
        assertThat(challenges(refused))
            .containsExactly("ApiKey realm=\"application\", header=\"X-API-Key\"");
        host.get("/api").header("X-API-Key", SECRET).add("X-API-Key", SECRET).expectStatus(401);
      }
    }

    @Test
    void mayBeAcceptedBesideTokensAndPasswords() {
      try (TestHost host =
          start(o -> o.apiKey("Key", TOKENS::get).basic((n, p) -> null).bearer(TOKENS::get))) {
        assertThat(challenges(host.get("/api").expectStatus(401)))
            .containsExactly(
                BEARER,
                "Basic realm=\"application\", charset=\"UTF-8\"",
                "ApiKey realm=\"application\", header=\"Key\"");
        host.get("/api").header("Key", SECRET).expectStatus(200);
        host.get("/api").header("Authorization", "Bearer " + SECRET).expectStatus(200);
      }
    }
  }

  @Nested
  class Cookies {
    private TestHost start() {
      return AuthenticationTest.start(
          o -> o.cookie("session", TOKENS::get).cookieOrigins("https://client.com"));
    }

    @ParameterizedTest
    @CsvSource({
      "http://server.test, true",
      "http://SERVER.test:80, true",
      "https://client.com, true",
      "https://server.test, false",
      "https://evil.example, false",
      "http://server.test.evil.example, false",
      "null, false"
    })
    void countForHandshakesOfKnownOriginsOnly(String origin, boolean counts) {
      try (TestHost host = start()) {
        for (boolean http2 : new boolean[] {false, true}) {
          TestRequest request =
              host.webSocket("/api/ws")
                  .header("Origin", origin)
                  .header("Cookie", "a=b; session=" + SECRET);
          if (http2) {
            request.http2();
          }
          if (counts) {
            request.connect().expectText("hello zoë").close();
          } else {
            request.expectStatus(401);
          }
        }
        expectNoSecretInTheLog();
      }
    }

    @Test
    void countForRequestsWithoutAnOrigin() {
      try (TestHost host = start()) {
        host.get("/api").header("Cookie", "session=" + SECRET).expectStatus(200);
        TestResponse refused =
            host.get("/api").header("Cookie", "xsession=" + SECRET).expectStatus(401);
        assertThat(challenges(refused))
            .containsExactly("Cookie realm=\"application\", cookie-name=\"session\"");
      }
    }
  }

  @Nested
  class Sockets {
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void withoutAUserAreRefusedBeforeTheUpgrade(boolean http2) {
      try (TestHost host = startBearer()) {
        for (String target : List.of("/api/ws", "/api/ws?access_token=wrong")) {
          TestRequest request = host.webSocket(target);
          TestResponse refused = (http2 ? request.http2() : request).expectStatus(401);
          assertThat(challenges(refused).getFirst()).startsWith(BEARER);
        }
      }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void takeTheTokenOfTheQueryAndKeepItOutOfTheLog(boolean http2) {
      try (TestHost host = startBearer()) {
        TestRequest request = host.webSocket("/api/ws?access_token=" + SECRET);
        (http2 ? request.http2() : request).connect().expectText("hello zoë").close();
        host.webSocket("/nowhere?access_token=" + SECRET).expectStatus(404);
      }
      expectNoSecretInTheLog();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void takeTheTokenThatIsOfferedAsASubprotocolAndDoNotChooseIt(boolean http2) {
      try (TestHost host = startBearer()) {
        TestRequest request = host.webSocket("/api/ws").subprotocols("chat", "bearer." + SECRET);
        TestWebSocket client = (http2 ? request.http2() : request).connect();
        assertThat(client.subprotocol()).isEqualTo("chat");
        client.expectText("hello zoë").close();
      }
      expectNoSecretInTheLog();
    }

    @Test
    void doNotShowTheTokenToTheApplication() {
      Application application = new Application();
      application.use(new WebSockets(new WebSocketOptions().allowedOrigins("*")));
      application.use(
          Authentication.with(o -> o.bearer(TOKENS::get).bearerInSubprotocol("bearer.")));
      application.mapWebSocket(
          "/",
          (context, socket) ->
              socket.sendText(
                  nameOf(context.user()) + context.webSockets().webSocketRequestedProtocols()));
      try (TestHost host = TestHost.start(application)) {
        host.webSocket("/")
            .subprotocols("a", "bearer." + SECRET, "b")
            .connect()
            .expectText("zoë[a, b]")
            .expectClose(1000, "");
        host.webSocket("/")
            .subprotocols("bearer." + SECRET)
            .connect()
            .expectText("zoë[]")
            .expectClose(1000, "");
      }
    }

    @Test
    void takeTheTokenOnlyFromWhereTheApplicationSays() {
      try (TestHost host = start(o -> o.bearer(TOKENS::get))) {
        host.webSocket("/api/ws?access_token=" + SECRET).expectStatus(401);
        host.webSocket("/api/ws").subprotocols("chat", "bearer." + SECRET).expectStatus(401);
        host.webSocket("/api/ws")
            .header("Authorization", "Bearer " + SECRET)
            .connect()
            .expectText("hello zoë")
            .close();
      }
    }

    @Test
    void aloneTakeTheTokenFromThere() {
      try (TestHost host = startBearer()) {
        host.get("/api?access_token=" + SECRET).expectStatus(401);
        host.get("/api?access_token=" + SECRET)
            .header("Accept", "text/event-stream")
            .expectStatus(200);
        host.get("/api").header("Sec-WebSocket-Protocol", "bearer." + SECRET).expectStatus(401);
      }
    }
  }

  @Nested
  class Roles {
    @Test
    void decideWhoMayPass() {
      try (TestHost host = start(o -> o.bearer(TOKENS::get))) {
        host.get("/api/admin/x").expectStatus(401);
        TestResponse refused = host.get("/api/admin/x").user("bob", "guest").expectStatus(403);
        assertThat(refused.text()).isEqualTo("role admin or owner required\n");
        host.get("/api/admin/x").user("ann", "owner").expectStatus(200);
        host.get("/api/admin/x").header("Authorization", "Bearer " + SECRET).expectStatus(200);
      }
    }

    @Test
    void areCopied() {
      String[] roles = {"admin"};
      Application application = new Application().requireRole(roles);
      application.mapGet("/", context -> {});
      roles[0] = "guest";
      try (TestHost host = TestHost.start(application)) {
        host.get("/").user("bob", "guest").expectStatus(403);
        host.get("/").user("ann", "admin").expectStatus(200);
      }
    }

    @Test
    void doNotTakeAHandlerOffTheLoop() {
      Application application = new Application();
      application.mapGroup(
          "/a",
          a ->
              a.requireUser()
                  .requireRole("admin")
                  .mapGet(
                      "",
                      Handler.nonBlocking(context ->
                          context.response().write("" + Thread.currentThread().isVirtual()))));
      try (TestHost host = TestHost.start(application)) {
        host.get("/a").user("ann", "admin").expectStatus(200).expectText("false");
      }
    }

    @Test
    void areNamed() {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new Application().requireRole())
          .withMessage("requireRole needs a role; for any user, see requireUser");
    }
  }

  @Nested
  class UsersOfTests {
    @Test
    void needNoCredentials() {
      try (TestHost host = startBearer()) {
        assertThat(host.get("/api").user("ann").expectStatus(200).text()).isEqualTo("ann");
        host.webSocket("/api/ws").user("ann").connect().expectText("hello ann").close();
      }
    }

    @Test
    void requiredWithoutAnyWayToAuthenticateAreAMistake() {
      Application application = new Application().requireUser();
      application.mapGet("/", context -> {});
      try (TestHost host = TestHost.start(application)) {
        host.get("/").user("ann").expectStatus(200);
        host.get("/").expectStatus(500);
        assertThat(host.expectFailure())
            .hasMessageStartingWith(
                "the request has no user, and no step says how to authenticate");
      }
    }

    @Test
    void ofAStepOfItsOwnStay() {
      Application application = new Application();
      application.use((context, next) -> {
        context.user(() -> "own");
        next.handle(context);
      });
      application.use(Authentication.with(o -> o.bearer(TOKENS::get)));
      application.mapGet("/", context -> context.response().write(context.requireUser().getName()));
      try (TestHost host = TestHost.start(application)) {
        TestRequest request = host.get("/").header("Authorization", "Bearer " + SECRET);
        assertThat(request.expectStatus(200).text()).isEqualTo("own");
      }
    }
  }

  @Nested
  class Options {
    @Test
    void areCopied() {
      AuthenticationOptions options = new AuthenticationOptions().bearer(TOKENS::get);
      Application application = new Application().use(new Authentication(options));
      application.mapGet("/", context -> context.response().write(nameOf(context.user())));
      options.bearer(token -> User.of("everybody"));
      try (TestHost host = TestHost.start(application)) {
        TestRequest request = host.get("/").header("Authorization", "Bearer guess");
        request.expectStatus(200).expectText("stranger");
      }
    }

    @Test
    void thatMakeNoSenseAreRefused() {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> Authentication.with(o -> {}))
          .withMessage(
              "no credentials are accepted: call basic(…), bearer(…), apiKey(…) or cookie(…)");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> Authentication.with(o -> o.apiKey(key -> null).bearerInQuery()))
          .withMessage("no tokens are accepted: call bearer(…)");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new AuthenticationOptions().realm("a\nb"));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new AuthenticationOptions().cookieOrigins("https://*.client.com"));
    }

    @Test
    void secretsAreTheSameOrNot() {
      assertThat(Authentication.isSame("abc", "abc")).isTrue();
      assertThat(Authentication.isSame("abc", "abd")).isFalse();
      assertThat(Authentication.isSame("ab", "abc")).isFalse();
    }
  }
}
