package dev.windhover.hubs.connections;

/** Why a request gets nothing from a connection, in the reference's words. */
enum Refusal {
  NO_ID(400, "Connection ID required"),
  GONE(404, "No Connection with that ID"),
  IN_USE(409, ""),
  OTHER_TRANSPORT(400, "Cannot change transports mid-connection"),
  POST_TO_SOCKET(405, "POST requests are not allowed for WebSocket connections."),
  NO_DELETE(400, "Cannot terminate this connection using the DELETE endpoint.");

  private final int status;
  private final String text;

  Refusal(int status, String text) {
    this.status = status;
    this.text = text;
  }

  int status() {
    return status;
  }

  String text() {
    return text;
  }
}
