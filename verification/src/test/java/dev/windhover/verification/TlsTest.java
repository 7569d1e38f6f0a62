package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.app.WebApplication;
import dev.windhover.http.Events;
import dev.windhover.http.HttpContext;
import dev.windhover.http.files.StaticFiles;
import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.Message;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.server.ListenException;
import dev.windhover.server.ServerOptions;
import dev.windhover.server.TlsProvider;
import dev.windhover.server.Transport;
import dev.windhover.verification.logs.Logs;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Http2Wire;
import dev.windhover.verification.wire.Response;
import dev.windhover.verification.wire.Wire;
import dev.windhover.websocket.WebSocketOptions;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.uring.IoUring;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.event.Level;

/** HTTP over TLS: certificates, handshakes and ends, as far as they are specific to TLS. */
@ExtendWith(StrictLogs.class)
class TlsTest {
  private static final String GET = "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n";
  private static final int MEBIBYTE = 1 << 20;

  private static final Certificate RSA = Certificate.valid("RSA");
  private static final Certificate EDDSA = Certificate.valid("Ed25519");
  private static final Certificate OTHER = Certificate.valid("EC");
  private static final Certificate EXPIRED = Certificate.expired();

  @TempDir private Path folder = Path.of("");

  private final WebApplication app = WebApplication.create();
  private final BlockingQueue<Ending> endings = new LinkedBlockingQueue<>();
  private Consumer<WebSocketOptions> origins = options -> options.allowedOrigins("*");

  private void start(Consumer<ServerOptions> change) throws ListenException {
    app.useWebSockets(origins);
    app.mapGet(
        "/",
        context ->
            context
                .response()
                .write(context.request().scheme() + " " + context.connection().tls()));
    app.mapWebSocket(
        "/ws",
        socket -> {
          for (Message message : socket) {
            socket.send(message);
          }
        });
    app.events(
        new Events() {
          @Override
          public void socketEnded(HttpContext context, WebSocket socket, Ending ending) {
            endings.add(ending);
          }
        });
    app.server(options -> {
      options.urls("https://127.0.0.1:0");
      change.accept(options);
    });
    app.start();
  }

  /** Listens with the usual certificate. */
  private void startUsual(Consumer<ServerOptions> change) throws IOException {
    Path file = Certificate.USUAL.writePkcs12(folder.resolve("usual.p12"));
    start(options -> {
      options.tls().certificate(file).password(Certificate.PASSWORD);
      change.accept(options);
    });
  }

  @AfterEach
  void stop() {
    app.stop();
  }

  private Wire connect() throws IOException {
    return Wire.connect(Ports.of(app));
  }

  private static Response get(Wire wire, String path) throws IOException {
    return wire.send(GET.formatted(path)).response();
  }

  private static void await(LongSupplier what, long wanted) {
    long start = System.nanoTime();
    while (what.getAsLong() != wanted) {
      assertThat(System.nanoTime() - start).isLessThan(10_000_000_000L);
      Thread.onSpinWait();
    }
  }

  // ---- Certificates

  enum Form {
    PEM {
      @Override
      void write(Certificate certificate, Path folder, ServerOptions options) throws IOException {
        options
            .tls()
            .certificate(certificate.writeCertificate(folder.resolve("c.pem")))
            .key(certificate.writeKey(folder.resolve("k.pem")));
      }
    },
    ENCRYPTED_PEM {
      @Override
      void write(Certificate certificate, Path folder, ServerOptions options) throws IOException {
        options
            .tls()
            .certificate(certificate.writeCertificate(folder.resolve("c.pem")))
            .key(certificate.writeEncryptedKey(folder.resolve("k.pem")))
            .password(Certificate.PASSWORD);
      }
    },
    PEM_IN_ONE_FILE {
      @Override
      void write(Certificate certificate, Path folder, ServerOptions options) throws IOException {
        Path file = certificate.writeKey(folder.resolve("all.pem"));
        String pem = Files.readString(certificate.writeCertificate(folder.resolve("c.pem")));
        Files.writeString(file, "text that people write above\n" + pem, StandardOpenOption.APPEND);
        options.tls().certificate(file);
      }
    },
    PKCS12 {
      @Override
      void write(Certificate certificate, Path folder, ServerOptions options) throws IOException {
        options
            .tls()
            .certificate(certificate.writePkcs12(folder.resolve("c.p12")))
            .password(Certificate.PASSWORD);
      }
    };

