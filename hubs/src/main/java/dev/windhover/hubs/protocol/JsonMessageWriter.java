package dev.windhover.hubs.protocol;

import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes one message of JSON into a record that grows. Plain values it writes itself; Jackson
 * writes the others into it.
 */
final class JsonMessageWriter extends OutputStream {
  private static final int FIRST_SIZE = 192;
  private static final int LARGEST_ARRAY = Integer.MAX_VALUE - 8;
  private static final int LONGEST_ESCAPE = 6;
  private static final HexFormat HEX = HexFormat.of();

  private final Values values;
  private byte[] bytes = new byte[FIRST_SIZE];
  private int at;

  JsonMessageWriter(Values values) {
    this.values = values;
  }

  /** Returns what was written as a record, with its separator. */
  ByteBuffer record() {
    write(RecordReader.SEPARATOR);
    return ByteBuffer.wrap(bytes.length == at ? bytes : Arrays.copyOf(bytes, at));
  }

  void message(HubMessage message) {
    switch (message) {
      case HubMessage.Invocation call -> {
        begin(1);
        if (call.invocationId() != null) {
          property("invocationId", call.invocationId());
        }
        call(call.target(), call.arguments(), call.streamIds());
      }
      case HubMessage.StreamItem item -> {
        begin(2);
        property("invocationId", item.invocationId());
        name("item");
        value(item.item());
      }
      case HubMessage.Completion completion -> {
        begin(3);
        property("invocationId", completion.invocationId());
        if (completion.error() != null) {
          property("error", completion.error());
        } else if (completion.hasResult()) {
          name("result");
          value(completion.result());
        }
      }
      case HubMessage.StreamInvocation call -> {
        begin(4);
        property("invocationId", call.invocationId());
        call(call.target(), call.arguments(), call.streamIds());
      }
      case HubMessage.CancelInvocation cancel -> {
        begin(5);
        property("invocationId", cancel.invocationId());
      }
      case HubMessage.Ping _ -> begin(6);
      case HubMessage.Close close -> {
        begin(7);
        if (close.error() != null) {
          property("error", close.error());
        }
        if (close.allowReconnect()) {
          name("allowReconnect");
          ascii("true");
        }
      }
      case HubMessage.Ack ack -> {
        begin(8);
        sequenceId(ack.sequenceId());
      }
      case HubMessage.Sequence sequence -> {
        begin(9);
        sequenceId(sequence.sequenceId());
      }
      case HubMessage.BindingFailure _,
          HubMessage.StreamBindingFailure _,
          HubMessage.ResultBindingFailure _ ->
          throw new IllegalArgumentException("failure of binding is no message on the wire");
    }
    write('}');
  }

  private void begin(int type) {
    ascii("{\"type\":");
    write('0' + type);
  }

  private void name(String name) {
    ascii(",\"");
    ascii(name);
    ascii("\":");
  }

  private void property(String name, String value) {
    name(name);
    string(value);
  }

  private void sequenceId(long id) {
    name("sequenceId");
    ascii(Long.toString(id));
  }

  private void call(String target, List<?> arguments, List<String> streamIds) {
    property("target", target);
    name("arguments");
    array(arguments);
    if (!streamIds.isEmpty()) {
      name("streamIds");
      array(streamIds);
    }
  }

  private void array(List<?> items) {
    write('[');
    for (int i = 0; i < items.size(); i++) {
      if (i > 0) {
        write(',');
      }
      value(items.get(i));
    }
    write(']');
  }

  private void value(@Nullable Object value) {
    switch (value) {
      case null -> ascii("null");
      case String text -> string(text);
      case Integer number -> ascii(number.toString());
      case Boolean truth -> ascii(truth.toString());
      default -> values.write(this, value);
    }
  }

  private void ascii(String text) {
    room(text.length());
    for (int i = 0; i < text.length(); i++) {
      bytes[at++] = (byte) text.charAt(i);
    }
  }

  /** Writes text, with no more escapes than JSON demands. */
  private void string(String text) {
    int length = text.length();
    room(length + 2L); // for ASCII
    bytes[at++] = '"';
    for (int i = 0; i < length; i++) {
      char c = text.charAt(i);
      if (c >= ' ' && c < 0x80 && c != '"' && c != '\\') {
        bytes[at++] = (byte) c;
        continue;
      }
      room(LONGEST_ESCAPE + (long) length - i);
      if (c < 0x80) {
        escape(c);
      } else {
        int encoded = Utf8Text.encode(text, i, bytes, at);
        at += encoded;
        i += encoded / 4; // two chars of four bytes
      }
    }
    bytes[at++] = '"';
  }

  private void escape(char c) {
    switch (c) {
      case '"', '\\' -> ascii("\\" + c);
      case '\n' -> ascii("\\n");
      case '\r' -> ascii("\\r");
      case '\t' -> ascii("\\t");
      default -> ascii("\\u" + HEX.toHexDigits(c));
    }
  }

  @Override
  public void write(int value) {
    room(1);
    bytes[at++] = (byte) value;
  }

  @Override
  public void write(byte[] source, int offset, int length) {
    room(length);
    System.arraycopy(source, offset, bytes, at, length);
    at += length;
  }

  private void room(long count) {
    if (count > bytes.length - at) {
      long size = Math.max(at + count, Math.min(2L * bytes.length, LARGEST_ARRAY));
      bytes = Arrays.copyOf(bytes, Math.toIntExact(size));
    }
  }
}
