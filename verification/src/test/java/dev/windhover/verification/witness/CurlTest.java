package dev.windhover.verification.witness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.http.Handler;
import dev.windhover.samples.conformance.ConformanceServer;
import dev.windhover.samples.echo.Echo;
import dev.windhover.verification.logs.StrictLogs;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The HTTP side of our programs, as curl sees it. */
@ExtendWith(StrictLogs.class)
class CurlTest {
  private static final WebApplication echo = Echo.create("--urls", "http://127.0.0.1:0");
  private static final WebApplication conformance =
      ConformanceServer.create("--urls", "http://127.0.0.1:0");

  private static final int UPLOAD = 5_000_000;

  private static Program curl = new Program(Path.of("curl"));

  @BeforeAll
  static void start() throws Exception {
    curl = Program.require("curl");
    echo.mapGet("/only-get", Handler.nonBlocking(context -> context.response().write("got\n")));
    echo.mapPost(
        "/only-post", context -> context.request().body().transferTo(context.response().body()));
    echo.mapPut(
        "/sum",
        context -> {
          CRC32 sum = new CRC32();
          byte[] piece = new byte[10_000];
          InputStream body = context.request().body();
          for (int n; (n = body.read(piece)) >= 0; ) {
            sum.update(piece, 0, n);
          }
          context.response().write(sum.getValue() + "\n");
        });
    echo.mapPut("/unread", context -> context.response().status(403).write("no\n"));
    echo.mapGet(
        "/fails-late",
        context -> {
          context.response().write("begun");
          context.response().flush();
          context.abort();
        });
    echo.start();
    conformance.start();
  }

  @AfterAll
  static void stop() {
    echo.stop();
    conformance.stop();
  }

  /** Returns the status line, headers and body that curl shows, with line feeds alone. */
  private static String curl(WebApplication app, String path, String... options) throws Exception {
    List<String> args = new ArrayList<>(List.of("--silent", "--show-error", "--include"));
    args.addAll(List.of(options));
    args.addAll(List.of("--path-as-is", app.urls().getFirst() + path));
    Program.Result result = curl.run(args.toArray(String[]::new));
    assertThat(result.exitCode()).as(result.output()).isZero();
    return result.output().replace("\r\n", "\n");
  }

  private static String[] handshake(String... more) {
    List<String> options = new ArrayList<>();
    options.addAll(List.of("-H", "Connection: Upgrade", "-H", "Upgrade: websocket"));
    options.addAll(List.of("-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="));
    for (String header : more) {
      options.addAll(List.of("-H", header));
    }
    return options.toArray(String[]::new);
  }

  /** With prior knowledge, in clear text. */
  @Nested
  class Http2 {
    private static final String KNOWN = "--http2-prior-knowledge";

    @Test
    void fileIsServed() throws Exception {
      assertThat(curl(echo, "/", KNOWN))
          .startsWith("HTTP/2 200 \n")
          .contains("\ncontent-type: text/html; charset=utf-8\n")
          .contains("<title>Windhover");
      assertThat(curl(echo, "/echo.js", KNOWN, "--range", "0-9")).startsWith("HTTP/2 206 \n");
      assertThat(curl(echo, "/nowhere", KNOWN)).startsWith("HTTP/2 404 \n");
      assertThat(curl(echo, "/", KNOWN, "--head")).startsWith("HTTP/2 200 \n");
    }

    @Test
    void largeBodyArrivesWhole(@TempDir Path folder) throws Exception {
      byte[] bytes = new byte[UPLOAD];
      new Random(1).nextBytes(bytes);
      Path file = java.nio.file.Files.write(folder.resolve("upload"), bytes);
      CRC32 sum = new CRC32();
      sum.update(bytes);
      assertThat(curl(echo, "/sum", KNOWN, "--upload-file", file.toString()))
          .endsWith("\n\n" + sum.getValue() + "\n");
    }

    @Test
    void bodyThatNobodyReadsIsRefused(@TempDir Path folder) throws Exception {
      Path file = java.nio.file.Files.write(folder.resolve("upload"), new byte[UPLOAD]);
      assertThat(curl(echo, "/unread", KNOWN, "--upload-file", file.toString()))
          .contains("HTTP/2 403 \n")
          .endsWith("\n\nno\n");
    }
  }

