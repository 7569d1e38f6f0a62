package dev.windhover.verification;

import dev.windhover.app.WebApplication;
import dev.windhover.http.Handler;
import dev.windhover.http.HttpContext;
import dev.windhover.http.files.StaticFiles;
import dev.windhover.http.websocket.Message;
import io.netty.util.internal.ThreadExecutorMap;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;

/** What {@link ProcessTest} starts. */
final class ServerProcess {
  /** The application is a part of a program. */
  static final String EMBEDDED = "--embedded";

  private ServerProcess() {}

  private static void neverReturn(HttpContext context) throws InterruptedException {
    System.out.println("in " + context.request().path());
    new CountDownLatch(1).await();
  }

  /** An error of which every attempt to log it fails, as when there is no memory. */
  private static final class Unspeakable extends Error {
    private static final long serialVersionUID = 1;

    @Override
    public String getMessage() {
      throw this;
    }

    @Override
    public void printStackTrace(PrintStream to) {
      throw this;
    }

    @Override
    public void printStackTrace(PrintWriter to) {
      throw this;
    }
  }

  static void main(String[] args) throws IOException {
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
    app.mapWebSocket(
        "/told",
        socket -> {
          socket.sendText("open");
          for (Message message : socket) {
            socket.send(message);
          }
          System.out.println("ended by " + Objects.requireNonNull(socket.ending()).by());
        });
    app.map(
        "/fails",
        context -> {
          throw new IllegalStateException("no luck");
        });
    app.map("/never", ServerProcess::neverReturn);
    app.map("/held", Handler.nonBlocking(ServerProcess::neverReturn));
    app.map(
        "/fatal",
        Handler.nonBlocking(context ->
            ThreadExecutorMap.currentExecutor()
                .execute(() -> {
                  throw new Unspeakable(); // which Netty wants to log
                })));
    if (List.of(args).contains(EMBEDDED)) {
      app.onFailed(error -> System.out.println("told of " + error.getClass().getSimpleName()));
      app.start();
      System.out.println("Now listening on: " + app.urls().getFirst());
      app.stopping().thenRun(() -> System.out.println("stopping"));
    } else {
      app.run();
    }
  }
}
