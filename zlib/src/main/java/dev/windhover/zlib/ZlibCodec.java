package dev.windhover.zlib;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.windhover.protocol.Extension.PayloadException;
import dev.windhover.protocol.spi.DeflateCodec;
import dev.windhover.protocol.spi.DeflateStream;
import dev.windhover.protocol.spi.InflateStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * The codec of the system's zlib, in which smaller windows really take less memory.
 *
 * <p>A compressing stream takes {@code 2^(windowBits+2) + 2^(memoryLevel+9)} bytes plus about 6
 * KiB, a decompressing stream {@code 2^windowBits} bytes plus about 8 KiB. The table shows the
 * resident memory after 100 KB of JSON (zlib 1.2.13, level 6), and the size to which JSON messages
 * shrink with context takeover:
 *
 * <table>
 *   <caption>Window bits and memory level</caption>
 *   <tr><th>bits, level<th>compressing<th>decompressing<th>of 256 B<th>of 4 KiB<th>of 64 KiB</tr>
 *   <tr><td>15, 8<td>243 KiB<td>40 KiB<td>18.1 %<td>13.6 %<td>12.9 %</tr>
 *   <tr><td>15, 4<td>142 KiB<td>40 KiB<td>18.3 %<td>13.7 %<td>13.2 %</tr>
 *   <tr><td>9, 8<td>136 KiB<td>8 KiB<td>31.6 %<td>19.3 %<td>18.3 %</tr>
 *   <tr><td>9, 4<td>16 KiB<td>8 KiB<td>31.6 %<td>19.3 %<td>19.1 %</tr>
 *   <tr><td>9, 1<td>9 KiB<td>7 KiB<td>31.6 %<td>23.9 %<td>23.6 %</tr>
 * </table>
 */
@SuppressWarnings("restricted") // called only with native access
final class ZlibCodec implements DeflateCodec {
  private static final int MIN_WINDOW_BITS = 9; // zlib turns 8 into 9
  private static final int MAX_WINDOW_BITS = 15;

  // zlib.h
  private static final int Z_NO_FLUSH = 0;
  private static final int Z_SYNC_FLUSH = 2;
  private static final int Z_STREAM_END = 1;
  private static final int Z_OK = 0;
  private static final int Z_NEED_DICT = 2;
  private static final int Z_DATA_ERROR = -3;
  private static final int Z_MEM_ERROR = -4;
  private static final int Z_BUF_ERROR = -5;
  private static final int Z_DEFLATED = 8;
  private static final int Z_DEFAULT_STRATEGY = 0;

  /** In {@code data_type} after {@code inflate}: the next byte begins a block. */
  private static final int BETWEEN_BLOCKS = 128;

  private static final @Nullable Zlib ZLIB = mayCallNativeCode() ? Zlib.find() : null;

  private final Zlib zlib;
  private final int memoryLevel;

  private ZlibCodec(Zlib zlib, int memoryLevel) {
    this.zlib = zlib;
    this.memoryLevel = memoryLevel;
  }

  /** Returns whether the JVM was started so that this module may call native code. */
  static boolean mayCallNativeCode() {
    return ZlibCodec.class.getModule().isNativeAccessEnabled();
  }

  /**
   * Returns this codec, or null if this system has no zlib that can be used. Never makes the JVM
   * print a warning.
   *
   * @param memoryLevel the memory level of compressing streams, 1 (least memory, larger output) to
   *     9
   */
  static @Nullable ZlibCodec ofSystem(int memoryLevel) {
    Zlib found = ZLIB;
    return found == null ? null : new ZlibCodec(found, memoryLevel);
  }

  @Override
  public DeflateStream deflate(int windowBits, int level) {
    requireWindowBits(windowBits);
    if (level < 0 || level > 9) {
      throw new IllegalArgumentException("level of " + level + " is not within 0-9");
    }
    return new Deflating(zlib, windowBits, memoryLevel, level);
  }

