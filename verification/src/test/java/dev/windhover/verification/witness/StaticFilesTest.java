package dev.windhover.verification.witness;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.windhover.app.WebApplication;
import dev.windhover.http.files.StaticFiles;
import dev.windhover.server.Transport;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Response;
import dev.windhover.verification.wire.Wire;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.uring.IoUring;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Static files over a real connection: as curl requests them, and as nobody should. */
@ExtendWith(StrictLogs.class)
class StaticFilesTest {
  private static final int MEBIBYTE = 1 << 20;
  private static final Instant TIME = Instant.parse("1994-11-06T08:49:37Z");
  private static final String TEXT = "Windhovers hover. ".repeat(5_000);

  /** The content of {@code large.bin}, and another of the same size. */
  private static final byte[] LARGE = pattern(40 * MEBIBYTE, 31);

  private static final byte[] OTHER = pattern(40 * MEBIBYTE, 17);

  @TempDir Path outside;
  private Path root;
  private WebApplication app;

  @BeforeEach
  void start() throws IOException {
    Files.writeString(outside.resolve("secret.txt"), "secret");
    root = outside.resolve("wwwroot");
    Files.createDirectories(root.resolve("docs"));
    write("docs/index.html", "<h1>docs".getBytes(UTF_8));
    write("bird.txt", TEXT.getBytes(UTF_8));
    write("ten.txt", "0123456789".getBytes(UTF_8));
    try (OutputStream gzip =
        new GZIPOutputStream(Files.newOutputStream(root.resolve("bird.txt.gz")))) {
      gzip.write(TEXT.getBytes(UTF_8));
    }
    serve(Transport.AUTO);
  }

  private void serve(Transport transport) throws IOException {
    app = WebApplication.create("--urls=http://127.0.0.1:0");
    app.server(options -> options.transport(transport));
    app.useStaticFiles(StaticFiles.fromFolder(root));
    app.start();
  }

  @AfterEach
  void stop() {
    app.stop();
  }

  private void write(String name, byte[] bytes) throws IOException {
    Path file = Files.write(root.resolve(name), bytes);
    Files.setLastModifiedTime(file, FileTime.from(TIME));
  }

  /** Writes a file that is larger than what buffers take. */
  private void writeLarge() throws IOException {
    write("large.bin", LARGE);
  }

  private static byte[] pattern(int size, int factor) {
    byte[] bytes = new byte[size];
    for (int i = 0; i < size; i++) {
      bytes[i] = (byte) (i * factor + i / 997);
    }
    return bytes;
  }

  private int port() {
    return URI.create(app.urls().getFirst()).getPort();
  }

  private Wire connect() throws IOException {
    return Wire.connect(port());
  }

