/**
 * What an application sees: {@link dev.windhover.http.Application} holds the pipeline and the
 * routes, a {@link dev.windhover.http.Handler} answers an {@link dev.windhover.http.HttpContext},
 * and {@link dev.windhover.http.websocket.WebSocket} is what a handler talks through once it
 * accepted one.
 */
package dev.windhover.http;