  @Override
  public InflateStream inflate(int windowBits) {
    requireWindowBits(windowBits);
    return new Inflating(zlib, windowBits);
  }

  private static void requireWindowBits(int bits) {
    if (bits < MIN_WINDOW_BITS || bits > MAX_WINDOW_BITS) {
      throw new IllegalArgumentException("window of " + bits + " bits is not within 9-15");
    }
  }

  @Override
  public int deflateBytes(int windowBits) {
    return (1 << (windowBits + 2)) + (1 << (memoryLevel + 9)) + 6 * 1024;
  }

  @Override
  public int inflateBytes(int windowBits) {
    return (1 << windowBits) + 8 * 1024;
  }

  // ---- The library

  /**
   * Its functions. The JIT compiler treats the components as constants, because the record is in a
   * static final field.
   */
  private record Zlib(
      MemorySegment version,
      MethodHandle deflateInit,
      MethodHandle deflate,
      MethodHandle deflateReset,
      MethodHandle deflateEnd,
      MethodHandle inflateInit,
      MethodHandle inflate,
      MethodHandle inflateReset,
      MethodHandle inflateResetKeep,
      MethodHandle inflateEnd,
      MethodHandle inflateGetDictionary,
      MethodHandle inflateSetDictionary,
      MethodHandle calloc,
      MethodHandle free) {
    private static final List<String> NAMES =
        List.of("libz.so.1", "libz.so", "libz.1.dylib", "libz.dylib", "zlib1.dll");

    static @Nullable Zlib find() {
      if (ADDRESS.byteSize() != Long.BYTES) {
        return null;
      }
      for (String name : NAMES) {
        try {
          return link(SymbolLookup.libraryLookup(name, Arena.global()));
        } catch (IllegalArgumentException e) {
          // try the next name
        } catch (Throwable e) {
          return null; // the library is not what its name says
        }
      }
      return null;
    }

    private static Zlib link(SymbolLookup lookup) throws Throwable {
      Linker linker = Linker.nativeLinker();
      SymbolLookup c = linker.defaultLookup();
      FunctionDescriptor ofStream = FunctionDescriptor.of(JAVA_INT, ADDRESS);
      FunctionDescriptor step = ofStream.appendArgumentLayouts(JAVA_INT);
      MethodHandle version =
          linker.downcallHandle(lookup.findOrThrow("zlibVersion"), FunctionDescriptor.of(ADDRESS));
      return new Zlib(
          (MemorySegment) version.invokeExact(),
          linker.downcallHandle(
              lookup.findOrThrow("deflateInit2_"),
              ofStream.appendArgumentLayouts(
                  JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT)),
          linker.downcallHandle(lookup.findOrThrow("deflate"), step),
          linker.downcallHandle(lookup.findOrThrow("deflateReset"), ofStream),
          linker.downcallHandle(lookup.findOrThrow("deflateEnd"), ofStream),
          linker.downcallHandle(
              lookup.findOrThrow("inflateInit2_"), step.appendArgumentLayouts(ADDRESS, JAVA_INT)),
          linker.downcallHandle(lookup.findOrThrow("inflate"), step),
          linker.downcallHandle(lookup.findOrThrow("inflateReset"), ofStream),
          linker.downcallHandle(lookup.findOrThrow("inflateResetKeep"), ofStream),
          linker.downcallHandle(lookup.findOrThrow("inflateEnd"), ofStream),
          linker.downcallHandle(
              lookup.findOrThrow("inflateGetDictionary"),
              ofStream.appendArgumentLayouts(ADDRESS, ADDRESS)),
          linker.downcallHandle(
              lookup.findOrThrow("inflateSetDictionary"),
              ofStream.appendArgumentLayouts(ADDRESS, JAVA_INT)),
          linker.downcallHandle(
              c.findOrThrow("calloc"), FunctionDescriptor.of(ADDRESS, JAVA_LONG, JAVA_LONG)),
          linker.downcallHandle(c.findOrThrow("free"), FunctionDescriptor.ofVoid(ADDRESS)));
    }
  }

