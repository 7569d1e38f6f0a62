package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Wire;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The server as a process of its own: what it says, where it listens, how it ends. */
@ExtendWith(StrictLogs.class)
class ProcessTest {
  /** A running {@link ServerProcess}. */
  private record Running(Process process, BufferedReader out) implements AutoCloseable {
    static Running start(List<String> arguments, Map<String, String> environment)
        throws IOException {
      return start(List.of(), arguments, environment);
    }

    static Running start(
        List<String> flags, List<String> arguments, Map<String, String> environment)
        throws IOException {
      return start(List.of(), flags, arguments, environment);
    }

    /** Starts it by a command that takes a command. */
    static Running start(
        List<String> by,
        List<String> flags,
        List<String> arguments,
        Map<String, String> environment)
        throws IOException {
      List<String> command = new ArrayList<>(by);
      command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
      command.addAll(
          List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")); // start in half the time
      command.add("--enable-native-access=ALL-UNNAMED");
      command.add("-Dslf4j.provider=dev.windhover.verification.logs.CapturingProvider");
      command.add("-Dslf4j.internal.verbosity=WARN");
      command.addAll(flags);
      if (!flags.contains("-cp")) {
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
      }
      command.add(ServerProcess.class.getName());
      command.addAll(arguments);
      ProcessBuilder builder = new ProcessBuilder(command);
      builder.environment().remove("JAVA_TOOL_OPTIONS");
      builder.environment().keySet().removeIf(name -> name.startsWith("WINDHOVER_"));
      builder.environment().putAll(environment);
      Process process = builder.start();
      return new Running(process, process.inputReader(StandardCharsets.UTF_8));
    }

    static Running on(String... urls) throws IOException {
      return start(List.of("--urls", String.join(";", urls)), Map.of());
    }

    /** Reads where it listens. */
    int port() throws IOException {
      String line = out.readLine();
      assertThat(line)
          .as(() -> "line of the process, whose errors are " + errors())
          .startsWith("Now listening on: http://");
      return Integer.parseInt(line.substring(line.lastIndexOf(':') + 1));
    }

    int exitCode() throws InterruptedException {
      assertThat(process.waitFor(Wire.MOST_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
      return process.exitValue();
    }

    String errors() {
      try {
        return new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
      } catch (IOException e) {
        return e.toString();
      }
    }

    @Override
    public void close() {
      process.destroyForcibly();
    }
  }

  private static void expectEcho(InetAddress address, int port) throws IOException {
    try (Wire wire = Wire.connect(new InetSocketAddress(address, port), 0).upgrade("/ws")) {
      wire.send(Frame.text("hello"));
      assertThat(wire.frame()).isEqualTo(Frame.text("hello"));
    }
  }

  // ---- Environment

  @Test
  void theEnvironmentIsSaidWhereItIsDevelopment() throws IOException {
    List<String> arguments = List.of("--urls=http://127.0.0.1:0");
    Map<String, String> development = Map.of("WINDHOVER_ENVIRONMENT", "Development");
    try (Running server = Running.start(arguments, development)) {
      assertThat(server.port()).isPositive();
      assertThat(server.out().readLine()).isEqualTo("Hosting environment: Development");
    }
  }

  @Tag("full")
  @ParameterizedTest
  @CsvSource({"C, 404, 1", "POSIX, 404, 1", "C.UTF-8, 200, 0"})
  void aFileNameThatTheLocaleCannotRepresentIsNamedInTheLogOnce(
      String locale, int status, int warnings, @TempDir Path files) throws Exception {
    Files.writeString(files.resolve("plain.txt"), "x");
    Files.writeString(files.resolve("zoë.txt"), "x");
    try (Running server =
        Running.start(
            List.of("-Dfiles=" + files),
            List.of("--urls=http://127.0.0.1:0"),
            Map.of("LC_ALL", locale))) {
      try (Wire wire = Wire.connect(server.port())) {
        for (String name : List.of("plain.txt", "zo%C3%AB.txt", "zo%C3%AB.txt")) {
          wire.send("GET /" + name + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
          assertThat(wire.response().status()).isEqualTo(name.equals("plain.txt") ? 200 : status);
        }
      }
      server.process().toHandle().destroy(); // the streams stay
      assertThat(server.errors().lines().filter(line -> line.endsWith("LC_ALL=C.UTF-8")))
          .hasSize(warnings);
    }
  }

  // ---- The log

  @Test
  void withoutABackendOneLineSaysSoAndErrorsGoToStderr() throws IOException {
    try (Running server =
        Running.start(
            List.of("-Dslf4j.provider=org.slf4j.helpers.NOP_FallbackServiceProvider"),
            List.of("--urls=http://127.0.0.1:0"),
            Map.of())) {
      try (Wire wire = Wire.connect(server.port());
          BufferedReader errors = server.process().errorReader()) {
        assertThat(errors.readLine())
            .isEqualTo(
                "windhover: there is no SLF4J backend, so only errors are logged, here on stderr;"
                    + " add one, such as org.slf4j:slf4j-simple");
        wire.send("GET /fails?secret HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assertThat(wire.response().status()).isEqualTo(500);
        assertThat(errors.readLine())
            .matches(
                "ERROR dev\\.windhover\\.http\\.Application - request \\S+ failed: GET /fails"
                    + " \\(route /fails\\) from 127\\.0\\.0\\.1");
        assertThat(errors.readLine()).isEqualTo("java.lang.IllegalStateException: no luck");
      }
    }
  }

  // ---- Addresses

  @Tag("full")
  @Test
  void addressesComeFromTheEnvironmentToo() throws IOException {
    try (Running server =
        Running.start(
            List.of(), Map.of("WINDHOVER_URLS", "http://127.0.0.3:0;http://127.0.0.4:0"))) {
      expectEcho(InetAddress.ofLiteral("127.0.0.3"), server.port());
      expectEcho(InetAddress.ofLiteral("127.0.0.4"), server.port());
    }
  }

  @Tag("full")
  @Test
  void argumentsGoBeforeTheEnvironment() throws IOException {
    try (Running server =
        Running.start(
            List.of("--urls=http://127.0.0.4:0"), Map.of("WINDHOVER_URLS", "http://127.0.0.3:0"))) {
      expectEcho(InetAddress.ofLiteral("127.0.0.4"), server.port());
    }
  }

  @Test
  void addressInUseIsOneLineAndExitCode1() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
      String url = "http://127.0.0.1:" + taken.getLocalPort();
      try (Running server = Running.on("http://127.0.0.1:0", url)) {
        assertThat(server.exitCode()).isEqualTo(1);
        assertThat(server.errors())
            .isEqualTo("cannot listen on " + url + ": " + AddressesTest.IN_USE + "\n");
        assertThat(server.out().readLine()).isNull();
      }
    }
  }

  @Tag("full")
  @Test
  void malformedAddressIsOneLineAndExitCode1() throws Exception {
    String url = "ftp://localhost";
    try (Running server = Running.on(url)) {
      assertThat(server.exitCode()).isEqualTo(1);
      assertThat(server.errors())
          .isEqualTo(
              "--urls: cannot listen on \""
                  + url
                  + "\": it is not of the form http://host:port or https://host:port\n");
    }
  }

  // ---- Options

  @Tag("full")
  @Test
  void helpListsTheOptionsAndEndsTheProcess() throws Exception {
    try (Running server = Running.start(List.of("--help"), Map.of())) {
      assertThat(server.out().lines())
          .contains(
              "  --urls=<addresses>             where to listen, separated by ;"
                  + " (http://localhost:5000)");
      assertThat(server.exitCode()).isZero();
    }
  }

  @Tag("full")
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--port 5019 | unknown option --port; did you mean --urls=http://localhost:5019?",
        "--url=http://localhost:5019 | unknown option --url; did you mean --urls?",
        "--config missing.properties | --config: missing.properties does not exist",
      })
  void aMistakeInAnOptionIsOneLineAndExitCode1(String arguments, String line) throws Exception {
    try (Running server = Running.start(List.of(arguments.split(" ", -1)), Map.of())) {
      assertThat(server.exitCode()).isEqualTo(1);
      assertThat(server.errors()).isEqualTo(line + "\n");
      assertThat(server.out().readLine()).isNull();
    }
  }

