package dev.windhover.hubs;

import dev.windhover.http.Application;
import dev.windhover.testing.TestHost;
import dev.windhover.testing.TestWebSocket;
import dev.windhover.websocket.WebSocketOptions;
import dev.windhover.websocket.WebSockets;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** A hub at {@code /hub}, without a network, and clients that speak JSON by hand. */
final class HubFixture implements AutoCloseable {
  private static final String SEPARATOR = "\u001e";

  private final TestHost host;

  private HubFixture(Application application) {
    this.host = TestHost.start(application);
  }

  static HubFixture of(Class<? extends Hub<?>> hub, Supplier<? extends Hub<?>> instances) {
    return of(hub, instances, _ -> {});
  }

  @SuppressWarnings("unchecked")
  static HubFixture of(
      Class<? extends Hub<?>> hub,
      Supplier<? extends Hub<?>> instances,
      Consumer<HubOptions> change) {
    return of(hubs -> hubs.map("/hub", (Class<Hub<?>>) hub, (Supplier<Hub<?>>) instances, change));
  }

  static HubFixture of(Consumer<Hubs> setUp) {
    Application application =
        new Application().use(new WebSockets(new WebSocketOptions().allowedOrigins("*")));
    setUp.accept(Hubs.on(application));
    return new HubFixture(application);
  }

  TestHost host() {
    return host;
  }

  void advance(Duration by) {
    host.clock().advance(by);
  }

  /** Connects a client that has said nothing. */
  Client open() {
    return new Client(host.webSocket("/hub").connect());
  }

  /** Connects a client, whose handshake is answered. */
  Client connect() {
    return open().handshake();
  }

  Client connectAs(String user, String... roles) {
    return connectTo("/hub", user, roles);
  }

  Client connectTo(String path, String user, String... roles) {
    return new Client(host.webSocket(path).user(user, roles).connect()).handshake();
  }

  @Override
  public void close() {
    host.close();
  }

  /** A client that sends and expects records. */
  static final class Client {
    final TestWebSocket socket;

    Client(TestWebSocket socket) {
      this.socket = socket;
    }

    private Client handshake() {
      return send("{'protocol':'json','version':1}").expect("{}");
    }

    /** Sends records in one message, with ' for ". */
    Client send(String... records) {
      StringBuilder text = new StringBuilder();
      for (String record : records) {
        text.append(json(record)).append(SEPARATOR);
      }
      socket.sendText(text);
      return this;
    }

    /** Calls a method, and wants an answer. */
    Client call(String id, String target, String... arguments) {
      return send(
          "{'type':1,'invocationId':'%s','target':'%s','arguments':[%s]}"
              .formatted(id, target, String.join(",", arguments)));
    }

    /** Asks for a stream. */
    Client stream(String id, String target, String... arguments) {
      return send(
          "{'type':4,'invocationId':'%s','target':'%s','arguments':[%s]}"
              .formatted(id, target, String.join(",", arguments)));
    }

    /** Expects records, each in a message of its own, with ' for ". */
    Client expect(String... records) {
      for (String record : records) {
        socket.expectText(json(record) + SEPARATOR);
      }
      return this;
    }

    Client expectResult(String id, String result) {
      return expect("{'type':3,'invocationId':'%s','result':%s}".formatted(id, result));
    }

    /** Expects an error, in which ' stands for itself. */
    Client expectError(String id, String error) {
      socket.expectText(
          json("{'type':3,'invocationId':'%s','error':'".formatted(id))
              + error
              + json("'}")
              + SEPARATOR);
      return this;
    }

    /** Expects a Close with this error, and the end. */
    void expectClosed(String error, boolean allowReconnect) {
      socket.expectText(
          json("{'type':7,'error':'")
              + error
              + json(allowReconnect ? "','allowReconnect':true}" : "'}")
              + SEPARATOR);
      socket.expectClose(1000, "");
    }

    void close() {
      socket.close();
    }

    private static String json(String text) {
      return text.replace('\'', '"');
    }
  }
}