  // ---- A stream

  /**
   * A {@code z_stream} and the transfer of bytes through it. Its memory is allocated by C and must
   * not move.
   */
  private abstract static class NativeStream {
    /** The offsets of {@code z_stream}'s fields depend on the size of a C long. */
    private static final boolean WIDE =
        Objects.requireNonNull(Linker.nativeLinker().canonicalLayouts().get("long")).byteSize()
            == 8;

    static final int SIZE = WIDE ? 112 : 88;
    private static final long NEXT_IN = 0;
    private static final long AVAIL_IN = 8;
    private static final long NEXT_OUT = WIDE ? 24 : 16;
    private static final long AVAIL_OUT = NEXT_OUT + 8;
    private static final long DATA_TYPE = WIDE ? 88 : 72;

    final Zlib zlib;
    private final MemorySegment stream;
    private boolean ended;

    /** How many bytes the last step left. */
    private int left;

    /**
     * Creates the stream.
     *
     * @param init the library's function that sets it up
     */
    NativeStream(Zlib zlib, Init init) {
      this.zlib = zlib;
      MemorySegment memory;
      try {
        memory = (MemorySegment) zlib.calloc.invokeExact(1L, (long) SIZE);
      } catch (Throwable e) {
        throw failed(e);
      }
      if (memory.address() == 0) {
        throw outOfMemory();
      }
      this.stream = memory.reinterpret(SIZE);
      int code;
      try {
        code = init.call(stream);
      } catch (Throwable e) {
        throw failed(e);
      }
      if (code != Z_OK) {
        throw notMade(code);
      }
    }

    /** Sets up a {@code z_stream} and returns zlib's code. */
    @FunctionalInterface
    interface Init {
      int call(MemorySegment of) throws Throwable;
    }

    /**
     * Returns the stream, which must not have ended: its memory may belong to another stream by
     * now.
     */
    final MemorySegment stream() {
      if (ended) {
        throw new IllegalStateException("the stream has ended");
      }
      return stream;
    }

    /** Calls {@code deflate} or {@code inflate}. */
    abstract int step(MemorySegment of, int flush) throws Throwable;

    abstract int free(MemorySegment of) throws Throwable;

    /**
     * Moves bytes until {@code in} is used up, {@code out} is full, or zlib returns another code
     * than {@code Z_OK}. Bytes on the heap go through a buffer outside of it.
     *
     * @return zlib's code
     */
    final int run(ByteBuffer in, ByteBuffer out, int flush) {
      if (in.isDirect() && out.isDirect()) {
        return run(in, out, flush, null);
      }
      ByteBuffer scratch = Scratch.take();
      try {
        return run(in, out, flush, scratch);
      } finally {
        Scratch.give(scratch);
      }
    }

    private int run(ByteBuffer in, ByteBuffer out, int flush, @Nullable ByteBuffer scratch) {
      boolean more;
      int code;
      do {
        int n = in.remaining();
        long from;
        if (in.isDirect() || scratch == null) {
          from = MemorySegment.ofBuffer(in).address();
        } else {
          n = Math.min(n, Scratch.HALF);
          scratch.put(0, in, in.position(), n);
          from = MemorySegment.ofBuffer(scratch).address();
        }
        int room = out.remaining();
        long to;
        boolean indirect = scratch != null && !out.isDirect();
        if (indirect) {
          room = Math.min(room, Scratch.HALF);
          to = MemorySegment.ofBuffer(scratch).address() + Scratch.HALF;
        } else {
          to = MemorySegment.ofBuffer(out).address();
        }
        code = step(from, n, to, room, n == in.remaining() ? flush : Z_NO_FLUSH);
        int made = room - roomLeft();
        if (indirect) {
          out.put(out.position(), scratch, Scratch.HALF, made);
        }
        in.position(in.position() + n - left);
        out.position(out.position() + made);
        more = out.hasRemaining() && (in.hasRemaining() || made == room);
      } while (more && code == Z_OK);
      return code;
    }

