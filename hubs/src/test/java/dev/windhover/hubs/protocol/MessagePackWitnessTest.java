package dev.windhover.hubs.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.msgpack.core.MessageBufferPacker;
import org.msgpack.core.MessagePack;
import org.msgpack.core.MessagePacker;
import org.msgpack.core.MessageUnpacker;
import org.msgpack.value.Value;

/** What msgpack-core writes, we read, and the other way round. */
class MessagePackWitnessTest {
  private static final int SEEDS = 200;
  private static final int LEVELS = 4;

  /** Around these, the form of a length or a number changes. */
  private static final long[] EDGES = {0, 15, 31, 127, 255, 65_535, 0xffff_ffffL, Long.MAX_VALUE};

  private final Wire wire = new Wire(ValueOptions.DEFAULT);

  static List<Integer> weUnderstandEachOther() {
    List<Integer> seeds = new ArrayList<>();
    for (int i = 0; i < SEEDS; i++) {
      seeds.add(i);
    }
    return seeds;
  }

  @ParameterizedTest
  @MethodSource
  void weUnderstandEachOther(int seed) throws IOException {
    Object value = value(new Random(seed), LEVELS);
    MessageBufferPacker packer = MessagePack.newDefaultBufferPacker();
    pack(packer, value);
    String theirs = HexFormat.of().formatHex(packer.toByteArray());
    assertThat(plain(wire.fromHex(Object.class, theirs))).isEqualTo(plain(value));
    byte[] ours = HexFormat.of().parseHex(wire.toHex(value));
    try (MessageUnpacker unpacker = MessagePack.newDefaultUnpacker(ours)) {
      assertThat(plain(unpacker.unpackValue())).isEqualTo(plain(value));
      assertThat(unpacker.hasNext()).isFalse();
    }
  }

  // ---- Values

  private static @Nullable Object value(Random random, int levels) {
    return switch (random.nextInt(levels > 0 ? 8 : 6)) {
      case 0 -> null;
      case 1 -> random.nextBoolean();
      case 2 -> number(random);
      case 3 -> random.nextDouble();
      case 4 -> "é".repeat(length(random));
      case 5 -> bytes(random);
      case 6 -> {
        List<@Nullable Object> list = new ArrayList<>();
        for (int i = random.nextInt(20); i > 0; i--) {
          list.add(value(random, levels - 1));
        }
        yield list;
      }
      default -> {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        for (int i = random.nextInt(20); i > 0; i--) {
          map.put("k" + i, value(random, levels - 1));
        }
        yield map;
      }
    };
  }

  private static long number(Random random) {
    long edge = EDGES[random.nextInt(EDGES.length)] + random.nextInt(3) - 1;
    return random.nextBoolean() ? edge : -edge;
  }

  private static int length(Random random) {
    int edge = (int) EDGES[random.nextInt(5)];
    return Math.max(edge + random.nextInt(3) - 1, 0);
  }

  private static byte[] bytes(Random random) {
    byte[] bytes = new byte[length(random)];
    random.nextBytes(bytes);
    return bytes;
  }

  private static void pack(MessagePacker packer, @Nullable Object value) throws IOException {
    switch (value) {
      case null -> packer.packNil();
      case Boolean flag -> packer.packBoolean(flag);
      case Long number -> packer.packLong(number);
      case Double number -> packer.packDouble(number);
      case String text -> packer.packString(text);
      case byte[] bytes -> packer.packBinaryHeader(bytes.length).writePayload(bytes);
      case List<?> list -> {
        packer.packArrayHeader(list.size());
        for (Object item : list) {
          pack(packer, item);
        }
      }
      case Map<?, ?> map -> {
        packer.packMapHeader(map.size());
        for (Map.Entry<?, ?> entry : map.entrySet()) {
          pack(packer, entry.getKey());
          pack(packer, entry.getValue());
        }
      }
      default -> throw new AssertionError(value.getClass());
    }
  }

  // ---- In a form that can be compared

  private static String plain(@Nullable Object value) {
    return switch (value) {
      case byte[] bytes -> HexFormat.of().formatHex(bytes);
      case List<?> list -> list.stream().map(MessagePackWitnessTest::plain).toList().toString();
      case Map<?, ?> map -> {
        Map<String, String> plain = new LinkedHashMap<>();
        map.forEach((key, item) -> plain.put(plain(key), plain(item)));
        yield plain.toString();
      }
      case Value theirs -> plain(ofTheirs(theirs));
      case null, default -> String.valueOf(value);
    };
  }

  private static @Nullable Object ofTheirs(Value value) {
    return switch (value.getValueType()) {
      case NIL -> null;
      case BOOLEAN -> value.asBooleanValue().getBoolean();
      case INTEGER -> value.asIntegerValue().toLong();
      case FLOAT -> value.asFloatValue().toDouble();
      case STRING -> value.asStringValue().asString();
      case BINARY -> value.asBinaryValue().asByteArray();
      case ARRAY -> value.asArrayValue().list();
      case MAP -> value.asMapValue().map();
      case EXTENSION -> throw new AssertionError(value);
    };
  }
}
