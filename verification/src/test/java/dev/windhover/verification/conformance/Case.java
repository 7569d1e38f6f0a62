package dev.windhover.verification.conformance;

/**
 * One case: a course of bytes, and what must come back.
 *
 * @param id a row of one of the tables, perhaps with a further part
 * @param needs what else than an echo it needs
 * @param script plays it
 */
record Case(String id, Need needs, Script script) implements Comparable<Case> {
  /** What a case needs. */
  enum Need {
    /** Any server that echoes, over any transport. */
    ECHO,
    /** The settings of {@code samples/conformance}. */
    SETTINGS,
    /** The bytes of HTTP/1.1, and the settings. */
    HTTP_1,
    /** The frames of HTTP/2, and the settings. */
    HTTP_2
  }

  /** Sends and expects; throws where the server is not right. */
  interface Script {
    void play(Stage stage) throws Exception;
  }

  static Case of(String id, Script script) {
    return new Case(id, Need.ECHO, script);
  }

  /** The number of the group: the first part of the id. */
  int group() {
    return Integer.parseInt(id.substring(0, id.indexOf('.')));
  }

  /** Whether it can be played over {@code transport}. */
  boolean runsOver(Transport transport) {
    return switch (needs) {
      case ECHO, SETTINGS -> true;
      case HTTP_1 -> transport instanceof Transport.Http1;
      case HTTP_2 -> transport instanceof Transport.Http2;
    };
  }

  /** Whether it sends large messages, or many: those are slow on a busy machine. */
  boolean isMuch() {
    return group() >= 9 && group() <= 13;
  }

  /** In the order of the numbers that an id is made of. */
  @Override
  public int compareTo(Case other) {
    String[] these = id.split("\\.", -1);
    String[] those = other.id.split("\\.", -1);
    for (int i = 0; i < Math.min(these.length, those.length); i++) {
      int order = Integer.compare(Integer.parseInt(these[i]), Integer.parseInt(those[i]));
      if (order != 0) {
        return order;
      }
    }
    return Integer.compare(these.length, those.length);
  }

  @Override
  public String toString() {
    return id;
  }
}
