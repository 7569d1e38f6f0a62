package dev.windhover.verification.witness;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.http.HttpContext;
import dev.windhover.http.files.StaticFiles;
import dev.windhover.samples.hub.server.HubServer;
import dev.windhover.verification.Certificate;
import dev.windhover.verification.logs.Logs;
import dev.windhover.verification.wire.CuttingProxy;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The hub server, with and without TLS, for clients that others wrote, and proxies that cut their
 * connections.
 *
 * <p>{@code GET /proxies/http} (or {@code https}) opens a proxy and answers with its port; {@code
 * GET /cut/{port}} cuts all connections of that proxy. The files of {@code src/test/node} are there
 * for browsers.
 */
final class HubStage implements AutoCloseable {
  static final Path SCRIPTS = Path.of("src/test/node");

  private final Map<String, CuttingProxy> proxies = new ConcurrentHashMap<>();
  private final Logs.Recording log = Logs.record(HubStage::isAskedFor);
  private final WebApplication app;

  /** The port before which proxies are opened; 0 for the application's own. */
  private volatile int frontPort;

  /** Starts it; {@code folder} is for the certificate. */
  HubStage(Path folder) throws IOException {
    Certificate.USUAL.writeCertificate(trusted(folder));
    Path file = Certificate.USUAL.writePkcs12(folder.resolve("c.p12"));
    app =
        HubServer.create(
            "--urls=http://127.0.0.1:0,https://127.0.0.1:0",
            "--certificate=" + file,
            "--certificate-password=" + Certificate.PASSWORD);
    app.useStaticFiles(StaticFiles.fromFolder(SCRIPTS.toAbsolutePath()));
    app.mapGet("/proxies/{scheme}", this::openProxy);
    app.mapGet("/cut/{port}", this::cut);
    app.start();
  }

  /** Returns the file in which Node finds what it should trust. */
  static Path trusted(Path folder) {
    return folder.resolve("c.pem");
  }

  /** Returns the address for a scheme. */
  String url(String scheme) {
    return app.urls().stream()
        .filter(url -> url.startsWith(scheme + ":"))
        .findFirst()
        .orElseThrow();
  }

  /** Opens proxies before this port from now on: that of a server in front of the application. */
  void openProxiesBefore(int port) {
    frontPort = port;
  }

  /** Opens a proxy before the address for a scheme; returns its port. */
  String openProxy(String scheme) throws IOException {
    int target = frontPort == 0 ? URI.create(url(scheme)).getPort() : frontPort;
    CuttingProxy proxy = new CuttingProxy(target);
    String port = Integer.toString(proxy.port());
    proxies.put(port, proxy);
    return port;
  }

  /**
   * Lets the npm client make its claims in Node, or skips the test if either is not installed.
   *
   * @param plain where it connects without TLS
   * @param folder the folder of the certificate
   * @param cells the ways to connect
   */
  void requireHoldInNode(String plain, Path folder, List<String> cells)
      throws IOException, InterruptedException {
    Program node = Program.require("node");
    Program.requireThat(
        Files.isDirectory(SCRIPTS.resolve("node_modules/@microsoft/signalr")),
        "the npm package @microsoft/signalr is not installed");
    List<String> arguments =
        new ArrayList<>(
            List.of("--test-timeout=60000", SCRIPTS + "/hubs-node.mjs", plain, url("https")));
    arguments.addAll(cells);
    Program.Result result =
        node.run(
            Map.of("NODE_EXTRA_CA_CERTS", trusted(folder).toString()),
            arguments.toArray(String[]::new));
    assertThat(result.exitCode()).as(result.output()).isZero();
    assertThat(result.output()).contains("# suites 0", "# fail 0").contains(cells);
  }

  private void openProxy(HttpContext context) throws IOException {
    context.response().write(openProxy(context.request().pathParameter("scheme")));
  }

  private void cut(HttpContext context) throws IOException {
    Objects.requireNonNull(proxies.get(context.request().pathParameter("port"))).cut();
    context.response().write("cut");
  }

  /** Methods that fail and hubs that refuse, for which the testers ask. */
  static boolean isAskedFor(Logs.Line line) {
    return line.logger().startsWith("dev.windhover.hubs.")
        && (line.text().contains(" failed")
            || line.text().contains(" could not begin")
            || line.text().contains(" is polled by "));
  }

  @Override
  public void close() {
    proxies.values().forEach(CuttingProxy::close);
    app.stop();
    log.close();
  }
}
