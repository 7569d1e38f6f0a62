package dev.windhover.testing;

/** The two ways to hold a socket. */
enum Form {
  BLOCKING,
  LISTENER
}
