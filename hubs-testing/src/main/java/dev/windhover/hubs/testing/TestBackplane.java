package dev.windhover.hubs.testing;

import dev.windhover.http.host.Durations;
import dev.windhover.hubs.backplane.Backplane;
import dev.windhover.hubs.backplane.Form;
import dev.windhover.hubs.backplane.HubLink;
import dev.windhover.hubs.backplane.LocalHub;
import dev.windhover.hubs.backplane.LocalHub.NoAnswer;
import dev.windhover.hubs.backplane.Target;
import dev.windhover.hubs.protocol.InvalidDataException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Connects several servers in memory, for tests of hubs that run on more than one.
 *
 * <pre>{@code
 * try (TestBackplane fleet = new TestBackplane();
 *     TestHost one = TestHost.start(Chat.create(fleet.server()));
 *     TestHost two = TestHost.start(Chat.create(fleet.server()))) {
 *   …
 * }
 * }</pre>
 *
 * <p>Everything is delivered on one thread, in the order in which it was sent. Nothing is lost.
 */
public final class TestBackplane implements AutoCloseable {
  private final Map<Class<?>, List<Member>> members = new ConcurrentHashMap<>();
  private final ExecutorService carrier =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name("backplane").factory());

  /** The first one, for the thread of the test. */
  private final AtomicReference<@Nullable AssertionError> fault = new AtomicReference<>();

  /** Creates one without servers. */
  public TestBackplane() {}

  /** Returns what one more server gives to its hubs. */
  public Backplane server() {
    return new Backplane() {
      @Override
      public HubLink join(Class<?> hub, LocalHub here) {
        List<Member> all = members.computeIfAbsent(hub, _ -> new CopyOnWriteArrayList<>());
        Member member = new Member(all, here);
        all.add(member);
        return member;
      }

      @Override
      public @Nullable String connectionIdPrefix() {
        return null;
      }
    };
  }

  /**
   * Waits until what was sent so far has been delivered.
   *
   * @throws AssertionError if a server has sent what another one could not read
   */
  public void awaitDelivered() {
    CompletableFuture<Boolean> delivered = new CompletableFuture<>();
    if (execute(() -> delivered.complete(true))) {
      boolean _ = delivered.join();
    }
    requireValid();
  }

  /**
   * Delivers what was sent so far. After that, each server reaches its own clients only.
   *
   * @throws AssertionError if a server has sent what another one could not read
   */
  @Override
  public void close() {
    carrier.close();
    requireValid();
  }

  private void requireValid() {
    AssertionError found = fault.getAndSet(null);
    if (found != null) {
      throw found;
    }
  }

  /** Runs {@code task} on the carrier; returns false if that is closed, and nothing will happen. */
  private boolean execute(Runnable task) {
    try {
      carrier.execute(task);
      return true;
    } catch (RejectedExecutionException e) {
      return false;
    }
  }

  /** A hub on one server. */
  private final class Member implements HubLink {
    private final List<Member> all;
    private final LocalHub here;

    Member(List<Member> all, LocalHub here) {
      this.all = all;
      this.here = here;
    }

    @Override
    public void send(Target to, Set<String> except, List<Form> forms, Runnable deliverHere) {
      boolean isSent =
          execute(() -> {
            for (Member each : all) {
              if (each.equals(this)) {
                deliverHere.run();
              } else if (each.here.has(to)) {
                valid(() -> each.here.deliver(to, except, forms));
              }
            }
          });
      if (!isSent) {
        deliverHere.run();
      }
    }

    @Override
    public void ask(String connectionId, String invocationId, List<Form> forms, Duration limit) {
      boolean isSent =
          execute(() -> {
            Member owner = ownerOf(connectionId);
            if (owner == null) {
              here.unanswered(invocationId, NoAnswer.UNKNOWN_CONNECTION);
              return;
            }
            valid(() ->
                owner.here.ask(
                    connectionId,
                    invocationId,
                    forms,
                    answer -> {
                      boolean _ = execute(() -> valid(() -> answered(answer)));
                    }));
            CompletableFuture.delayedExecutor(Durations.millis(limit), TimeUnit.MILLISECONDS)
                .execute(() -> here.unanswered(invocationId, NoAnswer.TIMED_OUT));
          });
      if (!isSent) {
        here.unanswered(invocationId, NoAnswer.UNAVAILABLE);
      }
    }

    private void answered(Form answer) throws InvalidDataException {
      String _ = here.answered(answer); // or nobody waits any more
    }

    @Override
    public void forget(String invocationId) {}

    @Override
    public CompletionStage<Boolean> addToGroup(String connectionId, String group) {
      CompletableFuture<Boolean> done = new CompletableFuture<>();
      boolean isSent =
          execute(() -> {
            Member owner = ownerOf(connectionId);
            CompletionStage<Boolean> added =
                owner == null ? null : owner.here.addToGroup(connectionId, group);
            if (added == null) {
              done.complete(false);
            } else {
              added.thenAccept(done::complete);
            }
          });
      return isSent ? done : CompletableFuture.completedStage(false);
    }

    @Override
    public CompletionStage<Boolean> removeFromGroup(String connectionId, String group) {
      CompletableFuture<Boolean> done = new CompletableFuture<>();
      boolean isSent =
          execute(() -> {
            Member owner = ownerOf(connectionId);
            done.complete(owner != null && owner.here.removeFromGroup(connectionId, group));
          });
      return isSent ? done : CompletableFuture.completedStage(false);
    }

    @Override
    public CompletionStage<Boolean> changed(Target target) {
      return CompletableFuture.completedStage(true);
    }

    private @Nullable Member ownerOf(String connectionId) {
      Target target = new Target.Connection(connectionId);
      return all.stream().filter(each -> each.here.has(target)).findFirst().orElse(null);
    }
  }

  private interface Delivery {
    void run() throws InvalidDataException;
  }

  /** Servers of one process always understand each other; if they do not, the test fails. */
  private void valid(Delivery delivery) {
    try {
      delivery.run();
    } catch (InvalidDataException e) {
      fault.compareAndSet(
          null, new AssertionError("a server has sent what another one cannot read", e));
    }
  }
}
