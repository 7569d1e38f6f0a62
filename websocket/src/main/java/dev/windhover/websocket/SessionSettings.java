package dev.windhover.websocket;

import dev.windhover.http.websocket.WebSocketAcceptContext;
import dev.windhover.protocol.Conversation;
import org.jspecify.annotations.Nullable;

/**
 * The settings of one socket: what was given at accept, else what the options say.
 *
 * @param closesOnStop whether a stop closes the socket
 * @param development whether the peer is told what was thrown when the socket's handler fails
 */
record SessionSettings(
    Conversation.Terms terms,
    long maxMessageSize,
    SendMarks sendMarks,
    WebSocketLimits limits,
    boolean closesOnStop,
    boolean development) {
  static SessionSettings of(
      WebSocketOptions options, WebSocketAcceptContext given, boolean development) {
    WebSocketLimits limits = options.limits();
    SendMarks all = new SendMarks(limits.sendQueueHigh(), limits.sendQueueLow());
    Integer mark = given.sendMark();
    SendMarks marks = mark == null ? all : all.toldAt(mark);
    return new SessionSettings(
        new Conversation.Terms(
            or(given.keepAliveInterval(), options.keepAliveInterval()).toNanos(),
            or(given.keepAliveTimeout(), options.keepAliveTimeout()).toNanos(),
            or(given.closeTimeout(), limits.closeTimeout()).toNanos(),
            limits.controlFramesPerSecond(),
            limits.controlFrameBurst(),
            marks.share()),
        or(given.maxMessageSize(), limits.maxMessageSize()),
        marks,
        limits,
        given.closesOnStop(),
        development);
  }

  private static <T> T or(@Nullable T given, T otherwise) {
    return given != null ? given : otherwise;
  }
}
