package dev.windhover.samples.hub.server;

import dev.windhover.hubs.ClientNames;
import dev.windhover.hubs.Hub;

/** A hub to be measured; its clients' method is {@code send}, as {@link ClientNames} leaves it. */
public class BenchHub extends Hub<BenchHub.Client> {
  /** What the hub calls on clients. */
  public interface Client {
    /** Takes a number back. */
    void send(Object value);
  }

  public long echo(long number) {
    return number;
  }

  public String echoText(String text) {
    return text;
  }

  public void echoAll(long number) {
    clients().caller().send(number);
  }

  public void broadcast(String text) {
    clients().all().send(text);
  }

  public void broadcasts(int times, String text) {
    for (int i = 0; i < times; i++) {
      clients().all().send(text);
    }
  }
}
