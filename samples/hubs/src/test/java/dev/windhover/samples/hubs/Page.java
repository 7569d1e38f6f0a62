package dev.windhover.samples.hubs;

import dev.windhover.testing.TestHost;
import dev.windhover.testing.TestWebSocket;

/** A client of the hub in JSON, as the page is one: it sees each message as it is on the wire. */
final class Page {
  private static final char END = '\u001e';

  private final TestWebSocket socket;

  private Page(TestWebSocket socket) {
    this.socket = socket;
  }

  static Page open(TestHost host) {
    Page page = new Page(host.webSocket("/chat").connect());
    page.send("{\"protocol\":\"json\",\"version\":1}");
    page.expect("{}");
    return page;
  }

  /** Opens one and enters an empty room. */
  static Page in(TestHost host, String room, String name) {
    Page page = open(host);
    page.invoke("enter", "\"" + room + "\",\"" + name + "\",\"key of " + name + "\"");
    page.expectCall("entered", "[]").expectCall("joined", "\"" + name + "\"");
    page.expectCall("here", "[\"" + name + "\"]").expectResult("null");
    return page;
  }

  void send(String message) {
    socket.sendText(message + END);
  }

  /** Calls a method that this expects one answer of. */
  void invoke(String target, String arguments) {
    send(
        "{\"type\":1,\"invocationId\":\"1\",\"target\":\"%s\",\"arguments\":[%s]}"
            .formatted(target, arguments));
  }

  /** Receives what begins so. */
  String receive(String begin) {
    String message = socket.receiveText();
    if (!message.startsWith(begin)) {
      throw new AssertionError("expected %s…, received %s".formatted(begin, message));
    }
    return message.substring(0, message.length() - 1);
  }

  private void expect(String message) {
    socket.expectText(message + END);
  }

  Page expectCall(String target, String arguments) {
    expect("{\"type\":1,\"target\":\"%s\",\"arguments\":[%s]}".formatted(target, arguments));
    return this;
  }

  void expectResult(String result) {
    expect("{\"type\":3,\"invocationId\":\"1\",\"result\":" + result + "}");
  }

  void expectRefusal(String target, String text) {
    expect(
        ("{\"type\":3,\"invocationId\":\"1\",\"error\":\"An unexpected error occurred invoking '%s'"
                + " on the server. HubException: %s\"}")
            .formatted(target, text));
  }

  /** Goes as a page that is closed. */
  void close() {
    socket.close();
  }

  /** Loses its connection. */
  void reset() {
    socket.reset();
  }
}
