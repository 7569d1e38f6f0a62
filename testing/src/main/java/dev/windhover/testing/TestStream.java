package dev.windhover.testing;

import dev.windhover.http.Headers;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A response that a test reads while it is being written.
 *
 * <pre>{@code
 * TestStream prices = host.get("/prices").openStream();
 * host.clock().advance(Duration.ofSeconds(1));
 * prices.expectText("data: 42\n\n");
 * prices.disconnect();
 * }</pre>
 *
 * <p>Every wait is limited to 10 seconds of real time; then it fails. What the test does not
 * receive does not fail it.
 */
public final class TestStream {
  private final TestHost host;
  private final Waiting waiting = new Waiting();
  private @Nullable MemoryExchange exchange;

  // ---- Guarded by waiting

  private int status;
  private @Nullable Headers headers;
  private final ByteArrayOutputStream unread = new ByteArrayOutputStream();
  private boolean complete;
  private boolean dropped;

  TestStream(TestHost host) {
    this.host = host;
  }

  // ---- What comes; on the loop

  void of(MemoryExchange response) {
    exchange = response;
  }

  void began(int givenStatus, Headers givenHeaders) {
    waiting.change(() -> {
      status = givenStatus;
      headers = givenHeaders;
    });
  }

  void came(byte[] bytes) {
    waiting.change(() -> unread.writeBytes(bytes));
  }

  void ended(boolean isComplete) {
    waiting.change(() -> {
      complete = isComplete;
      dropped = !isComplete;
    });
  }

  void awaitBegin() {
    await(() -> headers != null || isOver(), "no answer");
    if (waiting.locked(() -> headers) == null) {
      throw host.failed("the server dropped the connection");
    }
  }

  private boolean isOver() {
    return complete || dropped;
  }

  private void await(BooleanSupplier condition, String otherwise) {
    if (!waiting.await(condition)) {
      throw host.failed(otherwise + " within " + Waiting.SECONDS + " s");
    }
  }

  // ---- For the test

  /** Returns the status. */
  public int status() {
    return waiting.locked(() -> status);
  }

  /** Returns the headers as the host would write them. */
  public Headers headers() {
    return waiting.locked(() -> Objects.requireNonNull(headers));
  }

  /**
   * Waits for more of the body.
   *
   * @return all that has come and was not received before; null when the body, or the connection,
   *     has ended
   */
  public @Nullable ByteBuffer receive() {
    await(() -> unread.size() > 0 || isOver(), "nothing came");
    ByteBuffer came = received();
    return came.hasRemaining() ? came : null;
  }

  /** Returns all that has come and was not received before, which may be nothing. */
  public ByteBuffer received() {
    return waiting.locked(() -> {
      ByteBuffer came = ByteBuffer.wrap(unread.toByteArray());
      unread.reset();
      return came;
    });
  }

  /**
   * Waits for as many bytes as {@code text} has in UTF-8, which must be this text.
   *
   * @throws AssertionError if other text comes, or the body ends
   */
  public TestStream expectText(String text) {
    byte[] expected = text.getBytes(StandardCharsets.UTF_8);
    boolean came = waiting.await(() -> unread.size() >= expected.length || isOver());
    byte[] all = waiting.locked(unread::toByteArray);
    if (!came || !startsWith(all, expected)) {
      throw host.failed(
          "expected \"" + text + "\"\n but got \"" + new String(all, StandardCharsets.UTF_8) + '"');
    }
    waiting.change(() -> {
      byte[] now = unread.toByteArray();
      unread.reset();
      unread.write(now, expected.length, now.length - expected.length);
    });
    return this;
  }

  private static boolean startsWith(byte[] all, byte[] beginning) {
    return all.length >= beginning.length
        && ByteBuffer.wrap(all, 0, beginning.length).equals(ByteBuffer.wrap(beginning));
  }

  /** Returns whether neither the body nor the connection has ended. */
  public boolean isOpen() {
    return !waiting.locked(this::isOver);
  }

  /** The body is complete, and nothing comes before. */
  public void expectEnd() {
    ByteBuffer came = receive();
    if (came != null) {
      throw host.failed(
          "expected the end\n but got \"" + StandardCharsets.UTF_8.decode(came) + '"');
    }
    if (waiting.locked(() -> dropped)) {
      throw host.failed("expected the end\n but the server dropped the connection");
    }
  }

  /** Drops the connection. */
  public void disconnect() {
    Objects.requireNonNull(exchange).clientGone();
  }
}
