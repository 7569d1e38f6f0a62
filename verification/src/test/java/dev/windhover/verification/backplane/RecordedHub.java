package dev.windhover.verification.backplane;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.windhover.http.Application;
import dev.windhover.hubs.Hub;
import dev.windhover.hubs.HubContext;
import dev.windhover.hubs.HubMethodName;
import dev.windhover.hubs.Hubs;
import dev.windhover.hubs.redis.BackplaneHealth;
import dev.windhover.hubs.redis.RedisBackplane;
import dev.windhover.hubs.redis.RedisOptions;
import dev.windhover.hubs.testing.TestHubClient;
import dev.windhover.testing.TestHost;
import dev.windhover.verification.wire.Hex;
import dev.windhover.websocket.WebSocketOptions;
import dev.windhover.websocket.WebSockets;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.function.Consumer;

/** The hub whose bytes were recorded from the reference, on a server on Redis. */
final class RecordedHub implements AutoCloseable {
  /** What is recorded of a message: {@code Message("x")} in both protocols. */
  static final String FORMS =
      "82" // a map of two
          + "a46a736f6e c430" // json
          + "7b2274797065223a312c22746172676574223a224d657373616765222c22617267756d656e7473223a5b22"
          + "78225d7d1e"
          + "ab6d6573736167657061636b c411" // messagepack
          + "10960180c0a74d65737361676591a17890";

  /** Has the name that was recorded. */
  public static final class TestHub extends Hub<TestHub.Client> {
    /** What clients do. */
    public interface Client {
      /** Shows {@code text}. */
      @HubMethodName("Message")
      void message(String text);

      /** Answers with a number. */
      @HubMethodName("Result")
      int result();
    }

    /** Returns the caller's id. */
    public String id() {
      return context().connectionId();
    }

    /** Adds the caller to a group. */
    public void join(String group) {
      boolean _ = groups().add(group);
    }

    /** Removes the caller from a group. */
    public void leave(String group) {
      boolean _ = groups().remove(group);
    }
  }

  private final RedisFleet fleet;
  private final RedisBackplane backplane;
  private final TestHost host;
  private final HubContext<TestHub.Client> hub;

  /** Starts a server and waits until it is connected. */
  RecordedHub(String url, Consumer<RedisOptions> change) throws InterruptedException {
    this(new RedisFleet(), url, change);
    fleet.await(backplane, BackplaneHealth.UP);
  }

  private RecordedHub(RedisFleet fleet, String url, Consumer<RedisOptions> change) {
    this.fleet = fleet;
    backplane = fleet.begin(url, change);
    Application application =
        new Application().use(new WebSockets(new WebSocketOptions().allowedOrigins("*")));
    Hubs hubs = Hubs.on(application).backplane(backplane);
    hubs.map("/testhub", TestHub.class, TestHub::new);
    hub = hubs.context(TestHub.class);
    host = TestHost.start(application);
  }

  /** Starts a server, and waits for nothing. */
  static RecordedHub begin(String url, Consumer<RedisOptions> change) {
    return new RecordedHub(new RedisFleet(), url, change);
  }

  RedisBackplane backplane() {
    return backplane;
  }

  RedisFleet fleet() {
    return fleet;
  }

  TestHost host() {
    return host;
  }

  HubContext<TestHub.Client> hub() {
    return hub;
  }

  TestHubClient connectAs(String user) {
    return connect(user, false);
  }

  TestHubClient connectMessagePackAs(String user) {
    return connect(user, true);
  }

  private TestHubClient connect(String user, boolean isBinary) {
    TestHubClient client =
        TestHubClient.connect(
            host,
            "/testhub",
            options -> {
              options.user(user);
              if (isBinary) {
                options.messagePack();
              }
            });
    String _ = idOf(client); // others reach it by then
    return client;
  }

  static String idOf(TestHubClient client) {
    return Objects.requireNonNull(client.invoke(String.class, "id"));
  }

  /** Returns this server's name, as its channels tell it. */
  static String nameOn(RedisServer redis) throws IOException {
    String prefix = "TestHub:internal:ack:";
    return redis.channels().stream()
        .filter(channel -> channel.startsWith(prefix))
        .findFirst()
        .orElseThrow()
        .substring(prefix.length());
  }

  /** Returns the hex of a text in MessagePack. */
  static String text(String text) {
    byte[] utf8 = text.getBytes(UTF_8);
    String length =
        utf8.length < 0x20
            ? Hex.of(new byte[] {(byte) (0xA0 | utf8.length)})
            : "d9" + Hex.of(new byte[] {(byte) utf8.length});
    return length + Hex.of(utf8);
  }

  /** Returns the hex of bytes in MessagePack. */
  static String binary(byte[] bytes) {
    return bytes.length < 0x100
        ? "c4" + Hex.of(new byte[] {(byte) bytes.length}) + Hex.of(bytes)
        : "c5"
            + Hex.of(ByteBuffer.allocate(2).putShort((short) bytes.length).array())
            + Hex.of(bytes);
  }

  @Override
  public void close() {
    host.close();
    fleet.close();
  }
}
