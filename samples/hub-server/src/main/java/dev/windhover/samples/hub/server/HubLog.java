package dev.windhover.samples.hub.server;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What a hub wrote since somebody last took it. */
final class HubLog {
  private final Queue<String> lines = new ConcurrentLinkedQueue<>();

  void add(String line) {
    lines.add(line);
  }

  List<String> take() {
    return Stream.generate(lines::poll).takeWhile(line -> line != null).toList();
  }

  /** Returns what clients and logs are told of an exception. */
  static String describe(@Nullable Throwable error) {
    return error == null ? "null" : nameOf(error) + ": " + error.getMessage();
  }

  static String nameOf(Throwable error) {
    Class<?> type = error instanceof UncheckedIOException ? IOException.class : error.getClass();
    return type.getSimpleName();
  }
}
