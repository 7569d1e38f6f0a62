package dev.windhover.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.windhover.http.middleware.Cors;
import dev.windhover.http.middleware.CorsOptions;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CorsTest {
  @RegisterExtension final CapturedLog log = new CapturedLog();

  private static final Consumer<CorsOptions> CLIENT =
      policy -> policy.withOrigins("https://client.com", "http://localhost:3000");

  private static Application application(Consumer<CorsOptions> change) {
    Application application = new Application().use(Cors.with(change));
    application.map("/", Handler.nonBlocking(context -> context.response().write("handled")));
    application.map(
        "/no",
        Handler.nonBlocking(context -> {
          throw new HttpException(403, "no");
        }));
    application.map(
        "/fails",
        Handler.nonBlocking(context -> {
          throw new IllegalStateException("broken");
        }));
    application.map(
        "/varies",
        Handler.nonBlocking(context -> context.response().headers().add("Vary", "Accept, Origin")));
    return application;
  }

  private static TestExchange request(String method, String path, @Nullable String origins) {
    TestExchange exchange = TestExchange.of(method, path);
    if (origins != null) {
      for (String origin : origins.split("\\|", -1)) {
        exchange.header("Origin", origin);
      }
    }
    return exchange;
  }

  /** Returns the CORS headers of an answer, and Vary, as a browser and a cache look at them. */
  private static List<String> corsHeaders(TestExchange sent) {
    assertThat(sent.hadThread()).isFalse();
    return StreamSupport.stream(sent.sentHeaders().spliterator(), false)
        .filter(f -> f.getKey().startsWith("Access-Control-") || f.getKey().equals("Vary"))
        .map(f -> f.getKey().replace("Access-Control-", "") + ": " + f.getValue())
        .toList();
  }

  @Nested
  class SimpleRequests {
    @ParameterizedTest
    @CsvSource({
      "https://client.com, https://client.com",
      "https://CLIENT.com:443, https://CLIENT.com:443",
      "http://localhost:3000, http://localhost:3000",
      "http://client.com,",
      "https://client.com:8443,",
      "https://client.com.evil.org,",
      "https://evil.org,",
      "https://client.com/,",
      "null,",
      "'https://client.com, https://evil.org',",
      "https://client.com|https://client.com,", // two lines: no browser does that
      ",",
    })
    void areDecoratedForExactOrigins(String origin, String allowed) {
      TestExchange sent = request("GET", "/", origin).through(application(CLIENT));
      assertThat(sent.sentText()).isEqualTo("handled");
      assertThat(corsHeaders(sent))
          .isEqualTo(
              allowed == null
                  ? List.of("Vary: Origin")
                  : List.of("Vary: Origin", "Allow-Origin: " + allowed));
    }

    @ParameterizedTest
    @CsvSource({"/no, 403", "/fails, 500", "/nowhere, 404"})
    void areDecoratedOnErrorsToo(String path, int status) {
      TestExchange sent =
          request("GET", path, "https://client.com")
              .through(application(CLIENT.andThen(CorsOptions::allowCredentials)));
      assertThat(sent.status()).isEqualTo(status);
      assertThat(corsHeaders(sent))
          .containsExactly(
              "Vary: Origin", "Allow-Origin: https://client.com", "Allow-Credentials: true");
      assertThat(log.take().contains("broken")).isEqualTo(status == 500);
    }

    @Test
    void sayOnceWhatTheyVaryBy() {
      TestExchange sent = request("GET", "/varies", null).through(application(CLIENT));
      assertThat(corsHeaders(sent)).containsExactly("Vary: Accept, Origin");
    }

    @ParameterizedTest
    @ValueSource(strings = {"https://anybody.org", "null"})
    void ofAnyOriginAreAnsweredAlike(String origin) {
      TestExchange sent =
          request("GET", "/", origin)
              .through(application(p -> p.allowAnyOrigin().withExposedHeaders("X-A", "X-B")));
      assertThat(corsHeaders(sent)).containsExactly("Allow-Origin: *", "Expose-Headers: X-A, X-B");
    }

    @Test
    void withOptionsReachTheHandler() {
      TestExchange sent =
          request("OPTIONS", "/", "https://client.com").through(application(CLIENT));
      assertThat(sent.sentText()).isEqualTo("handled");
    }
  }

  @Nested
  class Preflights {
    private static TestExchange ask(
        Consumer<CorsOptions> policy, String origin, String method, @Nullable String headers) {
      TestExchange exchange = request("OPTIONS", "/", origin);
      exchange.header("Access-Control-Request-Method", method);
      if (headers != null) {
        exchange.header("Access-Control-Request-Headers", headers);
      }
      TestExchange sent = exchange.through(application(policy));
      assertThat(sent.status()).isEqualTo(204);
      assertThat(sent.sentText()).isEmpty();
      return sent;
    }

    @Test
    void sayWhatThePolicyAllows() {
      Consumer<CorsOptions> policy =
          p ->
              p.withOrigins("https://client.com")
                  .withMethods("PUT", "DELETE")
                  .withHeaders("X-Requested-With", "Content-Type")
                  .withExposedHeaders("X-Unseen")
                  .allowCredentials()
                  .preflightMaxAge(Duration.ofMinutes(10));
      assertThat(corsHeaders(ask(policy, "https://client.com", "PUT", "x-other")))
          .containsExactly(
              "Vary: Origin",
              "Allow-Origin: https://client.com",
              "Allow-Credentials: true",
              "Allow-Methods: PUT, DELETE",
              "Allow-Headers: X-Requested-With, Content-Type",
              "Max-Age: 600");
    }

    @ParameterizedTest
    @ValueSource(strings = {"https://evil.org", "null", "https://client.com|https://client.com"})
    void ofOthersLearnNothing(String origin) {
      assertThat(corsHeaders(ask(CLIENT.andThen(CorsOptions::allowAnyMethod), origin, "PUT", null)))
          .containsExactly("Vary: Origin");
    }

    @ParameterizedTest
    @CsvSource({
      "PUT, 'x-a,x-b', Allow-Methods: PUT, 'Allow-Headers: x-a, x-b'",
      "PATCH, , Allow-Methods: PATCH,",
      "'PUT, X', x-a, , Allow-Headers: x-a",
      "PUT, 'x-a, (b)', Allow-Methods: PUT,",
    })
    void forAnythingHearTheirOwnWords(String method, String headers, String first, String second) {
      Consumer<CorsOptions> policy = p -> p.allowAnyOrigin().allowAnyMethod().allowAnyHeader();
      assertThat(corsHeaders(ask(policy, "https://a.com", method, headers)))
          .isEqualTo(Stream.of("Allow-Origin: *", first, second).filter(Objects::nonNull).toList());
    }
  }

  @Nested
  class Policies {
    @Test
    void withCredentialsNameTheirOrigins() {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> Cors.with(p -> p.allowCredentials().allowAnyOrigin()))
          .withMessage("allowAnyOrigin() with allowCredentials() is unsafe: name the origins");
    }

    @Test
    void allowSomebody() {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> Cors.with(CorsOptions::allowCredentials))
          .withMessage("no origin is allowed: name some with withOrigins(…)");
    }

    @ParameterizedTest
    @ValueSource(
        strings = {"*", "null", "client.com", "https://", "https://a.com/", "https://*.a.com"})
    void takeOnlyExactOrigins(String origin) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new CorsOptions().withOrigins(origin))
          .withMessage("origin \"" + origin + "\" is not of the form scheme://host[:port]");
    }

    @Test
    void takeOnlyNames() {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new CorsOptions().withHeaders("X-A, X-B"))
          .withMessage("header \"X-A, X-B\" is not a name");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new CorsOptions().withMethods("*"))
          .withMessage("method \"*\" is not a name");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new CorsOptions().preflightMaxAge(Duration.ofSeconds(-1)))
          .withMessage("preflightMaxAge PT-1S is negative");
    }
  }
}
