package dev.windhover.verification;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.app.WebApplication;
import dev.windhover.http.User;
import dev.windhover.hubs.connections.ConnectionContext;
import dev.windhover.hubs.connections.ConnectionEnding;
import dev.windhover.hubs.connections.ConnectionEndpoint;
import dev.windhover.hubs.connections.ConnectionListener;
import dev.windhover.hubs.connections.ConnectionOptions;
import dev.windhover.verification.logs.Logs;
import dev.windhover.verification.logs.StrictLogs;
import dev.windhover.verification.wire.Frame;
import dev.windhover.verification.wire.Http2Wire;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Version;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Connections that outlive a request, over real ones: each request may be on another loop. */
@ExtendWith(StrictLogs.class)
class ConnectionsTest {
  private static final Pattern TOKEN = Pattern.compile("\"connectionToken\":\"([\\w-]{22})\"");
  private static final String SECRET = "s3cr3t-token";

  private final WebApplication app = WebApplication.create();
  private final BlockingQueue<ConnectionContext> opened = new LinkedBlockingQueue<>();
  private final BlockingQueue<ConnectionEnding> ended = new LinkedBlockingQueue<>();
  private final AtomicLong received = new AtomicLong();
  private HttpClient client = HttpClient.newHttpClient();
  private URI base = URI.create("http://127.0.0.1");

  /** Sends everything back, and says goodbye. */
  private final class Echo implements ConnectionListener {
    private final ConnectionContext connection;

    Echo(ConnectionContext connection) {
      this.connection = connection;
      opened.add(connection);
    }

    @Override
    public void onBytes(ByteBuffer bytes) {
      connection.send(bytes);
    }

    @Override
    public void onClosing() {
      connection.send(ByteBuffer.wrap("bye".getBytes(UTF_8)));
    }

    @Override
    public void onEnded(ConnectionEnding ending) {
      ended.add(ending);
    }
  }

  @BeforeEach
  void start(@TempDir Path folder) throws IOException {
    Path certificate = Certificate.USUAL.writePkcs12(folder.resolve("c.p12"));
    app.server(options -> {
      options.urls("http://127.0.0.1:0", "https://127.0.0.1:0").stopTimeout(Duration.ofSeconds(20));
      options.tls().certificate(certificate).password(Certificate.PASSWORD);
    });
    app.useAuthentication(
        options -> options.bearer(Map.of(SECRET, User.of("ann"))::get).bearerInQuery());
    app.useWebSockets(options -> options.allowedOrigins("*"));
    ConnectionEndpoint.map(app, "/echo", Echo::new);
    ConnectionEndpoint.map(
        app, "/stateful", new ConnectionOptions().allowStatefulReconnects(true), Echo::new);
    ConnectionEndpoint.map(
        app,
        "/sink",
        connection -> {
          opened.add(connection);
          return bytes -> {
            received.addAndGet(bytes.remaining());
            bytes.position(bytes.limit());
          };
        });
    ConnectionEndpoint.map(
        app,
        "/fails",
        new ConnectionOptions().requireUser(),
        _ -> {
          throw new IllegalStateException("no");
        });
    app.start();
    over(Version.HTTP_1_1);
  }

  private void over(Version version) {
    try {
      client =
          HttpClient.newBuilder().version(version).sslContext(Certificate.USUAL.trust()).build();
    } catch (GeneralSecurityException | IOException e) {
      throw new AssertionError(e);
    }
    base = URI.create(app.urls().get(version == Version.HTTP_2 ? 1 : 0)); // Java needs TLS for it
  }

  @AfterEach
  void stop() {
    client.shutdownNow();
    app.stop();
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(base.resolve(path)).timeout(Duration.ofSeconds(20));
  }

  private HttpResponse<String> send(HttpRequest request) throws Exception {
    return client.send(request, BodyHandlers.ofString());
  }

  private HttpResponse<String> get(String path) throws Exception {
    return send(request(path).build());
  }

  private void post(String path, String body) throws Exception {
    HttpResponse<String> answer = send(request(path).POST(BodyPublishers.ofString(body)).build());
    assertThat(answer.statusCode()).isEqualTo(200);
  }

  /** Negotiates and returns the path with the token. */
  private String negotiate(String path) throws Exception {
    HttpRequest request =
        request(path + "/negotiate?negotiateVersion=1").POST(BodyPublishers.noBody()).build();
    Matcher token = TOKEN.matcher(send(request).body());
    assertThat(token.find()).isTrue();
    return path + "?id=" + token.group(1);
  }

  private static <T> T next(BlockingQueue<T> queue) throws InterruptedException {
    return Objects.requireNonNull(queue.poll(20, TimeUnit.SECONDS), "nothing came");
  }

