/**
 * The pipeline steps that most applications want: the access log, forwarded headers, allowed hosts,
 * HTTPS, and CORS. Each has a method {@code with}, which creates it from its default options and
 * your changes.
 */
package dev.windhover.http.middleware;