    final int step(long from, int n, long to, int room, int flush) {
      MemorySegment of = stream();
      of.set(JAVA_LONG, NEXT_IN, from);
      of.set(JAVA_INT, AVAIL_IN, n);
      of.set(JAVA_LONG, NEXT_OUT, to);
      of.set(JAVA_INT, AVAIL_OUT, room);
      int code;
      try {
        code = step(of, flush);
      } catch (Throwable e) {
        throw failed(e);
      }
      left = of.get(JAVA_INT, AVAIL_IN);
      return code;
    }

    /** Returns how many bytes the last step did not take. */
    final int left() {
      return left;
    }

    final int roomLeft() {
      return stream.get(JAVA_INT, AVAIL_OUT);
    }

    final boolean isBetweenBlocks() {
      return (stream.get(JAVA_INT, DATA_TYPE) & BETWEEN_BLOCKS) != 0;
    }

    /** Frees a stream that could not be created, and returns the reason. */
    private RuntimeException notMade(int code) {
      ended = true;
      release();
      if (code == Z_MEM_ERROR) {
        throw outOfMemory();
      }
      return new IllegalStateException("zlib returned " + code);
    }

    final void close() {
      if (!ended) {
        MemorySegment of = stream();
        ended = true;
        try {
          int _ = free(of);
        } catch (Throwable e) {
          throw failed(e);
        }
        release();
      }
    }

    private void release() {
      try {
        zlib.free.invokeExact(stream);
      } catch (Throwable e) {
        throw failed(e);
      }
    }

    static OutOfMemoryError outOfMemory() {
      return new OutOfMemoryError("no native memory for a compression context");
    }

    static void require(int code) {
      if (code == Z_MEM_ERROR) {
        throw outOfMemory();
      }
      if (code != Z_OK) {
        throw new IllegalStateException("zlib returned " + code);
      }
    }

    static RuntimeException failed(Throwable e) {
      return switch (e) {
        case RuntimeException known -> known;
        case Error error -> throw error;
        default -> new IllegalStateException(e);
      };
    }
  }

  private static final class Deflating extends NativeStream implements DeflateStream {
    Deflating(Zlib zlib, int windowBits, int memoryLevel, int level) {
      super(
          zlib,
          of ->
              (int)
                  zlib.deflateInit.invokeExact(
                      of,
                      level,
                      Z_DEFLATED,
                      -windowBits, // raw
                      memoryLevel,
                      Z_DEFAULT_STRATEGY,
                      zlib.version,
                      SIZE));
    }

    @Override
    int step(MemorySegment of, int flush) throws Throwable {
      return (int) zlib.deflate.invokeExact(of, flush);
    }

    @Override
    int free(MemorySegment of) throws Throwable {
      return (int) zlib.deflateEnd.invokeExact(of);
    }

    @Override
    public void end() {
      close();
    }

    @Override
    public void deflate(ByteBuffer in, ByteBuffer out, boolean flush) {
      int code = run(in, out, flush ? Z_SYNC_FLUSH : Z_NO_FLUSH);
      if (code != Z_BUF_ERROR) { // it had nothing to do
        require(code);
      }
    }

    @Override
    public void reset() {
      try {
        require((int) zlib.deflateReset.invokeExact(stream()));
      } catch (Throwable e) {
        throw failed(e);
      }
    }
  }

  private static final class Inflating extends NativeStream implements InflateStream {
    private static final byte[] NOTHING = {};

    /**
     * The tail that is left out of a message, and room for one byte that must not come out of it.
     */
    private static final long TAIL =
        Arena.global()
            .allocateFrom(ValueLayout.JAVA_BYTE, (byte) 0, (byte) 0, (byte) 0xFF, (byte) 0xFF)
            .address();

    private static final long UNEXPECTED = Arena.global().allocate(1).address();

