package dev.windhover.websocket;

import dev.windhover.http.WebSocketAcceptContext;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The settings of one socket: what was given at accept, else what the options say. */
record SessionSettings(
    Duration keepAliveInterval,
    Duration keepAliveTimeout,
    long maxMessageSize,
    WebSocketLimits limits) {
  static SessionSettings of(WebSocketOptions options, WebSocketAcceptContext given) {
    return new SessionSettings(
        or(given.keepAliveInterval(), options.keepAliveInterval()),
        or(given.keepAliveTimeout(), options.keepAliveTimeout()),
        or(given.maxMessageSize(), options.limits().maxMessageSize()),
        options.limits());
  }

  private static <T> T or(@Nullable T given, T otherwise) {
    return given != null ? given : otherwise;
  }
}
