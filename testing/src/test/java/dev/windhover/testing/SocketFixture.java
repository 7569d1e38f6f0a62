package dev.windhover.testing;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.windhover.http.Application;
import dev.windhover.http.Handler;
import dev.windhover.http.websocket.Ending;
import dev.windhover.http.websocket.Message;
import dev.windhover.http.websocket.MessageType;
import dev.windhover.http.websocket.WebSocket;
import dev.windhover.http.websocket.WebSocketAcceptContext;
import dev.windhover.http.websocket.WebSocketHandler;
import dev.windhover.http.websocket.WebSocketListener;
import dev.windhover.websocket.WebSocketOptions;
import dev.windhover.websocket.WebSockets;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.slf4j.event.Level;

/**
 * An application with one socket at {@code /}, for one test: it is closed at the test's end, which
 * fails if something was left over or an unexpected warning or error was logged.
 */
final class SocketFixture implements BeforeEachCallback, AfterEachCallback {
  private static final String EXTENSIONS = "Sec-WebSocket-Extensions";

  private final WebSocketOptions options = new WebSocketOptions().allowedOrigins("*");
  private final WebSocketAcceptContext settings = new WebSocketAcceptContext();
  private final Recorder events = new Recorder();
  private final CountDownLatch release = new CountDownLatch(1);
  private final List<String> expectedErrors = new ArrayList<>();
  private final List<String> expectedWarnings = new ArrayList<>();
  private String environment = "Production";
  private long heap;
  private long direct;
  private @Nullable TestHost host;

  // ---- Setting up

  SocketFixture options(Consumer<WebSocketOptions> change) {
    change.accept(options);
    return this;
  }

  SocketFixture settings(Consumer<WebSocketAcceptContext> change) {
    change.accept(settings);
    return this;
  }

  SocketFixture environment(String name) {
    environment = name;
    return this;
  }

  /** Limits the memory of all sockets. */
  SocketFixture limitMemory(long heapBytes, long directBytes) {
    heap = heapBytes;
    direct = directBytes;
    return this;
  }

  /** Starts with {@code handler} at {@code /}. */
  TestHost start(Handler handler) {
    Application application = new Application().use(new WebSockets(options)).events(events);
    application.map("/", handler);
    return start(application);
  }

  /** Starts with {@code handler} at {@code /}, without ceremony. */
  TestHost startMapped(WebSocketHandler handler) {
    Application application = new Application().use(new WebSockets(options)).events(events);
    application.mapWebSocket("/", settings, handler);
    return start(application);
  }

  TestHost start(Application application) {
    TestHost started = TestHost.start(application.environment(environment));
    if (heap > 0) {
      started.memory(heap, direct);
    }
    host = started;
    return started;
  }

  /** Opens a socket in the blocking form. */
  TestFrames open(WebSocketHandler handler) {
    return openAt(handler).connect().frames();
  }

  /** The same, offering {@code extensions}. */
  TestFrames open(WebSocketHandler handler, String extensions) {
    return openAt(handler).header(EXTENSIONS, extensions).connect().frames();
  }

  private TestRequest openAt(WebSocketHandler handler) {
    return start(context -> handler.handle(context.webSockets().accept(settings))).webSocket("/");
  }

  /**
   * Opens a socket in the blocking form whose handler waits, as for a background service, while the
   * test uses {@link #socket()}.
   */
  TestFrames hold() {
    return open(_ -> awaitRelease());
  }

  /** The same, offering {@code extensions}. */
  TestFrames hold(String extensions) {
    return open(_ -> awaitRelease(), extensions);
  }

  void awaitRelease() throws InterruptedException {
    release.await();
  }

  /** Lets the handler of {@link #hold} return. */
  void release() {
    release.countDown();
  }

  /** Opens a socket in the listener form. */
  TestFrames listen(WebSocketListener listener) {
    return listenAt(listener).connect().frames();
  }

  /** The same, offering {@code extensions}. */
  TestFrames listen(WebSocketListener listener, String extensions) {
    return listenAt(listener).header(EXTENSIONS, extensions).connect().frames();
  }

  private TestRequest listenAt(WebSocketListener listener) {
    return start(context -> context.webSockets().accept(settings, listener)).webSocket("/");
  }

  /** Opens a socket whose every message comes back. */
  TestFrames echo(Form form) {
    return echoAt(form).connect().frames();
  }

  /** The same, offering {@code extensions}. */
  TestFrames echo(Form form, String extensions) {
    return echoAt(form).header(EXTENSIONS, extensions).connect().frames();
  }

  private TestRequest echoAt(Form form) {
    return switch (form) {
      case BLOCKING ->
          openAt(socket -> {
            for (Message message : socket) {
              socket.send(message);
            }
          });
      case LISTENER -> listenAt(new EchoListener());
    };
  }

  private static final class EchoListener implements WebSocketListener {
    @Override
    public void onMessage(WebSocket socket, MessageType type, ByteBuffer payload) throws Exception {
      socket.send(payload, type, true);
    }
  }

  /** An error line that contains {@code part} is no failure. */
  void expectError(String part) {
    expectedErrors.add(part);
  }

  /** A warning that contains {@code part} is no failure. */
  void expectWarning(String part) {
    expectedWarnings.add(part);
  }

  // ---- Looking

  TestHost host() {
    assertThat(host).isNotNull();
    return host;
  }

  /** Runs {@code work} on the loop, and throws what it throws. */
  void onLoop(Work work) throws Exception {
    var done =
        new FutureTask<@Nullable Void>(() -> {
          work.run();
          return null;
        });
    host().loop().execute(done);
    try {
      done.get(10, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof Exception failure ? failure : e;
    }
  }

  /** What runs on the loop. */
  @FunctionalInterface
  interface Work {
    void run() throws Exception;
  }

  /** Returns how many bytes the loop has allocated so far. */
  long allocatedOnLoop() throws Exception {
    long[] allocated = new long[1];
    onLoop(() -> {
      var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      allocated[0] = threads.getCurrentThreadAllocatedBytes();
    });
    return allocated[0];
  }

  void advance(Duration by) {
    host().clock().advance(by);
  }

  /** Returns the server's end of the first socket. */
  WebSocket socket() {
    return events.socket();
  }

  /** Waits for the end of the first socket. */
  Ending ending() {
    return events.ending();
  }

  List<String> events() {
    return events.lines();
  }

  Recorder recorder() {
    return events;
  }

  static List<String> log(Level level) {
    return CapturedLog.lines(level).stream().map(CapturedLog.Line::text).toList();
  }

  // ---- JUnit

  @Override
  public void beforeEach(ExtensionContext context) {
    CapturedLog.clear();
  }

  @Override
  public void afterEach(ExtensionContext context) {
    release();
    if (host != null) {
      if (!expectedErrors.isEmpty()) {
        host.allowFailures();
      }
      host.close();
    }
    assertThat(CapturedLog.lines(Level.WARN))
        .filteredOn(line -> expectedWarnings.stream().noneMatch(line.text()::contains))
        .isEmpty();
    assertThat(CapturedLog.lines(Level.ERROR))
        .filteredOn(line -> expectedErrors.stream().noneMatch(line.text()::contains))
        .isEmpty();
  }
}
