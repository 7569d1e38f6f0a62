package dev.windhover.samples.dashboard;

import java.lang.System.Logger.Level;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A viewer on a bad line: a client in this process that reads four ticks a second, over a
 * connection that holds few of them. (A browser would not do: it reads everything, however slow its
 * page is.)
 */
final class SlowViewer {
  private static final Executor LATER =
      CompletableFuture.delayedExecutor(250, TimeUnit.MILLISECONDS);

  private static final Pattern BEGIN = Pattern.compile("\\{\"tick\":(\\d+),\"at\":(\\d+),");

  static {
    System.setProperty("jdk.httpclient.receiveBufferSize", "16384"); // the only way to set it
  }

  private final Supplier<URI> ticks;
  private @Nullable Visit visit;

  SlowViewer(Supplier<URI> ticks) {
    this.ticks = ticks;
  }

  /**
   * What it has seen.
   *
   * @param tick the latest one that it has read; 0 before the first
   * @param at when that was sent
   * @param skipped how many it has never been sent, since its first one
   */
  record Seen(long tick, Instant at, long skipped) {
    String toJson(Instant now) {
      return "{\"tick\":%d,\"age\":%d,\"skipped\":%d}"
          .formatted(tick, now.toEpochMilli() - at.toEpochMilli(), skipped);
    }

    Seen next(long number, Instant sent) {
      return new Seen(number, sent, tick == 0 ? 0 : skipped + number - tick - 1);
    }
  }

  /** Begins to watch, unless it does so already. */
  synchronized void start() {
    if (visit == null) {
      visit = new Visit(ticks.get());
    }
  }

  /** Ends that, if it watches. */
  synchronized void stop() {
    if (visit != null) {
      visit.end();
    }
  }

  /** Returns what it has seen; null if it does not watch. */
  synchronized @Nullable Seen seen() {
    return visit == null ? null : visit.seen;
  }

  private synchronized void ended(Visit over) {
    if (visit == over) {
      visit = null;
    }
  }

  /** From one start to its end. */
  private final class Visit implements WebSocket.Listener {
    private final HttpClient client = HttpClient.newHttpClient();
    private final StringBuilder text = new StringBuilder();
    private volatile Seen seen = new Seen(0, Instant.now(), 0);

    Visit(URI address) {
      client
          .newWebSocketBuilder()
          .buildAsync(address, this)
          .whenComplete((_, failure) -> {
            if (failure != null) {
              System.getLogger("dashboard").log(Level.WARNING, "no slow viewer", failure);
              end();
            }
          });
    }

    @Override
    public @Nullable CompletionStage<?> onText(WebSocket socket, CharSequence part, boolean last) {
      text.append(part);
      if (!last) {
        socket.request(1);
        return null;
      }
      Matcher begin = BEGIN.matcher(text);
      if (begin.lookingAt()) {
        Instant sent = Instant.ofEpochMilli(Long.parseLong(begin.group(2)));
        seen = seen.next(Long.parseLong(begin.group(1)), sent);
      }
      text.setLength(0);
      LATER.execute(() -> socket.request(1));
      return null;
    }

    @Override
    public @Nullable CompletionStage<?> onClose(WebSocket socket, int status, String reason) {
      end();
      return null;
    }

    @Override
    public void onError(WebSocket socket, Throwable error) {
      end();
    }

    void end() {
      client.shutdownNow(); // and its socket with it
      ended(this);
    }
  }
}
