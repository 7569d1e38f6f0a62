/** The dashboard sample. */
@org.jspecify.annotations.NullMarked
module dev.windhover.samples.dashboard {
  requires dev.windhover.app;
  requires java.net.http;
  requires jdk.management;
  requires static org.jspecify;
}
