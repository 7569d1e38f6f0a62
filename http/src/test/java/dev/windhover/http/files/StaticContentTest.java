package dev.windhover.http.files;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.Application;
import dev.windhover.http.CapturedLog;
import dev.windhover.http.Middleware;
import dev.windhover.http.TestExchange;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a file is answered with: conditions, ranges, compressed variants (RFC 9110 12 to 14). */
class StaticContentTest {
  private static final String DATE = "Sun, 06 Nov 1994 08:49:37 GMT";
  private static final Instant TIME = Instant.parse("1994-11-06T08:49:37.123456789Z");

  @RegisterExtension final CapturedLog log = new CapturedLog();

  @TempDir Path root;
  private String tag = "";

  @BeforeEach
  void makeFile() throws IOException {
    write("a.txt", "0123456789", TIME);
    tag = header(get("/a.txt"), "ETag");
  }

  private Path write(String name, String text, Instant time) throws IOException {
    Path file = Files.writeString(root.resolve(name), text);
    return Files.setLastModifiedTime(file, FileTime.from(time));
  }

  /** Sends a request with {@code headers}, which are lines. */
  private TestExchange send(String method, String target, String... headers) {
    TestExchange exchange = TestExchange.of(method, target);
    for (String header : headers) {
      int colon = header.indexOf(':');
      exchange.header(
          header.substring(0, colon),
          header.substring(colon + 1).strip().replace("TAG", tag).replace("DATE", DATE));
    }
    return exchange.through(new Application().use(StaticFiles.fromFolder(root)));
  }

  private TestExchange get(String target, String... headers) {
    return send("GET", target, headers);
  }

  private static String header(TestExchange sent, String name) {
    return Objects.requireNonNull(sent.sentHeader(name), name);
  }

  @Nested
  class Validators {
    @Test
    void areAStrongTagAndTheTime() {
      TestExchange sent = get("/a.txt");
      assertThat(sent.sentHeader("ETag")).matches("\"[!#-~]+\"");
      assertThat(sent.sentHeader("Last-Modified")).isEqualTo(DATE);
      assertThat(sent.sentHeader("Accept-Ranges")).isEqualTo("bytes");
      assertThat(sent.sentHeader("Vary")).isNull();
    }

    @Test
    void changeWithTheTimeToTheNanosecondAndWithTheLength() throws IOException {
      write("a.txt", "0123456789", TIME.plusNanos(100));
      assertThat(header(get("/a.txt"), "ETag")).isNotEqualTo(tag);
      write("a.txt", "012345678", TIME);
      assertThat(header(get("/a.txt"), "ETag")).isNotEqualTo(tag);
      write("a.txt", "9876543210", TIME);
      assertThat(header(get("/a.txt"), "ETag")).isEqualTo(tag);
    }

    @Test
    void areWeakWhileTheFileMayChangeWithinATick() throws IOException {
      write("new.txt", "x", Instant.now().plusSeconds(60)); // "just now" for the whole test
      assertThat(header(get("/new.txt"), "ETag")).startsWith("W/\"");
      write("new.txt", "x", Instant.now().minusSeconds(3));
      assertThat(header(get("/new.txt"), "ETag")).startsWith("\"");
    }

    @Test
    void haveNoTimeInTheFuture() throws IOException {
      write("new.txt", "x", Instant.now().plusSeconds(6000));
      Instant said = HttpDate.parse(header(get("/new.txt"), "Last-Modified"));
      assertThat(said).isBeforeOrEqualTo(Instant.now());
    }
  }

