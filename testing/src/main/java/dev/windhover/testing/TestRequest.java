package dev.windhover.testing;

import dev.windhover.http.Headers;
import dev.windhover.http.HttpVersion;
import dev.windhover.http.User;
import dev.windhover.protocol.OpeningKey;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** A request that a test prepares: change it, then {@link #send} it or {@link #connect}. */
public final class TestRequest {
  /** The key of RFC 6455 1.3. */
  private static final String KEY = "dGhlIHNhbXBsZSBub25jZQ==";

  private final TestHost host;
  private final String target;
  private String method;
  private HttpVersion version = HttpVersion.HTTP_1_1;
  private final Headers headers = new Headers().add("Host", "server.test");
  private byte[] body = new byte[0];
  private @Nullable User user;
  private final Wire wire;

  TestRequest(TestHost host, String method, String target) {
    this.host = host;
    this.method = Objects.requireNonNull(method, "method");
    this.target = Objects.requireNonNull(target, "target");
    this.wire = new Wire(host);
  }

  /** Makes it a valid opening handshake over HTTP/1.1. */
  TestRequest handshake() {
    headers
        .add("Upgrade", "websocket")
        .add("Connection", "Upgrade")
        .add("Sec-WebSocket-Key", KEY)
        .add("Sec-WebSocket-Version", "13");
    return this;
  }

  /** Makes it an extended CONNECT over HTTP/2 (RFC 8441). */
  public TestRequest http2() {
    method = "CONNECT";
    version = HttpVersion.HTTP_2;
    return without("Upgrade").without("Connection").without("Sec-WebSocket-Key");
  }

  /** Sets the version of HTTP. */
  public TestRequest version(HttpVersion version) {
    this.version = Objects.requireNonNull(version, "version");
    return this;
  }

  /** Sets the method. */
  public TestRequest method(String method) {
    this.method = Objects.requireNonNull(method, "method");
    return this;
  }

  /** Sets a header and removes all others of that name. */
  public TestRequest header(String name, String value) {
    headers.set(name, value);
    return this;
  }

  /** Adds a header and keeps others of that name. */
  public TestRequest add(String name, String value) {
    headers.add(name, value);
    return this;
  }

  /** Removes a header. */
  public TestRequest without(String name) {
    headers.remove(name);
    return this;
  }

  /** Sets the body, as UTF-8. */
  public TestRequest body(String text) {
    return body(text.getBytes(StandardCharsets.UTF_8));
  }

  /** Sets the body; the bytes are copied. */
  public TestRequest body(byte[] bytes) {
    body = bytes.clone();
    return header("Content-Length", Integer.toString(body.length));
  }

  /** Sets a body of JSON, with its content type. */
  public TestRequest json(String json) {
    return header("Content-Type", "application/json").body(json);
  }

  /** Lets the request be one of {@code user}, whatever credentials the application asks for. */
  public TestRequest user(User user) {
    this.user = Objects.requireNonNull(user, "user");
    return this;
  }

  /** Lets the request be one of a user with this name and these roles. */
  public TestRequest user(String name, String... roles) {
    return user(User.of(name, roles));
  }

  /**
   * Offers subprotocols, the preferred one first; {@link TestWebSocket#subprotocol} returns the one
   * that was negotiated.
   */
  public TestRequest subprotocols(String... offered) {
    return header(
        "Sec-WebSocket-Protocol", String.join(", ", Objects.requireNonNull(offered, "offered")));
  }

  /** Offers compression (RFC 7692); the application decides whether to accept it. */
  public TestRequest compressed() {
    return header("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits");
  }

  /** Sends these bytes right after the handshake, before it is answered. */
  public TestRequest followedBy(String hex) {
    wire.send(ByteBuffer.wrap(HexFormat.of().parseHex(hex.replaceAll("\\s", ""))));
    return this;
  }

  /**
   * Sends the request and returns the response when it is complete.
   *
   * @throws AssertionError if that takes 10 seconds of real time, or the server drops the
   *     connection instead
   */
  public TestResponse send() {
    MemoryExchange exchange = start(null);
    try {
      return exchange.answer().get(Waiting.SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw host.failed("no answer within " + Waiting.SECONDS + " s");
    } catch (ExecutionException e) {
      throw new AssertionError(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted while waiting for an answer", e);
    }
  }

  /**
   * Sends the request and returns the response, which must have this status.
   *
   * @throws AssertionError as {@link #send()}, and if the status is another one; its text contains
   *     the whole response
   */
  public TestResponse expectStatus(int status) {
    TestResponse response = send();
    if (response.status() != status) {
      throw host.failed("expected status " + status + "\n but got " + response);
    }
    return response;
  }

  /**
   * Sends the request and returns at once, for an answer that waits for something, such as that to
   * a poll. The future completes with the whole response; exceptionally if the server drops the
   * connection instead. To cancel it is to disconnect.
   */
  public CompletableFuture<TestResponse> sendAsync() {
    MemoryExchange exchange = start(null);
    CompletableFuture<TestResponse> answer = exchange.answer().copy();
    CompletableFuture<TestResponse> _ =
        answer.whenComplete((_, failure) -> {
          if (failure instanceof CancellationException) {
            exchange.clientGone();
          }
        });
    return answer;
  }

  /**
   * Sends the request and returns the response when it has begun, to be read while it is being
   * written: for server-sent events and the like.
   *
   * @throws AssertionError if that takes 10 seconds of real time, or the server drops the
   *     connection instead
   */
  public TestStream openStream() {
    TestStream stream = new TestStream(host);
    stream.of(start(stream));
    stream.awaitBegin();
    return stream;
  }

  /** Sends the request and disconnects immediately, without waiting for a response. */
  public void sendAndLeave() {
    start(null).clientGone();
  }

  private MemoryExchange start(@Nullable TestStream stream) {
    MemoryExchange exchange = new MemoryExchange(host, this, wire, stream);
    host.handle(exchange, wire);
    return exchange;
  }

  /**
   * Sends the handshake and returns the socket.
   *
   * @throws AssertionError if it was not accepted as RFC 6455 4.2.2 or RFC 8441 5 says
   */
  public TestWebSocket connect() {
    TestResponse response = send();
    boolean http2 = version == HttpVersion.HTTP_2;
    if (response.status() != (http2 ? 200 : 101)) {
      throw host.failed("handshake refused with " + response);
    }
    String key = headers.get("Sec-WebSocket-Key");
    if (!http2 && key != null) {
      requireHeader(response, "Sec-WebSocket-Accept", OpeningKey.accept(key));
      requireHeader(response, "Upgrade", "websocket");
      requireHeader(response, "Connection", "Upgrade");
    }
    String subprotocol = response.headers().get("Sec-WebSocket-Protocol");
    if (subprotocol != null && !headers.hasToken("Sec-WebSocket-Protocol", subprotocol)) {
      throw host.failed("the server chose a subprotocol that was not offered: " + subprotocol);
    }
    TestWebSocket client = new TestWebSocket(wire);
    client.response(response);
    return client;
  }

  private static void requireHeader(TestResponse response, String name, String value) {
    String found = response.headers().get(name);
    if (!value.equals(found)) {
      throw new AssertionError(name + " is " + found + " instead of " + value);
    }
  }

  String method() {
    return method;
  }

  String target() {
    return target;
  }

  HttpVersion version() {
    return version;
  }

  Headers headers() {
    return headers;
  }

  byte[] body() {
    return body;
  }

  @Nullable User user() {
    return user;
  }
}
