package dev.windhover.http.host;

import org.jspecify.annotations.Nullable;
import org.slf4j.ILoggerFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;
import org.slf4j.event.Level;
import org.slf4j.helpers.LegacyAbstractLogger;
import org.slf4j.helpers.MessageFormatter;
import org.slf4j.helpers.NOPLoggerFactory;

/**
 * The loggers of Windhover. They are SLF4J's; if SLF4J has no backend and would drop every line,
 * errors go to {@code System.err}, because a handler that fails must leave a trace.
 */
public final class Loggers {
  private Loggers() {}

  /** Returns the logger of {@code owner}. */
  @SuppressWarnings("exports") // every user of this class logs
  public static Logger get(Class<?> owner) {
    return of(LoggerFactory.getILoggerFactory(), owner);
  }

  static Logger of(ILoggerFactory backend, Class<?> owner) {
    return isNone(backend) ? new ErrorsOnly(owner.getName()) : backend.getLogger(owner.getName());
  }

  /** Returns whether SLF4J has no backend. */
  public static boolean haveNoBackend() {
    return isNone(LoggerFactory.getILoggerFactory());
  }

  private static boolean isNone(ILoggerFactory backend) {
    return backend instanceof NOPLoggerFactory;
  }

  /** Prints errors, with their stack traces, and nothing else. */
  private static final class ErrorsOnly extends LegacyAbstractLogger {
    private static final long serialVersionUID = 1;

    ErrorsOnly(String name) {
      this.name = name;
    }

    @Override
    protected void handleNormalizedLoggingCall(
        Level level,
        @Nullable Marker marker,
        String pattern,
        Object @Nullable [] arguments,
        @Nullable Throwable thrown) {
      System.err.println(
          level + " " + name + " - " + MessageFormatter.basicArrayFormat(pattern, arguments));
      if (thrown != null) {
        thrown.printStackTrace();
      }
    }

    @Override
    protected @Nullable String getFullyQualifiedCallerName() {
      return null;
    }

    @Override
    public boolean isTraceEnabled() {
      return false;
    }

    @Override
    public boolean isDebugEnabled() {
      return false;
    }

    @Override
    public boolean isInfoEnabled() {
      return false;
    }

    @Override
    public boolean isWarnEnabled() {
      return false;
    }

    @Override
    public boolean isErrorEnabled() {
      return true;
    }
  }
}
