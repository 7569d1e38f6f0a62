/**
 * What an application sees: {@link dev.windhover.http.Application} holds the pipeline and the
 * routes, a {@link dev.windhover.http.Handler} answers an {@link dev.windhover.http.HttpContext},
 * and a handler that has accepted a socket uses a {@link dev.windhover.http.websocket.WebSocket}.
 */
package dev.windhover.http;
