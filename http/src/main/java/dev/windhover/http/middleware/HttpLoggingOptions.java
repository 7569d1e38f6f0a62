package dev.windhover.http.middleware;

import java.util.Objects;
import java.util.function.Function;

/** The settings of {@link HttpLogging}. A method with an argument sets a value and returns this. */
public final class HttpLoggingOptions {
  private Function<HttpLogging.Entry, String> format = HttpLogging.Entry::toString;

  /** Creates the defaults. */
  public HttpLoggingOptions() {}

  /**
   * Sets the function that formats a request's line; {@link HttpLogging.Entry#toString()} by
   * default. It must not block. It need not escape control characters, because they are escaped
   * afterwards.
   */
  public HttpLoggingOptions format(Function<HttpLogging.Entry, String> format) {
    this.format = Objects.requireNonNull(format, "format");
    return this;
  }

  /** Returns the function that formats a request's line. */
  public Function<HttpLogging.Entry, String> format() {
    return format;
  }
}
