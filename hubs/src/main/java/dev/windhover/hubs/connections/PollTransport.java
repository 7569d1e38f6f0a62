package dev.windhover.hubs.connections;

import dev.windhover.http.DeferredResponse;
import dev.windhover.http.Handler;
import dev.windhover.http.HttpResponse;
import dev.windhover.http.host.Durations;
import dev.windhover.http.host.Loop;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A connection over long polling: each poll waits for something to send, without a thread. What is
 * sent while none waits is kept for the next. The last messages and the end are two polls: 200,
 * then 204.
 */
final class PollTransport implements Transport, LoopConnections.Timed {
  static final Handler NO_CONTENT = answer(204, "text/plain", null);
  private static final Handler TIMED_OUT = answer(200, "text/plain", null);
  private static final Handler CONNECTED = answer(200, "application/octet-stream", null);

  private final ClientConnection connection;

  // Loop of the connection only.
  private @Nullable DeferredResponse waiting;
  private Loop.@Nullable Timer timer;
  private boolean isDue;
  private boolean closing;

  /** The last poll has got the end. */
  private boolean isDone;

  private volatile boolean polled;

  /** When the last poll ended; while none waits. */
  private long idleSince;

  PollTransport(ClientConnection connection) {
    this.connection = connection;
    this.idleSince = connection.loop().nanoTime();
  }

  /** The first poll, which is answered at once: it proves the connection. */
  void first(DeferredResponse poll) {
    poll.complete(CONNECTED);
  }

  /** A poll has come. */
  void poll(DeferredResponse poll) {
    end(NO_CONTENT); // the newer one wins
    waiting = poll;
    polled = true;
    poll.ended().thenRun(() -> connection.loop().execute(() -> gone(poll)));
    timer = connection.loop().schedule(connection.options().pollTimeout(), () -> timedOut(poll));
    drain();
  }

  private void timedOut(DeferredResponse poll) {
    if (poll.equals(waiting)) {
      end(TIMED_OUT);
    }
  }

  /** The poll was answered, or its client is gone. */
  private void gone(DeferredResponse poll) {
    if (poll.equals(waiting)) {
      forget();
    }
  }

  private void end(Handler answer) {
    DeferredResponse poll = waiting;
    if (poll != null) {
      forget();
      poll.complete(answer);
    }
  }

  private void forget() {
    waiting = null;
    polled = false;
    idleSince = connection.loop().nanoTime();
    if (timer != null) {
      timer.cancel();
      timer = null;
    }
  }

  /** Answers at the end of the turn, with all that was sent in it. */
  @Override
  public void drain() {
    if (waiting != null && !isDue && (closing || !connection.queue().isEmpty())) {
      isDue = true;
      connection.loop().execute(this::answer);
    }
  }

  private void answer() {
    isDue = false;
    DeferredResponse poll = waiting;
    OutgoingQueue queue = connection.queue();
    if (poll == null || !poll.isPending()) {
      return; // its client has gone meanwhile
    }
    if (!queue.isEmpty()) {
      end(answer(200, "application/octet-stream", takeAll(queue)));
      queue.taken();
    } else if (closing) {
      end(NO_CONTENT);
    }
    if (closing && queue.isEmpty()) {
      done();
    }
  }

  private static ByteBuffer takeAll(OutgoingQueue queue) {
    ByteBuffer all = ByteBuffer.allocate(Math.toIntExact(queue.payloadBytes()));
    for (ByteBuffer message; (message = queue.poll()) != null; ) {
      all.put(message);
    }
    return all.flip();
  }

  private static Handler answer(int status, String type, @Nullable ByteBuffer body) {
    return context -> {
      HttpResponse response = context.response().status(status).contentType(type);
      if (body != null) {
        response.contentLength(body.remaining()).write(body);
      }
    };
  }

  /** Ends the connection if no poll has come for too long. */
  @Override
  public boolean look(long now) {
    long limit = Durations.nanos(connection.options().disconnectTimeout());
    if (!isDone && waiting == null && now - idleSince > limit) {
      connection.timedOut();
      done();
    }
    return !isDone;
  }

  private void done() {
    isDone = true;
    connection.transportDone();
  }

  @Override
  public void readOn() {} // what is posted waits on its own

  @Override
  public long bufferedAmount() {
    return 0;
  }

  @Override
  public void close(Closing how) {
    connection.onLoop(() -> {
      closing = true;
      drain();
    });
  }

  @Override
  public void abort() {
    connection.onLoop(() -> {
      closing = true;
      connection.queue().seal();
      drain();
    });
  }

  @Override
  public boolean isAlive() {
    return polled;
  }
}
