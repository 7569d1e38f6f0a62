package dev.windhover.hubs.testing;

import dev.windhover.hubs.connections.TransferFormat;
import dev.windhover.hubs.connections.TransportType;
import dev.windhover.testing.TestHost;
import dev.windhover.testing.TestRequest;
import dev.windhover.testing.TestResponse;
import java.nio.ByteBuffer;
import java.util.function.UnaryOperator;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Where a client connects: the requests of one connection, with its token. */
final class Endpoint {
  private static final JsonMapper JSON = new JsonMapper();

  private final TestHost host;
  private final UnaryOperator<TestRequest> change;
  private final String target;
  private final String connectionId;

  private Endpoint(
      TestHost host, UnaryOperator<TestRequest> change, String target, String connectionId) {
    this.host = host;
    this.change = change;
    this.target = target;
    this.connectionId = connectionId;
  }

  /**
   * Negotiates a connection.
   *
   * @throws AssertionError if the hub refuses, or offers nothing of what the client wants
   */
  static Endpoint negotiate(TestHost host, String target, TestHubClientOptions options) {
    int at = target.indexOf('?');
    String path = at < 0 ? target : target.substring(0, at);
    String query = at < 0 ? "?" : target.substring(at) + "&";
    String asked =
        path
            + "/negotiate"
            + query
            + "negotiateVersion=1"
            + (options.isStateful() ? "&useStatefulReconnect=true" : "");
    TestResponse response = options.change().apply(host.request("POST", asked)).expectStatus(200);
    JsonNode answer = JSON.readTree(response.text());
    TransferFormat format = options.protocol().transferFormat();
    if (!offers(answer, options.transport(), format)) {
      throw new AssertionError(
          "no %s with %s is offered: %s"
              .formatted(options.transport().wireName(), format, response.text()));
    }
    if (options.isStateful() && !answer.path("useStatefulReconnect").booleanValue(false)) {
      throw new AssertionError("stateful reconnect is not offered: " + response.text());
    }
    return new Endpoint(
        host,
        options.change(),
        path + query + "id=" + answer.path("connectionToken").stringValue(),
        answer.path("connectionId").stringValue());
  }

  private static boolean offers(JsonNode answer, TransportType transport, TransferFormat format) {
    for (JsonNode offered : answer.path("availableTransports")) {
      if (offered.path("transport").stringValue().equals(transport.wireName())) {
        for (JsonNode each : offered.path("transferFormats")) {
          if (each.stringValue().equalsIgnoreCase(format.name())) {
            return true;
          }
        }
      }
    }
    return false;
  }

  String connectionId() {
    return connectionId;
  }

  TestRequest request(String method) {
    return change.apply(host.request(method, target));
  }

  TestRequest webSocket() {
    return change.apply(host.webSocket(target));
  }

  void post(ByteBuffer records) {
    byte[] body = new byte[records.remaining()];
    records.get(body);
    request("POST").body(body).expectStatus(200);
  }
}
