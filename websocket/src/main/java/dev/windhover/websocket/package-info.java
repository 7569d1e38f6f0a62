/**
 * {@link dev.windhover.websocket.WebSockets} is the middleware, {@link
 * dev.windhover.websocket.WebSocketOptions} its settings. Inside, a {@code Session} lives on its
 * connection's loop and connects the conversation with the host's duplex; an {@code Outbox} orders
 * what all threads send; what is received goes to a {@code ReceiveQueue} (blocking form) or a
 * {@code ListenerPump} (listener form).
 */
package dev.windhover.websocket;
