package dev.windhover.http.host;

import dev.windhover.http.Connection;
import dev.windhover.http.HttpContext;
import org.jspecify.annotations.Nullable;

/**
 * What an error line says about a request. A socket keeps it after its request, so it is small.
 *
 * @param id the request's name in logs
 * @param method the request's method
 * @param target the request's target as it was sent, without its query, which may hold secrets
 * @param route the path of the route that matched, or null
 * @param connection the connection on which it came
 */
public record RequestSummary(
    String id, String method, String target, @Nullable String route, Connection connection) {
  /** Summarizes a request. */
  public static RequestSummary of(HttpContext context) {
    String target = context.request().targetWithoutQuery();
    String route = context.route();
    return new RequestSummary(
        context.id(),
        context.request().method(),
        route != null && route.equals(target) ? route : target, // one string for all sockets
        route,
        context.connection());
  }

  /** Returns {@code GET /chat/lobby (route /chat/{room}) from 192.0.2.1}. */
  @Override
  public String toString() {
    String matched = route == null ? "no route" : "route " + route;
    return method + " " + target + " (" + matched + ") from " + connection.remoteAddress();
  }
}
