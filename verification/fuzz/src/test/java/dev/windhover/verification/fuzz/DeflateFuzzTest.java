package dev.windhover.verification.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.windhover.protocol.Extension.PayloadException;
import dev.windhover.protocol.deflate.DeflateCodecs;
import dev.windhover.protocol.deflate.MessageDeflater;
import dev.windhover.protocol.deflate.MessageInflater;
import dev.windhover.protocol.deflate.StreamSource;
import dev.windhover.protocol.spi.DeflateCodec;
import dev.windhover.protocol.spi.DeflateStream;
import dev.windhover.protocol.spi.InflateStream;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** An inflater with exactly the right window reads what either codec compresses, for any window. */
class DeflateFuzzTest {
  @FuzzTest
  void fuzz(byte[] bytes) throws PayloadException {
    Input input = new Input(bytes);
    int bits = 9 + input.choice(7);
    int level = input.choice(10);
    int memory = 1 + input.choice(9);
    boolean takeover = input.choice(2) == 0;
    boolean rests = input.choice(2) == 1;
    int room = MessageDeflater.LEAST_ROOM + input.choice();
    int count = 1 + input.choice(4);
    int fragments = 1 + input.choice(4);
    int times = 1 + input.choice(); // what a fuzzer writes is short, and a window is not
    List<byte[]> messages = new ArrayList<>();
    for (byte[] part : Input.parts(input.rest(), count)) {
      messages.add(repeat(part, times));
    }
    DeflateCodec system = DeflateCodecs.best(memory);
    for (DeflateCodec codec : List.of(system, DeflateCodecs.jdk())) {
      Streams<DeflateStream> streams = new Streams<>(StreamSource.deflating(codec, bits, level));
      MessageDeflater deflater = new MessageDeflater(streams, takeover);
      List<List<byte[]>> coded = new ArrayList<>();
      for (byte[] message : messages) {
        coded.add(deflate(deflater, message, fragments, room));
        if (rests || !takeover) {
          deflater.rest();
          streams.expectAllBack();
        }
      }
      deflater.close();
      streams.expectAllBack();
      assertThat(inflate(system, bits, takeover, coded)).containsExactlyElementsOf(messages);
      assertThat(inflate(DeflateCodecs.jdk(), bits, takeover, coded))
          .containsExactlyElementsOf(messages);
    }
  }

  private static byte[] repeat(byte[] part, int times) {
    byte[] all = new byte[Math.min(part.length * times, 128 * 1024)];
    for (int i = 0; i < all.length; i++) {
      int round = i / part.length;
      all[i] = (byte) (part[i % part.length] + round / 3); // now and then something new
    }
    return all;
  }

  private static List<byte[]> deflate(
      MessageDeflater deflater, byte[] message, int fragments, int room) {
    List<byte[]> coded = new ArrayList<>();
    List<byte[]> plain = Input.parts(message, fragments);
    ByteBuffer out = Input.buffer(new byte[room], room % 2 == 0);
    int start = out.position();
    for (int i = 0; i < fragments; i++) {
      boolean last = i == fragments - 1;
      ByteBuffer in = Input.buffer(plain.get(i), i % 2 == 0);
      ByteArrayOutputStream fragment = new ByteArrayOutputStream();
      boolean done;
      do {
        out.limit(start + room).position(start);
        done =
            deflater.deflate(
                in, out, last ? MessageDeflater.End.MESSAGE : MessageDeflater.End.FRAGMENT);
        for (int each = start; each < out.position(); each++) {
          fragment.write(out.get(each));
        }
        assertThat(fragment.size()).isLessThanOrEqualTo(2 * message.length + 4096);
      } while (!done);
      assertThat(in.hasRemaining()).as("bytes left").isFalse();
      coded.add(fragment.toByteArray());
    }
    return coded;
  }

  private static List<byte[]> inflate(
      DeflateCodec codec, int bits, boolean takeover, List<List<byte[]>> coded)
      throws PayloadException {
    Streams<InflateStream> streams = new Streams<>(StreamSource.inflating(codec, bits));
    MessageInflater inflater = new MessageInflater(streams, takeover);
    List<byte[]> messages = new ArrayList<>();
    byte[] room = new byte[1024];
    for (List<byte[]> fragments : coded) {
      ByteArrayOutputStream message = new ByteArrayOutputStream();
      for (int i = 0; i < fragments.size(); i++) {
        ByteBuffer in = Input.buffer(fragments.get(i), i % 2 == 1);
        boolean done;
        do {
          ByteBuffer out = ByteBuffer.wrap(room);
          done = inflater.apply(in, out, i == fragments.size() - 1);
          message.writeBytes(Arrays.copyOf(room, out.position()));
        } while (!done);
      }
      messages.add(message.toByteArray());
    }
    inflater.close();
    streams.expectAllBack();
    return messages;
  }
}
