/**
 * A socket as an application sees it: {@link dev.windhover.http.websocket.WebSocket} in its
 * blocking form, {@link dev.windhover.http.websocket.WebSocketListener} for the other, what they
 * send and receive, and how a request becomes one.
 */
package dev.windhover.http.websocket;