    abstract void write(Certificate certificate, Path folder, ServerOptions options)
        throws IOException;
  }

  @ParameterizedTest
  @EnumSource
  void certificateMayHaveAnyForm(Form form) throws IOException {
    for (Certificate certificate : List.of(OTHER, RSA, EDDSA)) {
      WebApplication each = WebApplication.create();
      ServerOptions[] set = new ServerOptions[1];
      each.server(options -> set[0] = options.urls("https://127.0.0.1:0"));
      form.write(certificate, folder, set[0]);
      set[0].tls().provider(certificate.equals(EDDSA) ? TlsProvider.JDK : TlsProvider.AUTO);
      each.mapGet("/", context -> context.response().write("here"));
      each.start();
      try (Wire wire = Wire.connect(Ports.of(each)).secure()) {
        assertThat(wire.certificate()).isEqualTo(certificate.certificate());
        assertThat(get(wire, "/").body()).isEqualTo("here");
      } finally {
        each.stop();
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          no.pem   |          |               | certificate F/no.pem does not exist; name another file with --certificate
          c.pem    | no.pem   |               | key F/no.pem does not exist; name another file with --certificate-key
          c.pem    |          |               | certificate F/c.pem has no private key in it; name the key's file with --certificate-key
          k.pem    | k.pem    |               | certificate F/k.pem has no certificate in it
          c.pem    | c.pem    |               | key F/c.pem has no private key in it; name the key's file with --certificate-key
          c.pem    | other.pem|               | key F/other.pem does not belong to certificate F/c.pem
          c.pem    | e.pem    |               | key F/e.pem is encrypted, and no password is given; give it with --certificate-password
          c.pem    | e.pem    | wrong         | key F/e.pem does not open with the password; give another one with --certificate-password
          c.pem    | rsa.pem  |               | key F/rsa.pem is not in PKCS#8 format; convert it with openssl pkcs8 -topk8
          cut.pem  | k.pem    |               | certificate F/cut.pem has no certificate in it
          bad.pem  | k.pem    |               | certificate F/bad.pem is malformed
          c.p12    |          |               | certificate F/c.p12 is encrypted, and no password is given; give it with --certificate-password
          c.p12    |          | wrong         | certificate F/c.p12 does not open with the password; give another one with --certificate-password
          c.p12    | k.pem    | correct horse | certificate F/c.p12 is not PEM, so it cannot have a separate key file
          text     |          |               | certificate F/text is neither PEM nor PKCS#12
          secret   |          |               | certificate F/secret may not be read; let this user read it, or name another file with --certificate
          """)
  void badCertificateIsToldInOneLine(String file, String key, String password, String line)
      throws IOException {
    Certificate.USUAL.writeCertificate(folder.resolve("c.pem"));
    Certificate.USUAL.writeKey(folder.resolve("k.pem"));
    if ("e.pem".equals(key)) {
      Certificate.USUAL.writeEncryptedKey(folder.resolve("e.pem"));
    }
    Certificate.USUAL.writePkcs12(folder.resolve("c.p12"));
    OTHER.writeKey(folder.resolve("other.pem"));
    String good = Files.readString(folder.resolve("c.pem"));
    Files.writeString(folder.resolve("cut.pem"), good.substring(0, good.length() - 40));
    Files.writeString(folder.resolve("bad.pem"), good.replace("MII", "AAA"));
    Files.writeString(
        folder.resolve("rsa.pem"),
        Files.readString(folder.resolve("k.pem")).replace("PRIVATE", "RSA PRIVATE"));
    Files.writeString(folder.resolve("text"), "no certificate");
    Files.writeString(folder.resolve("secret"), "x");
    Files.setPosixFilePermissions(
        folder.resolve("secret"), PosixFilePermissions.fromString("---------"));
    Assumptions.assumeFalse(
        file.equals("secret") && Files.isReadable(folder.resolve("secret")), "root reads all");
    assertThatThrownBy(() ->
            start(options -> {
              options.tls().certificate(folder.resolve(file));
              if (key != null) {
                options.tls().key(folder.resolve(key));
              }
              if (password != null) {
                options.tls().password(password);
              }
            }))
        .isInstanceOf(ListenException.class)
        .hasMessage("cannot listen on https://127.0.0.1:0: " + line.replace("F/", folder + "/"));
  }

  @Test
  void publicAddressNeedsACertificate() {
    assertThatThrownBy(() -> start(options -> options.urls("https://*:0")))
        .isInstanceOf(ListenException.class)
        .hasMessage(
            "cannot listen on https://*:0: there is no certificate for it; name its file with"
                + " --certificate");
  }

  @Test
  void expiredCertificateIsServedWithAWarning() throws IOException {
    Path file = EXPIRED.writePkcs12(folder.resolve("c.p12"));
    try (Logs.Recording log = Logs.record(line -> line.level() == Level.WARN)) {
      start(options -> options.tls().certificate(file).password(Certificate.PASSWORD));
      assertThat(log.lines()).hasSize(1);
      assertThat(log.lines().getFirst().text())
          .matches("certificate " + file + " is expired on \\S+Z: clients will reject it");
    }
    try (Wire wire = connect().secure()) {
      assertThat(get(wire, "/").body()).isEqualTo("https TLSv1.3");
    }
  }

  // ---- A new certificate

  /** At once: what is being written, and is not for a while, would be taken for the new one. */
  private static void replace(Path file, Path by) throws IOException {
    Files.move(by, file, StandardCopyOption.ATOMIC_MOVE);
  }

  @ParameterizedTest
  @EnumSource(names = {"AUTO", "JDK"})
  void newCertificateIsTakenWithoutLosingSockets(TlsProvider provider) throws IOException {
    Path file = folder.resolve("usual.p12");
    try (Logs.Recording log = Logs.record(line -> line.text().startsWith("certificate "))) {
      startUsual(options -> options.tls().provider(provider).reloadInterval(Duration.ofMillis(20)));
      try (Wire old = connect().secure().upgrade("/ws")) {
        Path written = OTHER.writePkcs12(folder.resolve("second.p12"));
        replace(file, written);
        await(() -> log.lines().size(), 1);
        assertThat(log.lines().getFirst().text())
            .startsWith("certificate " + file + " was reloaded and is valid until ");
        try (Wire young = connect().secure()) {
          assertThat(young.certificate()).isEqualTo(OTHER.certificate());
          assertThat(get(young, "/").body()).isEqualTo("https TLSv1.3");
        }
        old.send(Frame.text("still here"));
        assertThat(old.frame()).isEqualTo(Frame.text("still here"));
        assertThat(old.certificate()).isEqualTo(Certificate.USUAL.certificate());
      }
    }
  }

  @Test
  void badNewCertificateLeavesTheOldOneInUse() throws IOException {
    Path file = folder.resolve("usual.p12");
    try (Logs.Recording log = Logs.record(line -> line.text().contains("certificate"))) {
      startUsual(options -> options.tls().reloadInterval(Duration.ofMillis(20)));
      replace(file, Files.writeString(folder.resolve("half"), "half a certifi"));
      await(() -> log.lines().size(), 1);
      replace(file, EXPIRED.writePkcs12(folder.resolve("expired.p12")));
      await(() -> log.lines().size(), 2);
      Files.delete(file);
      await(() -> log.lines().size(), 3);
      assertThat(log.lines()).allMatch(line -> line.level() == Level.WARN);
      assertThat(log.lines().get(0).text())
          .isEqualTo(
              "the old certificate stays in use: certificate "
                  + file
                  + " is neither PEM nor PKCS#12");
      assertThat(log.lines().get(1).text()).contains(" is expired on ");
      assertThat(log.lines().get(2).text()).endsWith(file + " does not exist");
      try (Wire wire = connect().secure()) {
        assertThat(wire.certificate()).isEqualTo(Certificate.USUAL.certificate());
      }
      replace(file, OTHER.writePkcs12(folder.resolve("other.p12")));
      await(() -> log.lines().size(), 4);
      try (Wire wire = connect().secure()) {
        assertThat(wire.certificate()).isEqualTo(OTHER.certificate());
      }
    }
  }

  // ---- The handshake

  @ParameterizedTest
  @CsvSource({"AUTO, TLSv1.3", "AUTO, TLSv1.2", "JDK, TLSv1.3", "JDK, TLSv1.2"})
  void requestKnowsItsSchemeAndVersion(TlsProvider provider, String version) throws IOException {
    startUsual(options -> options.tls().provider(provider));
    try (Wire wire = connect().secure(version)) {
      assertThat(get(wire, "/").body()).isEqualTo("https " + version);
      assertThat(get(wire, "/").body()).isEqualTo("https " + version); // kept alive
    }
  }

  @ParameterizedTest
  @CsvSource({"AUTO", "JDK"})
  void http11IsAgreedUponWhereTheClientOffersIt(TlsProvider provider) throws IOException {
    startUsual(options -> options.tls().provider(provider));
    try (Wire wire = connect().secure("TLSv1.3", "spdy/1", "http/1.1")) {
      assertThat(wire.applicationProtocol()).isEqualTo("http/1.1");
      assertThat(get(wire, "/").status()).isEqualTo(200);
    }
    try (Wire wire = connect().secure("TLSv1.3")) {
      assertThat(wire.applicationProtocol()).isEmpty();
      assertThat(get(wire, "/").status()).isEqualTo(200);
    }
  }

  /** RFC 7301 3.2. */
  @ParameterizedTest
  @CsvSource({"AUTO, TLSv1.3", "AUTO, TLSv1.2", "JDK, TLSv1.3", "JDK, TLSv1.2"})
  void handshakeWithoutACommonProtocolFails(TlsProvider provider, String version)
      throws IOException {
    startUsual(options -> options.tls().provider(provider));
    try (Logs.Recording log = Logs.record(line -> line.logger().endsWith(".TlsLink"))) {
      try (Wire wire = connect()) {
        assertThatThrownBy(() -> wire.secure(version, "spdy/1", "acme-tls/1"))
            .isInstanceOf(SSLHandshakeException.class)
            .hasMessageContaining("no_application_protocol");
      }
      await(() -> log.lines().size(), 1);
      assertThat(log.lines().getFirst().text())
          .endsWith("no common application protocol: the client offers [spdy/1, acme-tls/1]");
    }
  }

  /** Each piece is a record of its own (RFC 8446 5.1), and comes byte by byte. */
  @ParameterizedTest
  @CsvSource({"AUTO, spdy/1", "AUTO, http/1.1", "JDK, spdy/1", "JDK, http/1.1"})
  void protocolsAreFoundInAHelloThatComesInPieces(TlsProvider provider, String offered)
      throws IOException {
    startUsual(options -> options.tls().provider(provider));
    byte[] hello = Wire.clientHello(offered);
    try (Wire wire = connect()) {
      for (int from = 5; from < hello.length; from += 100) { // after the header of the record
        byte[] piece = Arrays.copyOfRange(hello, from, Math.min(from + 100, hello.length));
        byte[] header = {22, 3, 1, 0, (byte) piece.length};
        for (byte next : Http2Wire.concat(header, piece)) {
          wire.sendRaw(next);
        }
      }
      byte[] answer = new byte[7];
      wire.read(answer, answer.length);
      if (offered.equals("spdy/1")) {
        assertThat(answer).containsExactly(21, 3, 3, 0, 2, 2, 120); // fatal
      } else {
        assertThat(answer).startsWith(22, 3, 3); // a hello
      }
    }
  }

  @Test
  void addressesOfBothSchemesStandBesideEachOther() throws IOException {
    startUsual(
        options -> options.urls("http://127.0.0.1:0", "https://127.0.0.1:0", "http://127.0.0.2:0"));
    List<URI> urls = app.urls().stream().map(URI::create).toList();
    assertThat(urls).extracting(URI::getScheme).containsExactly("http", "https", "http");
    for (URI url : urls) {
      InetSocketAddress address =
          new InetSocketAddress(InetAddress.ofLiteral(url.getHost()), url.getPort());
      try (Wire wire = Wire.connect(address, 0)) {
        Wire ready = url.getScheme().equals("https") ? wire.secure() : wire;
        String tls = url.getScheme().equals("https") ? "TLSv1.3" : "null";
        assertThat(get(ready, "/").body()).isEqualTo(url.getScheme() + " " + tls);
      }
    }
  }

  @Test
  void plainHttpIsToldWhatThisPortSpeaks() throws IOException {
    startUsual(options -> {});
    try (Wire wire = connect()) {
      Response answer = get(wire, "/");
      assertThat(answer.status()).isEqualTo(400);
      assertThat(answer.body()).isEqualTo("this port speaks HTTPS: use https://\n");
      wire.expectEnd();
    }
  }

  @Test
  void failedHandshakeIsOneLineForWhoLooksForIt() throws IOException, InterruptedException {
    startUsual(options -> {});
    try (Logs.Recording log = Logs.record(line -> line.logger().endsWith(".TlsLink"))) {
      try (Wire wire = connect()) {
        wire.sendRaw(new byte[] {22, 3, 1, 0, 4, 99, 0, 0, 0}); // no client hello
        byte[] answer = wire.body(new Response(0, List.of(), new byte[0])).readAllBytes();
        assertThat(answer).startsWith(21, 3); // an alert, in clear
      }
      try (Wire wire = connect()) {
        wire.sendRaw(Wire.clientHello());
        wire.abort();
      }
      await(() -> log.lines().size(), 2);
      assertThat(log.lines())
          .allMatch(line -> line.level() == Level.DEBUG && line.failure() == null)
          .allMatch(line -> line.text().startsWith("TLS handshake with /127.0.0.1:"));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 30})
  void handshakeHasToEndInTime(int bytes) throws Exception {
    startUsual(options -> options.limits().tlsHandshakeTimeout(Duration.ofMillis(600)));
    byte[] hello = Wire.clientHello();
    long start = System.nanoTime();
    try (Wire wire = connect()) {
      assertThatThrownBy(
              () -> {
                for (int i = 0; i < bytes && wire.isQuietFor(10); i++) {
                  wire.sendRaw(hello[i]); // each of them in time, all together not
                }
                wire.frame();
              })
          .isInstanceOfAny(AssertionError.class, IOException.class);
    }
    assertThat(System.nanoTime() - start).isBetween(500_000_000L, 5_000_000_000L);
  }

  // ---- Ends

  @Test
  void finWithoutCloseNotifyLosesASocket() throws IOException, InterruptedException {
    startUsual(options -> {});
    try (Wire wire = connect().secure().upgrade("/ws")) {
      wire.send(Frame.text("x"));
      assertThat(wire.frame()).isEqualTo(Frame.text("x"));
      wire.fin();
      Ending ending = endings.poll(10, TimeUnit.SECONDS);
      assertThat(ending).isNotNull();
      assertThat(ending.by()).isEqualTo(Ending.By.CONNECTION);
      assertThat(ending.why()).contains("without close_notify");
    }
  }

  @Test
  void finWithoutCloseNotifyBehindTheClosesIsAnEnd() throws IOException, InterruptedException {
    startUsual(options -> {});
    try (Wire wire = connect().secure().upgrade("/ws")) {
      wire.send(Frame.close(1000, ""));
      assertThat(wire.frame()).isEqualTo(Frame.close(1000, ""));
      wire.expectEnd();
      wire.fin();
      Ending ending = endings.poll(10, TimeUnit.SECONDS);
      assertThat(ending).isNotNull();
      assertThat(ending.by()).isEqualTo(Ending.By.PEER);
      assertThat(ending.reason().code()).isEqualTo(1000);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"AUTO", "JDK"})
  void requestIsAnsweredThoughItsClientHasSentFin(TlsProvider provider) throws IOException {
    startUsual(options -> options.tls().provider(provider));
    try (Wire wire = connect().secure()) {
      wire.send(GET.formatted("/"));
      wire.fin();
      assertThat(wire.response().body()).isEqualTo("https TLSv1.3");
      wire.expectEnd();
    }
  }

  @ParameterizedTest
  @CsvSource({"AUTO, TLSv1.3", "AUTO, TLSv1.2", "JDK, TLSv1.3", "JDK, TLSv1.2"})
  void clientThatSaysCloseNotifyOnlyIsNotWaitedFor(TlsProvider provider, String version)
      throws IOException {
    startUsual(options -> options.tls().provider(provider));
    try (Wire wire = connect().secure(version)) {
      get(wire, "/");
      wire.closeNotify();
      wire.expectEnd(); // and FIN, though none came
    }
  }

  @Test
  void stopEndsWhatIsWithinItsHandshakeAndWhatIsIdle() throws IOException {
    startUsual(options -> {});
    try (Wire silent = connect();
        Wire begun = connect();
        Wire idle = connect().secure()) {
      begun.sendRaw((byte) 22);
      get(idle, "/");
      long start = System.nanoTime();
      app.stop();
      assertThat(System.nanoTime() - start).isLessThan(4_000_000_000L);
      silent.expectEnd();
      begun.expectEnd();
      idle.expectEnd();
    }
  }

  @Test
  void responseThatIsTakenTooSlowlyIsReset() throws Exception {
    CountDownLatch cut = new CountDownLatch(1);
    app.mapGet(
        "/much",
        context -> {
          context.aborted().thenRun(cut::countDown);
          context.response().write("x".repeat(20 * MEBIBYTE));
        });
    startUsual(options -> options.limits().minResponseRate(MEBIBYTE, Duration.ofMillis(300)));
    try (Wire wire =
        Wire.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), Ports.of(app)), 8192)
            .secure()) {
      wire.send(GET.formatted("/much"));
      wire.responseHead();
      assertThat(cut.await(10, TimeUnit.SECONDS)).isTrue();
      wire.expectAbort();
    }
  }

  // ---- Files

  private Path file(int size) throws IOException {
    byte[] bytes = new byte[size];
    new Random(size).nextBytes(bytes);
    return Files.write(Files.createDirectories(folder.resolve("www")).resolve("file"), bytes);
  }

  private void startFiles(TlsProvider provider) throws IOException {
    app.useStaticFiles(StaticFiles.fromFolder(folder.resolve("www")));
    startUsual(options -> options.tls().provider(provider));
  }

  @ParameterizedTest
  @EnumSource(names = {"AUTO", "JDK"})
  void filesAreSentWholeAndInParts(TlsProvider provider) throws IOException {
    Path file = file(5_000_000);
    startFiles(provider);
    byte[] content = Files.readAllBytes(file);
    try (Wire wire = connect().secure()) {
      wire.send(GET.formatted("/file").repeat(2)); // the second waits for the first
      for (int i = 0; i < 2; i++) {
        Response head = wire.responseHead();
        assertThat(wire.body(head).readAllBytes()).isEqualTo(content);
      }
      wire.send(
          GET.formatted("/file").replace("\r\n\r\n", "\r\nRange: bytes=0-9,100000-299999\r\n\r\n"));
      Response head = wire.responseHead();
      assertThat(head.status()).isEqualTo(206);
      byte[] parts = wire.body(head).readAllBytes();
      assertThat(parts.length).isBetween(200_010, 201_000);
      assertThat(get(wire, "/").body()).isEqualTo("https TLSv1.3");
    }
  }

  @Test
  void fileForASlowClientIsNotHeldInMemory() throws IOException {
    file(100 * MEBIBYTE);
    startFiles(TlsProvider.AUTO);
    try (Wire wire =
        Wire.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), Ports.of(app)), 8192)
            .secure()) {
      long direct = Memory.direct();
      long heap = Memory.heap();
      wire.send(GET.formatted("/file"));
      InputStream body = wire.body(wire.responseHead());
      assertThat(body.readNBytes(3 * MEBIBYTE)).hasSize(3 * MEBIBYTE);
      assertThat(Memory.direct() - direct).isLessThan(10 * MEBIBYTE);
      assertThat(Memory.heap() - heap).isLessThan(10 * MEBIBYTE);
      wire.abort();
    }
  }

  @Test
  void fileThatBecomesShorterIsCutWithAReset() throws IOException {
    Path file = file(50 * MEBIBYTE);
    startFiles(TlsProvider.AUTO);
    try (Wire wire =
        Wire.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), Ports.of(app)), 8192)
            .secure()) {
      wire.send(GET.formatted("/file"));
      InputStream body = wire.body(wire.responseHead());
      assertThat(body.readNBytes(100_000)).hasSize(100_000);
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
        channel.truncate(200_000);
      }
      assertThatThrownBy(body::readAllBytes).isInstanceOf(SocketException.class);
    }
  }

  // ---- Transports and middleware

  @ParameterizedTest
  @EnumSource
  void everyTransportCarriesIt(Transport transport) throws IOException {
    Assumptions.assumeTrue(transport != Transport.EPOLL || Epoll.isAvailable(), "no epoll here");
    Assumptions.assumeTrue(
        transport != Transport.IO_URING || IoUring.isAvailable(), "no io_uring here");
    startUsual(options -> options.transport(transport));
    try (Wire wire = connect().secure().upgrade("/ws")) {
      Frame message = Frame.text("x".repeat(500_000));
      wire.send(message, Frame.close(1000, ""));
      assertThat(wire.frame()).isEqualTo(message);
      assertThat(wire.frame()).isEqualTo(Frame.close(1000, ""));
      wire.expectEnd();
    }
  }

  @Test
  void pageOfTheSameOriginIsOneOfHttps() throws IOException {
    app.useHostFiltering(options -> options.allowedHosts("localhost"));
    origins = WebSocketOptions::sameOrigin;
    startUsual(options -> {});
    for (String scheme : List.of("http", "https")) {
      try (Wire wire = connect().secure()) {
        wire.send(Wire.handshake("/ws", "Origin: " + scheme + "://localhost"));
        assertThat(wire.response().status()).isEqualTo(scheme.equals("https") ? 101 : 403);
      }
    }
  }

  @Test
  void middlewareSeesTheScheme() throws IOException {
    app.useHsts(options -> options.excludedHosts());
    app.useHttpsRedirection();
    startUsual(options -> {});
    try (Wire wire = connect().secure()) {
      Response answer =
          wire.send("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n").response(); // not redirected
      assertThat(answer.status()).isEqualTo(200);
      assertThat(answer.header("Strict-Transport-Security")).isNotNull();
    }
  }
}
