package dev.windhover.hubs.connections;

import static dev.windhover.hubs.connections.Recorder.bytes;
import static dev.windhover.hubs.connections.Recorder.text;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class InboundTest implements Inbound.Owner {
  private final List<String> taken = new ArrayList<>();
  private final List<Throwable> failures = new ArrayList<>();
  private int most = Integer.MAX_VALUE;
  private boolean isOver;
  private int sum;
  private final Inbound inbound = new Inbound(this);

  @Override
  public boolean isOver() {
    return isOver;
  }

  @Override
  public void taken(int bytes) {
    sum += bytes;
  }

  @Override
  public void failed(Throwable failure) {
    failures.add(failure);
  }

  private void take(ByteBuffer bytes) {
    int n = Math.min(most, bytes.remaining());
    taken.add(text(bytes.slice(bytes.position(), n)));
    bytes.position(bytes.position() + n);
  }

  @Test
  void waitsUntilThereIsAListener() {
    inbound.add(bytes("a"), true);
    inbound.begin(() -> this::take);
    assertThat(taken).isEmpty();
    inbound.resume();
    assertThat(taken).containsExactly("a");
    assertThat(inbound.isTaking()).isTrue();
  }

  @Test
  void isKeptInOrderWhileTheListenerTakesNoMore() {
    inbound.begin(() -> this::take);
    inbound.resume();
    most = 1;
    inbound.add(bytes("abc"), true);
    inbound.add(bytes("d"), true);
    assertThat(taken).containsExactly("a");
    assertThat(inbound.isTaking()).isFalse();
    most = 2;
    inbound.resume();
    assertThat(taken).containsExactly("a", "bc", "d");
    assertThat(inbound.isTaking()).isTrue();
  }

  @Test
  void isCopiedIfItIsLent() {
    inbound.begin(() -> this::take);
    inbound.resume();
    most = 1;
    ByteBuffer lent = bytes("abc");
    inbound.add(lent, true);
    lent.put(2, (byte) '!');
    most = 10;
    inbound.resume();
    assertThat(taken).containsExactly("a", "bc");
  }

  @Test
  void countsWhatTheListenerHasTakenAndWhatItHasLeft() {
    inbound.begin(() -> this::take);
    inbound.resume();
    most = 2;
    inbound.add(bytes("abcde"), true);
    assertThat(inbound.taken()).isEqualTo(sum).isEqualTo(2);
    assertThat(inbound.held()).isEqualTo(3);
    inbound.resume();
    assertThat(inbound.taken()).isEqualTo(sum).isEqualTo(4);
    assertThat(inbound.held()).isEqualTo(1);
    inbound.clear();
    assertThat(inbound.held()).isZero();
  }

  @Test
  void isDroppedWhenTheConnectionIsOver() {
    inbound.begin(() -> this::take);
    inbound.resume();
    isOver = true;
    inbound.add(bytes("a"), true);
    assertThat(taken).isEmpty();
    assertThat(inbound.held()).isZero();
  }

  @Test
  void aListenerThatFailsIsReported() {
    IOException failure = new IOException("no");
    inbound.begin(() ->
        bytes -> {
          throw failure;
        });
    inbound.resume();
    inbound.add(bytes("ab"), true);
    assertThat(failures).containsExactly(failure);
    assertThat(inbound.held()).isZero();
    assertThat(inbound.isCalling()).isFalse();
  }

  @Test
  void aListenerIsCalledUntilItsEnd() {
    List<String> told = new ArrayList<>();
    inbound.begin(() ->
        new ConnectionListener() {
          @Override
          public void onBytes(ByteBuffer bytes) {}

          @Override
          public void onWritable() {
            told.add("writable, within a call: " + inbound.isCalling());
          }

          @Override
          public void onEnded(ConnectionEnding ending) {
            told.add("ended");
          }
        });
    inbound.tell(ConnectionListener::onWritable);
    inbound.end(new ConnectionEnding(ConnectionEnding.Status.NORMAL_CLOSURE, null));
    inbound.tell(ConnectionListener::onWritable);
    assertThat(told).containsExactly("writable, within a call: true", "ended");
    assertThat(inbound.hasListener()).isFalse();
  }
}
