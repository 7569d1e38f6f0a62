package dev.windhover.samples.hubs;

import java.time.Duration;
import java.util.concurrent.Flow;
import java.util.concurrent.SubmissionPublisher;
import java.util.random.RandomGenerator;

/** The wind in which the windhover stands, made up. Those who read too slowly miss some of it. */
final class Wind {
  static final Duration PERIOD = Duration.ofMillis(500);

  private static final int MOST_WAITING = 16;

  private final RandomGenerator random = RandomGenerator.getDefault();
  private final SubmissionPublisher<Double> speeds =
      new SubmissionPublisher<>(task -> Thread.ofVirtual().start(task), MOST_WAITING);

  private double speed = 8;

  /** Changes the speed a little. One thread at a time. */
  void blow() {
    speed = Math.clamp(speed + 0.7 * random.nextGaussian(), 0, 20);
    int _ = speeds.offer(Math.round(10 * speed) / 10.0, null);
  }

  /** Returns the speed from now on, in m/s, for any number of subscribers. */
  Flow.Publisher<Double> speeds() {
    return speeds;
  }
}