  @Nested
  class Files {
    @ParameterizedTest
    @CsvSource({
      "/, text/html; charset=utf-8",
      "/index.html, text/html; charset=utf-8",
      "/echo.js, text/javascript; charset=utf-8",
      "/echo.css, text/css; charset=utf-8",
      "/favicon.svg, image/svg+xml",
      "/echo.js?v=2, text/javascript; charset=utf-8",
    })
    void haveTheirContentTypes(String path, String type) throws Exception {
      assertThat(curl(echo, path))
          .startsWith("HTTP/1.1 200 OK\n")
          .contains("\nContent-Type: " + type, "\nX-Content-Type-Options: nosniff\n", "\nDate: ");
    }

    @Test
    void answerHeadWithTheHeadersOfGet() throws Exception {
      String get = curl(echo, "/");
      String head = curl(echo, "/", "--head");
      assertThat(head).endsWith("\n\n").doesNotContain("<html");
      assertThat(fields(head)).isEqualTo(fields(get));
    }

    private String fields(String response) {
      return response.substring(0, response.indexOf("\n\n")).replaceAll("\nDate: .*", "");
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "/nothing",
          "/index.html/",
          "/Index.html",
          "/../Echo.class",
          "/%2e%2e/Echo.class",
          "/..%2fEcho.class",
          "/%00",
          "//index.html",
          "/./nothing"
        })
    void areNotWhatIsElsewhere(String path) throws Exception {
      assertThat(curl(echo, path)).matches("(?s)HTTP/1.1 40[04] .*");
    }
  }

  @Nested
  class Routes {
    @Test
    void nameTheMethodsThatAreAllowed() throws Exception {
      assertThat(curl(echo, "/only-get", "--request", "POST"))
          .startsWith("HTTP/1.1 405 Method Not Allowed\n")
          .contains("\nAllow: GET, HEAD\n");
      assertThat(curl(echo, "/only-post"))
          .startsWith("HTTP/1.1 405 Method Not Allowed\n")
          .contains("\nAllow: POST\n");
    }

    @Test
    void takeBodiesOfAnyForm() throws Exception {
      assertThat(curl(echo, "/only-post", "--data", "body"))
          .startsWith("HTTP/1.1 200")
          .endsWith("body");
      assertThat(curl(echo, "/only-post", "--data", "body", "-H", "Transfer-Encoding: chunked"))
          .startsWith("HTTP/1.1 200")
          .endsWith("body");
      assertThat(curl(echo, "/only-post", "--data", "body", "-H", "Expect: 100-continue"))
          .startsWith("HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\n")
          .endsWith("body");
    }

    @Test
    void shareAConnection() throws Exception {
      String url = echo.urls().getFirst() + "/only-get";
      Program.Result result =
          curl.run("--silent", "--write-out", "%{num_connects} ", url, url, url);
      assertThat(result.output()).isEqualTo("got\n1 got\n0 got\n0 ");
    }

    /** As curl uploads: it asks for 100 Continue by itself above 1 MiB. */
    @ParameterizedTest
    @ValueSource(strings = {"Content-Length: " + UPLOAD, "Transfer-Encoding: chunked"})
    void takeUploads(String framing, @TempDir Path folder) throws Exception {
      byte[] bytes = new byte[UPLOAD];
      new Random(1).nextBytes(bytes);
      CRC32 sum = new CRC32();
      sum.update(bytes);
      Path file = java.nio.file.Files.write(folder.resolve("file"), bytes);
      String[] upload = {
        "--upload-file", file.toString(), "-H", framing, "-H", "Expect: 100-continue"
      };
      assertThat(curl(echo, "/sum", upload))
          .startsWith("HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\n")
          .endsWith("\n\n" + sum.getValue() + "\n");
      assertThat(curl(echo, "/unread", upload)) // answered before a byte of it is sent
          .startsWith("HTTP/1.1 403 Forbidden\n")
          .contains("\nConnection: close\n")
          .endsWith("no\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--http1.1", "--http1.0"})
    void areNotCompleteWhenTheyAreCut(String version) throws Exception {
      Program.Result result = curl.run("--silent", version, echo.urls().getFirst() + "/fails-late");
      assertThat(result.exitCode()).isEqualTo(56); // "Failure with receiving network data"
    }

    @Test
    void closeTheConnectionOfHttp10() throws Exception {
      assertThat(curl(echo, "/only-get", "--http1.0"))
          .startsWith("HTTP/1.1 200 OK\n")
          .contains("\nConnection: close\n")
          .endsWith("got\n");
    }
  }

  @Nested
  class Handshakes {
    @ParameterizedTest
    @ValueSource(strings = {"/ws", "/ws/messages", "/ws/controller", "/ws/background"})
    void areWhatTheEndpointsWant(String path) throws Exception {
      assertThat(curl(echo, path)).startsWith("HTTP/1.1 400 Bad Request\n");
      assertThat(curl(echo, path, "--head")).startsWith("HTTP/1.1 400 Bad Request\n");
      assertThat(curl(echo, path, "--request", "POST")).startsWith("HTTP/1.1 400 Bad Request\n");
    }

    @Test
    void ofAnotherVersionAreToldOurs() throws Exception {
      String[] options = handshake("Sec-WebSocket-Version: 12");
      assertThat(curl(echo, "/ws/messages", options))
          .startsWith("HTTP/1.1 426 Upgrade Required\n")
          .contains(
              "\nUpgrade: websocket\n", "\nConnection: Upgrade\n", "\nSec-WebSocket-Version: 13\n")
          .endsWith("Sec-WebSocket-Version 12 is not supported; 13 is\n");
      // The buffer loop answers by itself, as in the reference.
      assertThat(curl(echo, "/ws", options))
          .startsWith("HTTP/1.1 400 Bad Request\n")
          .contains("\nSec-WebSocket-Version: 13\n");
    }
  }

  @Nested
  class Conformance {
    @Test
    void saysThatItIsReady() throws Exception {
      String host = conformance.urls().getFirst().replace("http://", "");
      assertThat(curl(conformance, "/any/path"))
          .startsWith("HTTP/1.1 200 OK\n")
          .endsWith("\nready: connect a WebSocket to ws://" + host + "/any/path\n");
    }

    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        value = {
          "api=both         | api=both is neither blocking nor listener",
          "api=             | api= is neither blocking nor listener",
          "max_message=0    | max_message=0 is not a number from 1 to 999999999",
          "max_message=1e6  | max_message=1e6 is not a number from 1 to 999999999",
          "close=1005       | close=1005 may not be sent; use 1000-1003, 1007-1014 or 3000-4999",
          "close=66536      | close=66536 may not be sent; use 1000-1003, 1007-1014 or 3000-4999",
          "keep_alive_interval=-1 | keep_alive_interval=-1 is not a number from 0 to 999999999",
          "keep_alive_timeout=1s  | keep_alive_timeout=1s is not a number from 0 to 999999999",
          "no_read=1        | no_read=1 is neither true nor false",
          "subprotocols=a,,b| subprotocols=a,,b is not a list of names separated by commas",
          "close=1000&close=1001 | close is set more than once",
          "compression=yes  | compression=yes is neither on nor off",
          "server_max_window_bits=8 | server_max_window_bits=8 is not a number from 9 to 15",
          "server_no_context_takeover=on"
              + "| server_no_context_takeover=on is neither true nor false",
          "api=%0Ablocking  | api=?blocking is neither blocking nor listener",
          "compress=yes     | unknown setting \"compress\"; known are api, close, compression,"
              + " keep_alive_interval, keep_alive_timeout, max_message, no_read,"
              + " server_max_window_bits, server_no_context_takeover, subprotocols",
        })
    void answersABadSettingWithOneLine(String query, String line) throws Exception {
      assertThat(curl(conformance, "/?" + query.strip(), handshake("Sec-WebSocket-Version: 13")))
          .startsWith("HTTP/1.1 400 Bad Request\n")
          .endsWith("\n\n" + line + "\n");
    }
  }
}