  @Nested
  class Conditions {
    @ParameterizedTest
    @CsvSource(
        delimiter = '>',
        value = {
          // RFC 9110 13.1.1
          "200 > If-Match: TAG",
          "200 > If-Match: *",
          "200 > If-Match: \"x\" , TAG",
          "200 > If-Match: \"x,y\",,TAG",
          "412 > If-Match: \"x\"",
          "412 > If-Match: W/TAG",
          "412 > If-Match: nonsense",
          "412 > If-Match: TAG nonsense",
          "412 > If-Match: TAGTAG",
          "412 > If-Match: \"unended",
          "412 > If-Match:",
          // 13.1.2
          "304 > If-None-Match: TAG",
          "304 > If-None-Match: W/TAG",
          "304 > If-None-Match: *",
          "304 > If-None-Match: \"x\", TAG",
          "200 > If-None-Match: \"x\"",
          "200 > If-None-Match: nonsense",
          // 13.1.3
          "304 > If-Modified-Since: DATE",
          "304 > If-Modified-Since: Sun, 06 Nov 1994 08:49:38 GMT",
          "304 > If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT",
          "304 > If-Modified-Since: Sun Nov  6 08:49:37 1994",
          "200 > If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT",
          "200 > If-Modified-Since: yesterday",
          // 13.1.4
          "200 > If-Unmodified-Since: DATE",
          "412 > If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT",
          "200 > If-Unmodified-Since: yesterday",
          // 13.2.2
          "200 > If-Match: TAG | If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT",
          "412 > If-Match: \"x\" | If-None-Match: TAG",
          "304 > If-Match: TAG | If-None-Match: TAG",
          "412 > If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT | If-None-Match: TAG",
          "200 > If-None-Match: \"x\" | If-Modified-Since: DATE",
          "304 > If-None-Match: TAG | If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT",
          "304 > If-None-Match: \"x\" | If-None-Match: TAG",
          "200 > If-Modified-Since: DATE | If-Modified-Since: DATE",
          "412 > If-Match: \"x\" | Range: bytes=0-1",
          "304 > If-None-Match: TAG | Range: bytes=0-1",
          "206 > If-None-Match: \"x\" | Range: bytes=0-1",
        })
    void areDecidedInOrder(int status, String lines) {
      String[] headers = lines.split(" \\| ", -1);
      TestExchange sent = get("/a.txt", headers);
      assertThat(sent.status()).isEqualTo(status);
      assertThat(sent.sentHeader("ETag")).isEqualTo(tag);
      assertThat(send("HEAD", "/a.txt", headers).status()).isEqualTo(status == 206 ? 200 : status);
    }

    @Test
    void that304HasNoBodyAndNoLength() {
      TestExchange sent = get("/a.txt", "If-None-Match: TAG");
      assertThat(sent.sentBytes()).isEmpty();
      assertThat(sent.sentContentLength()).isEqualTo(-1);
      assertThat(sent.sentHeader("Content-Type")).isNull();
    }

    @Test
    void doNotMatterWhereNothingIs() {
      assertThat(get("/none", "If-Match: *").status()).isEqualTo(404);
      assertThat(get("/none", "If-None-Match: *").status()).isEqualTo(404);
    }

    @Test
    void weakTagsMatchWhatIsSparedAndNotWhatIsMeant() throws IOException {
      write("new.txt", "x", Instant.now().plusSeconds(60));
      String weak = header(get("/new.txt"), "ETag");
      assertThat(get("/new.txt", "If-None-Match: " + weak).status()).isEqualTo(304);
      assertThat(get("/new.txt", "If-Match: " + weak).status()).isEqualTo(412);
      assertThat(get("/new.txt", "Range: bytes=0-0", "If-Range: " + weak).status()).isEqualTo(200);
    }
  }

