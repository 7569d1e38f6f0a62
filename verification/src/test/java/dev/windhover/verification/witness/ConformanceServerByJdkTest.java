package dev.windhover.verification.witness;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.http.Events;
import dev.windhover.http.HttpContext;
import dev.windhover.http.Limit;
import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.samples.conformance.ConformanceServer;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.witness.JdkSocket.Heard;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

@ParameterizedClass(name = "api={0}")
@ValueSource(strings = {"blocking", "listener"})
@ExtendWith(StrictLogs.class)
class ConformanceServerByJdkTest {
  private static final int MIB = 1 << 20;

  private static final WebApplication app =
      ConformanceServer.create("--urls", "http://127.0.0.1:0");
  private static final HttpClient http = HttpClient.newHttpClient();

  /** What the server tells of its sockets, by the path of their requests. */
  private static final Told told = new Told();

  @Parameter String api = "";

  @BeforeAll
  static void start() throws Exception {
    if (app.urls().isEmpty()) {
      app.events(told);
      app.start();
    }
  }

  private URI uri(String path, String settings) {
    String server = app.urls().getFirst().replace("http:", "ws:");
    return URI.create(server + path + "?api=" + api + settings);
  }

  private JdkSocket connect(String settings, String... subprotocols) throws Exception {
    return JdkSocket.connect(http, uri("/", settings), subprotocols);
  }

  @Test
  void everyPathEchoes() throws Exception {
    for (String path : new String[] {"/", "/chat", "/a/b/c/", "/%C3%A9/%20"}) {
      try (JdkSocket socket = JdkSocket.connect(http, uri(path, ""))) {
        socket.text(path);
        assertThat(socket.next()).isEqualTo(new Heard.Text(path));
      }
    }
  }

  @Test
  void emptyMessagesComeBack() throws Exception {
    try (JdkSocket socket = connect("")) {
      socket.text("");
      socket.binary(new byte[0]);
      assertThat(socket.next()).isEqualTo(new Heard.Text(""));
      assertThat(socket.next()).isEqualTo(new Heard.Binary(ByteBuffer.allocate(0)));
    }
  }

  @Test
  void fragmentsComeBackAsOneMessageOfTheirType() throws Exception {
    try (JdkSocket socket = connect("")) {
      socket.text("Grü", false);
      socket.text("", false);
      socket.text("ße", true);
      socket.binary(new byte[] {1}, false);
      socket.binary(new byte[] {2}, true);
      assertThat(socket.next()).isEqualTo(new Heard.Text("Grüße"));
      assertThat(socket.next()).isEqualTo(new Heard.Binary(ByteBuffer.wrap(new byte[] {1, 2})));
    }
  }

  @Test
  void pingsAreAnswered() throws Exception {
    try (JdkSocket socket = connect("")) {
      socket.ping("ping".getBytes(UTF_8));
      assertThat(socket.next()).isEqualTo(new Heard.Pong(ByteBuffer.wrap("ping".getBytes(UTF_8))));
    }
  }

  @Test
  void aCloseIsAnsweredWithItsCode() throws Exception {
    for (int code : new int[] {1000, 3000, 4999}) {
      try (JdkSocket socket = connect("")) {
        socket.sendClose(code, "");
        assertThat(socket.next()).isEqualTo(new Heard.Closed(code, ""));
      }
    }
  }

  @Test
  void messagesOf16MiBComeBack() throws Exception {
    echoes(16 * MIB);
  }

  @Test
  @Tag("full")
  void messagesOf64MiBComeBack() throws Exception {
    echoes(64 * MIB);
  }

  private void echoes(int size) throws Exception {
    byte[] bytes = new byte[size];
    new Random(1).nextBytes(bytes);
    String text = "aé世🌍xxxxxx".repeat(size / 16); // 16 bytes each
    try (JdkSocket socket = connect("")) {
      socket.binary(bytes);
      assertThat(socket.next().equals(new Heard.Binary(ByteBuffer.wrap(bytes)))).isTrue();
      // In pieces: of a longer one the JDK's client makes broken frames (seen from 32 MiB on).
      for (int sent = 0; sent < text.length(); sent += text.length() / 4) {
        int end = sent + text.length() / 4;
        socket.text(text.substring(sent, end), end == text.length());
      }
      assertThat(socket.next().equals(new Heard.Text(text))).isTrue();
    }
  }

