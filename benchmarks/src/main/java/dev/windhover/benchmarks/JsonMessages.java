package dev.windhover.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.util.Arrays;
import java.util.Random;

/**
 * Text like that of a sensor server: repeated JSON objects with a few fields and different values,
 * cut off at the requested size. The same seed gives the same messages.
 */
final class JsonMessages {
  private final Random random;
  private final int size;

  JsonMessages(long seed, int size) {
    this.random = new Random(seed);
    this.size = size;
  }

  byte[] next() {
    var text = new StringBuilder();
    while (text.length() < size) {
      text.append("{\"id\":").append(random.nextInt(100_000));
      text.append(",\"sensor\":\"s").append(random.nextInt(20)).append("\",\"value\":");
      text.append(random.nextInt(10_000) / 100.0).append(",\"unit\":\"celsius\"},");
    }
    return Arrays.copyOf(text.toString().getBytes(US_ASCII), size);
  }
}
