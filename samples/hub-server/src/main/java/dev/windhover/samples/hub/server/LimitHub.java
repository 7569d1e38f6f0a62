package dev.windhover.samples.hub.server;

import dev.windhover.hubs.Hub;
import java.util.stream.Stream;

/** A hub with small limits. */
public final class LimitHub extends Hub<Void> {
  public String echo(String text) {
    return text;
  }

  public String slow(int millis) throws InterruptedException {
    Thread.sleep(millis);
    return "slow " + millis;
  }

  public int sum(Stream<Integer> numbers, int delay) throws InterruptedException {
    int sum = 0;
    for (Integer number : (Iterable<Integer>) numbers::iterator) {
      Thread.sleep(delay);
      sum += number;
    }
    return sum;
  }
}
