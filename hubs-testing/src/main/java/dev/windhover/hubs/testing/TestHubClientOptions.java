package dev.windhover.hubs.testing;

import dev.windhover.http.User;
import dev.windhover.hubs.connections.TransportType;
import dev.windhover.hubs.protocol.HubProtocol;
import dev.windhover.hubs.protocol.JsonHubProtocol;
import dev.windhover.hubs.protocol.MessagePackHubProtocol;
import dev.windhover.hubs.protocol.ValueOptions;
import dev.windhover.testing.TestRequest;
import java.util.Objects;
import java.util.function.UnaryOperator;

/** How a {@link TestHubClient} connects: by default with JSON over a WebSocket, as nobody. */
public final class TestHubClientOptions {
  private TransportType transport = TransportType.WEB_SOCKETS;
  private HubProtocol protocol = new JsonHubProtocol(ValueOptions.DEFAULT);
  private boolean stateful;
  private UnaryOperator<TestRequest> change = request -> request;

  TestHubClientOptions() {}

  /** Sets the transport. */
  public TestHubClientOptions transport(TransportType transport) {
    this.transport = Objects.requireNonNull(transport, "transport");
    return this;
  }

  /** Speaks MessagePack, which server-sent events do not carry. */
  public TestHubClientOptions messagePack() {
    return protocol(new MessagePackHubProtocol(ValueOptions.DEFAULT));
  }

  /** Sets the protocol: for other forms of values than the default, or another protocol. */
  public TestHubClientOptions protocol(HubProtocol protocol) {
    this.protocol = Objects.requireNonNull(protocol, "protocol");
    return this;
  }

  /**
   * Lets the client come back to its connection after a loss, without a loss of messages: see
   * {@link TestHubClient#resume()}. Only over a WebSocket, and only if the hub allows it.
   */
  public TestHubClientOptions statefulReconnect() {
    this.stateful = true;
    return this;
  }

  /** Connects as this user, whatever credentials the application asks for. */
  public TestHubClientOptions user(User user) {
    return request(request -> request.user(user));
  }

  /** Connects as a user with this name and these roles. */
  public TestHubClientOptions user(String name, String... roles) {
    return user(User.of(name, roles));
  }

  /** Changes every request of the client: {@code request -> request.header("Origin", "…")}. */
  public TestHubClientOptions request(UnaryOperator<TestRequest> change) {
    UnaryOperator<TestRequest> before = this.change;
    this.change = request -> change.apply(before.apply(request));
    return this;
  }

  TransportType transport() {
    return transport;
  }

  HubProtocol protocol() {
    return protocol;
  }

  boolean isStateful() {
    return stateful;
  }

  UnaryOperator<TestRequest> change() {
    return change;
  }
}
