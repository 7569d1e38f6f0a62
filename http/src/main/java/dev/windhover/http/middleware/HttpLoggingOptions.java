package dev.windhover.http.middleware;

import java.util.Objects;
import java.util.function.Function;

/** The settings of {@link HttpLogging}. Each method with an argument sets and returns this. */
public final class HttpLoggingOptions {
  private Function<HttpLogging.Entry, String> format = HttpLogging.Entry::toString;

  /** Creates the defaults. */
  public HttpLoggingOptions() {}

  /**
   * Writes a request's line; {@link HttpLogging.Entry#toString()} by default. The function must not
   * block; control characters in what it returns are escaped afterwards, so it need not.
   */
  public HttpLoggingOptions format(Function<HttpLogging.Entry, String> format) {
    this.format = Objects.requireNonNull(format);
    return this;
  }

  /** Returns what writes a request's line. */
  public Function<HttpLogging.Entry, String> format() {
    return format;
  }
}
