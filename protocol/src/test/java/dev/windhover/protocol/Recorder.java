package dev.windhover.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Feeds a {@link FrameReader} and records what it reports. Each wire is read in every {@link Way},
 * and all of them must report the same. Nothing may be left over, neither bytes nor half a message.
 */
final class Recorder {
  private enum Cut {
    WHOLE,
    BYTE_BY_BYTE,
    TRAILING
  }

  private enum Memory {
    HEAP,
    DIRECT,
    SLICED
  }

  private enum Target {
    IN_PLACE,
    ROOMY,
    NARROW
  }

  private record Way(Cut cut, Memory memory, Target target) {
    static List<Way> all() {
      var ways = new ArrayList<Way>();
      for (Cut cut : Cut.values()) {
        for (Memory memory : Memory.values()) {
          for (Target target : Target.values()) {
            ways.add(new Way(cut, memory, target));
          }
        }
      }
      return ways;
    }
  }

  /** After this many bytes, which is more than any header, a wire is split into larger pieces. */
  private static final int LARGE_WIRE = 1000;

  private static final int LARGE_STEP = 997;

  private final Role role;
  private final Way way;
  private final FrameReader reader;
  private final List<Told> told = new ArrayList<>();
  private final ByteBuffer out;
  private final ByteArrayOutputStream message = new ByteArrayOutputStream();
  private boolean inMessage;
  private boolean over;

  private Recorder(Role role, Way way, @Nullable Extension extension, int wireLength) {
    this.role = role;
    this.way = way;
    this.reader = new FrameReader(role, extension);
    this.out = memory(way.target == Target.NARROW ? 3 + wireLength / 1000 : wireLength * 2 + 8);
  }

  /**
   * Returns what both ends report about {@code frames}, each an unmasked frame in hex. The server's
   * end is fed the same frames, masked.
   */
  static List<Told> told(String... frames) {
    return toldWith(() -> null, frames);
  }

  /** Returns the same for ends with a new {@code extension}. */
  static List<Told> toldWith(Supplier<@Nullable Extension> extension, String... frames) {
    var plain = new ByteArrayOutputStream();
    var masked = new ByteArrayOutputStream();
    for (String frame : frames) {
      byte[] bytes = Hex.bytes(frame);
      plain.writeBytes(bytes);
      masked.writeBytes(Frames.mask(bytes));
    }
    List<Told> client = told(Role.CLIENT, extension, plain.toByteArray());
    assertThat(told(Role.SERVER, extension, masked.toByteArray()))
        .as("server's end, against client's")
        .isEqualTo(client);
    return client;
  }

  /** Returns what the end of {@code role} reports about exactly these bytes. */
  static List<Told> told(Role role, byte... wire) {
    return told(role, () -> null, wire);
  }

  private static List<Told> told(Role role, Supplier<@Nullable Extension> extension, byte... wire) {
    List<Told> first = List.of();
    for (Way way : Way.all()) {
      Recorder recorder = new Recorder(role, way, extension.get(), wire.length);
      try {
        recorder.read(wire);
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError(role + " " + way + ": " + e.getMessage(), e);
      }
      if (first.isEmpty()) {
        first = recorder.told;
      }
      assertThat(recorder.told).as("%s %s", role, way).isEqualTo(first);
    }
    return first;
  }

  private void read(byte... wire) {
    switch (way.cut) {
      case WHOLE -> feed(memory(wire.length).put(wire).flip());
      case BYTE_BY_BYTE -> {
        ByteBuffer in = memory(LARGE_STEP);
        for (int at = 0, step; at < wire.length && !over; at += step) {
          step = at < LARGE_WIRE ? 1 : Math.min(LARGE_STEP, wire.length - at);
          feed(in.clear().put(wire, at, step).flip());
        }
      }
      case TRAILING -> {
        byte[] trailer = Frames.to(role, Frames.PING, Frames.utf8("trailer"));
        ByteBuffer in = memory(wire.length + trailer.length).put(wire).put(trailer).flip();
        feed(in);
        if (over) {
          assertThat(Hex.of(in)).as("what comes after the end").endsWith(Hex.of(trailer));
        } else {
          assertThat(told).last().isEqualTo(Told.ping("747261696c6572"));
          told.removeLast();
        }
      }
    }
    insist(over || !inMessage, "half a message is left over");
  }

  private void feed(ByteBuffer in) {
    while (!over) {
      FrameReader.Event event = reader.next(in);
      switch (event) {
        case MORE -> {
          insist(!in.hasRemaining(), "bytes are left over");
          return;
        }
        case DATA -> data(in);
        case PING -> told.add(Told.ping(Hex.of(reader.controlPayload())));
        case PONG -> told.add(Told.pong(Hex.of(reader.controlPayload())));
        case CLOSE -> {
          told.add(Told.closed(reader.closeReason().code(), reader.closeReason().text()));
          over = true;
        }
        case VIOLATION -> broke();
      }
      if (over) {
        FrameReader.Event last =
            event == FrameReader.Event.CLOSE ? event : FrameReader.Event.VIOLATION;
        insist(reader.next(in) == last, "the end is told otherwise when asked again");
      }
    }
  }

  private void data(ByteBuffer in) {
    inMessage = true;
    if (way.target == Target.IN_PLACE && !reader.isCoded()) {
      int start = in.position();
      int n = reader.readInPlace(in);
      insist(in.position() == start, "a read in place moved the position");
      if (n < 0) {
        broke();
        return;
      }
      keep(in, n);
    } else {
      int n = reader.readInto(in, out.clear());
      if (n < 0) {
        broke();
        return;
      }
      insist(out.position() == n, "a read gained other than it said");
      keep(out.flip(), n);
    }
    if (reader.endOfMessage()) {
      endMessage();
    }
  }

  private void keep(ByteBuffer bytes, int n) {
    byte[] piece = new byte[n];
    bytes.get(piece);
    message.writeBytes(piece);
  }

  private void endMessage() {
    byte[] payload = message.toByteArray();
    message.reset();
    inMessage = false;
    if (reader.messageType() == Opcode.BINARY) {
      told.add(Told.binary(payload));
      return;
    }
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(payload)).toString();
      told.add(Told.text(text));
      boolean ascii = text.chars().allMatch(c -> c < 0x80);
      insist(reader.isAscii() == ascii, "isAscii() is " + !ascii);
    } catch (CharacterCodingException e) {
      fail("text that is not UTF-8 was let through", e);
    }
  }

  private void broke() {
    told.add(new Told.Broke(reader.violation().closeCode(), reader.violation().text()));
    over = true;
  }

  /** An assertion that costs nothing if it holds, because some wires have many bytes. */
  private static void insist(boolean condition, String otherwise) {
    if (!condition) {
      throw new AssertionError(otherwise);
    }
  }

  private ByteBuffer memory(int size) {
    return switch (way.memory) {
      case HEAP -> ByteBuffer.allocate(size);
      case DIRECT -> ByteBuffer.allocateDirect(size);
      case SLICED -> ByteBuffer.allocate(size + 8).slice(3, size); // odd, and with an array offset
    };
  }
}