  @Nested
  class Ranges {
    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        value = {
          "bytes=0-3 | 0-3 | 0123",
          "bytes=5- | 5-9 | 56789",
          "bytes=0- | 0-9 | 0123456789",
          "bytes=-3 | 7-9 | 789",
          "bytes=-99 | 0-9 | 0123456789",
          "bytes=9-9 | 9-9 | 9",
          "bytes=8-99 | 8-9 | 89",
          "bytes=8-99999999999999999999 | 8-9 | 89",
          "bytes=-99999999999999999999 | 0-9 | 0123456789",
          "Bytes=0-0 | 0-0 | 0",
          "bytes=,0-0 , | 0-0 | 0",
          "bytes=0-0,10-12 | 0-0 | 0",
          "bytes=20-,-2 | 8-9 | 89",
        })
    void oneIsSentAlone(String range, String sentRange, String text) {
      TestExchange sent = get("/a.txt", "Range: " + range);
      assertThat(sent.status()).isEqualTo(206);
      assertThat(sent.sentHeader("Content-Range")).isEqualTo("bytes " + sentRange + "/10");
      assertThat(sent.sentHeader("Content-Type")).isEqualTo("text/plain; charset=utf-8");
      assertThat(sent.sentHeader("ETag")).isEqualTo(tag);
      assertThat(sent.sentContentLength()).isEqualTo(text.length());
      assertThat(sent.sentText()).isEqualTo(text);
      assertThat(sent.filesWritten()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "bytes=10-",
          "bytes=10-20",
          "bytes=-0",
          "bytes=99999999999999999999-",
          "bytes=10-,-0"
        })
    void noneThatIsThereIs416(String range) {
      TestExchange sent = get("/a.txt", "Range: " + range);
      assertThat(sent.status()).isEqualTo(416);
      assertThat(sent.sentHeader("Content-Range")).isEqualTo("bytes */10");
      assertThat(sent.sentText()).isEqualTo("range not satisfiable\n");
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "",
          "bytes",
          "bytes=",
          "bytes= ,",
          "bytes=-",
          "bytes=3-2",
          "bytes=0-1,3-2",
          "bytes=a-b",
          "bytes=+1-2",
          "bytes=1--2",
          "bytes=0x1-2",
          "bytes=1 - 2",
          "bytes=\u00b2-\u00b3",
          "bytes:0-1",
          "lines=0-1",
          "bytes=0-5,5-9",
          "bytes=0-,0-,0-",
          "bytes=1-1,-10",
        })
    void thatAreMalformedOrTooMuchAreIgnored(String range) {
      TestExchange sent = get("/a.txt", "Range: " + range);
      assertThat(sent.status()).isEqualTo(200);
      assertThat(sent.sentText()).isEqualTo("0123456789");
    }

    @Test
    void areIgnoredOnTwoLinesAndByHeadAndWhereNothingCanBeCut() throws IOException {
      assertThat(get("/a.txt", "Range: bytes=0-1", "Range: bytes=0-1").status()).isEqualTo(200);
      TestExchange head = send("HEAD", "/a.txt", "Range: bytes=0-1");
      assertThat(head.status()).isEqualTo(200);
      assertThat(head.sentContentLength()).isEqualTo(10);
      write("empty.txt", "", TIME);
      assertThat(get("/empty.txt", "Range: bytes=0-").status()).isEqualTo(200);
      assertThat(get("/empty.txt", "Range: bytes=-1").status()).isEqualTo(200);
    }

    @Test
    void severalAreSentInPartsAsTheyWereAsked() {
      TestExchange sent = get("/a.txt", "Range: bytes=-2,0-0,4-6,50-60");
      assertThat(sent.status()).isEqualTo(206);
      String type = header(sent, "Content-Type");
      assertThat(type).matches("multipart/byteranges; boundary=[0-9a-f-]{36}");
      assertThat(sent.sentHeader("Content-Range")).isNull();
      assertThat(sent.sentText())
          .isEqualTo(
              """

              --BOUNDARY
              Content-Type: text/plain; charset=utf-8
              Content-Range: bytes 8-9/10

              89
              --BOUNDARY
              Content-Type: text/plain; charset=utf-8
              Content-Range: bytes 0-0/10

              0
              --BOUNDARY
              Content-Type: text/plain; charset=utf-8
              Content-Range: bytes 4-6/10

              456
              --BOUNDARY--
              """
                  .replace("\n", "\r\n")
                  .replace("BOUNDARY", type.substring(type.indexOf('=') + 1)));
      assertThat(sent.sentContentLength()).isEqualTo(sent.sentBytes().length);
      assertThat(sent.filesWritten()).isEqualTo(3);
    }

    @Test
    void moreThanSixteenAreTheWhole() throws IOException {
      write("long.txt", "0123456789".repeat(10), TIME);
      List<String> ranges = IntStream.range(0, 17).mapToObj(i -> 2 * i + "-" + 2 * i).toList();
      String sixteen = "bytes=" + String.join(",", ranges.subList(0, 16));
      assertThat(get("/long.txt", "Range: " + sixteen).status()).isEqualTo(206);
      assertThat(get("/long.txt", "Range: " + sixteen + ",32-32").status()).isEqualTo(200);
      assertThat(get("/long.txt", "Range: " + sixteen + ",200-200").status()).isEqualTo(200);
    }

    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        value = {
          "206 | TAG",
          "206 | DATE",
          "206 | Sunday, 06-Nov-94 08:49:37 GMT",
          "200 | \"x\"",
          "200 | W/TAG",
          "200 | \"x\", TAG",
          "200 | *",
          "200 | nonsense",
          "200 | Sun, 06 Nov 1994 08:49:38 GMT",
          "200 | Sun, 06 Nov 1994 08:49:36 GMT",
        })
    void goByIfRange(int status, String condition) {
      TestExchange sent = get("/a.txt", "Range: bytes=1-2", "If-Range: " + condition);
      assertThat(sent.status()).isEqualTo(status);
      assertThat(sent.sentText()).isEqualTo(status == 206 ? "12" : "0123456789");
      assertThat(get("/a.txt", "Range: bytes=10-", "If-Range: " + condition).status())
          .isEqualTo(status == 206 ? 416 : 200);
      assertThat(get("/a.txt", "If-Range: " + condition).status()).isEqualTo(200);
    }
  }

  @Nested
  class Variants {
    @BeforeEach
    void makeFiles() throws IOException {
      write("app.js", "plain", TIME);
      write("app.js.gz", "gzip", TIME);
      write("app.js.br", "brot", TIME); // as long, so that only the coding tells their tags apart
      write("one.css", "plain", TIME);
      write("one.css.gz", "gzip", TIME);
    }

    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        value = {
          "gzip | gzip",
          "br | brot",
          "x-gzip | gzip",
          "GZIP | gzip",
          "gzip, deflate, br, zstd | brot",
          "gzip;q=1.0, br;q=0.9 | gzip",
          "gzip;q=0.001, identity;q=0 | gzip",
          "* | brot",
          "*;q=0.1, br;q=0 | gzip",
          "gzip ; q=0.5 , identity;q=0.6 | plain",
          "gzip;q=0.5, identity;q=0.5 | gzip",
          "identity | plain",
          "deflate, zstd | plain",
          "gzip;q=0 | plain",
          "gzip;q=0.000, br;Q=0 | plain",
          "*;q=0 | plain",
          "gzip;q=2 | plain",
          "gzip;q=0.1234 | plain",
          "gzip;level=9 | plain",
          "gzipped | plain",
          ", | plain",
        })
    void goToWhomeverAcceptsThem(String accepted, String text) {
      TestExchange sent = get("/app.js", "Accept-Encoding: " + accepted);
      String coding = text.equals("plain") ? null : text.equals("brot") ? "br" : "gzip";
      assertThat(sent.sentText()).isEqualTo(text);
      assertThat(sent.sentHeader("Content-Encoding")).isEqualTo(coding);
      assertThat(sent.sentHeader("Content-Type")).isEqualTo("text/javascript; charset=utf-8");
      assertThat(sent.sentHeader("Vary")).isEqualTo("Accept-Encoding");
      assertThat(sent.sentHeader("Accept-Ranges")).isEqualTo(coding == null ? "bytes" : null);
      assertThat(sent.filesWritten()).isEqualTo(1);
      TestExchange head = send("HEAD", "/app.js", "Accept-Encoding: " + accepted);
      assertThat(head.sentHeaders()).isEqualTo(sent.sentHeaders());
      assertThat(head.sentContentLength()).isEqualTo(text.length());
    }

    @Test
    void areNotSentUnasked() {
      assertThat(get("/app.js").sentText()).isEqualTo("plain");
      assertThat(get("/one.css", "Accept-Encoding: br").sentText()).isEqualTo("plain");
      assertThat(get("/one.css", "Accept-Encoding: br, gzip;q=0.1").sentText()).isEqualTo("gzip");
    }

    @Test
    void haveTagsOfTheirOwn() {
      String plain = header(get("/app.js"), "ETag");
      String gzip = header(get("/app.js", "Accept-Encoding: gzip"), "ETag");
      String brotli = header(get("/app.js", "Accept-Encoding: br"), "ETag");
      assertThat(List.of(plain, gzip, brotli)).doesNotHaveDuplicates();
      TestExchange same = get("/app.js", "Accept-Encoding: gzip", "If-None-Match: " + gzip);
      assertThat(same.status()).isEqualTo(304);
      assertThat(same.sentHeader("Vary")).isEqualTo("Accept-Encoding");
      TestExchange other = get("/app.js", "Accept-Encoding: gzip", "If-None-Match: " + plain);
      assertThat(other.status()).isEqualTo(200);
    }

    @Test
    void areNeverCutIntoRanges() {
      TestExchange sent = get("/app.js", "Accept-Encoding: gzip", "Range: bytes=0-1");
      assertThat(sent.status()).isEqualTo(206);
      assertThat(sent.sentText()).isEqualTo("pl");
      assertThat(sent.sentHeader("Content-Encoding")).isNull();
      assertThat(sent.sentHeader("Content-Range")).isEqualTo("bytes 0-1/5");
      assertThat(sent.sentHeader("Vary")).isEqualTo("Accept-Encoding");
      String gzip = header(get("/app.js", "Accept-Encoding: gzip"), "ETag");
      TestExchange resumed =
          get("/app.js", "Accept-Encoding: gzip", "Range: bytes=1-", "If-Range: " + gzip);
      assertThat(resumed.status()).isEqualTo(200);
      assertThat(resumed.sentText()).isEqualTo("plain");
    }

    @Test
    void thatAreOlderThanTheFileAreLeftOvers() throws IOException {
      write("one.css", "newer", TIME.plusSeconds(1));
      TestExchange sent = get("/one.css", "Accept-Encoding: gzip");
      assertThat(sent.sentText()).isEqualTo("newer");
      assertThat(sent.sentHeader("Vary")).isNull();
    }

    @Test
    void areNothingWithoutTheFileAndFilesOfTheirOwn() throws IOException {
      write("b.js.gz", "gzip", TIME);
      assertThat(get("/b.js", "Accept-Encoding: gzip").status()).isEqualTo(404);
      TestExchange own = get("/app.js.gz", "Accept-Encoding: gzip");
      assertThat(own.sentHeader("Content-Encoding")).isNull();
      assertThat(own.sentHeader("Content-Type")).isEqualTo("application/gzip");
    }

    @Test
    void thatLeadOutsideAreMisses(@TempDir Path outside) throws IOException {
      write("b.js", "plain", TIME);
      Path secret = Files.writeString(outside.resolve("secret"), "secret");
      Files.createSymbolicLink(root.resolve("b.js.gz"), secret);
      assertThat(get("/b.js", "Accept-Encoding: gzip").sentText()).isEqualTo("plain");
    }

    @Test
    void leaveTheVaryOfOthers() {
      Application application =
          new Application()
              .use(
                  Middleware.nonBlocking((context, next) -> {
                    context.response().headers().set("Vary", "Origin");
                    next.handle(context);
                  }))
              .use(StaticFiles.fromFolder(root));
      TestExchange sent = TestExchange.get("/app.js").through(application);
      assertThat(sent.sentHeaders().list("Vary")).containsExactly("Origin", "Accept-Encoding");
    }
  }
}
