package dev.windhover.websocket;

import dev.windhover.http.websocket.WebSocketAcceptContext;
import dev.windhover.protocol.Conversation;
import org.jspecify.annotations.Nullable;

/** The settings of one socket: what was given at accept, else what the options say. */
record SessionSettings(
    Conversation.Terms terms, long maxMessageSize, SendMarks sendMarks, WebSocketLimits limits) {
  static SessionSettings of(WebSocketOptions options, WebSocketAcceptContext given) {
    WebSocketLimits limits = options.limits();
    SendMarks marks = new SendMarks(limits.sendQueueHigh(), limits.sendQueueLow());
    return new SessionSettings(
        new Conversation.Terms(
            or(given.keepAliveInterval(), options.keepAliveInterval()).toNanos(),
            or(given.keepAliveTimeout(), options.keepAliveTimeout()).toNanos(),
            limits.closeTimeout().toNanos(),
            limits.controlFramesPerSecond(),
            limits.controlFrameBurst(),
            marks.share()),
        or(given.maxMessageSize(), limits.maxMessageSize()),
        marks,
        limits);
  }

  private static <T> T or(@Nullable T given, T otherwise) {
    return given != null ? given : otherwise;
  }
}
