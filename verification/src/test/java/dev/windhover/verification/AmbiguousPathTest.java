package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.verification.logs.Logs;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Http2Wire;
import dev.windhover.verification.wire.Wire;
import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Paths that a proxy which does not normalise takes for others than we do. */
@ExtendWith(StrictLogs.class)
class AmbiguousPathTest {
  private final WebApplication app =
      WebApplication.create("--urls=http://127.0.0.1:0")
          .map("/admin/{name}", context -> context.response().write("the administrator's"));

  @AfterEach
  void stop() {
    app.stop();
  }

  private static int get(Wire wire, String path) throws IOException {
    wire.send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return wire.response().status();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"/x/../admin/x", "/%61dmin/x", "/x/%2e%2e/admin/x", "/admin/a%2Fb", "/admin/a\\b"})
  void reachesItsRouteUnlessTheOptionRefusesIt(String path) throws IOException {
    app.start();
    try (Wire wire = Wire.connect(Ports.of(app));
        Http2Wire http2 = Http2Wire.connect(Ports.of(app))) {
      assertThat(get(wire, path)).isEqualTo(200);
      assertThat(http2.get(path).status()).isEqualTo(200);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"/x/../admin/x", "/%61dmin/x", "/x/%2e%2e/admin/x", "/admin/a%2Fb", "/admin/a\\b"})
  void isRefusedWith400AndTheLogNamesTheOption(String path) throws IOException {
    app.refuseAmbiguousPaths().start();
    try (Logs.Recording log =
            Logs.record(line -> line.text().endsWith("(Application.refuseAmbiguousPaths)"));
        Wire wire = Wire.connect(Ports.of(app));
        Http2Wire http2 = Http2Wire.connect(Ports.of(app))) {
      assertThat(get(wire, "/admin/x?/../%61")).isEqualTo(200);
      assertThat(get(wire, path)).isEqualTo(400);
      assertThat(http2.get(path).status()).isEqualTo(400);
      assertThat(log.lines())
          .hasSize(2)
          .allMatch(
              line -> line.text().contains(" refused with 400: ") && line.text().contains(path));
    }
  }
}