  /** Connects as a client that takes little while it does not read. */
  private Wire connectNarrow() throws IOException {
    return Wire.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port()), 32 * 1024);
  }

  private static String request(String method, String target, String... headers) {
    String lines = headers.length == 0 ? "" : String.join("\r\n", headers) + "\r\n";
    return method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n" + lines + "\r\n";
  }

  private static String get(String target, String... headers) {
    return request("GET", target, headers);
  }

  @Nested
  class ByCurl {
    private Program curl = new Program(Path.of("curl"));

    @BeforeEach
    void find() {
      curl = Program.require("curl");
    }

    /** Returns what curl prints, and fails if it does. */
    private String curl(String path, String... options) throws Exception {
      List<String> args = new ArrayList<>(List.of("--silent", "--show-error"));
      args.addAll(List.of(options));
      args.add(app.urls().getFirst() + path);
      Program.Result result = curl.run(args.toArray(String[]::new));
      assertThat(result.exitCode()).as(result.output()).isZero();
      return result.output();
    }

    @Test
    void aDownloadIsResumed() throws Exception {
      writeLarge();
      Path part = outside.resolve("part");
      Files.write(part, Arrays.copyOf(LARGE, 10 * MEBIBYTE + 7));
      String code =
          curl("/large.bin", "-C", "-", "-o", part.toString(), "--write-out", "%{http_code}");
      assertThat(code).isEqualTo("206");
      assertThat(Files.mismatch(part, root.resolve("large.bin"))).isEqualTo(-1);
    }

    @Test
    void rangesComeInParts() throws Exception {
      assertThat(curl("/ten.txt", "--range", "2-4")).isEqualTo("234");
      assertThat(curl("/ten.txt", "--range", "0-1,-2"))
          .contains("Content-Range: bytes 0-1/10\r\n\r\n01\r\n--")
          .contains("Content-Range: bytes 8-9/10\r\n\r\n89\r\n--")
          .endsWith("--\r\n");
    }

    @Test
    void aVariantIsUnpackedAndTheSame() throws Exception {
      String form = "\n%{http_code} %{size_download}";
      assertThat(curl("/bird.txt", "--write-out", form)).isEqualTo(TEXT + "\n200 90000");
      long size = Files.size(root.resolve("bird.txt.gz"));
      assertThat(curl("/bird.txt", "--compressed", "--write-out", form))
          .isEqualTo(TEXT + "\n200 " + size);
    }

    @Test
    void aTagIsSavedAndCompared() throws Exception {
      String tag = outside.resolve("tag").toString();
      assertThat(curl("/ten.txt", "--etag-save", tag)).isEqualTo("0123456789");
      String[] again = {"--etag-compare", tag, "--write-out", "%{http_code}"};
      assertThat(curl("/ten.txt", again)).isEqualTo("304");
      write("ten.txt", "another".getBytes(UTF_8));
      assertThat(curl("/ten.txt", again)).isEqualTo("another200");
    }

    @ParameterizedTest
    @CsvSource({
      "'Sun, 06 Nov 1994 08:49:37 GMT', 304",
      "'Sun, 06 Nov 1994 08:49:36 GMT', 200",
      "'-Sun, 06 Nov 1994 08:49:38 GMT', 200",
      "'-Sun, 06 Nov 1994 08:49:36 GMT', 412",
    })
    void aTimeIsACondition(String time, String code) throws Exception {
      String sent =
          curl("/ten.txt", "-z", time, "--output", "/dev/null", "--write-out", "%{http_code}");
      assertThat(sent).isEqualTo(code);
    }

    @Test
    void aFolderIsFollowed() throws Exception {
      assertThat(curl("/docs?a=b", "--location", "--write-out", " %{url_effective}"))
          .isEqualTo("<h1>docs " + app.urls().getFirst() + "/docs/?a=b");
    }
  }

  @Nested
  class ByHand {
    @Test
    void everyAnswerLeavesTheConnectionInOrder() throws IOException {
      try (Wire wire = connect()) {
        String tag = Objects.requireNonNull(wire.send(get("/ten.txt")).response().header("ETag"));
        wire.send(
            get("/ten.txt", "If-None-Match: " + tag)
                + get("/ten.txt", "If-Match: \"x\"")
                + get("/ten.txt", "Range: bytes=10-")
                + get("/ten.txt", "Range: bytes=1-2")
                + get("/ten.txt", "Range: bytes=1-2, 4-5")
                + get("/docs")
                + get("/ten.txt"));
        assertThat(wire.response().status()).isEqualTo(304);
        assertThat(wire.response().status()).isEqualTo(412);
        Response none = wire.response();
        assertThat(none.status()).isEqualTo(416);
        assertThat(none.header("Content-Range")).isEqualTo("bytes */10");
        Response one = wire.response();
        assertThat(one.status()).isEqualTo(206);
        assertThat(one.body()).isEqualTo("12");
        Response two = wire.response();
        assertThat(two.header("Content-Type")).startsWith("multipart/byteranges; boundary=");
        assertThat(two.body()).contains("\r\n\r\n12\r\n--", "\r\n\r\n45\r\n--").endsWith("--\r\n");
        Response moved = wire.response();
        assertThat(moved.status()).isEqualTo(301);
        assertThat(moved.header("Location")).isEqualTo("/docs/");
        assertThat(wire.response().body()).isEqualTo("0123456789");
        for (String header : List.of("If-None-Match: " + tag, "If-Match: \"x\"", "X: y")) {
          wire.send(request("HEAD", "/ten.txt", header));
          assertThat(wire.headResponse().bytes()).isEmpty();
        }
        assertThat(wire.send(get("/ten.txt")).response().body()).isEqualTo("0123456789");
      }
    }

    @Test
    void aRangeOfALargeFileIsThoseBytes() throws IOException {
      writeLarge();
      byte[] range = Arrays.copyOfRange(LARGE, 20000001, 35000001);
      try (Wire wire = connect()) {
        wire.send(get("/large.bin", "Range: bytes=20000001-35000000"));
        assertThat(wire.response().bytes()).isEqualTo(range);
        assertThat(wire.send(get("/ten.txt")).response().body()).isEqualTo("0123456789");
      }
    }

    @ParameterizedTest
    @CsvSource({
      "/../secret.txt",
      "/docs/../../secret.txt",
      "/%2e%2e/secret.txt",
      "/%2E%2E%2Fsecret.txt",
      "/..%2fsecret.txt",
      "/..%5csecret.txt",
      "/..\\secret.txt",
      "\\..\\secret.txt",
      "/docs/..\\..\\secret.txt",
      "/%252e%252e/secret.txt",
      "/%c0%ae%c0%ae/secret.txt",
      "/%u002e%u002e/secret.txt",
      "/..;/secret.txt",
      "/.../secret.txt",
      "//../secret.txt",
      "/secret.txt%00.html",
      "/%00/../secret.txt",
      "../secret.txt",
      "secret.txt",
      "file:///etc/passwd",
      "//etc/passwd",
      "/%2fetc%2fpasswd",
      "/link/secret.txt",
      "/link.txt",
      "/link",
      "http://localhost/../secret.txt",
      "http://localhost/link.txt",
      "*",
    })
    void nothingOutsideIsReached(String target) throws IOException {
      Files.createSymbolicLink(root.resolve("link"), outside);
      Files.createSymbolicLink(root.resolve("link.txt"), outside.resolve("secret.txt"));
      try (Wire wire = connect()) {
        Response sent = wire.send(get(target, "Connection: close")).response();
        assertThat(sent.status()).isIn(400, 404);
        assertThat(sent.body()).doesNotContain("secret", "root:");
      }
    }
  }

  @Nested
  class ChangesOnTheWay {
    @BeforeEach
    void write() throws IOException {
      writeLarge();
    }

    private void over(Transport transport) throws IOException {
      switch (transport) {
        case EPOLL ->
            assumeTrue(Epoll.isAvailable(), () -> "no epoll: " + Epoll.unavailabilityCause());
        case IO_URING ->
            assumeTrue(
                IoUring.isAvailable(), () -> "no io_uring: " + IoUring.unavailabilityCause());
        case AUTO, NIO -> {}
      }
      app.stop();
      serve(transport);
    }

    /** The answer that waits behind must not be taken for the rest of the file. */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "AUTO")
    void aFileThatIsCutCutsTheConnection(Transport transport) throws IOException {
      over(transport);
      try (Wire wire = connectNarrow()) {
        wire.send(get("/large.bin") + get("/ten.txt"));
        assertThat(wire.isQuietFor(Wire.MOST_MILLIS)).isFalse(); // it has begun
        try (FileChannel file =
            FileChannel.open(root.resolve("large.bin"), StandardOpenOption.WRITE)) {
          file.truncate(MEBIBYTE);
        }
        boolean cut = false;
        try {
          wire.response();
        } catch (EOFException | SocketException e) {
          cut = true;
        }
        assertThat(cut).isTrue();
      }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "AUTO")
    void aFileThatIsReplacedIsSentAsItWas(Transport transport) throws IOException {
      over(transport);
      Path other = Files.write(outside.resolve("other"), OTHER);
      try (Wire wire = connectNarrow()) {
        wire.send(get("/large.bin", "Range: bytes=0-9999999, 20000000-29999999"));
        assertThat(wire.isQuietFor(Wire.MOST_MILLIS)).isFalse();
        Files.move(other, root.resolve("large.bin"), StandardCopyOption.REPLACE_EXISTING);
        byte[] sent = wire.response().bytes();
        assertThat(indexOf(sent, "\r\n\r\n", 0)).isPositive();
        int first = indexOf(sent, "\r\n\r\n", 0) + 4;
        int second = indexOf(sent, "\r\n\r\n", first + 10_000_000) + 4;
        assertThat(Arrays.equals(sent, first, first + 10_000_000, LARGE, 0, 10_000_000)).isTrue();
        assertThat(Arrays.equals(sent, second, second + 10_000_000, LARGE, 20_000_000, 30_000_000))
            .isTrue();
        byte[] now = wire.send(get("/large.bin")).response().bytes();
        assertThat(Arrays.equals(now, OTHER)).isTrue();
      }
    }

    private static int indexOf(byte[] bytes, String text, int from) {
      byte[] wanted = text.getBytes(US_ASCII);
      int at = from;
      while (!Arrays.equals(bytes, at, at + wanted.length, wanted, 0, wanted.length)) {
        at++;
      }
      return at;
    }

    @Test
    void aFileThatGrowsIsSentAsLongAsItWas() throws IOException {
      try (Wire wire = connectNarrow()) {
        wire.send(get("/large.bin") + get("/ten.txt"));
        assertThat(wire.isQuietFor(Wire.MOST_MILLIS)).isFalse();
        Files.write(root.resolve("large.bin"), pattern(MEBIBYTE, 17), StandardOpenOption.APPEND);
        assertThat(Arrays.equals(wire.response().bytes(), LARGE)).isTrue();
        assertThat(wire.response().body()).isEqualTo("0123456789");
      }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "AUTO")
    void anAnswerInPartsHoldsOneDescriptor(Transport transport) throws IOException {
      assumeTrue(Files.exists(Path.of("/proc/self/fd")), "not Linux");
      over(transport);
      try (Wire wire = connectNarrow()) {
        wire.send(get("/large.bin", "Range: bytes=0-9999999, 10000001-19999999, 20000001-"));
        assertThat(wire.isQuietFor(Wire.MOST_MILLIS)).isFalse();
        assertThat(descriptors("large.bin")).isEqualTo(1);
        assertThat(wire.response().status()).isEqualTo(206);
        assertThat(wire.send(get("/ten.txt")).response().status()).isEqualTo(200);
        assertThat(descriptors("large.bin")).isZero();
      }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "AUTO")
    void pipelinedAnswersHoldOneDescriptorAtATime(Transport transport) throws IOException {
      assumeTrue(Files.exists(Path.of("/proc/self/fd")), "not Linux");
      over(transport);
      try (Wire wire = connectNarrow()) {
        wire.send(get("/large.bin").repeat(200));
        for (int i = 0; i < 3; i++) {
          assertThat(wire.response().bytes()).hasSize(40 * MEBIBYTE);
          assertThat(descriptors("large.bin")).isLessThanOrEqualTo(1);
        }
      }
    }

    @Test
    void clientsThatLeaveInTheMiddleLeaveNoFileOpen() throws IOException {
      assumeTrue(Files.exists(Path.of("/proc/self/fd")), "not Linux");
      for (int i = 0; i < 50; i++) {
        try (Wire wire = connectNarrow()) {
          wire.send(get("/large.bin", "Range: bytes=0-9999999, 20000000-29999999"));
          assertThat(wire.isQuietFor(Wire.MOST_MILLIS)).isFalse();
          wire.abort();
        }
      }
      long start = System.nanoTime();
      while (descriptors("large.bin") > 0
          && System.nanoTime() - start < Wire.MOST_MILLIS * 1_000_000L) {
        Thread.onSpinWait();
      }
      assertThat(descriptors("large.bin")).isZero();
    }

    private static long descriptors(String name) throws IOException {
      long count = 0;
      try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
        for (Path file : files.toList()) {
          try {
            count += Files.readSymbolicLink(file).endsWith(name) ? 1 : 0;
          } catch (IOException e) {
            // closed in between
          }
        }
      }
      return count;
    }
  }
}
