package dev.windhover.samples.chat;

import dev.windhover.app.WebApplication;
import dev.windhover.http.Handler;
import dev.windhover.http.HttpContext;
import dev.windhover.http.Middleware;
import dev.windhover.http.files.StaticFiles;
import dev.windhover.http.websocket.Message;
import dev.windhover.http.websocket.WebSocket;

/**
 * A chat with rooms. Run it with {@code ./run chat} and open http://localhost:5000 in two windows.
 *
 * <p>A socket at {@code /rooms/{room}?name=Ada} is in that room under that name. It sends what Ada
 * says as text, and receives an {@link Event} for everything that happens there.
 */
public final class Chat {
  /** Larger messages fail the socket with 1009. */
  private static final int MOST_BYTES = 4 * 1024;

  // Close codes for the page, from the range that is free for applications.
  static final int BAD_NAME = 4000;
  static final int NAME_TAKEN = 4001;
  static final int NO_ROOM = 4002;

  private Chat() {}

  static void main(String[] args) {
    create(args).run();
  }

  /** Returns the application, ready to start. */
  public static WebApplication create(String... args) {
    var app = WebApplication.create(args);
    var rooms = new Rooms();

    // Only this chat's own page may speak in its users' names. Yours names its own hosts here.
    app.useWebSockets(o ->
        o.sameOrigin("localhost", "127.0.0.1").limits(limits -> limits.maxMessageSize(MOST_BYTES)));
    app.use(Middleware.nonBlocking(Chat::restrictPage));
    app.useStaticFiles(StaticFiles.fromClassPath(Chat.class, "wwwroot"));
    app.map("/rooms/{room}", context -> enter(rooms, context));
    return app;
  }

  private static void enter(Rooms rooms, HttpContext context) throws Exception {
    context.webSockets().requireWebSocketRequest();
    String roomName = context.request().pathParameter("room");
    String given = context.request().query().get("name");
    String name = given == null ? "" : given.strip();
    WebSocket socket = context.webSockets().accept();
    if (!roomName.matches("[a-z0-9-]{1,30}") || name.isEmpty() || name.length() > 20) {
      socket.close(BAD_NAME, "a name has 1 to 20 characters, a room a to z, 0 to 9 and -");
      return;
    }
    Room room = rooms.get(roomName);
    if (room == null) {
      socket.close(NO_ROOM, "there are too many rooms");
    } else if (!room.enter(name, socket)) {
      socket.close(NAME_TAKEN, "there is another " + name + " here");
    } else {
      talk(room, name, socket);
    }
  }

  private static void talk(Room room, String name, WebSocket socket) {
    try {
      for (Message message : socket) {
        if (message instanceof Message.Text(String text) && !text.isBlank()) {
          room.say(name, text);
        }
      }
    } finally {
      room.leave(name);
    }
  }

  /** Lets the page load and read only what comes from here. */
  private static void restrictPage(HttpContext context, Handler next) throws Exception {
    context
        .response()
        .headers()
        .set(
            "Content-Security-Policy",
            "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'");
    next.handle(context);
  }
}
