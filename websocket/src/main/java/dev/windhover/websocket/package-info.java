/**
 * {@link dev.windhover.websocket.WebSockets} is the middleware, {@link
 * dev.windhover.websocket.WebSocketOptions} its settings. Inside, a {@code Session} lives on its
 * connection's loop and connects the conversation with the host's duplex; an {@code Outbox} orders
 * what all threads send; an {@code Inbox} delivers what is received, through a {@code Receiver} in
 * the blocking form and a {@code ListenerPump} in the listener form.
 */
package dev.windhover.websocket;
