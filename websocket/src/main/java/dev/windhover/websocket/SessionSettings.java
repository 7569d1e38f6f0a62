package dev.windhover.websocket;

import dev.windhover.http.websocket.WebSocketAcceptContext;
import org.jspecify.annotations.Nullable;

/** The settings of one socket: what was given at accept, else what the options say. */
record SessionSettings(
    KeepAlive.Terms keepAlive, long maxMessageSize, SendMarks sendMarks, WebSocketLimits limits) {
  static SessionSettings of(WebSocketOptions options, WebSocketAcceptContext given) {
    WebSocketLimits limits = options.limits();
    return new SessionSettings(
        new KeepAlive.Terms(
            or(given.keepAliveInterval(), options.keepAliveInterval()).toNanos(),
            or(given.keepAliveTimeout(), options.keepAliveTimeout()).toNanos()),
        or(given.maxMessageSize(), limits.maxMessageSize()),
        new SendMarks(limits.sendQueueHigh(), limits.sendQueueLow()),
        limits);
  }

  private static <T> T or(@Nullable T given, T otherwise) {
    return given != null ? given : otherwise;
  }
}
