package dev.windhover.verification.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.windhover.hubs.protocol.Handshake;
import dev.windhover.hubs.protocol.InvalidDataException;
import dev.windhover.hubs.protocol.JsonHubProtocol;
import dev.windhover.hubs.protocol.ValueOptions;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Any bytes to a hub that speaks JSON. Whole, in pieces and one by one they are the same messages,
 * and what is malformed is said to be.
 */
class JsonHubFuzzTest {
  private static final JsonHubProtocol PROTOCOL = new JsonHubProtocol(ValueOptions.DEFAULT);

  @FuzzTest
  void fuzz(byte[] bytes) {
    Input input = new Input(bytes);
    int seed = input.choice();
    byte[] wire = input.rest();
    List<String> whole = HubRun.of(PROTOCOL, List.of(wire), false);
    assertThat(HubRun.of(PROTOCOL, List.of(wire), true)).as("in direct memory").isEqualTo(whole);
    assertThat(HubRun.of(PROTOCOL, Input.bytewise(wire), false)).as("bytewise").isEqualTo(whole);
    assertThat(HubRun.of(PROTOCOL, Input.pieces(wire, 1 + seed / 2, seed), (seed & 1) != 0))
        .as("in pieces")
        .isEqualTo(whole);
    try {
      assertThat(Handshake.read(ByteBuffer.wrap(wire)).protocol()).isNotNull();
    } catch (InvalidDataException e) {
      assertThat(e.details()).isNotEmpty();
    }
  }
}
