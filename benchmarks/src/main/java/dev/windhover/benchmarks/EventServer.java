package dev.windhover.benchmarks;

import dev.windhover.app.WebApplication;
import dev.windhover.http.EventStream;
import dev.windhover.http.Handler;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A server of event streams on one loop: {@code /events} opens one, {@code /send?count=100&size=64}
 * sends so many events to each, and {@code /open} says how many there are. Prints {@code ready on
 * port N}.
 */
final class EventServer {
  private static final Set<EventStream> streams = ConcurrentHashMap.newKeySet();

  private EventServer() {}

  static void main(String[] args) {
    Arguments.run("event-server", args, EventServer::run);
  }

  private static void run(Arguments arguments) throws IOException {
    arguments.end();
    WebApplication app = WebApplication.create("--urls", "http://127.0.0.1:0");
    app.server(server -> {
      server.loops(1);
      server.limits().maxConnections(100_000);
    });
    app.mapGet(
        "/events",
        Handler.nonBlocking(context -> {
          // Without comments, which would count as events.
          EventStream stream = EventStream.open(context, Duration.ofDays(1));
          streams.add(stream);
          stream.ended().thenRun(() -> streams.remove(stream));
        }));
    app.mapGet(
        "/send",
        context -> {
          int count = Integer.parseInt(String.valueOf(context.request().query().get("count")));
          int size = Integer.parseInt(String.valueOf(context.request().query().get("size")));
          send(count, "x".repeat(size));
          context.response().write("sent\n");
        });
    app.mapGet("/open", context -> context.response().write(streams.size() + "\n"));
    app.start();
    System.out.println("ready on port " + URI.create(app.urls().getFirst()).getPort());
  }

  private static void send(int count, String data) throws IOException {
    for (int i = 0; i < count; i++) {
      for (EventStream stream : streams) {
        if (!stream.send("tick", data)) {
          throw new IOException("a client is too slow");
        }
      }
    }
  }
}
