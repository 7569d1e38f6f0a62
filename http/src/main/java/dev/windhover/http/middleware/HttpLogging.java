package dev.windhover.http.middleware;

import dev.windhover.http.Handler;
import dev.windhover.http.HttpContext;
import dev.windhover.http.HttpRequest;
import dev.windhover.http.Middleware;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The access log: one line per request, at level info of the logger {@value #LOGGER}, when the
 * request is over. That is when its answer was handed to the host; for one that failed or was
 * aborted, when that was known; for one that became a socket, when the socket has ended, with
 * status 101 (200 over HTTP/2) and its life as the duration. Put it first: what answers before it
 * is not logged, and what the host answers by itself, as a malformed request, never is.
 *
 * <p>Does not block, unless the logging system does; let that write in the background. While the
 * level is off, nothing is measured.
 */
public final class HttpLogging implements Middleware {
  /** The logger's name. */
  public static final String LOGGER = "dev.windhover.http.access";

  private static final Logger log = LoggerFactory.getLogger(LOGGER);

  private final Function<Entry, String> format;

  /** A request that is over. */
  public static final class Entry {
    private final HttpContext context;
    private final Duration duration;
    private final boolean aborted;

    private Entry(HttpContext context, Duration duration, boolean aborted) {
      this.context = context;
      this.duration = duration;
      this.aborted = aborted;
    }

    /** Returns its request and response, to be read, not changed. */
    public HttpContext context() {
      return context;
    }

    /** Returns the response's status: 200 unless set, even if the client is gone and got none. */
    public int status() {
      return context.response().status();
    }

    /**
     * Returns how many bytes of body were handed to the host, without the framing of HTTP; none for
     * a socket.
     */
    public long bytes() {
      return context.response().bytesWritten();
    }

    /** Returns the time since the request came to this step. */
    public Duration duration() {
      return duration;
    }

    /** Returns whether the client was gone, or dropped, before the answer was complete. */
    public boolean aborted() {
      return aborted;
    }

    /** Returns the client's address without its port, as {@link ForwardedHeaders} found it. */
    public String remote() {
      SocketAddress remote = context.connection().remote();
      if (!(remote instanceof InetSocketAddress internet)) {
        return remote.toString();
      }
      return internet.getAddress() == null
          ? internet.getHostString()
          : internet.getAddress().getHostAddress();
    }

    /** Returns the target up to its query, which may hold what is secret: access tokens, names. */
    public String targetWithoutQuery() {
      String target = context.request().target();
      int question = target.indexOf('?');
      return question < 0 ? target : target.substring(0, question);
    }

    /**
     * Returns {@code id remote "method target version" status bytes milliseconds}, the target
     * without its query, and {@code aborted} behind it if it was.
     */
    @Override
    public String toString() {
      HttpRequest request = context.request();
      return String.format(
          Locale.ROOT,
          "%s %s \"%s %s %s\" %d %d %.3f ms%s",
          context.id(),
          remote(),
          request.method(),
          targetWithoutQuery(),
          request.version(),
          status(),
          bytes(),
          duration.toNanos() / 1e6,
          aborted ? " aborted" : "");
    }
  }

  /** Creates the middleware with a copy of {@code options}. */
  public HttpLogging(HttpLoggingOptions options) {
    this.format = options.format();
  }

  /** Creates the middleware with options changed from their defaults. */
  public static HttpLogging with(Consumer<HttpLoggingOptions> change) {
    HttpLoggingOptions options = new HttpLoggingOptions();
    change.accept(options);
    return new HttpLogging(options);
  }

  @Override
  public boolean isNonBlocking() {
    return true;
  }

  @Override
  public void handle(HttpContext context, Handler next) throws Exception {
    if (log.isInfoEnabled()) {
      long start = context.nanoTime();
      context.response().onCompleted(() -> write(context, start));
    }
    next.handle(context);
  }

  private void write(HttpContext context, long start) {
    boolean aborted =
        !context.isUpgraded() // whose end counts as the client's going
            && (context.response().isAborted() || context.aborted().isDone());
    Duration duration = Duration.ofNanos(context.nanoTime() - start);
    Entry entry = new Entry(context, duration, aborted);
    log.info("{}", escaped(format.apply(entry)));
  }

  /** Keeps a line one line, and a terminal what it is. */
  private static String escaped(String line) {
    if (line.chars().noneMatch(HttpLogging::isDangerous)) {
      return line;
    }
    StringBuilder escaped = new StringBuilder(line.length() + 16);
    line.chars()
        .forEach(c -> {
          if (isDangerous(c)) {
            escaped.append(String.format(Locale.ROOT, c < 0x100 ? "\\x%02X" : "\\u%04X", c));
          } else {
            escaped.append((char) c);
          }
        });
    return escaped.toString();
  }

  private static boolean isDangerous(int c) {
    return Character.isISOControl(c) || c == 0x2028 || c == 0x2029; // line separators
  }
}
