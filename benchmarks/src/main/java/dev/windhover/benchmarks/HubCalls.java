package dev.windhover.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.nio.ByteBuffer;
import java.util.Random;

/**
 * What connections call on a hub in JSON, and what the hub answers. All calls have the same id:
 * they are answered in order.
 */
final class HubCalls {
  /** The byte that ends a record. */
  static final byte SEPARATOR = 0x1E;

  private static final int DISTINCT = 8;
  private static final String LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"; // none is escaped

  private final String path;
  private final MessageRing ring;
  private final byte[][] answers;
  private final int sends;

  private HubCalls(String path, MessageRing ring, byte[][] answers, int sends) {
    this.path = path;
    this.ring = ring;
    this.answers = answers;
    this.sends = sends;
  }

  /** Calls that return the text that they are passed. */
  static HubCalls echo(String path, int size, int inFlight) {
    var random = new Random(6455);
    var records = new byte[DISTINCT][];
    var answers = new byte[DISTINCT][];
    for (int i = 0; i < DISTINCT; i++) {
      String text = text(random, size);
      records[i] = call("EchoText", "\"" + text + "\"");
      answers[i] =
          "{\"type\":3,\"invocationId\":\"1\",\"result\":\"%s\"}"
              .formatted(text)
              .getBytes(US_ASCII);
    }
    return new HubCalls(path, MessageRing.of(records, inFlight), answers, 0);
  }

  /** A call that sends a text to all connections, so many times. */
  static HubCalls sends(String path, int size, int times) {
    byte[] record = call("Broadcasts", times + ",\"" + text(new Random(6455), size) + "\"");
    return new HubCalls(path, MessageRing.of(new byte[][] {record}, 1), new byte[0][], times);
  }

  private static String text(Random random, int size) {
    return random
        .ints(size, 0, LETTERS.length())
        .mapToObj(index -> LETTERS.substring(index, index + 1))
        .reduce("", String::concat);
  }

  private static byte[] call(String method, String arguments) {
    return "{\"type\":1,\"invocationId\":\"1\",\"target\":\"%s\",\"arguments\":[%s]}\u001e"
        .formatted(method, arguments)
        .getBytes(US_ASCII);
  }

  String path() {
    return path;
  }

  MessageRing ring() {
    return ring;
  }

  /** How many messages each call sends to all; 0 if messages to all are somebody else's. */
  int sends() {
    return sends;
  }

  /** Whether these bytes of the buffer are the answer to a call of the ring. */
  boolean isAnswer(int call, ByteBuffer buffer, int from, int to) {
    byte[] answer = answers[call];
    if (to - from != answer.length) {
      return false;
    }
    for (int i = 0; i < answer.length; i++) {
      if (buffer.get(from + i) != answer[i]) {
        return false;
      }
    }
    return true;
  }
}
