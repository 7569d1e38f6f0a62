package dev.windhover.verification.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.windhover.protocol.CloseReason;
import dev.windhover.protocol.FrameReader;
import dev.windhover.protocol.Opcode;
import dev.windhover.protocol.Role;
import dev.windhover.protocol.Violation;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Any bytes as frames, in both roles. The events are the same however the bytes are split and read,
 * and agree with a naive parser in this test, which sees all bytes at once.
 */
class FramesFuzzTest {
  private enum Reading {
    IN_PLACE,
    ROOMY,
    NARROW
  }

  @FuzzTest
  void fuzz(byte[] bytes) {
    Input input = new Input(bytes);
    Role role = input.choice(2) == 0 ? Role.SERVER : Role.CLIENT;
    int seed = input.choice();
    byte[] wire = input.rest();
    List<String> whole = told(role, List.of(wire), Reading.IN_PLACE);
    assertThat(whole).as("as expected").isEqualTo(expected(role, wire));
    assertThat(told(role, List.of(wire), Reading.NARROW)).as("narrow").isEqualTo(whole);
    assertThat(told(role, Input.bytewise(wire), Reading.ROOMY)).as("bytewise").isEqualTo(whole);
    for (Reading reading : Reading.values()) {
      assertThat(told(role, Input.pieces(wire, 1 + seed / 4, seed), reading))
          .as("in pieces, %s", reading)
          .isEqualTo(whole);
    }
  }

  // ---- What the engine tells

  private static List<String> told(Role role, List<byte[]> pieces, Reading reading) {
    FrameReader reader = new FrameReader(role);
    List<String> told = new ArrayList<>();
    ByteArrayOutputStream message = new ByteArrayOutputStream();
    for (byte[] piece : pieces) {
      ByteBuffer in = Input.buffer(piece, piece.length % 2 == 0);
      FrameReader.Event event;
      while ((event = reader.next(in)) != FrameReader.Event.MORE) {
        switch (event) {
          case DATA -> data(reader, in, reading, message, told);
          case PING, PONG -> told.add(event + " " + hex(reader.controlPayload().duplicate()));
          case CLOSE -> told.add("CLOSE " + reader.closeReason());
          case VIOLATION -> told.add("VIOLATION " + reader.violation().closeCode());
          case MORE -> throw new AssertionError();
        }
        if (event == FrameReader.Event.CLOSE || event == FrameReader.Event.VIOLATION) {
          assertThat(reader.next(in)).as("what comes after the end").isEqualTo(event);
          return told;
        }
      }
      assertThat(in.hasRemaining()).as("bytes left").isFalse();
    }
    return told;
  }

  private static void data(
      FrameReader reader,
      ByteBuffer in,
      Reading reading,
      ByteArrayOutputStream message,
      List<String> told) {
    int n;
    ByteBuffer out;
    if (reading == Reading.IN_PLACE) {
      n = reader.readInPlace(in);
      if (n < 0) {
        return; // the next event tells why
      }
      out = in.slice(in.position(), n);
      in.position(in.position() + n);
    } else {
      ByteBuffer room = Input.buffer(new byte[reading == Reading.ROOMY ? 4096 : 3], n(in) % 2 == 0);
      int start = room.position();
      n = reader.readInto(in, room);
      if (n < 0) {
        return;
      }
      out = room.flip().position(start);
    }
    assertThat(out.remaining()).isEqualTo(n);
    boolean ascii = true;
    for (int i = 0; i < n; i++) {
      byte next = out.get();
      ascii &= next >= 0;
      message.write(next);
    }
    assertThat(reader.messageType() == Opcode.BINARY || ascii || !reader.isAscii())
        .as("isAscii tells the truth")
        .isTrue();
    if (reader.endOfMessage()) {
      told.add(reader.messageType() + " " + HexFormat.of().formatHex(message.toByteArray()));
      message.reset();
    }
  }

  private static int n(ByteBuffer in) {
    return in.remaining();
  }

  private static String hex(ByteBuffer bytes) {
    byte[] copy = new byte[bytes.remaining()];
    bytes.get(copy);
    return HexFormat.of().formatHex(copy);
  }

  // ---- What an ignorant reader tells: RFC 6455 5.2, once over, bytes at hand

  private static List<String> expected(Role role, byte[] wire) {
    List<String> told = new ArrayList<>();
    Violation fault = new Ignorant(role, ByteBuffer.wrap(wire), told).read();
    if (fault != null) {
      told.add("VIOLATION " + fault.closeCode());
    }
    return told;
  }

  /** One that knows only whole frames; of the one that is cut it looks for what is wrong so far. */
  private static final class Ignorant {
    private static final Violation PROTOCOL = new Violation(1002, "");
    private static final Violation PAYLOAD = new Violation(1007, "");

