package dev.windhover.samples.hub.server;

import dev.windhover.hubs.Hub;
import dev.windhover.hubs.HubMethodName;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** A hub whose calls pass through filters that write down what they see. */
public final class FilterHub extends Hub<Void> {
  static final HubLog log = new HubLog();

  @Override
  public void onConnected() {
    log.add("connected");
  }

  @Override
  public void onDisconnected(@Nullable Throwable error) {
    log.add("disconnected");
  }

  public String echo(String text) {
    log.add("Echo");
    return text;
  }

  public String blocked(String text) {
    return text;
  }

  public String changed(String text) {
    return text;
  }

  @HubMethodName("Throws")
  public void fails() {
    throw new InvalidOperationException("boom");
  }

  public IntStream count(int n) {
    return IntStream.range(0, n);
  }

  public List<String> takeLog() {
    return log.take();
  }
}
