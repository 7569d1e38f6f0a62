package dev.windhover.hubs.backplane;

/** Who is sent a message, on whatever server they are. */
public sealed interface Target {
  /** All connections of the hub. */
  record All() implements Target {}

  /** The members of a group. */
  record Group(String name) implements Target {}

  /** The connections of a user. */
  record User(String id) implements Target {}

  /** One connection. */
  record Connection(String id) implements Target {}
}
