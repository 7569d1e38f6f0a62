package dev.windhover.hubs.testing;

import dev.windhover.hubs.HubException;
import dev.windhover.hubs.protocol.HubMessage;
import java.lang.reflect.Type;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A call of a {@link TestHubClient}, which is answered by a result or by a stream.
 *
 * @param <T> what the result, or an item of the stream, is read as
 */
public final class TestHubCall<T> {
  private final TestHubClient client;
  private final String id;
  private final Type type;
  private final Deque<Optional<Object>> items = new ArrayDeque<>();
  private HubMessage.@Nullable Completion end;
  private boolean lookedAt;

  TestHubCall(TestHubClient client, String id, Type type) {
    this.client = client;
    this.id = id;
    this.type = type;
  }

  /**
   * Waits for the answer.
   *
   * @return the result; null if there is none
   * @throws HubException if the call has failed: with the error that the client is told
   */
  @SuppressWarnings("unchecked") // it was read as such
  public @Nullable T result() {
    requireNoItem();
    return (T) end().result();
  }

  /** Returns the next item of the stream. */
  @SuppressWarnings("unchecked") // it was read as such
  public @Nullable T next() {
    client.await(() -> !items.isEmpty() || end != null);
    if (items.isEmpty()) {
      throw new AssertionError("the stream has ended: " + end);
    }
    return (T) items.remove().orElse(null);
  }

  /**
   * The stream has no more items.
   *
   * @throws HubException if it has failed: with the error that the client is told
   */
  public void expectEnd() {
    requireNoItem();
    HubMessage.Completion how = end();
    if (how.hasResult()) {
      throw new AssertionError("a stream has ended with a result: " + how);
    }
  }

  /** The call, or the stream, fails with this error. */
  public void expectError(String error) {
    requireNoItem();
    client.await(() -> end != null);
    lookedAt = true;
    if (!HubMessage.Completion.failed(id, error).equals(end)) {
      throw new AssertionError("expected the error " + error + "\n but got " + end);
    }
  }

  /** Cancels the call, or the stream, which is answered nevertheless. */
  public void cancel() {
    client.write(new HubMessage.CancelInvocation(id));
  }

  private void requireNoItem() {
    client.await(() -> !items.isEmpty() || end != null);
    if (!items.isEmpty()) {
      throw new AssertionError("left over in the stream: " + items);
    }
  }

  private HubMessage.Completion end() {
    client.await(() -> end != null);
    lookedAt = true;
    HubMessage.Completion known = Objects.requireNonNull(end);
    if (known.error() != null) {
      throw new HubException(known.error());
    }
    return known;
  }

  String id() {
    return id;
  }

  Type type() {
    return type;
  }

  void add(@Nullable Object item) {
    items.add(Optional.ofNullable(item));
  }

  void end(HubMessage.Completion how) {
    end = how;
  }

  /** Returns whether something has come at which the test has not looked. */
  boolean isLeftOver() {
    return !items.isEmpty() || (end != null && !lookedAt);
  }

  @Override
  public String toString() {
    return end == null ? "items of call %s: %s".formatted(id, items) : end.toString();
  }
}
