/** The sample of hubs. */
@org.jspecify.annotations.NullMarked
module dev.windhover.samples.hubs {
  requires dev.windhover.app;
  requires dev.windhover.hubs;
  requires static org.jspecify;

  opens dev.windhover.samples.hubs to
      dev.windhover.hubs, // which calls the hub
      tools.jackson.databind; // which reads and writes what is sent
}
