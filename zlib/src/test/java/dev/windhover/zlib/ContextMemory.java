package dev.windhover.zlib;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.windhover.protocol.Extension;
import dev.windhover.protocol.Extension.PayloadException;
import dev.windhover.protocol.deflate.DeflateCodecs;
import dev.windhover.protocol.deflate.MessageDeflater;
import dev.windhover.protocol.deflate.MessageInflater;
import dev.windhover.protocol.deflate.StreamSource;
import dev.windhover.protocol.spi.DeflateCodec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * A program that says how much resident memory a context takes in bytes, outside of a heap that is
 * resident from the start, once 100 KB have gone through it. Arguments: window bits, memory level,
 * {@code deflate} or {@code inflate}.
 */
final class ContextMemory {
  private static final int CONTEXTS = 300;

  private ContextMemory() {}

  public static void main(String[] args) throws IOException, PayloadException {
    int bits = Integer.parseInt(args[0]);
    DeflateCodec codec = DeflateCodecs.best(Integer.parseInt(args[1]));
    Random random = new Random(1);
    StringBuilder json = new StringBuilder();
    while (json.length() < 100_000) {
      json.append("{\"id\":").append(random.nextInt(100_000)).append(",\"on\":true},");
    }
    byte[] message = json.toString().getBytes(UTF_8);
    ByteBuffer wire = ByteBuffer.allocate(200_000);
    boolean _ =
        new MessageDeflater(StreamSource.deflating(codec, bits, 6), true)
            .apply(ByteBuffer.wrap(message), wire, true);
    wire.flip();

    ByteBuffer in = args[2].equals("inflate") ? wire : ByteBuffer.wrap(message);
    ByteBuffer out = ByteBuffer.allocate(200_000);
    List<Extension.Transform> contexts = new ArrayList<>();
    long before = 0;
    for (int i = -50; i < CONTEXTS; i++) {
      if (i == 0) {
        before = resident();
      }
      Extension.Transform context =
          args[2].equals("inflate")
              ? new MessageInflater(StreamSource.inflating(codec, bits), true)
              : new MessageDeflater(StreamSource.deflating(codec, bits, 6), true);
      boolean _ = context.apply(in.duplicate(), out.clear(), true);
      contexts.add(context);
    }
    System.out.println((resident() - before) / (contexts.size() - 50));
  }

  private static long resident() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/smaps_rollup"))) {
      if (line.startsWith("Anonymous:")) {
        return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
      }
    }
    throw new IOException("no line of anonymous memory");
  }
}
