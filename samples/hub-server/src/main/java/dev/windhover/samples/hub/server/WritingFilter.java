package dev.windhover.samples.hub.server;

import dev.windhover.hubs.HubException;
import dev.windhover.hubs.HubFilter;
import dev.windhover.hubs.HubInvocationContext;
import dev.windhover.hubs.HubLifetimeContext;
import java.util.Locale;
import java.util.stream.BaseStream;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Writes down what passes through it to {@link FilterHub}, and changes some of it. */
final class WritingFilter implements HubFilter {
  private final String name;

  WritingFilter(String name) {
    this.name = name;
  }

  @Override
  public @Nullable Object invokeMethod(HubInvocationContext call, Invocation next)
      throws Exception {
    String declared = call.methodName();
    String method = declared.substring(0, 1).toUpperCase(Locale.ROOT) + declared.substring(1);
    if (!(call.hub() instanceof FilterHub) || method.equals("TakeLog")) {
      return next.invoke(call);
    }
    String arguments =
        call.arguments().stream().map(String::valueOf).collect(Collectors.joining(","));
    FilterHub.log.add("%s>%s(%s)".formatted(name, method, arguments));
    if (name.equals("B") && method.equals("Blocked")) {
      throw new HubException("blocked");
    }
    Object result;
    try {
      result = next.invoke(call);
    } catch (Exception e) {
      FilterHub.log.add(name + "!" + HubLog.nameOf(e));
      throw e;
    }
    FilterHub.log.add(name + "<" + (result instanceof BaseStream ? "stream" : result));
    return name.equals("C") && method.equals("Changed") ? "changed" : result;
  }

  @Override
  public void onConnected(HubLifetimeContext connection, Connected next) throws Exception {
    boolean isOurs = connection.hub() instanceof FilterHub;
    if (isOurs) {
      FilterHub.log.add(name + ">connected");
    }
    next.invoke(connection);
    if (isOurs) {
      FilterHub.log.add(name + "<connected");
    }
  }

  @Override
  public void onDisconnected(
      HubLifetimeContext connection, @Nullable Throwable error, Disconnected next)
      throws Exception {
    boolean isOurs = connection.hub() instanceof FilterHub;
    if (isOurs) {
      FilterHub.log.add(name + ">disconnected");
    }
    next.invoke(connection, error);
    if (isOurs) {
      FilterHub.log.add(name + "<disconnected");
    }
  }
}
