package dev.windhover.hubs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.windhover.hubs.connections.SentMessage;
import dev.windhover.hubs.protocol.HubMessage;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class MessageBufferTest {
  private static final HubMessage CALL = new HubMessage.Invocation("1", "x", List.of());

  private final MessageBuffer buffer = new MessageBuffer(100);

  private final List<Integer> forgotten = new ArrayList<>();

  private void add(int bytes) {
    buffer.add(
        new SentMessage() {
          @Override
          public ByteBuffer bytes() {
            return ByteBuffer.allocate(bytes);
          }

          @Override
          public void forget() {
            forgotten.add(bytes);
          }
        });
  }

  @Nested
  class Sending {
    @Test
    void whatIsAcknowledgedIsNotKept() {
      add(10);
      add(20);
      add(30);
      assertThat(buffer.first()).isEqualTo(1);
      buffer.acknowledge(2);
      assertThat(buffer.first()).isEqualTo(3);
      assertThat(buffer.kept()).hasSize(1);
      buffer.acknowledge(3);
      assertThat(buffer.first()).isEqualTo(4);
      assertThat(buffer.kept()).isEmpty();
      assertThat(forgotten).containsExactly(10, 20, 30);
    }

    @Test
    void anAcknowledgementOfWhatWasNeverSentChangesNothingMore() {
      add(10);
      buffer.acknowledge(1_000);
      add(10);
      assertThat(buffer.first()).isEqualTo(2);
      assertThat(buffer.kept()).hasSize(1);
    }

    @Test
    void thereIsRoomUpToHalfOfTheLimit() {
      add(50);
      assertThat(buffer.hasRoomBeside(0)).isTrue();
      assertThat(buffer.hasRoomBeside(1)).isFalse();
      assertThat(buffer.left()).isEqualTo(50);
      add(50);
      assertThat(buffer.isOverfull()).isFalse();
      add(1);
      assertThat(buffer.isOverfull()).isTrue();
      buffer.acknowledge(1);
      assertThat(buffer.isOverfull()).isFalse();
    }

    @Test
    void whatWasForgottenMustBeAcknowledgedBeforeTheClientCanComeBack() {
      add(60);
      add(60);
      buffer.forget();
      assertThat(forgotten).containsExactly(60, 60);
      add(10);
      assertThat(buffer.canResume()).isFalse();
      buffer.acknowledge(1);
      assertThat(buffer.canResume()).isFalse();
      buffer.acknowledge(2);
      assertThat(buffer.canResume()).isTrue();
      assertThat(buffer.first()).isEqualTo(3);
      assertThat(buffer.kept()).hasSize(1);
    }
  }

  @Nested
  class Receiving {
    @Test
    void onlyCallsAndWhatBelongsToThemHaveNumbers() {
      assertThat(buffer.receive(HubMessage.Ping.INSTANCE)).isTrue();
      assertThat(buffer.receive(new HubMessage.Ack(1))).isTrue();
      assertThat(buffer.owesAck()).isFalse();
      assertThat(buffer.receive(CALL)).isTrue();
      assertThat(buffer.owesAck()).isTrue();
      assertThat(buffer.ack()).isEqualTo(new HubMessage.Ack(1));
      assertThat(buffer.owesAck()).isFalse();
    }

    @Test
    void afterALossNothingCountsBeforeTheSequence() {
      boolean _ = buffer.receive(CALL);
      buffer.lost();
      assertThat(buffer.receive(CALL)).isFalse();
      assertThat(buffer.receive(HubMessage.Ping.INSTANCE)).isFalse();
      assertThat(buffer.receive(new HubMessage.Sequence(1))).isFalse();
      assertThat(buffer.receive(CALL)).as("number 1, again").isFalse();
      assertThat(buffer.receive(CALL)).as("number 2").isTrue();
    }

    @Test
    void whatComesAgainIsAcknowledgedAgain() { // the acknowledgement was lost with the transport
      boolean _ = buffer.receive(CALL);
      assertThat(buffer.ack()).isEqualTo(new HubMessage.Ack(1));
      buffer.lost();
      assertThat(buffer.receive(new HubMessage.Sequence(1))).isFalse();
      assertThat(buffer.owesAck()).isFalse();
      assertThat(buffer.receive(CALL)).isFalse();
      assertThat(buffer.owesAck()).isTrue();
      assertThat(buffer.ack()).isEqualTo(new HubMessage.Ack(1));
    }

    @Test
    void aSequenceThatLeavesSomethingOutIsAFault() {
      boolean _ = buffer.receive(CALL);
      buffer.lost();
      assertThatThrownBy(() -> buffer.receive(new HubMessage.Sequence(3)))
          .hasMessage("Sequence ID greater than amount of messages we've received.");
      assertThat(buffer.receive(new HubMessage.Sequence(2))).isFalse();
      assertThat(buffer.receive(CALL)).isTrue();
    }
  }
}
