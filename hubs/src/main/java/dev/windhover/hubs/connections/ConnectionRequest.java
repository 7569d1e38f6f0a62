package dev.windhover.hubs.connections;

import dev.windhover.http.Connection;
import dev.windhover.http.Headers;
import dev.windhover.http.Query;

/**
 * The request that opened a connection, as far as it is kept.
 *
 * @param path the path, decoded
 * @param query the query; with the client's own parameters
 * @param headers the headers; not to be changed
 * @param connection addresses and TLS
 */
public record ConnectionRequest(String path, Query query, Headers headers, Connection connection) {}