  @ParameterizedTest
  @EnumSource
  void aLifeOverLongPolling(Version version) throws Exception {
    over(version);
    String path = negotiate("/echo");
    assertThat(get(path).body()).isEmpty();
    assertThat(next(opened).request().connection().version().toString())
        .contains(version == Version.HTTP_2 ? "2" : "1.1");
    for (int i = 0; i < 20; i++) {
      CompletableFuture<HttpResponse<String>> poll =
          client.sendAsync(request(path).build(), BodyHandlers.ofString());
      post(path, "message " + i);
      HttpResponse<String> answer = poll.get(20, TimeUnit.SECONDS);
      assertThat(answer.body()).isEqualTo("message " + i);
      assertThat(answer.version()).isEqualTo(version);
    }
    HttpResponse<String> deleted = send(request(path).DELETE().build());
    assertThat(deleted.statusCode()).isEqualTo(202);
    assertThat(get(path).body()).isEqualTo("bye");
    assertThat(get(path).statusCode()).isEqualTo(204);
    assertThat(next(ended).status()).isEqualTo(ConnectionEnding.Status.NORMAL_CLOSURE);
  }

  @ParameterizedTest
  @EnumSource
  void aLifeOverEvents(Version version) throws Exception {
    over(version);
    String path = negotiate("/echo");
    HttpResponse<InputStream> stream =
        client.send(
            request(path).header("Accept", "text/event-stream").build(),
            BodyHandlers.ofInputStream());
    assertThat(stream.version()).isEqualTo(version);
    InputStream body = stream.body();
    expect(body, ":\r\n");
    for (int i = 0; i < 20; i++) {
      post(path, "line " + i + "\nand more");
      expect(body, "data: line " + i + "\r\ndata: and more\r\n\r\n");
    }
    next(opened).close();
    assertThat(body.read()).isEqualTo(-1);
    next(ended);
  }

  private static void expect(InputStream body, String text) throws IOException {
    assertThat(new String(body.readNBytes(text.length()), UTF_8)).isEqualTo(text);
  }

  @Test
  void anEventStreamWhoseClientIsGoneEndsTheConnection() throws Exception {
    String path = negotiate("/echo");
    HttpResponse<InputStream> stream =
        client.send(
            request(path).header("Accept", "text/event-stream").build(),
            BodyHandlers.ofInputStream());
    expect(stream.body(), ":\r\n");
    stream.body().close();
    client.shutdownNow();
    assertThat(next(ended).error()).isNull();
  }

  // ---- WebSockets

  /** What a socket hears. */
  private static final class Heard implements WebSocket.Listener {
    private final BlockingQueue<String> texts = new LinkedBlockingQueue<>();
    private final StringBuilder text = new StringBuilder();

    @Override
    public CompletionStage<?> onText(WebSocket socket, CharSequence data, boolean last) {
      text.append(data);
      if (last) {
        texts.add(text.toString());
        text.setLength(0);
      }
      socket.request(1);
      return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletionStage<?> onClose(WebSocket socket, int code, String reason) {
      texts.add("closed " + code + reason);
      return CompletableFuture.completedFuture(null);
    }
  }

  private WebSocket socket(String path, Heard heard) {
    URI url = URI.create(base.resolve(path).toString().replaceFirst("http", "ws"));
    return client.newWebSocketBuilder().buildAsync(url, heard).join();
  }

  @Test
  void aLifeOverASocket() throws Exception {
    Heard heard = new Heard();
    WebSocket socket = socket(negotiate("/echo"), heard);
    socket.sendText("one ", false).join();
    assertThat(next(heard.texts)).isEqualTo("one "); // messages do not matter
    socket.sendText("two", true).join();
    assertThat(next(heard.texts)).isEqualTo("two");
    socket.sendClose(4000, "mine").join();
    assertThat(next(heard.texts)).isEqualTo("closed 1000");
    assertThat(next(ended).error()).isNull();
  }

  @Test
  void aLifeOverASocketOverHttp2() throws Exception {
    int port = URI.create(app.urls().getFirst()).getPort();
    try (Http2Wire wire = Http2Wire.connect(port)) {
      Http2Wire.Stream stream = wire.connectWebSocket(negotiate("/echo"));
      assertThat(stream.status()).isEqualTo(200);
      stream.send(Frame.text("hello").masked());
      assertThat(stream.frame()).isEqualTo(Frame.text("hello"));
    }
    next(ended);
  }

  @Test
  void aMessageOf10MiBComesInParts() throws Exception {
    WebSocket socket = socket("/sink", new Heard());
    socket.sendBinary(ByteBuffer.allocate(10 << 20), true).get(20, TimeUnit.SECONDS);
    socket.sendClose(1000, "").join();
    next(opened);
    awaitReceived(10 << 20);
  }

