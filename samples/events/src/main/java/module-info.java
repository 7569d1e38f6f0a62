/** The sample of event streams. */
@org.jspecify.annotations.NullMarked
module dev.windhover.samples.events {
  requires dev.windhover.app;
  requires static org.jspecify;
}
