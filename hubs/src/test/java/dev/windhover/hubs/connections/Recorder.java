package dev.windhover.hubs.connections;

import static org.assertj.core.api.Assertions.assertThat;

import dev.windhover.http.Application;
import dev.windhover.http.Events;
import dev.windhover.http.HttpContext;
import dev.windhover.http.Limit;
import dev.windhover.testing.TestHost;
import dev.windhover.testing.TestResponse;
import dev.windhover.websocket.WebSockets;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** An endpoint {@code /c} whose connections note what they hear, and answer as a test says. */
final class Recorder implements ConnectionHandler {
  private static final Pattern TOKEN = Pattern.compile("\"connectionToken\":\"([\\w-]{22})\"");

  final List<String> heard = new CopyOnWriteArrayList<>();
  final BlockingQueue<ConnectionContext> opened = new LinkedBlockingQueue<>();
  final Queue<SentMessage> sent = new ConcurrentLinkedQueue<>();
  private boolean keepsSent;
  private long keptBytes;
  private Events events = Events.NONE;
  private Consumer<ConnectionContext> onOpen = _ -> {};
  private Taker onBytes = (_, bytes) -> bytes.position(bytes.limit());
  private Consumer<ConnectionContext> onClosing = _ -> {};

  /** What happens when bytes have come. */
  interface Taker {
    void take(ConnectionContext connection, ByteBuffer bytes) throws Exception;
  }

  static Recorder echoing() {
    return new Recorder().onBytes(ConnectionContext::send);
  }

  Recorder onOpen(Consumer<ConnectionContext> action) {
    onOpen = action;
    return this;
  }

  /** Claims to keep this much for each connection. */
  Recorder keepingBytes(long bytes) {
    keptBytes = bytes;
    return this;
  }

  /** Notes the limits that are reached. */
  Recorder notingLimits() {
    events =
        new Events() {
          @Override
          public void limitReached(HttpContext context, Limit limit) {
            heard.add("limit " + limit);
          }
        };
    return this;
  }

  /** Sends what has left again to a client that comes back. */
  Recorder keepingSent() {
    keepsSent = true;
    return this;
  }

  Recorder onBytes(Taker action) {
    onBytes = action;
    return this;
  }

  Recorder onClosing(Consumer<ConnectionContext> action) {
    onClosing = action;
    return this;
  }

  TestHost start() {
    return start(_ -> {});
  }

  TestHost start(Consumer<ConnectionOptions> change) {
    ConnectionOptions options = new ConnectionOptions();
    change.accept(options);
    Application application = new Application().use(WebSockets.with(o -> o.allowedOrigins("*")));
    application.events(events);
    ConnectionEndpoint.map(application, "/c", options, this);
    return TestHost.start(application);
  }

  /** Returns the next connection that was opened. */
  ConnectionContext connection() {
    try {
      ConnectionContext next = opened.poll(10, TimeUnit.SECONDS);
      assertThat(next).as("a connection").isNotNull();
      return next;
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public ConnectionListener onConnected(ConnectionContext connection) {
    heard.add("connected over " + connection.transport().wireName());
    onOpen.accept(connection);
    opened.add(connection);
    return new ConnectionListener() {
      @Override
      public void onBytes(ByteBuffer bytes) throws Exception {
        heard.add(text(bytes.duplicate()));
        onBytes.take(connection, bytes);
      }

      @Override
      public void onWritable() {
        heard.add("writable");
      }

      @Override
      public void onTransportLost() {
        heard.add("lost");
      }

      @Override
      public void onTransportRestored() {
        heard.add("restored");
        connection.sendAhead(bytes("again"));
        sent.forEach(each -> connection.sendAhead(each.bytes()));
      }

      @Override
      public long heldBytes() {
        return keptBytes;
      }

      @Override
      public void onSent(SentMessage message) {
        if (keepsSent) {
          sent.add(message);
        } else {
          message.forget();
        }
      }

      @Override
      public void onClosing() {
        heard.add("closing");
        onClosing.accept(connection);
      }

      @Override
      public void onEnded(ConnectionEnding ending) {
        sent.forEach(SentMessage::forget);
        Throwable error = ending.error();
        heard.add("ended: " + ending.status() + (error == null ? "" : ", " + error.getMessage()));
      }
    };
  }

  // ---- What tests say to a host

  /** Negotiates and returns the token. */
  static String negotiate(TestHost host) {
    return negotiate(host, "");
  }

  static String negotiate(TestHost host, String query) {
    TestResponse answer =
        host.request("POST", "/c/negotiate?negotiateVersion=1" + query).expectStatus(200);
    Matcher token = TOKEN.matcher(answer.text());
    assertThat(token.find()).as(answer.text()).isTrue();
    return token.group(1);
  }

  /** Begins long polling and returns the token. */
  static String poll(TestHost host) {
    String token = negotiate(host);
    host.get("/c?id=" + token).expectStatus(200).expectText("");
    return token;
  }

  /** Waits for an answer that was asked for with {@code sendAsync}. */
  static TestResponse answer(CompletableFuture<TestResponse> asked) {
    try {
      return asked.get(10, TimeUnit.SECONDS);
    } catch (InterruptedException | ExecutionException | TimeoutException e) {
      throw new AssertionError(e);
    }
  }

  static void post(TestHost host, String token, String body) {
    host.request("POST", "/c?id=" + token).body(body).expectStatus(200).expectText("");
  }

  static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
  }

  static String text(ByteBuffer bytes) {
    return StandardCharsets.UTF_8.decode(bytes).toString();
  }

  static @Nullable String contentType(TestResponse response) {
    return response.headers().get("Content-Type");
  }
}
