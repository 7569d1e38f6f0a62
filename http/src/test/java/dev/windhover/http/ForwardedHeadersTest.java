package dev.windhover.http;

import static dev.windhover.http.middleware.ForwardedHeader.FORWARDED;
import static dev.windhover.http.middleware.ForwardedHeader.X_FORWARDED_FOR;
import static dev.windhover.http.middleware.ForwardedHeader.X_FORWARDED_HOST;
import static dev.windhover.http.middleware.ForwardedHeader.X_FORWARDED_PROTO;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.windhover.http.middleware.ForwardedHeader;
import dev.windhover.http.middleware.ForwardedHeaders;
import dev.windhover.http.middleware.ForwardedHeadersOptions;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.function.Consumer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ForwardedHeadersTest {
  private static final int PORT = 40_000;

  private static SocketAddress peer(String address) {
    return new InetSocketAddress(InetAddress.ofLiteral(address), PORT);
  }

  /** What the application then sees of a client: address with port, scheme and host. */
  private static String seen(Consumer<ForwardedHeadersOptions> change, TestExchange exchange) {
    Application application = new Application().use(ForwardedHeaders.with(change));
    application.map("/", Handler.nonBlocking(ForwardedHeadersTest::answer));
    TestExchange sent = exchange.header("Host", "backend").through(application);
    assertThat(sent.hadThread()).isFalse();
    return sent.sentText();
  }

  private static void answer(HttpContext context) throws Exception {
    String remote = context.connection().remote().toString();
    context
        .response()
        .write(
            remote.substring(remote.indexOf('/') + 1)
                + " "
                + context.request().scheme()
                + " "
                + context.request().host());
  }

  /** Sends what each column of a table says; {@code |} divides lines of a header. */
  private static TestExchange request(String peer, String... namesAndLines) {
    TestExchange exchange = TestExchange.get("/").from(peer(peer));
    for (int i = 0; i < namesAndLines.length; i += 2) {
      String lines = namesAndLines[i + 1];
      if (lines != null) {
        for (String line : lines.split("\\|", -1)) {
          exchange.header(namesAndLines[i], line);
        }
      }
    }
    return exchange;
  }

  @Nested
  class TrustedPeers {
    private static String seenFrom(String peer, Consumer<ForwardedHeadersOptions> change) {
      return seen(
          change, request(peer, "X-Forwarded-For", "203.0.113.7", "X-Forwarded-Proto", "https"));
    }

    @ParameterizedTest
    @CsvSource({
      "127.0.0.1, true",
      "127.255.255.255, true",
      "::1, true",
      "::ffff:127.0.0.1, true", // mapped: a socket of both families
      "10.0.0.1, false",
      "::2, false",
      "128.0.0.0, false",
    })
    void areLoopbackByDefault(String peer, boolean known) {
      assertThat(seenFrom(peer, options -> {}).startsWith("203.0.113.7:0 https")).isEqualTo(known);
    }

    @ParameterizedTest
    @CsvSource({
      "10.0.0.0/8, 10.255.0.1, true",
      "10.0.0.0/8, 11.0.0.1, false",
      "192.0.2.128/25, 192.0.2.127, false",
      "192.0.2.128/25, 192.0.2.128, true",
      "192.0.2.4/30, 192.0.2.7, true",
      "192.0.2.4/30, 192.0.2.8, false",
      "192.0.2.1/32, 192.0.2.1, true",
      "192.0.2.1/32, 192.0.2.0, false",
      "0.0.0.0/0, 198.51.100.1, true",
      "0.0.0.0/0, 2001:db8::1, false",
      "fd00::/8, fdff::1, true",
      "fd00::/8, fe80::1, false",
      "2001:db8:0:8000::/49, 2001:db8:0:7fff::1, false",
      "2001:db8:0:8000::/49, 2001:db8:0:ffff::1, true",
      "::/0, 10.0.0.1, false",
      "a00::/8, 10.0.0.1, false", // the same first byte
    })
    void areThoseOfKnownNetworks(String network, String peer, boolean known) {
      assertThat(seenFrom(peer, o -> o.knownNetworks(network)).startsWith("203.0.113.7:0 https"))
          .isEqualTo(known);
    }

    @Test
    void areKnownProxiesBesideLoopbackUnlessThatIsForgotten() {
      String untouched = ":" + PORT + " http backend";
      assertThat(seenFrom("10.0.0.1", o -> o.knownProxies("10.0.0.1"))).startsWith("203.0.113.7");
      assertThat(seenFrom("10.0.0.2", o -> o.knownProxies("10.0.0.1")))
          .isEqualTo("10.0.0.2" + untouched);
      assertThat(seenFrom("127.0.0.1", o -> o.knownProxies("10.0.0.1"))).startsWith("203.0.113.7");
      assertThat(seenFrom("127.0.0.1", o -> o.clearKnown().knownProxies("10.0.0.1")))
          .isEqualTo("127.0.0.1" + untouched);
    }

    @Test
    void areNotThoseWithoutAnAddress() {
      TestExchange exchange =
          TestExchange.get("/")
              .from(InetSocketAddress.createUnresolved("localhost", 1))
              .header("X-Forwarded-Proto", "https");
      assertThat(seen(o -> o.knownNetworks("0.0.0.0/0"), exchange)).endsWith(" http backend");
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "10.0.0.0",
          "10.0.0.0/",
          "10.0.0.0/33",
          "::/129",
          "10.0.0.1/8",
          "host/8",
          "/8",
          "10.0.0.0/-1",
          "10.0.0/8",
          "010.0.0.0/8",
          "::1%lo/128",
          "[::1]/128"
        })
    void areNotMalformedNetworks(String network) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new ForwardedHeadersOptions().knownNetworks(network))
          .withMessageStartingWith("network \"" + network + "\" ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"localhost", "", "127.1", "1", "10.0.0.0/8", "256.0.0.1", "::g"})
    void areNotNamesOrHalfAddresses(String proxy) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new ForwardedHeadersOptions().knownProxies(proxy))
          .withMessage("proxy \"" + proxy + "\" is not an IP address");
    }
  }

  @Nested
  class ForwardedFor {
    @ParameterizedTest
    @CsvSource({
      "203.0.113.7, 203.0.113.7:0",
      "203.0.113.7:4711, 203.0.113.7:4711",
      "2001:db8::1, [2001:db8:0:0:0:0:0:1]:0",
      "[2001:db8::1], [2001:db8:0:0:0:0:0:1]:0",
      "[2001:db8::1]:4711, [2001:db8:0:0:0:0:0:1]:4711",
      "::ffff:203.0.113.7, 203.0.113.7:0",
      "'6.6.6.6, 203.0.113.7', 203.0.113.7:0", // what a client says stands on the left
      "6.6.6.6|203.0.113.7, 203.0.113.7:0", // or on a line before
      "'nonsense,,203.0.113.7', 203.0.113.7:0",
      "unknown, 127.0.0.1:40000",
      "_hidden, 127.0.0.1:40000",
    })
    void isTheClientsAddress(String header, String remote) {
      assertThat(seen(o -> {}, request("127.0.0.1", "X-Forwarded-For", header)))
          .isEqualTo(remote + " http backend");
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "",
          "localhost",
          "example.com:80",
          "203.0.113",
          "203.0.113.07",
          "0x7f.0.0.1",
          "203.0.113.256",
          "203.0.113.7:",
          "203.0.113.7:65536",
          "203.0.113.7:-1",
          "203.0.113.7:+1",
          "203.0.113.7:1:2",
          "203.0.113.7 6.6.6.6",
          "\"203.0.113.7\"",
          "[203.0.113.7]",
          "[2001:db8::1",
          "[2001:db8::1]4711",
          "2001:db8::1]",
          "2001:db8::1%eth0",
          "2001:db8:::1",
          "_",
          "_a:b",
          "unknown:x",
          "203.0.113.7,", // the nearest proxy wrote nothing
          "203.0.113.7, x",
        })
    void thatIsMalformedIsIgnoredWithTheScheme(String header) {
      assertThat(
              seen(
                  o -> {},
                  request("127.0.0.1", "X-Forwarded-For", header, "X-Forwarded-Proto", "https")))
          .isEqualTo("127.0.0.1:40000 http backend");
    }
  }

  @Nested
  class TheWalk {
    /** Three proxies, 10.0.0.3 in front, 10.0.0.1 beside us; the client claims to be 6.6.6.6. */
    @ParameterizedTest
    @CsvSource({
      "1, '6.6.6.6, 203.0.113.7, 10.0.0.3, 10.0.0.2', 10.0.0.2",
      "2, '6.6.6.6, 203.0.113.7, 10.0.0.3, 10.0.0.2', 10.0.0.3",
      "3, '6.6.6.6, 203.0.113.7, 10.0.0.3, 10.0.0.2', 203.0.113.7",
      "9, '6.6.6.6, 203.0.113.7, 10.0.0.3, 10.0.0.2', 203.0.113.7", // which is not known
      "9, '10.0.0.9, 203.0.113.7, 10.0.0.3, 10.0.0.2', 203.0.113.7", // nor who stands behind it
      "9, '203.0.113.7, x, 10.0.0.2', 10.0.0.2",
      "9, '203.0.113.7, unknown, 10.0.0.2', 10.0.0.2",
      "9, '10.0.0.3, 10.0.0.2', 10.0.0.3",
    })
    void goesFromProxyToKnownProxyUpToTheLimit(int limit, String header, String remote) {
      assertThat(
              seen(
                  o -> o.knownNetworks("10.0.0.0/24").forwardLimit(limit),
                  request("10.0.0.1", "X-Forwarded-For", header)))
          .isEqualTo(remote + (remote.equals("10.0.0.1") ? ":40000" : ":0") + " http backend");
    }

    @ParameterizedTest
    @CsvSource({
      "203.0.113.7, https, 203.0.113.7:0 https",
      "203.0.113.7, HTTPS, 203.0.113.7:0 https",
      "203.0.113.7, wss, 203.0.113.7:0 https", // some proxies say so of a socket
      "203.0.113.7, ws, 203.0.113.7:0 http",
      "203.0.113.7, 'https, http', 203.0.113.7:0 http", // a client's https, a proxy's http
      "203.0.113.7, ftp, 10.0.0.1:40000 http",
      "203.0.113.7, 'https,', 10.0.0.1:40000 http",
      ", https, 10.0.0.1:40000 https",
      ", 'https, http', 10.0.0.1:40000 http", // without an address nobody knows who wrote the first
      "_hidden, 'http, https', 10.0.0.1:40000 https",
      "203.0.113.7, , 203.0.113.7:0 http",
      "'203.0.113.7, 10.0.0.2', 'https, http', 203.0.113.7:0 https",
      "'203.0.113.7, 10.0.0.2', http, 203.0.113.7:0 http",
    })
    void takesAddressAndSchemeTogether(String forwardedFor, String proto, String expected) {
      assertThat(
              seen(
                  o -> o.knownNetworks("10.0.0.0/24").forwardLimit(5),
                  request("10.0.0.1", "X-Forwarded-For", forwardedFor, "X-Forwarded-Proto", proto)))
          .isEqualTo(expected + " backend");
    }

    @ParameterizedTest
    @CsvSource({
      "203.0.113.7, https, 203.0.113.7:0 https",
      "'6.6.6.6, 203.0.113.7', https, 127.0.0.1:40000 http",
      "203.0.113.7, , 127.0.0.1:40000 http",
    })
    void mayAskForEquallyMany(String forwardedFor, String proto, String expected) {
      assertThat(
              seen(
                  o -> o.requireHeaderSymmetry(true),
                  request(
                      "127.0.0.1", "X-Forwarded-For", forwardedFor, "X-Forwarded-Proto", proto)))
          .isEqualTo(expected + " backend");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1})
    void needsALimit(int limit) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new ForwardedHeadersOptions().forwardLimit(limit))
          .withMessage("forwardLimit " + limit + " is less than 1");
    }
  }

  @Nested
  class Believed {
    @Test
    void areAddressAndSchemeByDefaultAndNothingElse() {
      TestExchange exchange =
          request(
              "127.0.0.1",
              "X-Forwarded-Host",
              "evil.org",
              "Forwarded",
              "for=6.6.6.6;proto=https;host=evil.org");
      assertThat(seen(o -> {}, exchange)).isEqualTo("127.0.0.1:40000 http backend");
    }

    @Test
    void areOnlyThoseNamed() {
      TestExchange exchange =
          request("127.0.0.1", "X-Forwarded-For", "203.0.113.7", "X-Forwarded-Proto", "https");
      assertThat(seen(o -> o.forwardedHeaders(X_FORWARDED_PROTO), exchange))
          .isEqualTo("127.0.0.1:40000 https backend");
    }

    @ParameterizedTest
    @CsvSource({
      "example.com, example.com",
      "EXAMPLE.com:8443, example.com:8443",
      "[::1]:5000, [0:0:0:0:0:0:0:1]:5000",
      "'evil.org, example.com', example.com",
      "example.com/path, backend",
      "user@example.com, backend",
      "'example.com ', example.com",
      "exa mple.com, backend",
      "evil.org, backend", // not among those allowed
    })
    void isAHostIfItIsNamedAndAllowed(String header, String host) {
      assertThat(
              seen(
                  o -> o.forwardedHeaders(X_FORWARDED_HOST).allowedHosts("example.com", "[::1]"),
                  request("127.0.0.1", "X-Forwarded-Host", header)))
          .isEqualTo("127.0.0.1:40000 http " + host);
    }

    @Test
    void areNotTwoKindsAtOnce() {
      assertThatIllegalArgumentException()
          .isThrownBy(
              () -> new ForwardedHeadersOptions().forwardedHeaders(FORWARDED, X_FORWARDED_FOR))
          .withMessage("Forwarded and X-Forwarded-* exclude each other");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new ForwardedHeadersOptions().forwardedHeaders(new ForwardedHeader[0]))
          .withMessage("forwardedHeaders needs at least one header");
    }
  }

  /** RFC 7239. */
  @Nested
  class Forwarded {
    private static String seenOf(String header) {
      return seen(
          o -> o.forwardedHeaders(FORWARDED).knownNetworks("10.0.0.0/24").forwardLimit(5),
          request("10.0.0.1", "Forwarded", header, "X-Forwarded-For", "6.6.6.6"));
    }

    @ParameterizedTest
    @CsvSource(
        quoteCharacter = '\'',
        delimiter = '#',
        value = {
          "for=192.0.2.60;proto=https;by=203.0.113.43 # 192.0.2.60:0 https backend", // section 4
          "For=\"[2001:db8:cafe::17]:4711\" # [2001:db8:cafe:0:0:0:0:17]:4711 http backend",
          "for=\"192.0.2.60:4711\";Host=\"example.com:8443\" # 192.0.2.60:4711 http example.com:8443",
          "for=\"192.0.2.60:_obf\" # 192.0.2.60:0 http backend",
          "for=\"\\1\\92.0.2.60\" # 192.0.2.60:0 http backend", // quoted-pair
          "for=192.0.2.43, for=198.51.100.17 # 198.51.100.17:0 http backend",
          "for=192.0.2.43,for=10.0.0.2 # 192.0.2.43:0 http backend",
          "for=192.0.2.43|for=10.0.0.2 # 192.0.2.43:0 http backend",
          "for=192.0.2.43;proto=http, for=10.0.0.2;proto=https # 192.0.2.43:0 http backend",
          ";for=192.0.2.60;;proto=https; # 192.0.2.60:0 https backend", // 4: pairs may be left out
          "for=unknown;proto=https # 10.0.0.1:40000 https backend",
          "for=_gazonk;proto=https # 10.0.0.1:40000 https backend",
          "for=6.6.6.6, for=\"_SEVKISEK\";proto=https # 10.0.0.1:40000 https backend",
          "proto=https # 10.0.0.1:40000 https backend",
          "for=192.0.2.60;secret=\"a,b;c=\\\"d\" # 192.0.2.60:0 http backend",
        })
    void isReadAsTheRfcSays(String header, String expected) {
      assertThat(seenOf(header)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource(
        quoteCharacter = '\'',
        delimiter = '#',
        value = {
          "for=\"6.6.6.6, for=192.0.2.60 # 192.0.2.60", // a quote left open by the client
          "for=\"6.6.6.6\\, for=192.0.2.60 # 192.0.2.60",
          "for=\", for=\"[2001:db8::1]\" # [2001:db8:0:0:0:0:0:1]",
          "for=6.6.6.6;host=\"|for=192.0.2.60 # 192.0.2.60",
          "\", for=192.0.2.60 # 192.0.2.60",
        })
    void ofTheProxyIsNotSwallowedByWhatAClientSends(String header, String remote) {
      assertThat(seenOf(header)).isEqualTo(remote + ":0 http backend");
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "",
          "for",
          "for=",
          "=192.0.2.60",
          "for =192.0.2.60",
          "for= 192.0.2.60",
          ";",
          "for=192.0.2.60 ;proto=https",
          "for=2001:db8::1", // has to be quoted
          "for=[2001:db8::1]",
          "for=\"192.0.2.60",
          "for=192.0.2.60\"",
          "for=\"192.0.2.60\"x",
          "for=\"192.0.2.60\" ;proto=https",
          "for=192.0.2.60;for=192.0.2.61",
          "for=192.0.2.60;proto=gopher",
          "for=192.0.2.60;host=\"a b\"",
          "for=192.0.2.60,",
          "for=192.0.2.60, x",
        })
    void thatIsMalformedIsIgnored(String header) {
      assertThat(seenOf(header)).isEqualTo("10.0.0.1:40000 http backend");
    }
  }
}
