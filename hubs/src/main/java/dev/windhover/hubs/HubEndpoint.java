package dev.windhover.hubs;

import dev.windhover.http.host.Loggers;
import dev.windhover.hubs.connections.ConnectionContext;
import dev.windhover.hubs.connections.ConnectionHandler;
import dev.windhover.hubs.connections.ConnectionListener;
import dev.windhover.hubs.protocol.HubProtocol;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/** A hub at a path: what all its connections share. */
final class HubEndpoint implements ConnectionHandler {
  private static final Logger log = Loggers.get(HubEndpoint.class);

  private final HubDescriptor descriptor;
  private final Supplier<? extends Hub<?>> instances;
  private final HubOptions options;
  private final HubConnections<?> connections;

  /** By lower-case name. */
  private final Map<String, HubProtocol> protocols;

  private final IdentityHashMap<HubMethodDescriptor, Mapped> mapped = new IdentityHashMap<>();
  private final @Nullable UserRates userRates;
  private final HubFilter.Connected onConnected;
  private final HubFilter.Disconnected onDisconnected;

  /**
   * Creates one.
   *
   * @param options not changed any more
   */
  HubEndpoint(
      HubDescriptor descriptor,
      Supplier<? extends Hub<?>> instances,
      HubOptions options,
      HubConnections<?> connections,
      Map<String, HubProtocol> protocols) {
    this.descriptor = descriptor;
    this.instances = instances;
    this.options = options;
    this.connections = connections;
    this.protocols = protocols;
    int ofUser = options.maximumCallsPerSecondOfUser();
    this.userRates = ofUser == 0 ? null : new UserRates(ofUser);
    List<HubFilter> filters = options.filters();
    boolean filtersMayBlock = !filters.stream().allMatch(HubFilter::isNonBlocking);
    for (HubMethodDescriptor method : descriptor.methods()) {
      mapped.put(method, new Mapped(method, filters, filtersMayBlock));
    }
    HubFilter.Connected connected = connection -> connection.hub().onConnected();
    HubFilter.Disconnected disconnected =
        (connection, error) -> connection.hub().onDisconnected(error);
    for (HubFilter filter : filters.reversed()) {
      connected = around(filter, connected);
      disconnected = around(filter, disconnected);
    }
    this.onConnected = connected;
    this.onDisconnected = disconnected;
  }

  private static HubFilter.Connected around(HubFilter filter, HubFilter.Connected next) {
    return connection -> filter.onConnected(connection, next);
  }

  private static HubFilter.Disconnected around(HubFilter filter, HubFilter.Disconnected next) {
    return (connection, error) -> filter.onDisconnected(connection, error, next);
  }

  @Override
  public ConnectionListener onConnected(ConnectionContext connection) {
    return new HubSession(this, connection);
  }

  /** Returns the method that a client means; null if there is none. */
  @Nullable Mapped method(String target) {
    HubMethodDescriptor method = descriptor.method(target);
    return method == null ? null : mapped.get(method);
  }

  /** Returns the protocol of that name, in any case; null if it is not allowed here. */
  @Nullable HubProtocol protocol(String name) {
    return protocols.get(name.toLowerCase(Locale.ROOT));
  }

  /** Returns the hub's name, for logs. */
  String name() {
    return descriptor.hub().getName();
  }

  /** Returns the settings. */
  HubOptions options() {
    return options;
  }

  /** Returns all connections of the hub. */
  HubConnections<?> connections() {
    return connections;
  }

  /** Returns what limits the calls of users; null if nothing does. */
  @Nullable UserRates userRates() {
    return userRates;
  }

  /** Returns an instance for a call. */
  Hub<?> newHub() {
    return Objects.requireNonNull(
        instances.get(), () -> "the supplier of " + descriptor.hub().getName() + " returned null");
  }

  /** Lets the filters and the hub know of a new connection. */
  void connected(HubCallerContext context) throws Exception {
    Hub<?> hub = newHub();
    try {
      hub.bind(context);
      onConnected.invoke(new HubLifetimeContext(hub, context));
    } finally {
      close(hub);
    }
  }

  /** Lets the filters and the hub know of the end of a connection. */
  void disconnected(HubCallerContext context, @Nullable Throwable error) throws Exception {
    Hub<?> hub = newHub();
    try {
      hub.bind(context);
      onDisconnected.invoke(new HubLifetimeContext(hub, context), error);
    } finally {
      close(hub);
    }
  }

  /** Closes an instance after its call. */
  static void close(Hub<?> hub) {
    if (hub instanceof AutoCloseable closeable) {
      try {
        closeable.close();
      } catch (Exception e) {
        log.error("a hub of {} could not be closed", hub.getClass().getName(), e);
      }
    }
  }

  /** Returns {@code text}, with what {@code cause} says if clients may know. */
  String explained(String text, Throwable cause) {
    return Errors.message(text, cause, options.enableDetailedErrors());
  }

  /** A method, within the filters. */
  static final class Mapped {
    private final HubMethodDescriptor method;
    private final List<Type> uploads;
    private final HubFilter.@Nullable Invocation pipeline;
    private final boolean onLoop;

    Mapped(HubMethodDescriptor method, List<HubFilter> filters, boolean filtersMayBlock) {
      this.method = method;
      this.uploads = method.uploads();
      this.onLoop =
          method.nonBlocking()
              && !filtersMayBlock
              && method.takesValuesOnly()
              && method.result() == null
              && method.access().equals(HubMethodDescriptor.Access.ANYBODY);
      this.pipeline = filters.isEmpty() ? null : pipeline(filters);
    }

    private HubFilter.Invocation pipeline(List<HubFilter> filters) {
      HubFilter.Invocation pipeline = this::invoke;
      for (HubFilter filter : filters.reversed()) {
        HubFilter.Invocation next = pipeline;
        pipeline = call -> filter.invokeMethod(call, next);
      }
      return pipeline;
    }

    private @Nullable Object invoke(HubInvocationContext call) throws Exception {
      Object result = method.invoker().invoke(call.hub(), call.arguments().toArray());
      return result instanceof CompletionStage<?> stage && !method.nonBlocking()
          ? stage.toCompletableFuture().get()
          : result;
    }

    HubMethodDescriptor method() {
      return method;
    }

    /** Returns the item types of the streams that it takes. */
    List<Type> uploads() {
      return uploads;
    }

    /** Returns whether a loop may call it. */
    boolean onLoop() {
      return onLoop;
    }

    /** Calls the method, within the filters. */
    @Nullable Object invoke(Hub<?> hub, HubCallerContext context, @Nullable Object[] arguments)
        throws Exception {
      if (pipeline == null) {
        return method.invoker().invoke(hub, arguments);
      }
      List<@Nullable Object> list = new ArrayList<>(arguments.length);
      for (Object argument : arguments) {
        list.add(argument);
      }
      return pipeline.invoke(
          new HubInvocationContext(
              hub, context, method.name(), method.method(), Collections.unmodifiableList(list)));
    }
  }
}
