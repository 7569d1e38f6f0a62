/**
 * The steps of a pipeline that most applications want: who asked (forwarded headers), for whom
 * (allowed hosts), how (HTTPS), from which page (CORS), and a line about it (the access log). Each
 * is made by its {@code with}, from options changed from their defaults.
 */
package dev.windhover.http.middleware;
