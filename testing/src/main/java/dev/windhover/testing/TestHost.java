package dev.windhover.testing;

import dev.windhover.http.Application;
import dev.windhover.http.host.ExchangeHandler;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Runs an application without a network: every request goes through the real pipeline, every socket
 * through the real opening handshake, engine and frames. Time stands still until the test moves the
 * {@link #clock()}.
 *
 * <pre>{@code
 * var app = new Application().use(WebSockets.with(options -> {}));
 * app.mapWebSocket("/echo", socket -> { for (Message m : socket) socket.send(m); });
 * try (TestHost host = TestHost.start(app)) {
 *   TestWebSocket client = host.webSocket("/echo").connect();
 *   client.sendText("hello");
 *   assertEquals("hello", client.receiveText());
 *   client.close();
 * }
 * }</pre>
 *
 * <p>All connections share one loop. The host is as harsh as a host may be: memory that it lends is
 * poisoned afterwards, and a breach of the seam's contract fails the test when the host {@linkplain
 * #close closes}, as does whatever a socket received and nobody looked at.
 */
public final class TestHost implements AutoCloseable {
  private final Application application;
  private final ExchangeHandler handler;
  private final Faults faults = new Faults();
  private final HandClock clock = new HandClock();
  private final MemoryLoop loop = new MemoryLoop(clock, faults);
  private final List<TestWebSocket> sockets = new ArrayList<>();
  private final Map<Thread, String> handlers = new ConcurrentHashMap<>();

  private boolean leftOversAllowed;

  private TestHost(Application application) {
    this.application = application;
    this.handler = application.build();
    clock.drives(loop);
  }

  /** Freezes {@code application} and starts to answer for it. */
  public static TestHost start(Application application) {
    return new TestHost(application);
  }

  /** Returns the application. */
  public Application application() {
    return application;
  }

  /** Returns the time that the application sees. */
  public HandClock clock() {
    return clock;
  }

  /** Begins a GET. */
  public TestRequest get(String target) {
    return request("GET", target);
  }

  /** Begins a request. */
  public TestRequest request(String method, String target) {
    return new TestRequest(this, method, target);
  }

  /** Begins a valid opening handshake. */
  public TestRequest webSocket(String target) {
    return request("GET", target).handshake();
  }

  /** Returns when the loop has nothing to do; handlers on threads of their own may still run. */
  public void awaitIdle() {
    loop.awaitIdle();
  }

  /** Says that what sockets receive and nobody looks at is no failure of this test. */
  public void allowLeftOvers() {
    leftOversAllowed = true;
  }

  /**
   * Drops what is open, waits until all handlers have ended, and stops.
   *
   * @throws AssertionError if a socket received what nobody looked at, a handler did not end, or
   *     the contract of the seam was broken
   */
  @Override
  public void close() {
    loop.awaitIdle();
    for (TestWebSocket socket : sockets) {
      String left = socket.leftOver();
      if (left != null && !leftOversAllowed) {
        faults.add("left over: " + left);
      }
      socket.reset();
    }
    joinHandlers();
    loop.awaitIdle();
    joinHandlers(); // what waited for the end of a request
    loop.awaitIdle();
    loop.stop();
    faults.check();
  }

  private void joinHandlers() {
    handlers.forEach((thread, id) -> {
      try {
        if (!thread.join(Duration.ofSeconds(Waiting.SECONDS))) {
          AssertionError stuck = faults.add("the handler of request " + id + " did not end");
          stuck.setStackTrace(thread.getStackTrace());
          thread.interrupt();
        }
        handlers.remove(thread);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    });
  }

  void handle(MemoryExchange exchange, TestWebSocket client) {
    sockets.add(client);
    loop.execute(() -> handler.handle(exchange));
  }

  Thread startHandler(String id, Runnable task) {
    Thread thread = Thread.ofVirtual().name("request-" + id).unstarted(task);
    handlers.put(thread, id);
    thread.start();
    return thread;
  }

  MemoryLoop loop() {
    return loop;
  }

  Faults faults() {
    return faults;
  }
}
