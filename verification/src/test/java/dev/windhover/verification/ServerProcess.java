package dev.windhover.verification;

import dev.windhover.app.WebApplication;
import dev.windhover.http.websocket.Message;

/** What {@link ProcessTest} starts. */
final class ServerProcess {
  private ServerProcess() {}

  static void main(String[] args) {
    WebApplication app = WebApplication.create(args);
    app.useWebSockets(options -> options.allowedOrigins("*"));
    app.mapWebSocket(
        "/ws",
        socket -> {
          for (Message message : socket) {
            socket.send(message);
          }
        });
    app.run();
  }
}
