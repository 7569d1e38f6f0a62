package dev.windhover.benchmarks;

import dev.windhover.protocol.Extension.PayloadException;
import dev.windhover.protocol.deflate.DeflateCodecs;
import dev.windhover.protocol.deflate.MessageDeflater;
import dev.windhover.protocol.deflate.MessageInflater;
import dev.windhover.protocol.deflate.StreamSource;
import dev.windhover.protocol.spi.DeflateCodec;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The cost of compressing and decompressing a JSON message with the JDK's zlib and the system's.
 * Buffers are direct, like a host's. Messages differ, because a context that is taken over has seen
 * the earlier ones.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
    value = 1,
    jvmArgsAppend = {"-XX:+UseCompactObjectHeaders", "--enable-native-access=ALL-UNNAMED"})
public class DeflateBenchmark {
  private static final int MESSAGES = 64;
  private static final int LEVEL = DeflateCodecs.DEFAULT_LEVEL;

  /** The size of a message in bytes. */
  @Param({"256", "4096", "65536"})
  public int size;

  /** The zlib to use. */
  @Param({"jdk", "native"})
  public String codec = "jdk";

  /** The window. */
  @Param({"15", "9"})
  public int bits;

  /** Whether messages may refer to earlier ones. */
  @Param({"true", "false"})
  public boolean takeover;

  private final ByteBuffer[] plain = new ByteBuffer[MESSAGES];
  private final ByteBuffer[] wire = new ByteBuffer[MESSAGES];
  private ByteBuffer out = ByteBuffer.allocate(0);
  private @Nullable MessageDeflater deflater;
  private @Nullable MessageInflater inflater;
  private int next;

  /** Creates messages and their form on the wire. */
  @Setup
  public void prepare() {
    DeflateCodec by =
        codec.equals("jdk")
            ? DeflateCodecs.jdk()
            : DeflateCodecs.best(DeflateCodecs.DEFAULT_MEMORY_LEVEL);
    deflater = new MessageDeflater(oneOf(by.deflate(bits, LEVEL)), takeover);
    inflater = new MessageInflater(oneOf(by.inflate(bits)), takeover);
    out = ByteBuffer.allocateDirect(2 * size + 100);
    JsonMessages messages = new JsonMessages(size, size);
    MessageDeflater once = new MessageDeflater(StreamSource.deflating(by, bits, LEVEL), false);
    for (int i = 0; i < MESSAGES; i++) {
      byte[] message = messages.next();
      plain[i] = ByteBuffer.allocateDirect(size).put(message).flip();
      boolean _ = once.apply(plain[i].duplicate(), out.clear(), true);
      wire[i] = ByteBuffer.allocateDirect(out.position()).put(out.flip()).flip();
    }
  }

  /** A pool of one. */
  private static <T> StreamSource<T> oneOf(T stream) {
    return new StreamSource<>() {
      @Override
      public T take() {
        return stream;
      }

      @Override
      public void give(T given, boolean reusable) {}
    };
  }

  /** Compresses a message. */
  @Benchmark
  public boolean deflate() {
    ByteBuffer in = plain[next++ & (MESSAGES - 1)].position(0);
    return known(deflater).apply(in, out.clear(), true);
  }

  /** Decompresses a message. */
  @Benchmark
  public boolean inflate() throws PayloadException {
    ByteBuffer in = wire[next++ & (MESSAGES - 1)].position(0);
    return known(inflater).apply(in, out.clear(), true);
  }

  private static <T> T known(@Nullable T prepared) {
    if (prepared == null) {
      throw new IllegalStateException("not prepared");
    }
    return prepared;
  }
}
