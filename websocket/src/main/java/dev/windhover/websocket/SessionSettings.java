package dev.windhover.websocket;

import dev.windhover.http.host.Durations;
import dev.windhover.http.websocket.WebSocketAcceptContext;
import dev.windhover.protocol.Conversation;
import java.time.Duration;
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
    Duration writeStallTimeout,
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
            Durations.nanos(or(given.keepAliveInterval(), options.keepAliveInterval())),
            Durations.nanos(or(given.keepAliveTimeout(), options.keepAliveTimeout())),
            Durations.nanos(or(given.closeTimeout(), limits.closeTimeout())),
            limits.controlFramesPerSecond(),
            limits.controlFrameBurst(),
            marks.share()),
        or(given.maxMessageSize(), limits.maxMessageSize()),
        marks,
        or(given.writeStallTimeout(), limits.writeStallTimeout()),
        limits,
        given.closesOnStop(),
        development);
  }

  private static <T> T or(@Nullable T given, T otherwise) {
    return given != null ? given : otherwise;
  }
}
