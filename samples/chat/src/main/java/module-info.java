/** The chat sample. */
@org.jspecify.annotations.NullMarked
module dev.windhover.samples.chat {
  requires dev.windhover.app;
  requires static org.jspecify;
}
