package dev.windhover.hubs.connections;

import static dev.windhover.hubs.connections.Recorder.bytes;
import static dev.windhover.hubs.connections.Recorder.text;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class InboundTest {
  private final List<String> taken = new ArrayList<>();
  private int most = Integer.MAX_VALUE;
  private final Inbound inbound = new Inbound();

  private void take(ByteBuffer bytes) {
    int n = Math.min(most, bytes.remaining());
    taken.add(text(bytes.slice(bytes.position(), n)));
    bytes.position(bytes.position() + n);
  }

  @Test
  void waitsUntilThereIsAListener() {
    inbound.add(bytes("a"), true, this::take);
    assertThat(taken).isEmpty();
    inbound.resume(this::take);
    assertThat(taken).containsExactly("a");
    assertThat(inbound.isTaking()).isTrue();
  }

  @Test
  void isKeptInOrderWhileTheListenerTakesNoMore() {
    inbound.resume(this::take);
    most = 1;
    inbound.add(bytes("abc"), true, this::take);
    inbound.add(bytes("d"), true, this::take);
    assertThat(taken).containsExactly("a");
    assertThat(inbound.isTaking()).isFalse();
    most = 2;
    inbound.resume(this::take);
    assertThat(taken).containsExactly("a", "bc", "d");
    assertThat(inbound.isTaking()).isTrue();
  }

  @Test
  void isCopiedIfItIsLent() {
    inbound.resume(this::take);
    most = 1;
    ByteBuffer lent = bytes("abc");
    inbound.add(lent, true, this::take);
    lent.put(2, (byte) '!');
    most = 10;
    inbound.resume(this::take);
    assertThat(taken).containsExactly("a", "bc");
  }
}
