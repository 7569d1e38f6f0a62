/**
 * Sockets as an application sees them: {@link dev.windhover.http.websocket.WebSocket}, {@link
 * dev.windhover.http.websocket.WebSocketListener} for the listener form, the messages that they
 * send and receive, and {@link dev.windhover.http.websocket.WebSocketManager}, which turns a
 * request into a socket.
 */
package dev.windhover.http.websocket;
