package dev.windhover.hubs.redis;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Writes what payloads need of MessagePack, each value in its shortest form. */
final class PayloadWriter {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream(256);

  void array(int items) {
    container(items, 0x90, 0xDC);
  }

  void map(int entries) {
    container(entries, 0x80, 0xDE);
  }

  private void container(int size, int small, int large) {
    if (size < 0x10) {
      out.write(small | size);
    } else if (size < 0x10000) {
      out.write(large);
      bytes(size, 2);
    } else {
      out.write(large + 1);
      bytes(size, 4);
    }
  }

  void number(int number) {
    if (number < 0) {
      out.write(0xD2);
      bytes(number, 4);
    } else if (number < 0x80) {
      out.write(number);
    } else if (number < 0x100) {
      out.write(0xCC);
      bytes(number, 1);
    } else if (number < 0x10000) {
      out.write(0xCD);
      bytes(number, 2);
    } else {
      out.write(0xCE);
      bytes(number, 4);
    }
  }

  void text(@Nullable String text) {
    if (text == null) {
      out.write(0xC0);
      return;
    }
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    if (utf8.length < 0x20) {
      out.write(0xA0 | utf8.length);
    } else {
      length(utf8.length, 0xD9);
    }
    out.writeBytes(utf8);
  }

  void binary(ByteBuffer bytes) {
    byte[] copy = new byte[bytes.remaining()];
    bytes.get(bytes.position(), copy);
    length(copy.length, 0xC4);
    out.writeBytes(copy);
  }

  private void length(int length, int type) {
    if (length < 0x100) {
      out.write(type);
      bytes(length, 1);
    } else if (length < 0x10000) {
      out.write(type + 1);
      bytes(length, 2);
    } else {
      out.write(type + 2);
      bytes(length, 4);
    }
  }

  private void bytes(int number, int count) {
    for (int shift = 8 * (count - 1); shift >= 0; shift -= 8) {
      out.write(number >> shift);
    }
  }

  byte[] bytes() {
    return out.toByteArray();
  }
}
