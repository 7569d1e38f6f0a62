package dev.windhover.http.middleware;

import dev.windhover.http.Handler;
import dev.windhover.http.HttpContext;
import dev.windhover.http.HttpRequest;
import dev.windhover.http.Middleware;
import java.time.Duration;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The access log: one line per request, at level info of the logger {@value #LOGGER}, when the
 * request is over: when its response has been handed to the host, or when it is known to have
 * failed or been aborted. If the request became a socket, the line is logged when the socket has
 * ended, with status 101 (200 over HTTP/2) and the lifetime as the duration. Put this step first,
 * because requests that an earlier step answers are not logged. Requests that the host itself
 * answers, such as malformed ones, are never logged.
 *
 * <p>Does not block unless the logging system does; let that write in the background. While the
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

    /** Returns the context with its request and response, which must only be read. */
    public HttpContext context() {
      return context;
    }

    /**
     * Returns the response's status: 200 unless set, even if the client disconnected before it got
     * one.
     */
    public int status() {
      return context.response().status();
    }

    /**
     * Returns how many body bytes were handed to the host, without HTTP framing; 0 for a socket.
     */
    public long bytes() {
      return context.response().bytesWritten();
    }

    /** Returns the time since the request reached this step. */
    public Duration duration() {
      return duration;
    }

    /**
     * Returns whether the client disconnected, or was dropped, before the response was complete.
     */
    public boolean aborted() {
      return aborted;
    }

    /** Returns the client's address without its port, as {@link ForwardedHeaders} found it. */
    public String remote() {
      return context.connection().remoteAddress();
    }

    /**
     * Returns the target without its query, which may contain secrets, such as access tokens and
     * names.
     */
    public String targetWithoutQuery() {
      return context.request().targetWithoutQuery();
    }

    /**
     * Returns {@code id remote "method target version" status bytes milliseconds}, with the target
     * without its query, {@linkplain #escaped escaped}, followed by {@code aborted} if the request
     * was aborted.
     */
    @Override
    public String toString() {
      HttpRequest request = context.request();
      return String.format(
          Locale.ROOT,
          "%s %s \"%s %s %s\" %d %d %.3f ms%s",
          context.id(),
          remote(),
          escaped(request.method()),
          escaped(targetWithoutQuery()),
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

  /** Creates the middleware with the default options, changed by {@code change}. */
  public static HttpLogging with(Consumer<HttpLoggingOptions> change) {
    HttpLoggingOptions options = new HttpLoggingOptions();
    change.accept(options);
    return new HttpLogging(options);
  }

  /**
   * Returns text of a request so that it can stand between quotation marks in a format of your own:
   * with {@code \x22} for a quotation mark and {@code \x5C} for a backslash. Control characters are
   * escaped in every line, whatever its format.
   */
  public static String escaped(String text) {
    return text.replace("\\", "\\x5C").replace("\"", "\\x22");
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
        !context.isUpgraded() // the end of a socket counts as a disconnect
            && (context.response().isAborted() || context.aborted().isDone());
    Duration duration = Duration.ofNanos(context.nanoTime() - start);
    Entry entry = new Entry(context, duration, aborted);
    log.info("{}", onOneLine(format.apply(entry)));
  }

  /** Keeps the text on one line, and free of terminal escape sequences. */
  private static String onOneLine(String line) {
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
