package dev.windhover.samples.echo;

import dev.windhover.http.websocket.WebSocket;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Echoes sockets on threads of its own, like a service that runs beside the requests. */
final class BackgroundSocketProcessor {
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

  /**
   * Takes over {@code socket}. Its handler must wait for the future, because the socket ends with
   * its handler.
   */
  Future<?> add(WebSocket socket) {
    return threads.submit(() -> {
      Echo.echoMessages(socket);
      return null;
    });
  }
}
