package dev.windhover.verification;

import dev.windhover.hubs.Hub;
import java.time.Duration;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** A hub for many clients, and for rude ones. */
public final class BusyHub extends Hub<BusyHub.Client> {
  /** What the hub calls on clients. */
  public interface Client {
    /** Shows {@code text}. */
    void message(String text);

    /** Asks. */
    String ask(String question);
  }

  public String echo(String text) {
    return text;
  }

  public void join(String group) {
    boolean _ = groups().add(group);
  }

  public void toGroup(String group, String text) {
    clients().group(group).message(text);
  }

  /** Asks the caller, and passes its answer on. */
  public String ask(String question) {
    return clients().caller().ask(question);
  }

  public Stream<Integer> count(int n) {
    return IntStream.range(0, n).boxed();
  }

  public int sum(Stream<Integer> numbers) {
    return numbers.mapToInt(n -> n).sum();
  }

  /** Never reads what is uploaded. */
  public void upload(Stream<Object> items) throws InterruptedException {
    untilCancelled();
  }

  /** Ends when it is cancelled, by an interrupt. */
  public void untilCancelled() throws InterruptedException {
    Thread.sleep(Duration.ofHours(1));
  }
}
