package dev.windhover.testing;

import dev.windhover.http.Application;
import dev.windhover.http.host.ExchangeHandler;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Runs an application without a network: every request goes through the real pipeline, every socket
 * through the real opening handshake, engine and frames. Time stands still until the test moves the
 * {@link #clock()}.
 *
 * <pre>{@code
 * @Test
 * void echoes() {
 *   try (TestHost host = TestHost.start(Chat.create())) { // an Application, or a WebApplication
 *     TestWebSocket client = host.webSocket("/chat").connect();
 *     client.sendText("hello");
 *     client.expectText("hello");
 *     client.close();
 *   }
 * }
 * }</pre>
 *
 * <p>The application is the one that runs in production, made by the same method. Its addresses,
 * certificates and {@code onStarted} are its host's, and play no part here.
 *
 * <p>A test fails when the host {@linkplain #close() closes} if something has happened that it did
 * not look at: a message that nobody received, a connection that was dropped, a handler that
 * failed. So does a breach of the contract between host and middleware, to which this host is as
 * harsh as a host may be: memory that it lends is poisoned afterwards. All connections share one
 * loop.
 */
public final class TestHost implements AutoCloseable {
  private final Application application;
  private final ExchangeHandler handler;
  private final Faults faults = new Faults();
  private final HandClock clock = new HandClock();
  private final MemoryLoop loop = new MemoryLoop(clock, faults);
  private final List<Wire> connections = new CopyOnWriteArrayList<>();
  private final Handlers handlers = new Handlers(loop.thread());
  private final Waiting waiting = new Waiting();
  private final Deque<Throwable> failures = new ArrayDeque<>(); // under the lock of waiting

  private boolean leftOversAllowed;
  private boolean failuresAllowed;

  private TestHost(Application application) {
    this.application = application.events(new FailuresFound(this::failed));
    this.handler = application.build();
    clock.drives(this);
  }

  /**
   * Freezes {@code application} and starts to answer for it.
   *
   * @throws IllegalStateException if it was started before
   */
  public static TestHost start(Application application) {
    return new TestHost(application);
  }

  /** Returns the application; its {@code beginStop()} tells all sockets 1001, as a stop does. */
  public Application application() {
    return application;
  }

  /** Returns the time that the application sees. */
  public HandClock clock() {
    return clock;
  }

  // ---- Asking

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

  // ---- What happens inside

  /**
   * Returns when nothing is under way: the loop has nothing to do, and every handler has ended or
   * waits for something. Threads that the application has started by itself may still run.
   *
   * @throws AssertionError if that takes 10 seconds of real time
   */
  public void awaitIdle() {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(Waiting.SECONDS);
    long given;
    do {
      given = loop.awaitIdle();
      Thread busy = handlers.awaitIdle(end);
      if (busy != null) {
        AssertionError error = failed("a handler was busy for " + Waiting.SECONDS + " s");
        error.setStackTrace(busy.getStackTrace());
        throw error;
      }
    } while (loop.awaitIdle() != given);
  }

  /**
   * Waits until a handler, a listener or a step of the pipeline has failed with what nobody caught,
   * and returns the first such failure that no test has asked for.
   */
  public Throwable expectFailure() {
    if (!waiting.await(() -> !failures.isEmpty())) {
      throw new AssertionError("no handler failed within " + Waiting.SECONDS + " s");
    }
    return Objects.requireNonNull(waiting.locked(failures::poll));
  }

  private void failed(Throwable failure) {
    waiting.change(() -> failures.add(failure));
  }

  /** Returns the failure of an expectation, with that of a handler as its likely cause. */
  AssertionError failed(String fact) {
    Throwable cause = waiting.locked(failures::peek);
    return cause == null
        ? new AssertionError(fact)
        : new AssertionError(fact + "\na handler has failed: " + cause, cause);
  }

  // ---- Ending

  /** Says that what sockets receive and nobody looks at is no failure of this test. */
  public void allowLeftOvers() {
    leftOversAllowed = true;
  }

  /** Says that handlers which fail, and that nobody {@linkplain #expectFailure expects}, may. */
  public void allowFailures() {
    failuresAllowed = true;
  }

  /**
   * Drops what is open, stops the application, and waits until all handlers have ended.
   *
   * @throws AssertionError if a socket received what nobody looked at, a handler failed and nobody
   *     expected it, one did not end within 10 seconds of real time, or the contract of the seam
   *     was broken
   */
  @Override
  public void close() {
    try {
      awaitIdle();
    } catch (AssertionError busy) {
      faults.add(busy);
    }
    for (Wire connection : connections) {
      String left = connection.leftOver();
      if (left != null && !leftOversAllowed) {
        faults.add("left over: " + left);
      }
      connection.reset();
    }
    loop.awaitIdle();
    stopApplication();
    handlers.join(faults);
    loop.awaitIdle();
    handlers.join(faults); // what waited for the end of a request
    loop.awaitIdle();
    loop.stop();
    for (Throwable failure; (failure = waiting.locked(failures::poll)) != null; ) {
      if (!failuresAllowed) {
        faults.add(new AssertionError("a handler failed: " + failure, failure));
      }
    }
    faults.check();
  }

  private void stopApplication() {
    CompletableFuture<Void> stopped = application.beginStop();
    try {
      stopped.get(Waiting.SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      faults.add(new AssertionError("the stop failed: " + e.getCause(), e.getCause()));
    } catch (TimeoutException e) {
      faults.add("the application did not stop within " + Waiting.SECONDS + " s");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  // ---- For the kit

  void handle(MemoryExchange exchange, Wire connection) {
    connections.add(connection);
    loop.execute(() -> handler.handle(exchange));
  }

  Thread startHandler(String id, Runnable task) {
    return handlers.start(id, task);
  }

  MemoryLoop loop() {
    return loop;
  }

  Faults faults() {
    return faults;
  }
}