  @Test
  void aFileSetsWhatArgumentsAndEnvironmentDoNot(@TempDir Path folder) throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("server.properties"),
            "urls = http://127.0.0.5:1\nlimits.max-header-count = 1\nenvironment = Development\n");
    try (Running server =
        Running.start(
            List.of("--config", file.toString(), "--urls=http://127.0.0.1:0"),
            Map.of("WINDHOVER_ENVIRONMENT", "Production"))) {
      try (Wire wire = Wire.connect(server.port())) {
        wire.send("GET / HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n");
        assertThat(wire.response().status()).isEqualTo(431);
      }
      server.process().toHandle().destroy();
      assertThat(server.out().readLine()).isNull(); // no line about the environment
    }
  }

  // ---- Certificates

  @Test
  void certificateComesFromArgumentsAndItsPasswordFromTheEnvironment(@TempDir Path folder)
      throws IOException {
    Path certificate = Certificate.USUAL.writeCertificate(folder.resolve("c.pem"));
    Path key = Certificate.USUAL.writeEncryptedKey(folder.resolve("k.pem"));
    try (Running server =
        Running.start(
            List.of(
                "--urls=https://127.0.0.1:0",
                "--certificate=" + certificate,
                "--certificate-key",
                key.toString()),
            Map.of("WINDHOVER_CERTIFICATE_PASSWORD", Certificate.PASSWORD))) {
      String line = server.out().readLine();
      assertThat(line).startsWith("Now listening on: https://127.0.0.1:");
      int port = Integer.parseInt(line.substring(line.lastIndexOf(':') + 1));
      try (Wire wire = Wire.connect(port).secure()) {
        assertThat(wire.certificate()).isEqualTo(Certificate.USUAL.certificate());
      }
    }
  }

  @Tag("full")
  @Test
  void badCertificateIsOneLineAndExitCode1(@TempDir Path folder) throws Exception {
    Path certificate = Certificate.USUAL.writePkcs12(folder.resolve("c.p12"));
    try (Running server =
        Running.start(
            List.of(
                "--urls=https://127.0.0.1:0",
                "--certificate=" + certificate,
                "--certificate-password=wrong"),
            Map.of())) {
      assertThat(server.exitCode()).isEqualTo(1);
      assertThat(server.errors())
          .isEqualTo(
              "cannot listen on https://127.0.0.1:0: certificate "
                  + certificate
                  + " does not open with the password; give another one with"
                  + " --certificate-password\n");
    }
  }

  @Test
  void addressOfThisMachineGetsADevelopmentCertificateThatIsKept(@TempDir Path home)
      throws IOException, GeneralSecurityException {
    Set<PosixFilePermission> mine = PosixFilePermissions.fromString("rw-------");
    List<X509Certificate> seen = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      try (Running server =
          Running.start(
              List.of("-Duser.home=" + home), List.of("--urls=https://localhost:0"), Map.of())) {
        String line = server.out().readLine();
        assertThat(line).startsWith("Now listening on: https://localhost:");
        int port = Integer.parseInt(line.substring(line.lastIndexOf(':') + 1));
        try (Wire wire = Wire.connect(port).secure()) {
          seen.add(wire.certificate());
        }
      }
    }
    assertThat(seen.getFirst()).isEqualTo(seen.getLast());
    assertThat(seen.getFirst().getSubjectAlternativeNames().toString())
        .contains("localhost", "127.0.0.1", "0:0:0:0:0:0:0:1");
    assertThat(seen.getFirst().getNotAfter().toInstant())
        .isBetween(
            Instant.now().plus(Duration.ofDays(364)), Instant.now().plus(Duration.ofDays(366)));
    Path folder = home.resolve(".windhover");
    assertThat(Files.getPosixFilePermissions(folder))
        .isEqualTo(PosixFilePermissions.fromString("rwx------"));
    assertThat(Files.getPosixFilePermissions(folder.resolve("localhost.p12"))).isEqualTo(mine);
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).hasSize(2);
    }
  }

  @Tag("full")
  @Test
  void publicAddressGetsNoDevelopmentCertificate(@TempDir Path home) throws Exception {
    try (Running server =
        Running.start(List.of("-Duser.home=" + home), List.of("--urls=https://*:0"), Map.of())) {
      assertThat(server.exitCode()).isEqualTo(1);
      assertThat(server.errors())
          .isEqualTo(
              "cannot listen on https://*:0: there is no certificate for it; name its file with"
                  + " --certificate\n");
      assertThat(home).isEmptyDirectory();
    }
  }

  // ---- Limits of the system

  @Tag("full")
  @Test
  void noFileDescriptorLeftIsOneLineAndClientsAreServedLater() throws Exception {
    List<String> limited = List.of("bash", "-c", "ulimit -n 256; exec \"$@\"", "bash");
    List<String> arguments = List.of("--urls=http://127.0.0.1:0");
    List<Wire> clients = new ArrayList<>();
    try (Running server = Running.start(limited, List.of(), arguments, Map.of())) {
      int port = server.port();
      for (int i = 0; i < 256; i++) {
        clients.add(Wire.connect(port)); // the system takes them in, at first
      }
      String line = server.process().errorReader().readLine();
      assertThat(line)
          .startsWith("WARN dev.windhover.server.Server - /127.0.0.1:" + port)
          .contains(" accepts no connection for 1 s: ")
          .endsWith("Too many open files");
      for (Wire client : clients) {
        client.close();
      }
      expectEcho(InetAddress.ofLiteral("127.0.0.1"), port);
    }
  }

  /**
   * During development, classes are files in folders. One that is first needed now could not be
   * read, and Java would refuse it from then on.
   */
  @Test
  void aSocketEndsAsItShouldWithNoFileDescriptorLeft(@TempDir Path folder) throws Exception {
    List<String> limited = List.of("bash", "-c", "ulimit -n 256; exec \"$@\"", "bash");
    List<String> arguments = List.of("--urls=http://127.0.0.1:0");
    List<Wire> clients = new ArrayList<>();
    try (Running server =
        Running.start(limited, List.of("-cp", inFolders(folder)), arguments, Map.of())) {
      int port = server.port();
      Wire socket = Wire.open(port, "/told");
      assertThat(socket.frame()).isEqualTo(Frame.text("open"));
      for (int i = 0; i < 300; i++) { // some wait for a descriptor, so that none becomes free
        clients.add(Wire.connect(port));
      }
      assertThat(server.process().errorReader().readLine()).endsWith("Too many open files");
      socket.send(Frame.close(1000, "")); // the connection still holds its own
      assertThat(socket.frame()).isEqualTo(Frame.close(1000, ""));
      assertThat(server.out().readLine()).isEqualTo("ended by PEER");
      for (Wire client : clients) {
        client.close();
      }
      socket.close();
    }
  }

  /** Returns the class path of the tests, on which our own jars are replaced by their files. */
  private static String inFolders(Path folder) throws IOException {
    List<String> entries = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      Path jar = Path.of(entry);
      if (Files.isRegularFile(jar) && jar.getFileName().toString().startsWith("windhover-")) {
        Path root = folder.resolve(jar.getFileName().toString());
        try (FileSystem files = FileSystems.newFileSystem(jar);
            Stream<Path> all = Files.walk(files.getPath("/"))) {
          for (Path file : (Iterable<Path>) all::iterator) {
            Files.createDirectories(root);
            Path to = root.resolve(file.toString().substring(1));
            if (!Files.exists(to)) {
              Files.copy(file, to);
            }
          }
        }
        entries.add(root.toString());
      } else {
        entries.add(entry);
      }
    }
    return String.join(File.pathSeparator, entries);
  }

  // ---- The end

  @Test
  void terminationClosesSocketsWith1001AndEndsQuicklyAndQuietly() throws Exception {
    try (Running server = Running.on("http://127.0.0.1:0")) {
      int port = server.port();
      try (Wire socket = Wire.open(port, "/ws");
          Wire idle = Wire.connect(port)) {
        idle.send("GET /ws HTTP/1.1\r\nHost: x\r\n\r\n");
        assertThat(idle.response().status()).isEqualTo(400);
        long start = System.nanoTime();
        server.process().toHandle().destroy(); // SIGTERM; the streams stay
        assertThat(socket.frame()).isEqualTo(Frame.close(1001, "the server is stopping"));
        socket.send(Frame.close(1001, ""));
        socket.expectEnd();
        socket.endOutput();
        idle.expectEnd();
        idle.endOutput();
        assertThat(server.exitCode()).isZero();
        assertThat(System.nanoTime() - start).isLessThan(4_000_000_000L);
        assertThat(server.errors()).isEmpty();
      }
    }
  }

  private static final String SHORT_STOP = "--stop-timeout=300ms";

  @Tag("full")
  @Test
  void peersThatHadToBeDroppedDoNotChangeTheExitCode() throws Exception {
    try (Running server =
        Running.start(List.of("--urls=http://127.0.0.1:0", SHORT_STOP), Map.of())) {
      try (Wire socket = Wire.open(server.port(), "/ws")) {
        server.process().toHandle().destroy();
        assertThat(socket.frame()).isEqualTo(Frame.close(1001, "the server is stopping"));
        socket.expectAbort();
        assertThat(server.exitCode()).isZero();
      }
    }
  }

  @Tag("full")
  @ParameterizedTest
  @ValueSource(strings = {"/never", "/held"})
  void handlerThatNeverReturnsDoesNotHoldTheProcessAndShowsInItsExitCode(String path)
      throws Exception {
    try (Running server =
        Running.start(List.of("--urls=http://127.0.0.1:0", SHORT_STOP), Map.of())) {
      try (Wire client = Wire.connect(server.port())) {
        client.send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
        assertThat(server.out().readLine()).isEqualTo("in " + path);
        server.process().toHandle().destroy();
        assertThat(server.exitCode()).isEqualTo(1);
        assertThat(server.errors()).contains("a handler has not returned");
      }
    }
  }

  @Tag("full")
  @Test
  void secondTerminationEndsAtOnce() throws Exception {
    try (Running server = Running.on("http://127.0.0.1:0")) {
      int port = server.port();
      try (Wire client = Wire.connect(port);
          Wire idle = Wire.connect(port)) {
        client.send("GET /never HTTP/1.1\r\nHost: x\r\n\r\n");
        assertThat(server.out().readLine()).isEqualTo("in /never");
        server.process().toHandle().destroy();
        idle.expectEnd(); // the stop has begun
        server.process().toHandle().destroy();
        assertThat(server.exitCode()).isEqualTo(143);
      }
    }
  }

  // ---- The end of a loop

  @Test
  void loopThatEndsTakesTheProcessWithIt() throws Exception {
    try (Running server = Running.on("http://127.0.0.1:0")) {
      try (Wire client = Wire.connect(server.port())) {
        client.send("GET /fatal HTTP/1.1\r\nHost: x\r\n\r\n");
        assertThat(server.exitCode()).isEqualTo(3);
        assertThat(server.errors())
            .isEqualTo(
                "windhover: an event loop has ended, and the process ends with exit code 3\n");
      }
    }
  }

  @Tag("full")
  @Test
  void applicationOfAnotherProgramIsToldThatALoopHasEndedAndStops() throws Exception {
    try (Running server =
        Running.start(List.of("--urls=http://127.0.0.1:0", ServerProcess.EMBEDDED), Map.of())) {
      String line = server.out().readLine();
      int port = Integer.parseInt(line.substring(line.lastIndexOf(':') + 1));
      try (Wire client = Wire.connect(port);
          Wire other = Wire.connect(port)) {
        client.send("GET /fatal HTTP/1.1\r\nHost: x\r\n\r\n");
        assertThat(server.out().readLine()).isEqualTo("told of Unspeakable");
        assertThat(server.out().readLine()).isEqualTo("stopping");
        other.expectEnd();
        assertThat(server.exitCode()).isZero(); // no thread of ours keeps the program
        assertThat(server.errors())
            .startsWith("windhover: an event loop has ended, and the application stops\n");
      }
    }
  }
}