  @Test
  @Tag("full")
  void aMessageOf100000FragmentsComesBack() throws Exception {
    int fragments = 100_000;
    try (JdkSocket socket = connect("")) {
      for (int i = 1; i < fragments; i++) {
        socket.text("f", false);
      }
      socket.text("f", true);
      assertThat(socket.next()).isEqualTo(new Heard.Text("f".repeat(fragments)));
    }
  }

  @Test
  @Tag("full")
  void aMessageAbove64MiBIsTooBig() throws Exception {
    byte[] half = new byte[32 * MIB];
    try (JdkSocket socket = connect("")) {
      socket.binary(half, false);
      socket.binary(half, false);
      socket.binary(new byte[1], true);
      assertThat(socket.next()).isInstanceOf(Heard.Closed.class).extracting("code").isEqualTo(1009);
    }
  }

  @Test
  void aMessageAboveTheMaximumIsTooBig() throws Exception {
    try (JdkSocket socket = connect("&max_message=5")) {
      socket.text("12345");
      assertThat(socket.next()).isEqualTo(new Heard.Text("12345"));
      socket.text("123456");
      assertThat(socket.next()).isInstanceOf(Heard.Closed.class).extracting("code").isEqualTo(1009);
    }
  }

  @Test
  void ofSeveralSubprotocolsOurPreferenceDecides() throws Exception {
    try (JdkSocket both = connect("&subprotocols=a,b", "b", "a");
        JdkSocket one = connect("&subprotocols=a,b", "c", "b");
        JdkSocket none = connect("&subprotocols=a,b", "c");
        JdkSocket unset = connect("", "a")) {
      assertThat(both.subprotocol()).isEqualTo("a");
      assertThat(one.subprotocol()).isEqualTo("b");
      assertThat(none.subprotocol()).isEmpty();
      assertThat(unset.subprotocol()).isEmpty();
    }
  }

  @Test
  void aQuietPeerIsPinged() throws Exception {
    try (JdkSocket socket = connect("&keep_alive_interval=50")) {
      assertThat(socket.next()).isEqualTo(new Heard.Ping());
      socket.sendClose(1000, "");
      Heard next = socket.next();
      while (next instanceof Heard.Ping) {
        next = socket.next();
      }
      assertThat(next).isEqualTo(new Heard.Closed(1000, ""));
    }
  }

  @Test
  void aPeerThatAnswersNoPingIsDropped() throws Exception {
    URI uri = uri("/deaf/" + api, "&keep_alive_interval=20&keep_alive_timeout=100");
    CompletableFuture<Ending> ended = told.ended(uri);
    try (JdkSocket _ = JdkSocket.connectDeaf(http, uri)) {
      assertThat(ended.get(60, TimeUnit.SECONDS).why()).contains("no sign of life within PT0.1S");
    }
  }

  @Test
  void withNoReadNothingIsReadBeyondTheBound() throws Exception {
    URI uri = uri("/no-read/" + api, "&no_read=true");
    CompletableFuture<Limit> limit = told.limit(uri);
    try (JdkSocket socket = JdkSocket.connect(http, uri)) {
      for (int i = 0; i < 3; i++) {
        socket.binary(new byte[30_000]);
      }
      assertThat(limit.get(60, TimeUnit.SECONDS)).isEqualTo(Limit.INBOUND_BYTES);
    } // nothing came back
  }

  @Test
  void closesAtOnceWithTheCodeThatIsAskedFor() throws Exception {
    for (int code : new int[] {1000, 1001, 1013, 3000, 4999}) {
      try (JdkSocket socket = connect("&close=" + code)) {
        assertThat(socket.next()).isEqualTo(new Heard.Closed(code, ""));
      }
    }
  }

  /** Completes futures with what the server tells of the socket at a path. */
  private static final class Told implements Events {
    private final Map<String, CompletableFuture<Ending>> endings = new ConcurrentHashMap<>();
    private final Map<String, CompletableFuture<Limit>> limits = new ConcurrentHashMap<>();

    CompletableFuture<Ending> ended(URI uri) {
      return endings.computeIfAbsent(uri.getPath(), path -> new CompletableFuture<>());
    }

    CompletableFuture<Limit> limit(URI uri) {
      return limits.computeIfAbsent(uri.getPath(), path -> new CompletableFuture<>());
    }

    @Override
    public void socketEnded(HttpContext context, WebSocket socket, Ending ending) {
      var waiting = endings.get(context.request().path());
      if (waiting != null) {
        waiting.complete(ending);
      }
    }

    @Override
    public void limitReached(HttpContext context, Limit limit) {
      var waiting = limits.get(context.request().path());
      if (waiting != null) {
        waiting.complete(limit);
      }
    }
  }
}
