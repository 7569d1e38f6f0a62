/** The hub server that is compared with the reference. */
@org.jspecify.annotations.NullMarked
module dev.windhover.samples.hub.server {
  requires com.fasterxml.jackson.annotation;
  requires dev.windhover.app;
  requires dev.windhover.hubs;
  requires dev.windhover.hubs.redis;
  requires static org.jspecify;

  opens dev.windhover.samples.hub.server to
      dev.windhover.hubs,
      tools.jackson.databind;
}
