package dev.windhover.hubs.redis;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Reads what payloads need of MessagePack, in any of its forms. Memory is taken for what is there,
 * never for what a length promises.
 */
final class PayloadReader {
  private static final int NIL = 0xC0;

  private final ByteBuffer in;

  PayloadReader(byte[] bytes) {
    this.in = ByteBuffer.wrap(bytes);
  }

  /**
   * Reads the beginning of an array.
   *
   * @param least how many items it must have
   */
  int array(int least) throws MalformedException {
    int items = container(0x90, 0xDC);
    if (items < least) {
      throw new MalformedException("array of %d items, at least %d".formatted(items, least));
    }
    return items;
  }

  int map() throws MalformedException {
    return container(0x80, 0xDE);
  }

  private int container(int small, int large) throws MalformedException {
    int type = next();
    long size;
    if ((type & 0xF0) == small) {
      size = type & 0x0F;
    } else if (type == large) {
      size = unsigned(2);
    } else if (type == large + 1) {
      size = unsigned(4);
    } else {
      throw unexpected(type);
    }
    return bounded(size); // each item is at least a byte
  }

  int number() throws MalformedException {
    int type = next();
    long number =
        switch (type) {
          case 0xCC -> unsigned(1);
          case 0xCD -> unsigned(2);
          case 0xCE -> unsigned(4);
          case 0xCF, 0xD3 -> signed(8);
          case 0xD0 -> signed(1);
          case 0xD1 -> signed(2);
          case 0xD2 -> signed(4);
          default -> {
            if (type < 0x80) {
              yield type;
            } else if (type >= 0xE0) {
              yield (byte) type;
            }
            throw unexpected(type);
          }
        };
    if (number != (int) number) {
      throw new MalformedException("number " + number + " has more than 32 bits");
    }
    return (int) number;
  }

  /** Returns whether a text comes next. */
  boolean isAtText() {
    if (!in.hasRemaining()) {
      return false;
    }
    int type = in.get(in.position()) & 0xFF;
    return (type & 0xE0) == 0xA0 || (type >= 0xD9 && type <= 0xDB);
  }

  String text() throws MalformedException {
    int type = next();
    ByteBuffer utf8 =
        switch (type) {
          case 0xD9 -> take(unsigned(1));
          case 0xDA -> take(unsigned(2));
          case 0xDB -> take(unsigned(4));
          default -> {
            if ((type & 0xE0) != 0xA0) {
              throw unexpected(type);
            }
            yield take(type & 0x1F);
          }
        };
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(utf8).toString();
    } catch (CharacterCodingException e) {
      throw new MalformedException("text is not UTF-8");
    }
  }

  @Nullable String textOrNull() throws MalformedException {
    if (in.hasRemaining() && (in.get(in.position()) & 0xFF) == NIL) {
      in.get();
      return null;
    }
    return text();
  }

  /** Returns a view of the bytes. */
  ByteBuffer binary() throws MalformedException {
    int type = next();
    return switch (type) {
      case 0xC4 -> take(unsigned(1));
      case 0xC5 -> take(unsigned(2));
      case 0xC6 -> take(unsigned(4));
      default -> throw unexpected(type);
    };
  }

  private ByteBuffer take(long length) throws MalformedException {
    int size = bounded(length);
    ByteBuffer bytes = in.slice(in.position(), size).asReadOnlyBuffer();
    in.position(in.position() + size);
    return bytes;
  }

  private int bounded(long size) throws MalformedException {
    if (size > in.remaining()) {
      throw cut();
    }
    return (int) size;
  }

  private int next() throws MalformedException {
    return (int) unsigned(1);
  }

  private long unsigned(int count) throws MalformedException {
    long number = signed(count);
    return count == 8 ? number : number & ((1L << (8 * count)) - 1);
  }

  private long signed(int count) throws MalformedException {
    try {
      return switch (count) {
        case 1 -> in.get();
        case 2 -> in.getShort();
        case 4 -> in.getInt();
        default -> in.getLong();
      };
    } catch (BufferUnderflowException e) {
      throw cut();
    }
  }

  private MalformedException cut() {
    return new MalformedException("payload of %d bytes is cut".formatted(in.limit()));
  }

  private MalformedException unexpected(int type) {
    return new MalformedException(
        "unexpected byte 0x%02x at %d".formatted(type, in.position() - 1));
  }
}
