package dev.windhover.hubs;

import dev.windhover.http.Application;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * The hubs of an application.
 *
 * <pre>{@code
 * Hubs hubs = Hubs.on(app);
 * hubs.map("/chat", ChatHub.class, ChatHub::new);
 * HubContext<ChatHub.Client> chat = hubs.context(ChatHub.class); // from anywhere outside
 * }</pre>
 *
 * <p>One thread sets them up, before the application is built.
 */
public final class Hubs {
  private final Application application;
  private final HubOptions options = new HubOptions();
  private final Map<Class<?>, HubConnections<?>> connections = new HashMap<>();

  private Hubs(Application application) {
    this.application = Objects.requireNonNull(application, "application");
  }

  /** Returns hubs for {@code application}. */
  public static Hubs on(Application application) {
    return new Hubs(application);
  }

  /** Changes the settings of the hubs that are mapped later. */
  public Hubs options(Consumer<HubOptions> change) {
    change.accept(options);
    return this;
  }

  /**
   * Lets clients connect to a hub.
   *
   * @param path where; as in {@link Application#map}
   * @param hub the class whose methods clients call; those of a proxy's class do not count
   * @param instances returns a new instance for each call
   * @throws IllegalArgumentException if the hub has a method that cannot be called, or a client
   *     interface that cannot be implemented; the message names it
   */
  public <H extends Hub<?>> Hubs map(String path, Class<H> hub, Supplier<? extends H> instances) {
    return map(path, hub, instances, _ -> {});
  }

  /** As {@link #map(String, Class, Supplier)}, with settings of its own. */
  public <H extends Hub<?>> Hubs map(
      String path, Class<H> hub, Supplier<? extends H> instances, Consumer<HubOptions> change) {
    throw new UnsupportedOperationException(path + hub + instances + change + application);
  }

  /**
   * Returns the hub from outside of its calls: those who are connected to it, on all its paths. May
   * be called before the hub is mapped.
   */
  public <C> HubContext<C> context(Class<? extends Hub<C>> hub) {
    return this.<C>connections(hub).context();
  }

  @SuppressWarnings("unchecked") // by its class, which says what C is
  private <C> HubConnections<C> connections(Class<?> hub) {
    return (HubConnections<C>)
        connections.computeIfAbsent(
            hub, type -> new HubConnections<>(type, new HubOptions(options)));
  }
}
