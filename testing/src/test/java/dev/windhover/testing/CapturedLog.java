package dev.windhover.testing;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Marker;
import org.slf4j.event.Level;
import org.slf4j.helpers.LegacyAbstractLogger;
import org.slf4j.helpers.MessageFormatter;

/** A logger whose lines tests look at. */
final class CapturedLog extends LegacyAbstractLogger {
  private static final long serialVersionUID = 1;
  private static final List<Line> lines = new ArrayList<>();

  /** One line; {@code thrown} is what would be printed with its stack trace. */
  record Line(Level level, String logger, String text, @Nullable Throwable thrown) {}

  CapturedLog(String name) {
    this.name = name;
  }

  static synchronized void clear() {
    lines.clear();
  }

  static synchronized List<Line> lines(Level level) {
    return lines.stream().filter(line -> line.level() == level).toList();
  }

  private static synchronized void add(Line line) {
    lines.add(line);
  }

  @Override
  protected void handleNormalizedLoggingCall(
      Level level,
      @Nullable Marker marker,
      String pattern,
      Object @Nullable [] arguments,
      @Nullable Throwable thrown) {
    String text = MessageFormatter.basicArrayFormat(pattern, arguments);
    add(new Line(level, name, text, thrown));
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
    return true;
  }

  @Override
  public boolean isInfoEnabled() {
    return true;
  }

  @Override
  public boolean isWarnEnabled() {
    return true;
  }

  @Override
  public boolean isErrorEnabled() {
    return true;
  }
}
