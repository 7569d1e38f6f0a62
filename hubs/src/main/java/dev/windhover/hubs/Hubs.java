package dev.windhover.hubs;

import dev.windhover.http.Application;
import dev.windhover.http.RouteGroup;
import dev.windhover.hubs.backplane.Backplane;
import dev.windhover.hubs.connections.ConnectionEndpoint;
import dev.windhover.hubs.connections.ConnectionHandler;
import dev.windhover.hubs.connections.ConnectionOptions;
import dev.windhover.hubs.protocol.HubProtocol;
import dev.windhover.hubs.protocol.JsonHubProtocol;
import dev.windhover.hubs.protocol.MessagePackHubProtocol;
import dev.windhover.hubs.protocol.ValueOptions;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

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
  private final Map<Class<?>, HubOptions> shared = new HashMap<>();
  private final Set<Class<?>> mapped = new HashSet<>();
  private final Map<ValueOptions, List<HubProtocol>> protocols = new HashMap<>();

  private @Nullable Backplane backplane;

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
   * Connects the hubs that are set up later with those of other servers: what they send reaches
   * clients wherever they are connected. Without one, they know the clients of this process.
   *
   * @param backplane may serve several applications; whoever has created it closes it
   * @throws IllegalStateException if a hub is set up already
   */
  public Hubs backplane(Backplane backplane) {
    if (!connections.isEmpty()) {
      throw new IllegalStateException("a backplane comes before the first hub");
    }
    this.backplane = Objects.requireNonNull(backplane, "backplane");
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
    return map(
        hub,
        instances,
        change,
        (settings, endpoint) -> ConnectionEndpoint.map(application, path, settings, endpoint));
  }

  /**
   * As {@link #map(String, Class, Supplier)}, within a group of routes, whose steps run for each
   * request of the hub's clients, whatever their transport.
   *
   * <pre>{@code
   * app.mapGroup("/staff", staff -> {
   *   staff.requireRole("staff");
   *   hubs.map(staff, "/chat", ChatHub.class, ChatHub::new); // at /staff/chat
   * });
   * }</pre>
   *
   * @throws IllegalArgumentException also if the group belongs to another application
   */
  public <H extends Hub<?>> Hubs map(
      RouteGroup group, String path, Class<H> hub, Supplier<? extends H> instances) {
    return map(group, path, hub, instances, _ -> {});
  }

  /** As {@link #map(RouteGroup, String, Class, Supplier)}, with settings of its own. */
  public <H extends Hub<?>> Hubs map(
      RouteGroup group,
      String path,
      Class<H> hub,
      Supplier<? extends H> instances,
      Consumer<HubOptions> change) {
    if (!group.application().equals(application)) {
      throw new IllegalArgumentException(
          "the group of path \"" + path + "\" belongs to another application");
    }
    return map(
        hub,
        instances,
        change,
        (settings, endpoint) -> ConnectionEndpoint.map(group, path, settings, endpoint));
  }

  private <H extends Hub<?>> Hubs map(
      Class<H> hub,
      Supplier<? extends H> instances,
      Consumer<HubOptions> change,
      BiFunction<ConnectionOptions, ConnectionHandler, ConnectionEndpoint> mapping) {
    HubConnections<?> all = connections(hub);
    HubOptions own = mapped.add(hub) ? optionsOf(hub) : new HubOptions(options);
    change.accept(own);
    Map<String, HubProtocol> protocols = protocolsFor(own);
    Fleet fleet = all.fleet();
    if (fleet != null) {
      fleet.speaks(protocols.values());
    }
    HubEndpoint endpoint =
        new HubEndpoint(HubClass.describe(hub, own), instances, own, all, protocols);
    ConnectionEndpoint _ = mapping.apply(connectionsOf(own), endpoint);
    return this;
  }

  private ConnectionOptions connectionsOf(HubOptions own) {
    ConnectionOptions lower = own.connections();
    String prefix = backplane == null ? null : backplane.connectionIdPrefix();
    return prefix == null ? lower : lower.connectionIdPrefix(prefix);
  }

  /** Returns the allowed protocols, by lower-case name. */
  private Map<String, HubProtocol> protocolsFor(HubOptions own) {
    Map<String, HubProtocol> known = new LinkedHashMap<>();
    for (HubProtocol protocol : standardProtocols(own.values())) {
      known.put(protocol.name().toLowerCase(Locale.ROOT), protocol);
    }
    for (HubProtocol protocol : own.protocols()) {
      known.put(protocol.name().toLowerCase(Locale.ROOT), protocol);
    }
    List<String> allowed =
        own.supportedProtocols().stream().map(name -> name.toLowerCase(Locale.ROOT)).toList();
    for (String name : allowed) {
      if (!known.containsKey(name)) {
        throw new IllegalArgumentException(
            "supported protocol %s is not known; there are %s".formatted(name, known.keySet()));
      }
    }
    if (!allowed.isEmpty()) {
      known.keySet().retainAll(allowed);
    }
    return known;
  }

  /** Connections that share a protocol share the bytes of what all of them are sent. */
  private List<HubProtocol> standardProtocols(ValueOptions values) {
    return protocols.computeIfAbsent(
        values, same -> List.of(new JsonHubProtocol(same), new MessagePackHubProtocol(same)));
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
    return (HubConnections<C>) connections.computeIfAbsent(hub, this::created);
  }

  private HubConnections<?> created(Class<?> hub) {
    HubOptions own = optionsOf(hub);
    HubConnections<?> created = new HubConnections<>(hub, own, backplane);
    Fleet fleet = created.fleet();
    if (fleet != null) {
      fleet.elsewhere(protocolsFor(own).values());
    }
    return created;
  }

  /** The settings of what all paths of a hub share: those of its first path. */
  private HubOptions optionsOf(Class<?> hub) {
    return shared.computeIfAbsent(hub, _ -> new HubOptions(options));
  }
}