    private final boolean masked;
    private final ByteBuffer in;
    private final List<String> told;
    private final ByteArrayOutputStream message = new ByteArrayOutputStream();
    private boolean inMessage;
    private boolean text;

    Ignorant(Role role, ByteBuffer in, List<String> told) {
      this.masked = role == Role.SERVER;
      this.in = in;
      this.told = told;
    }

    @Nullable Violation read() {
      while (in.hasRemaining()) {
        int first = in.get() & 0xFF;
        int opcode = first & 0xF;
        boolean fin = first >= 0x80;
        boolean control = opcode >= 8;
        if ((first & 0x70) != 0
            || (opcode > 2 && opcode < 8)
            || opcode > 10
            || (control && !fin)
            || (!control && (opcode == 0) != inMessage)) {
          return PROTOCOL;
        }
        if (!in.hasRemaining()) {
          return null;
        }
        int second = in.get() & 0xFF;
        if (second >= 0x80 != masked) {
          return PROTOCOL;
        }
        long length = second & 0x7F;
        if (length > 125) {
          int size = length == 126 ? 2 : 8;
          if (control || (size == 8 && in.hasRemaining() && in.get(in.position()) < 0)) {
            return PROTOCOL;
          }
          if (in.remaining() < size) {
            return null;
          }
          length = size == 2 ? in.getShort() & 0xFFFF : in.getLong();
          if (length < (size == 2 ? 126 : 0x10000)) {
            return PROTOCOL;
          }
        }
        byte[] key = new byte[4];
        if (masked) {
          if (in.remaining() < 4) {
            return null;
          }
          in.get(key);
        }
        byte[] payload = new byte[(int) Math.min(length, in.remaining())];
        in.get(payload);
        for (int i = 0; i < payload.length; i++) {
          payload[i] ^= key[i % 4];
        }
        boolean whole = payload.length == length;
        Violation fault =
            control ? whole ? control(opcode, payload) : null : data(opcode, payload, fin && whole);
        if (fault != null || !whole || opcode == 8) {
          return fault;
        }
      }
      return null;
    }

    private @Nullable Violation data(int opcode, byte[] payload, boolean last) {
      text = opcode == 0 ? text : opcode == 1;
      inMessage = !last;
      message.writeBytes(payload);
      if (text && !isUtf8(message.toByteArray(), last)) {
        return PAYLOAD;
      }
      if (last) {
        String hex = HexFormat.of().formatHex(message.toByteArray());
        told.add((text ? Opcode.TEXT : Opcode.BINARY) + " " + hex);
        message.reset();
      }
      return null;
    }

    private @Nullable Violation control(int opcode, byte[] payload) {
      if (opcode != 8) {
        told.add((opcode == 9 ? "PING " : "PONG ") + HexFormat.of().formatHex(payload));
        return null;
      }
      if (payload.length == 0) {
        told.add("CLOSE " + CloseReason.NO_STATUS);
        return null;
      }
      int code = payload.length == 1 ? 0 : ByteBuffer.wrap(payload).getShort() & 0xFFFF;
      boolean known = code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
      if (!known && (code < 3000 || code > 4999)) {
        return PROTOCOL;
      }
      String reason = new String(payload, 2, payload.length - 2, StandardCharsets.UTF_8);
      byte[] again = reason.getBytes(StandardCharsets.UTF_8);
      if (!ByteBuffer.wrap(again).equals(ByteBuffer.wrap(payload, 2, payload.length - 2))) {
        return PAYLOAD;
      }
      told.add("CLOSE " + new CloseReason(code, reason));
      return null;
    }

    /** Whether it is UTF-8, or may become it: the JDK's decoder says so. */
    private static boolean isUtf8(byte[] bytes, boolean whole) {
      var decoder = StandardCharsets.UTF_8.newDecoder();
      try {
        if (whole) {
          decoder.decode(ByteBuffer.wrap(bytes));
          return true;
        }
        var chars = CharBuffer.allocate(bytes.length + 1);
        ByteBuffer in = ByteBuffer.wrap(bytes);
        var result = decoder.decode(in, chars, false);
        return !result.isError() && mayGoOn(in);
      } catch (CharacterCodingException e) {
        return false;
      }
    }

    /** Whether there is a character that begins with what the decoder waits with. */
    private static boolean mayGoOn(ByteBuffer rest) {
      int n = rest.remaining();
      if (n == 0) {
        return true;
      }
      int first = rest.get(rest.position()) & 0xFF;
      int size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
      byte[] candidate = new byte[size];
      rest.get(rest.position(), candidate, 0, n);
      for (int second = 0x80; second < 0xC0; second++) {
        if (n < 2) {
          candidate[1] = (byte) second;
        }
        for (int i = Math.max(n, 2); i < size; i++) {
          candidate[i] = (byte) 0x80;
        }
        try {
          StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(candidate));
          return true;
        } catch (CharacterCodingException e) {
          // the next one
        }
      }
      return false;
    }
  }
}
