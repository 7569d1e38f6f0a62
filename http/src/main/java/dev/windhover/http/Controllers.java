package dev.windhover.http;

/** Placeholder until the controllers land. */
final class Controllers {
  private Controllers() {}

  static void mapTo(Application application, Object controller) {
    throw new UnsupportedOperationException("controllers are not here yet");
  }
}
