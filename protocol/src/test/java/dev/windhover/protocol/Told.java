package dev.windhover.protocol;

/** What a reader has reported to a {@link Recorder}. */
sealed interface Told {
  record Text(String text) implements Told {}

  record Binary(String hex) implements Told {}

  record Ping(String hex) implements Told {}

  record Pong(String hex) implements Told {}

  record Closed(int code, String reason) implements Told {}

  record Broke(int code, String words) implements Told {}

  static Told text(String text) {
    return new Text(text);
  }

  static Told binary(byte... payload) {
    return new Binary(Hex.of(payload));
  }

  static Told binary(String hex) {
    return binary(Hex.bytes(hex));
  }

  static Told ping(String hex) {
    return new Ping(Hex.of(Hex.bytes(hex)));
  }

  static Told pong(String hex) {
    return new Pong(Hex.of(Hex.bytes(hex)));
  }

  static Told closed(int code, String reason) {
    return new Closed(code, reason);
  }

  /** A violation that is answered with 1002. */
  static Told protocolError(String words) {
    return new Broke(1002, words);
  }

  /** A violation that is answered with 1007. */
  static Told invalidData(String words) {
    return new Broke(1007, words);
  }
}
