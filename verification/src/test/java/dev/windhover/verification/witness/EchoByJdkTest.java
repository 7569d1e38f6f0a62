package dev.windhover.verification.witness;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.app.WebApplication;
import dev.windhover.http.Events;
import dev.windhover.http.HttpContext;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.samples.echo.Echo;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.witness.JdkSocket.Heard;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.ByteBuffer;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

@ParameterizedClass(name = "{0}")
@ValueSource(strings = {"/ws", "/ws/messages", "/ws/controller", "/ws/background"})
@ExtendWith(StrictLogs.class)
class EchoByJdkTest {
  private static final int MESSAGE_OF_FEW_READS = 300_000;

  private static final int ALMOST_THE_HIGH_MARK = 900_000;

  private static final WebApplication app = Echo.create("--urls", "http://127.0.0.1:0");
  private static final HttpClient http = HttpClient.newHttpClient();

  @Parameter String path = "";

  // The server's side: each socket that was opened, and the thread of its handler.
  private static final BlockingQueue<WebSocket> sockets = new LinkedBlockingQueue<>();
  private static final BlockingQueue<Thread> handlers = new LinkedBlockingQueue<>();

  @BeforeAll
  static void start() throws Exception {
    if (app.urls().isEmpty()) {
      app.events(
          new Events() {
            @Override
            public void socketOpened(HttpContext context, WebSocket socket) {
              sockets.add(socket);
            }
          });
      app.use((context, next) -> {
        handlers.add(Thread.currentThread());
        next.handle(context);
      });
      app.start();
    }
  }

  private URI uri() {
    return URI.create(app.urls().getFirst().replace("http:", "ws:") + path);
  }

  private JdkSocket connect(String... subprotocols) throws Exception {
    return JdkSocket.connect(http, uri(), subprotocols);
  }

  @Test
  void textComesBack() throws Exception {
    try (JdkSocket socket = connect()) {
      socket.text("Grüße, 世界 🌍");
      assertThat(socket.next()).isEqualTo(new Heard.Text("Grüße, 世界 🌍"));
    }
  }

  @Test
  void bytesComeBack() throws Exception {
    try (JdkSocket socket = connect()) {
      socket.binary(new byte[] {0, (byte) 0xFF, 127, (byte) 0x80});
      assertThat(socket.next())
          .isEqualTo(
              new Heard.Binary(ByteBuffer.wrap(new byte[] {0, (byte) 0xFF, 127, (byte) 0x80})));
    }
  }

  @Test
  void emptyMessagesComeBack() throws Exception {
    try (JdkSocket socket = connect()) {
      socket.text("");
      socket.binary(new byte[0]);
      assertThat(socket.next()).isEqualTo(new Heard.Text(""));
      assertThat(socket.next()).isEqualTo(new Heard.Binary(ByteBuffer.allocate(0)));
    }
  }

  @Test
  void fragmentsComeBackAsOneMessage() throws Exception {
    try (JdkSocket socket = connect()) {
      socket.text("frag", false);
      socket.ping("between".getBytes(UTF_8));
      socket.text("", false);
      socket.text("ments", true);
      Heard first = socket.next();
      Heard second = socket.next();
      assertThat(new Heard[] {first, second})
          .containsExactlyInAnyOrder(
              new Heard.Pong(ByteBuffer.wrap("between".getBytes(UTF_8))),
              new Heard.Text("fragments"));
    }
  }

  @Test
  void largeMessagesComeBack() throws Exception {
    byte[] bytes = new byte[MESSAGE_OF_FEW_READS];
    new Random(1).nextBytes(bytes);
    String text = "aé世🌍".repeat(bytes.length / 10);
    try (JdkSocket socket = connect()) {
      socket.binary(bytes);
      socket.text(text);
      assertThat(socket.next().equals(new Heard.Binary(ByteBuffer.wrap(bytes)))).isTrue();
      assertThat(socket.next().equals(new Heard.Text(text))).isTrue();
    }
  }

  @Test
  void messagesComeBackInTheirOrder() throws Exception {
    try (JdkSocket socket = connect()) {
      for (int i = 0; i < 1_000; i++) {
        socket.text("message " + i);
      }
      for (int i = 0; i < 1_000; i++) {
        assertThat(socket.next()).isEqualTo(new Heard.Text("message " + i));
      }
    }
  }

  @Test
  void aCloseIsAnsweredWithItsCode() throws Exception {
    try (JdkSocket socket = connect()) {
      socket.text("last words");
      socket.sendClose(3001, "bye");
      assertThat(socket.next()).isEqualTo(new Heard.Text("last words"));
      // The buffer loop returns the reason too; the message loop's answer is the library's.
      assertThat(socket.next()).isEqualTo(new Heard.Closed(3001, path.equals("/ws") ? "bye" : ""));
    }
  }

  @Test
  void serverCloseClosesFromTheServer() throws Exception {
    try (JdkSocket socket = connect()) {
      socket.text("ServerClose");
      assertThat(socket.next()).isEqualTo(new Heard.Closed(1000, "Closing from Server"));
    }
  }

  @Test
  void serverAbortDropsTheConnection() throws Exception {
    try (JdkSocket socket = connect()) {
      socket.text("ServerAbort");
      assertThat(socket.next()).isEqualTo(new Heard.Lost());
    }
  }

  @Test
  void magicWordsAreWholeTextMessages() throws Exception {
    try (JdkSocket socket = connect()) {
      socket.text("Server", false);
      socket.text("Close!", true);
      socket.text(" ", false);
      socket.text("ServerClose", true);
      socket.binary("ServerClose".getBytes(UTF_8));
      assertThat(socket.next()).isEqualTo(new Heard.Text("ServerClose!"));
      assertThat(socket.next()).isEqualTo(new Heard.Text(" ServerClose"));
      assertThat(socket.next())
          .isEqualTo(new Heard.Binary(ByteBuffer.wrap("ServerClose".getBytes(UTF_8))));
    }
  }

  @Test
  void aClientThatIsGoneWhileItsEchoIsStuckIsNoError() throws Exception {
    sockets.clear();
    handlers.clear();
    try (JdkSocket socket = JdkSocket.connectDeaf(http, uri())) {
      Thread sender =
          Thread.startVirtualThread(() ->
              assertThatThrownBy(
                      () -> {
                        while (true) {
                          socket.binary(new byte[1_000]);
                        }
                      })
                  .isNotNull());
      WebSocket stuck = sockets.take();
      while (stuck.bufferedAmount() < ALMOST_THE_HIGH_MARK) {
        Thread.onSpinWait();
      }
      socket.abort();
      sender.join();
    }
    handlers.take().join(); // what it threw was not logged, or this test fails
  }

  @Test
  void theFirstSubprotocolThatIsOfferedIsSpoken() throws Exception {
    try (JdkSocket two = connect("chat.v2", "chat.v1");
        JdkSocket none = connect()) {
      assertThat(two.subprotocol()).isEqualTo("chat.v2");
      assertThat(none.subprotocol()).isEmpty();
    }
  }
}