  private void awaitReceived(long bytes) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (received.get() < bytes && System.nanoTime() < end) {
      Thread.onSpinWait();
    }
    assertThat(received).hasValue(bytes);
  }

  @Test
  void aClientComesBackWhateverLoopItsNextSocketIsOn() throws Exception {
    HttpRequest negotiate =
        request("/stateful/negotiate?negotiateVersion=1&useStatefulReconnect=true")
            .POST(BodyPublishers.noBody())
            .build();
    Matcher token = TOKEN.matcher(send(negotiate).body());
    assertThat(token.find()).isTrue();
    String path = "/stateful?id=" + token.group(1);
    Heard heard = new Heard();
    WebSocket socket = socket(path, heard);
    next(opened);
    for (int i = 0; i < 12; i++) {
      socket.sendText("message " + i, true).join();
      assertThat(next(heard.texts)).isEqualTo("message " + i);
      WebSocket before = socket;
      if (i % 2 == 0) {
        before.abort(); // else it is half dead when the next one comes
      }
      heard = new Heard();
      socket = socket(path, heard);
    }
    socket.sendClose(1000, "").join();
    assertThat(next(heard.texts)).isEqualTo("closed 1000");
    assertThat(next(ended).status()).isEqualTo(ConnectionEnding.Status.NORMAL_CLOSURE);
    assertThat(opened).isEmpty();
  }

  // ---- Many at once

  @Test
  void manyPostsAtOnceAreTakenOneAfterTheOther() throws Exception {
    String path = negotiate("/sink");
    get(path);
    String body = "x".repeat(50_000);
    List<CompletableFuture<HttpResponse<String>>> posts =
        IntStream.range(0, 20)
            .mapToObj(_ ->
                client.sendAsync(
                    request(path).POST(BodyPublishers.ofString(body)).build(),
                    BodyHandlers.ofString()))
            .toList();
    for (CompletableFuture<HttpResponse<String>> each : posts) {
      assertThat(each.get(20, TimeUnit.SECONDS).statusCode()).isEqualTo(200);
    }
    awaitReceived(20 * 50_000L);
  }

  // ---- The stop

  @Test
  void theStopSaysGoodbyeOverEveryTransport() throws Exception {
    Heard heard = new Heard();
    WebSocket socket = socket(negotiate("/echo"), heard);
    String path = negotiate("/echo");
    get(path);
    CompletableFuture<HttpResponse<String>> poll =
        client.sendAsync(request(path).build(), BodyHandlers.ofString());
    HttpResponse<InputStream> stream =
        client.send(
            request(negotiate("/echo")).header("Accept", "text/event-stream").build(),
            BodyHandlers.ofInputStream());
    expect(stream.body(), ":\r\n");
    for (int i = 0; i < 3; i++) {
      next(opened);
    }
    Thread stop = Thread.startVirtualThread(app::stop);
    assertThat(next(heard.texts)).isEqualTo("bye");
    assertThat(next(heard.texts)).isEqualTo("closed 1000");
    assertThat(new String(stream.body().readAllBytes(), UTF_8)).isEqualTo("data: bye\r\n\r\n");
    assertThat(poll.get(20, TimeUnit.SECONDS).body()).isIn("bye", ""); // if it came in time
    for (int i = 0; i < 3; i++) {
      assertThat(next(ended).status()).isEqualTo(ConnectionEnding.Status.APP_SHUTDOWN);
    }
    socket.abort();
    assertThat(stop.join(Duration.ofSeconds(20))).isTrue();
  }

  // ---- Secrets

  @Test
  void tokensAreNeverLogged() throws Exception {
    try (Logs.Recording lines = Logs.record(_ -> true)) {
      String query = "access_token=" + SECRET;
      HttpRequest.Builder negotiate =
          request("/fails/negotiate?negotiateVersion=1&" + query)
              .header("Authorization", "Bearer " + SECRET)
              .POST(BodyPublishers.noBody());
      Matcher token = TOKEN.matcher(send(negotiate.build()).body());
      assertThat(token.find()).isTrue();
      String id = token.group(1);
      for (int i = 0; i < 2; i++) { // its handler throws; then the token is dead
        send(
            request("/fails?id=" + id + "&" + query).header("Accept", "text/event-stream").build());
      }
      Heard heard = new Heard();
      socket("/fails?" + query, heard);
      assertThat(next(heard.texts)).isEqualTo("closed 1011");
      assertThat(lines.lines()).isNotEmpty().noneMatch(line -> tells(line, SECRET, id));
    }
  }

  private static boolean tells(Logs.Line line, String... secrets) {
    return List.of(secrets).stream().anyMatch(line.toString()::contains);
  }
}
