package dev.windhover.verification.backplane;

import dev.windhover.hubs.backplane.Backplane;
import dev.windhover.hubs.testing.TestBackplane;
import org.junit.jupiter.api.AfterEach;

class TestBackplaneTest extends BackplaneContract {
  private final TestBackplane fleet = new TestBackplane();

  @Override
  Backplane server() {
    return fleet.server();
  }

  @AfterEach
  @Override
  void closeBackplanes() {
    fleet.close();
  }
}
