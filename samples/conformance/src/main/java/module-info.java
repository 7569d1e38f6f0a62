/** The server for outside testers. */
@org.jspecify.annotations.NullMarked
module dev.windhover.samples.conformance {
  requires dev.windhover.app;
  requires static org.jspecify;
}
