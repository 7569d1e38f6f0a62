/**
 * What requests and connections have in common in all versions of HTTP: the state of the answer,
 * the body, counts and time limits.
 */
package dev.windhover.server.exchange;
