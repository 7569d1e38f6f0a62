package dev.windhover.verification.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.windhover.http.Application;
import dev.windhover.http.Handler;
import dev.windhover.http.Headers;
import dev.windhover.http.HttpVersion;
import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketAcceptContext;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.protocol.deflate.DeflateAgreement;
import dev.windhover.websocket.WebSockets;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * Any bytes to a socket. Whole, in pieces and one by one they must bring the same messages to the
 * application, the same output and the same end; and what we send is well-formed.
 */
class EngineFuzzTest {
  private static final int MAX_MESSAGE = 300;

  /** What the application saw, what it sent, and how it ended. */
  private record Run(List<String> told, String output, String end) {}

  /** What the fuzzer chooses. */
  private record Setting(boolean compressed, boolean oneByOne, boolean closes, boolean peerEnds) {}

  @FuzzTest
  void fuzz(byte[] bytes) {
    Input input = new Input(bytes);
    int choice = input.choice();
    int seed = input.choice();
    Setting setting =
        new Setting((choice & 1) != 0, (choice & 2) != 0, (choice & 4) != 0, (choice & 8) != 0);
    byte[] wire = input.rest();
    Run whole = run(setting, List.of(wire));
    assertThat(run(setting, Input.bytewise(wire))).as("bytewise").isEqualTo(whole);
    assertThat(run(setting, Input.pieces(wire, 1 + seed / 2, seed)))
        .as("in pieces")
        .isEqualTo(whole);
  }

  private static Run run(Setting setting, List<byte[]> pieces) {
    Application app = new Application();
    app.use(WebSockets.with(o -> o.allowedOrigins("*").limits(l -> l.maxMessageSize(MAX_MESSAGE))));
    Echo echo = new Echo(setting);
    app.map(
        "/",
        Handler.nonBlocking(context -> {
          WebSocket _ =
              context
                  .webSockets()
                  .accept(
                      new WebSocketAcceptContext()
                          .keepAliveInterval(Duration.ZERO)
                          .dangerousEnableCompression(setting.compressed),
                      echo);
        }));
    Headers headers = MemoryHost.handshake();
    if (setting.compressed) {
      headers.add("Sec-WebSocket-Extensions", DeflateAgreement.TOKEN);
    }
    MemoryHost host = new MemoryHost("GET", HttpVersion.HTTP_1_1, headers);
    host.handledBy(app.build());
    for (byte[] piece : pieces) {
      host.arrive(piece);
    }
    if (setting.peerEnds) {
      host.peerEnds();
    }
    host.letTimePass();
    host.lose("over");
    assertThat(echo.ends).as("ends told").isEqualTo(1);
    Output.check(host.output(), setting.compressed);
    return new Run(echo.told, HexFormat.of().formatHex(host.output()), host.ending());
  }

  private static final class Echo implements WebSocketListener {
    final List<String> told = new ArrayList<>();
    private final Setting setting;
    private int messages;
    int ends;

    Echo(Setting setting) {
      this.setting = setting;
    }

    @Override
    public void onOpen(WebSocket socket) {
      socket.demand(setting.oneByOne ? 1 : Long.MAX_VALUE);
    }

    @Override
    public void onMessage(WebSocket socket, MessageType type, ByteBuffer payload) throws Exception {
      byte[] copy = new byte[payload.remaining()];
      payload.get(payload.position(), copy);
      told.add(type + " " + HexFormat.of().formatHex(copy));
      assertThat(copy.length).isLessThanOrEqualTo(MAX_MESSAGE);
      socket.send(payload, type, true);
      if (setting.closes && ++messages == 3) {
        socket.close(4000, "enough");
      }
      if (setting.oneByOne) {
        socket.demand(1);
      }
    }

    @Override
    public void onClose(WebSocket socket) {
      told.add("close " + socket.closeStatus() + " " + socket.closeStatusDescription());
    }

    @Override
    public void onEnded(WebSocket socket, Ending ending) {
      ends++;
      told.add("ended " + ending);
    }
  }
}
