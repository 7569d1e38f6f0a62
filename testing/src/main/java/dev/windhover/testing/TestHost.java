package dev.windhover.testing;

import dev.windhover.http.Application;
import dev.windhover.http.host.Background;
import dev.windhover.http.host.ExchangeHandler;
import dev.windhover.http.host.Loop;
import dev.windhover.http.host.LoopWatch;
import dev.windhover.http.host.MemoryBudget;
import java.time.Duration;
import java.time.Instant;
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
 * Runs an application without a network: requests go through the real pipeline, and sockets go
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
 * <p>The application is the one that runs in production, created by the same method. Its addresses
 * and certificates belong to its own host and have no effect here.
 *
 * <p>When the host {@linkplain #close() closes}, it fails the test if something happened that the
 * test did not look at: a message that nobody received, a connection that was dropped, a handler
 * that failed. It also fails the test for a breach of the contract between host and middleware,
 * which it enforces as strictly as a host may: memory that it lends is overwritten afterwards. All
 * connections share one loop.
 */
public final class TestHost implements AutoCloseable {
  /** How long a listener or a non-blocking handler may hold the loop, in real time. */
  private static final Duration HELD = Duration.ofMillis(200);

  private final Application application;
  private final ExchangeHandler handler;
  private final Faults faults = new Faults();
  private final HandClock clock = new HandClock();
  private final MemoryLoop loop = new MemoryLoop(clock, faults);
  private final List<Wire> connections = new CopyOnWriteArrayList<>();
  private final Handlers handlers = new Handlers(loop.thread());
  private final Waiting waiting = new Waiting();
  private final Deque<Throwable> failures = new ArrayDeque<>(); // guarded by waiting
  private final LoopWatch watch =
      LoopWatch.start(HELD, List.of(loop.watched()), TestHost::isHost, this::held);

  private volatile MemoryBudget memory = MemoryBudget.unlimited();

  private boolean leftOversAllowed;
  private boolean failuresAllowed;
  private volatile boolean heldLoopAllowed;

  private TestHost(Application application) {
    this.application = application.events(new FailuresFound(this::failed));
    this.handler = application.build();
    application.host(new OwnBackground());
    clock.drives(this);
    loop.handlers(handlers);
  }

  /**
   * Freezes {@code application} and starts to serve it. Its {@code onStarted} tasks run on this
   * thread. If one throws an exception, this method stops the application and throws it.
   *
   * @throws IllegalStateException if it was started before
   */
  public static TestHost start(Application application) {
    TestHost host = new TestHost(application);
    try {
      application.started();
    } catch (RuntimeException | Error e) {
      host.allowFailures();
      host.close();
      throw e;
    }
    return host;
  }

  /** Returns the application. */
  public Application application() {
    return application;
  }

  /** Returns the clock that the application sees. */
  public HandClock clock() {
    return clock;
  }

  /**
   * Limits the memory of all sockets together, as a server does: see {@link MemoryBudget}. The
   * limit holds for sockets that are opened later. There is none by default.
   *
   * @param heap bytes on the heap, 1 or more
   * @param direct bytes that were handed to the transport and not taken by the client, 1 or more
   */
  public void memory(long heap, long direct) {
    memory = new MemoryBudget(heap, direct);
  }

  // ---- Asking

  /** Creates a GET request. */
  public TestRequest get(String target) {
    return request("GET", target);
  }

  /** Creates a request. */
  public TestRequest request(String method, String target) {
    return new TestRequest(this, method, target);
  }

  /** Creates a valid opening handshake. */
  public TestRequest webSocket(String target) {
    return request("GET", target).handshake();
  }

  // ---- What happens inside

  /**
   * Waits until the host is idle: the loop has nothing to do, and every handler has ended or waits
   * for something. Threads that the application itself has started may still run.
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
   * Waits until a handler, a listener or a step of the pipeline has thrown an exception that
   * nothing caught, and returns the first such exception that was not yet returned.
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

  /** Returns whether a class of this name, on the loop's stack, is not the application's. */
  static boolean isHost(String className) {
    return className.equals(TestHost.class.getName())
        || className.equals(Waiting.class.getName()) // for something to do
        || className.startsWith(TestHost.class.getName() + "$")
        || className.startsWith(MemoryLoop.class.getPackageName() + ".Memory");
  }

  private void held(LoopWatch.Held held) {
    if (!heldLoopAllowed) {
      faults.add(
          new AssertionError(
              "the loop was held for more than " + HELD + " by " + held.place(), held.where()));
    }
  }

  /** Returns the failure of an expectation, with a handler's failure as its likely cause. */
  AssertionError failed(String fact) {
    Throwable cause = waiting.locked(failures::peek);
    return cause == null
        ? new AssertionError(fact)
        : new AssertionError(fact + "\na handler has failed: " + cause, cause);
  }

  // ---- Ending

  /**
   * Stops the application, as SIGTERM does: runs its {@code onStopping} tasks, then closes all
   * sockets with 1001, and ends event streams. Returns when the host is {@linkplain #awaitIdle()
   * idle}; clients may then receive what was sent to them. A second stop, as by {@link #close()},
   * has no further effect on tasks and sockets.
   */
  public void stop() {
    CompletableFuture<Void> stopped = application.beginStop();
    stopped.whenComplete((_, failure) -> {
      if (failure != null) {
        faults.add(new AssertionError("the stop failed: " + failure, failure));
      }
    });
    awaitIdle();
  }

  /** Allows sockets to receive messages that nobody looks at. */
  public void allowLeftOvers() {
    leftOversAllowed = true;
  }

  /** Allows handlers to fail even if the test does not {@linkplain #expectFailure expect} it. */
  public void allowFailures() {
    failuresAllowed = true;
  }

  /** Allows listeners and non-blocking handlers to hold the loop for long. */
  public void allowHeldLoop() {
    heldLoopAllowed = true;
  }

  /**
   * Drops open connections, stops the application, and waits until all handlers have ended.
   *
   * @throws AssertionError if a socket received something that nobody looked at, a handler failed
   *     unexpectedly or did not end within 10 seconds of real time, a listener or a non-blocking
   *     handler held the loop for more than 200 ms of real time, or the contract of the seam was
   *     broken
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
    handlers.join(faults); // those that waited for the end of a request
    loop.awaitIdle();
    loop.stop();
    watch.stop();
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

  /** Lets the application's own tasks run on the test's clock, and on threads that we know. */
  private final class OwnBackground implements Background {
    @Override
    public long nanoTime() {
      return clock.nanoTime();
    }

    @Override
    public Instant now() {
      return clock.now();
    }

    @Override
    public Loop.Timer schedule(Duration delay, Runnable task) {
      return clock.schedule(delay, task);
    }

    @Override
    public Thread start(Runnable task) {
      return handlers.startTask(task);
    }
  }

  Thread startHandler(String id, Runnable task) {
    return handlers.start(id, task);
  }

  MemoryBudget memory() {
    return memory;
  }

  MemoryLoop loop() {
    return loop;
  }

  Faults faults() {
    return faults;
  }
}