    private final int window;

    Inflating(Zlib zlib, int windowBits) {
      super(zlib, of -> (int) zlib.inflateInit.invokeExact(of, -windowBits, zlib.version, SIZE));
      window = 1 << windowBits;
    }

    @Override
    int step(MemorySegment of, int flush) throws Throwable {
      return (int) zlib.inflate.invokeExact(of, flush);
    }

    @Override
    int free(MemorySegment of) throws Throwable {
      return (int) zlib.inflateEnd.invokeExact(of);
    }

    @Override
    public void end() {
      close();
    }

    @Override
    public void inflate(ByteBuffer in, ByteBuffer out) throws PayloadException {
      int code;
      do {
        code = run(in, out, Z_SYNC_FLUSH);
        judge(code, CORRUPT);
        if (code == Z_STREAM_END) {
          goOn();
        }
      } while (code == Z_STREAM_END && in.hasRemaining() && out.hasRemaining());
    }

    @Override
    public void endMessage() throws PayloadException {
      int left = 4;
      int code;
      do {
        code = step(TAIL + 4 - left, left, UNEXPECTED, 1, Z_SYNC_FLUSH);
        left = left();
        judge(code, CUT);
        if (roomLeft() == 0) {
          throw new PayloadException(CUT);
        }
        if (code == Z_STREAM_END) {
          goOn();
        }
      } while (code == Z_STREAM_END && left > 0);
      if (code != Z_STREAM_END && !isBetweenBlocks()) {
        throw new PayloadException(CUT);
      }
    }

    private static void judge(int code, String text) throws PayloadException {
      if (code == Z_DATA_ERROR || code == Z_NEED_DICT) {
        throw new PayloadException(text);
      }
      if (code != Z_BUF_ERROR && code != Z_STREAM_END) { // it had nothing to do, or BFINAL
        require(code);
      }
    }

    /**
     * Continues after a block with BFINAL. It does not copy the window, so a peer cannot cause a
     * copy with two bytes.
     */
    private void goOn() {
      try {
        require((int) zlib.inflateResetKeep.invokeExact(stream()));
      } catch (Throwable e) {
        throw failed(e);
      }
    }

    @Override
    public byte[] window() {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment bytes = arena.allocate(window);
        MemorySegment length = arena.allocate(JAVA_INT);
        require((int) zlib.inflateGetDictionary.invokeExact(stream(), bytes, length));
        int n = length.get(JAVA_INT, 0);
        return n == 0 ? NOTHING : bytes.asSlice(0, n).toArray(ValueLayout.JAVA_BYTE);
      } catch (Throwable e) {
        throw failed(e);
      }
    }

    @Override
    public void reset(byte... dictionary) {
      try (Arena arena = Arena.ofConfined()) {
        require((int) zlib.inflateReset.invokeExact(stream()));
        if (dictionary.length > 0) {
          MemorySegment bytes = arena.allocateFrom(ValueLayout.JAVA_BYTE, dictionary);
          require((int) zlib.inflateSetDictionary.invokeExact(stream(), bytes, dictionary.length));
        }
      } catch (Throwable e) {
        throw failed(e);
      }
    }
  }

  /**
   * Memory outside of the heap through which bytes on the heap go: a few buffers for all streams.
   */
  private static final class Scratch {
    /** One half is for input, the other for output. */
    static final int HALF = 16 * 1024;

    private static final int SLOTS = 16;
    private static final AtomicReferenceArray<@Nullable ByteBuffer> slots =
        new AtomicReferenceArray<>(SLOTS);

    static ByteBuffer take() {
      ByteBuffer free = slots.getAndSet(slot(), null);
      return free == null ? ByteBuffer.allocateDirect(2 * HALF) : free;
    }

    static void give(ByteBuffer scratch) {
      slots.set(slot(), scratch);
    }

    private static int slot() {
      return (int) Thread.currentThread().threadId() & (SLOTS - 1);
    }
  }
}
