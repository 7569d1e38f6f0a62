/** Tests hubs: a client in memory, for the host and the clock of {@code dev.windhover.testing}. */
@org.jspecify.annotations.NullMarked
module dev.windhover.hubs.testing {
  requires transitive dev.windhover.hubs;
  requires transitive dev.windhover.testing;
  requires static transitive org.jspecify;

  exports dev.windhover.hubs.testing;
}
