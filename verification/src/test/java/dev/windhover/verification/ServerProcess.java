package dev.windhover.verification;

import dev.windhover.app.WebApplication;
import dev.windhover.http.files.StaticFiles;
import dev.windhover.http.websocket.Message;
import java.nio.file.Path;

/** What {@link ProcessTest} starts. */
final class ServerProcess {
  private ServerProcess() {}

  static void main(String[] args) {
    WebApplication app = WebApplication.create(args);
    if (System.getProperty("files") != null) {
      app.useStaticFiles(StaticFiles.fromFolder(Path.of(System.getProperty("files"))));
    }
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
