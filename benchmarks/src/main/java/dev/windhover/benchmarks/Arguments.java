package dev.windhover.benchmarks;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The command line of a program: words, {@code --name value} pairs and {@code --flag}s in any
 * order.
 *
 * <p>Reading an argument removes it; {@link #end} then refuses the remaining ones.
 */
final class Arguments {
  private final List<String> left;

  Arguments(List<String> arguments) {
    left = new ArrayList<>(arguments);
  }

  /** The user made a mistake; the message is the one line to show. */
  static final class UsageException extends RuntimeException {
    private static final long serialVersionUID = 1;

    UsageException(String message) {
      super(message);
    }
  }

  /** The body of a {@code main}. */
  @FunctionalInterface
  interface Program {
    void run(Arguments arguments) throws Exception;
  }

  /**
   * Runs a program, or prints its usage if it was asked for; a usage error ends the JVM with 2, any
   * other failure with 1.
   */
  static void run(String name, String usage, String[] args, Program program) {
    if (List.of(args).contains("--help")) {
      System.out.print(usage);
      return;
    }
    run(name, args, program);
  }

  /**
   * As {@link #run(String, String, String[], Program)}, for a program that nobody starts by hand.
   */
  static void run(String name, String[] args, Program program) {
    try {
      program.run(new Arguments(List.of(args)));
    } catch (UsageException e) {
      System.err.println(name + ": " + e.getMessage());
      System.exit(2);
    } catch (IOException | UncheckedIOException e) {
      System.err.println(name + ": " + e.getMessage());
      System.exit(1);
    } catch (Exception e) {
      e.printStackTrace();
      System.exit(1);
    }
  }

  /** Takes the first argument, which is a word and not an option. */
  String word(String meaning) {
    if (left.isEmpty() || left.getFirst().startsWith("--")) {
      throw new UsageException("expected " + meaning + " as the first argument");
    }
    return left.removeFirst();
  }

  boolean flag(String name) {
    return left.remove(name);
  }

  Optional<String> value(String name) {
    int index = left.indexOf(name);
    if (index < 0) {
      return Optional.empty();
    }
    if (index + 1 == left.size()) {
      throw new UsageException(name + " needs a value");
    }
    left.remove(index);
    return Optional.of(left.remove(index));
  }

  /** Takes one of a few words; the first choice is the default. */
  String choice(String name, String... choices) {
    String value = value(name).orElse(choices[0]);
    if (!List.of(choices).contains(value)) {
      throw new UsageException(name + " " + value + " is not one of " + String.join(", ", choices));
    }
    return value;
  }

  int number(String name, int min, int max) {
    return parse(
        name, value(name).orElseThrow(() -> new UsageException(name + " is missing")), min, max);
  }

  int number(String name, int min, int max, int defaultValue) {
    return value(name).map(text -> parse(name, text, min, max)).orElse(defaultValue);
  }

  /** Takes a comma-separated list of distinct words. */
  <T> List<T> list(String name, String defaults, Function<String, T> parser) {
    return Stream.of(value(name).orElse(defaults).split(",", -1)).map(parser).distinct().toList();
  }

  void end() {
    if (!left.isEmpty()) {
      throw new UsageException("unknown argument " + left.getFirst());
    }
  }

  static int parse(String name, String text, int min, int max) {
    try {
      int number = Integer.parseInt(text);
      if (number >= min && number <= max) {
        return number;
      }
    } catch (NumberFormatException e) {
      // reported below
    }
    throw new UsageException(
        "%s %s is not a number between %d and %d".formatted(name, text, min, max));
  }
}
