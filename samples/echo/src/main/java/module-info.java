/** The echo sample. */
@org.jspecify.annotations.NullMarked
module dev.windhover.samples.echo {
  requires dev.windhover.app;
  requires static org.jspecify;

  opens dev.windhover.samples.echo to
      dev.windhover.http; // which calls the controller
}
