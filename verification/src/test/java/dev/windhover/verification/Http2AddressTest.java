package dev.windhover.verification;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.http.websocket.Message;
import dev.windhover.server.AddressOptions;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Http2Wire;
import dev.windhover.verification.wire.Http2Wire.Stream;
import dev.windhover.verification.wire.Wire;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Options of a single address. */
@ExtendWith(StrictLogs.class)
class Http2AddressTest {
  private static final int ENABLE_CONNECT_PROTOCOL = 8;

  private final WebApplication app = WebApplication.create();

  @AfterEach
  void stop() {
    app.stop();
  }

  private int start(Consumer<AddressOptions> change) throws IOException {
    app.server(options -> options.url("http://127.0.0.1:0", change));
    app.useWebSockets(options -> options.allowedOrigins("*"));
    app.map("/scheme", context -> context.response().write(context.request().scheme()));
    app.mapWebSocket(
        "/ws",
        socket -> {
          for (Message message : socket) {
            socket.send(message);
          }
        });
    app.start();
    return Ports.of(app);
  }

  @Test
  void extendedConnectCanBeSwitchedOff() throws IOException {
    int port = start(address -> address.extendedConnect(false));
    try (Http2Wire wire = Http2Wire.connect(port);
        Wire http1 = Wire.open(port, "/ws")) {
      ByteBuffer settings = ByteBuffer.wrap(wire.frames().getFirst().payload());
      while (settings.hasRemaining()) {
        assertThat(settings.getShort()).isNotEqualTo((short) ENABLE_CONNECT_PROTOCOL);
        settings.getInt();
      }
      assertThat(wire.connectWebSocket("/ws").resetCode()).isEqualTo(Http2Wire.PROTOCOL_ERROR);
      assertThat(wire.get("/scheme").status()).isEqualTo(200);
      http1.send(Frame.text("over HTTP/1.1"));
      assertThat(http1.frame()).isEqualTo(Frame.text("over HTTP/1.1"));
    }
  }

  @ParameterizedTest
  @CsvSource({"http, http", "https, https", "ws, ", "HTTPS, "})
  void schemeMayBeWhatAProxysClientSaid(String said, String seen) throws IOException {
    int port = start(address -> address.alternateSchemes(true));
    try (Http2Wire wire = Http2Wire.connect(port)) {
      Stream stream =
          wire.request(
              true, ":method: GET", ":scheme: " + said, ":path: /scheme", ":authority: localhost");
      if (seen == null) {
        assertThat(stream.resetCode()).isEqualTo(Http2Wire.PROTOCOL_ERROR);
      } else {
        assertThat(new String(stream.body(), StandardCharsets.UTF_8)).isEqualTo(seen);
      }
    }
  }
}
