package dev.windhover.samples.hub.server;

import dev.windhover.hubs.NonBlocking;

/** The same methods, which run on the connection's loop. */
public final class BenchLoopHub extends BenchHub {
  @Override
  @NonBlocking
  public long echo(long number) {
    return super.echo(number);
  }

  @Override
  @NonBlocking
  public String echoText(String text) {
    return super.echoText(text);
  }

  @Override
  @NonBlocking
  public void echoAll(long number) {
    super.echoAll(number);
  }

  @Override
  @NonBlocking
  public void broadcast(String text) {
    super.broadcast(text);
  }

  @Override
  @NonBlocking
  public void broadcasts(int times, String text) {
    super.broadcasts(times, text);
  }
}
