package dev.windhover.samples.hub.server;

import dev.windhover.hubs.Hub;
import dev.windhover.hubs.HubException;
import dev.windhover.hubs.HubMethodName;
import java.util.stream.Stream;

/** A hub whose clients are told no details of errors. */
public final class PlainHub extends Hub<Void> {
  public String echo(String text) {
    return text;
  }

  @HubMethodName("Throw")
  public void throwIt(String text) {
    throw new InvalidOperationException(text);
  }

  public void throwHub(String text) {
    throw new HubException(text);
  }

  public int add(int a, int b) {
    return a + b;
  }

  public Stream<Integer> countThenThrow(String text) {
    return new TestHub().countThenThrow(text);
  }
}
