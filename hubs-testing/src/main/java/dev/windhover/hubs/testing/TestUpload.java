package dev.windhover.hubs.testing;

import dev.windhover.hubs.protocol.HubMessage;
import org.jspecify.annotations.Nullable;

/** A stream that a {@link TestHubClient} uploads: an argument of one of its calls. */
public final class TestUpload {
  private final TestHubClient client;
  private final String id;

  TestUpload(TestHubClient client, String id) {
    this.client = client;
    this.id = id;
  }

  /** Uploads items. */
  public TestUpload items(@Nullable Object... items) {
    for (Object each : items) {
      client.write(new HubMessage.StreamItem(id, each));
    }
    return this;
  }

  /** Ends the stream. */
  public void end() {
    client.write(HubMessage.Completion.empty(id));
  }

  /** Ends the stream by an error. */
  public void fail(String error) {
    client.write(HubMessage.Completion.failed(id, error));
  }

  String id() {
    return id;
  }
}
