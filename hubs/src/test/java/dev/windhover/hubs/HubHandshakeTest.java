package dev.windhover.hubs;

import dev.windhover.hubs.HubFixture.Client;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class HubHandshakeTest {
  public static class Empty extends Hub<Void> {}

  private final HubFixture hub =
      HubFixture.of(
          Empty.class,
          Empty::new,
          options -> options.enableDetailedErrors(true).maximumReceiveMessageSize(1024));

  @AfterEach
  void end() {
    hub.close();
  }

  private void refused(String request, String error) {
    refused(hub, request, error);
  }

  private static void refused(HubFixture hub, String request, String error) {
    Client client = hub.open();
    client.send(request);
    client.socket.expectText("{\"error\":\"" + error + "\"}\u001e");
    client.socket.expectClose(1000, "");
  }

  @Test
  void aProtocolIsFoundInAnyCase() {
    hub.open().send("{'protocol':'JSON','version':1}").expect("{}");
  }

  @Test
  void anUnknownProtocolIsRefused() {
    refused("{'protocol':'xml','version':1}", "The protocol 'xml' is not supported.");
  }

  @Test
  void aLaterVersionIsRefused() {
    refused(
        "{'protocol':'json','version':3}",
        "The server does not support version 3 of the 'json' protocol.");
  }

  @Test
  void aMissingPropertyIsNamed() {
    refused(
        "{'version':1}",
        "An unexpected error occurred during connection handshake. InvalidDataException: Missing"
            + " required property 'protocol'. Message content: {\\\"version\\\":1}");
  }

  @Test
  void detailsAreForThoseWhoAskForThem() {
    try (HubFixture plain = HubFixture.of(Empty.class, Empty::new)) {
      refused(plain, "{'version':1}", "An unexpected error occurred during connection handshake.");
    }
  }

  @Test
  void aRequestBeyondTheLimitIsCancelled() {
    refused("x".repeat(2000), "Handshake was canceled.");
  }

  @Test
  void aClientThatSaysNothingIsRefusedInTime() {
    Client client = hub.open();
    hub.advance(Duration.ofMillis(14_999));
    hub.host().awaitIdle();
    hub.advance(Duration.ofMillis(1));
    client.socket.expectText("{\"error\":\"Handshake was canceled.\"}\u001e");
    client.socket.expectClose(1000, "");
  }

  @Test
  void aProtocolThatTheHubDoesNotSupportIsRefused() {
    try (HubFixture json =
        HubFixture.of(Empty.class, Empty::new, options -> options.supportedProtocols("json"))) {
      refused(
          json,
          "{'protocol':'messagepack','version':1}",
          "The protocol 'messagepack' is not supported.");
    }
  }

  @Test
  void aCallMayFollowAtOnce() {
    Client client = hub.open();
    client
        .send(
            "{'protocol':'json','version':1}",
            "{'type':1,'invocationId':'1','target':'x','arguments':[]}")
        .expect("{}")
        .expectError(
            "1",
            "Failed to invoke 'x' due to an error on the server. HubException: Method does not"
                + " exist.");
  }
}
