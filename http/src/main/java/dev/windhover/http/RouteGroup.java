package dev.windhover.http;

import dev.windhover.http.websocket.WebSocketAcceptContext;
import dev.windhover.http.websocket.WebSocketContextHandler;
import dev.windhover.http.websocket.WebSocketHandler;
import dev.windhover.http.websocket.WebSocketListenerFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Routes whose paths begin alike, and which share steps; see {@link Application#mapGroup}. The
 * group's steps run after those of the application, and those of a group within the group run after
 * them. They run for all routes of the group, also for those that were mapped before the step was
 * added, and only for requests that one of these routes matches.
 *
 * <p>The paths given to a group are what follows its prefix: empty for the prefix itself, or
 * beginning with {@code /}.
 */
public final class RouteGroup {
  private final Application application;
  private final @Nullable RouteGroup parent;
  private final String prefix;
  private final List<Middleware> steps = new ArrayList<>();

  RouteGroup(Application application, @Nullable RouteGroup parent, String prefix) {
    if (!prefix.startsWith("/") || prefix.endsWith("/")) {
      throw new IllegalArgumentException(
          "prefix \"" + prefix + "\" of a group must begin with / and not end with it");
    }
    this.application = application;
    this.parent = parent;
    this.prefix = parent == null ? prefix : parent.prefix + prefix;
  }

  /** Returns the application to which these routes belong. */
  public Application application() {
    return application;
  }

  /** Returns {@code handler} within the steps of this group and of those around it. */
  Handler around(Handler handler) {
    Handler pipeline = handler;
    for (Middleware step : steps.reversed()) {
      pipeline = step.around(pipeline);
    }
    return parent == null ? pipeline : parent.around(pipeline);
  }

  /** Adds a step for the routes of this group, after the steps that were added before. */
  public RouteGroup use(Middleware step) {
    application.requireNotBuilt();
    step.addedTo(application);
    steps.add(step);
    return this;
  }

  /** Answers requests without a user with 401; see {@link HttpContext#requireUser()}. */
  public RouteGroup requireUser() {
    return use(Application.userRequired());
  }

  /**
   * Answers requests without a user with 401, and those of users without any of these roles with
   * 403; see {@link HttpContext#requireRole}.
   */
  public RouteGroup requireRole(String... anyOf) {
    return use(Application.roleRequired(anyOf));
  }

  /** As {@link Application#map(String, Handler)}. */
  public RouteGroup map(String path, Handler handler) {
    return map(Set.of(), path, handler);
  }

  /** As {@link Application#mapGet}. */
  public RouteGroup mapGet(String path, Handler handler) {
    return map(Set.of("GET"), path, handler);
  }

  /** As {@link Application#mapPost}. */
  public RouteGroup mapPost(String path, Handler handler) {
    return map(Set.of("POST"), path, handler);
  }

  /** As {@link Application#mapPut}. */
  public RouteGroup mapPut(String path, Handler handler) {
    return map(Set.of("PUT"), path, handler);
  }

  /** As {@link Application#mapDelete}. */
  public RouteGroup mapDelete(String path, Handler handler) {
    return map(Set.of("DELETE"), path, handler);
  }

  /** As {@link Application#map(Set, String, Handler)}. */
  public RouteGroup map(Set<String> methods, String path, Handler handler) {
    return map(methods, path, false, handler);
  }

  /** As {@link Application#mapIgnoringCase}; the group's prefix matches in any case, too. */
  public RouteGroup mapIgnoringCase(Set<String> methods, String path, Handler handler) {
    return map(methods, path, true, handler);
  }

  private RouteGroup map(Set<String> methods, String path, boolean ignoresCase, Handler handler) {
    Objects.requireNonNull(methods, "methods");
    Objects.requireNonNull(handler, "handler");
    if (!path.isEmpty() && !path.startsWith("/")) {
      throw new IllegalArgumentException(
          "path \"" + path + "\" in group " + prefix + " is neither empty nor begins with /");
    }
    application.map(methods, prefix + path, ignoresCase, handler, this);
    return this;
  }

  /** As {@link Application#mapWebSocket(String, WebSocketHandler)}. */
  public RouteGroup mapWebSocket(String path, WebSocketHandler handler) {
    Objects.requireNonNull(handler, "handler");
    return mapWebSocket(path, (_, socket) -> handler.handle(socket));
  }

  /** As {@link Application#mapWebSocket(String, WebSocketContextHandler)}. */
  public RouteGroup mapWebSocket(String path, WebSocketContextHandler handler) {
    return mapWebSocket(path, new WebSocketAcceptContext(), handler);
  }

  /** As {@link Application#mapWebSocket(String, WebSocketAcceptContext, WebSocketHandler)}. */
  public RouteGroup mapWebSocket(
      String path, WebSocketAcceptContext settings, WebSocketHandler handler) {
    Objects.requireNonNull(handler, "handler");
    return mapWebSocket(path, settings, (_, socket) -> handler.handle(socket));
  }

  /**
   * As {@link Application#mapWebSocket(String, WebSocketAcceptContext, WebSocketContextHandler)}.
   */
  public RouteGroup mapWebSocket(
      String path, WebSocketAcceptContext settings, WebSocketContextHandler handler) {
    return map(path, Application.webSocket(settings, handler));
  }

  /** As {@link Application#mapWebSocketListener(String, WebSocketListenerFactory)}. */
  public RouteGroup mapWebSocketListener(String path, WebSocketListenerFactory listeners) {
    return mapWebSocketListener(path, new WebSocketAcceptContext(), listeners);
  }

  /**
   * As {@link Application#mapWebSocketListener(String, WebSocketAcceptContext,
   * WebSocketListenerFactory)}.
   */
  public RouteGroup mapWebSocketListener(
      String path, WebSocketAcceptContext settings, WebSocketListenerFactory listeners) {
    return map(path, Application.webSocketListener(settings, listeners));
  }

  /** As {@link Application#mapControllers}. */
  public RouteGroup mapControllers(Object... controllers) {
    for (Object controller : Objects.requireNonNull(controllers, "controllers")) {
      Controllers.mapTo(this::map, controller);
    }
    return this;
  }

  /** Maps a group within this group. */
  public RouteGroup mapGroup(String prefix, Consumer<RouteGroup> routes) {
    Objects.requireNonNull(routes, "routes");
    routes.accept(new RouteGroup(application, this, prefix));
    return this;
  }
}
