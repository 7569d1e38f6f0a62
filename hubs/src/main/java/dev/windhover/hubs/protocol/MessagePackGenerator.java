package dev.windhover.hubs.protocol;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.Base64Variant;
import tools.jackson.core.ErrorReportConfiguration;
import tools.jackson.core.JsonEncoding;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamWriteCapability;
import tools.jackson.core.StreamWriteConstraints;
import tools.jackson.core.StreamWriteFeature;
import tools.jackson.core.TokenStreamContext;
import tools.jackson.core.Version;
import tools.jackson.core.base.GeneratorBase;
import tools.jackson.core.io.ContentReference;
import tools.jackson.core.io.IOContext;
import tools.jackson.core.util.BufferRecycler;
import tools.jackson.core.util.JacksonFeatureSet;
import tools.jackson.core.util.SimpleStreamWriteContext;

/** Jackson's tokens as MessagePack, so that Jackson takes objects apart. */
final class MessagePackGenerator extends GeneratorBase {
  // The base wants one, and uses none of its buffers.
  private static final IOContext NO_IO =
      new IOContext(
          StreamReadConstraints.defaults(),
          StreamWriteConstraints.builder().maxNestingDepth(MessagePackReader.LEVELS).build(),
          ErrorReportConfiguration.defaults(),
          new BufferRecycler(),
          ContentReference.unknown(),
          false,
          JsonEncoding.UTF8);

  private final MessagePackWriter out;

  private SimpleStreamWriteContext context = SimpleStreamWriteContext.createRootContext(null);

  // Of each level: where it begins, and how many values its header has room for.
  private int[] starts = new int[8];
  private int[] likely = new int[8];

  /** Creates one that writes values, each a root. */
  MessagePackGenerator(ObjectWriteContext objects, MessagePackWriter out) {
    super(objects, NO_IO, StreamWriteFeature.WRITE_BIGDECIMAL_AS_PLAIN.getMask());
    this.out = out;
  }

  // ---- Arrays and maps

  @Override
  public JsonGenerator writeStartArray() {
    return writeStartArray(null, 0);
  }

  @Override
  public JsonGenerator writeStartArray(@Nullable Object value) {
    return writeStartArray(value, 0);
  }

  @Override
  public JsonGenerator writeStartArray(@Nullable Object value, int size) {
    _verifyValueWrite("start an array");
    return begin(context.createChildArrayContext(value), size);
  }

  @Override
  public JsonGenerator writeEndArray() {
    int level = context.getNestingDepth();
    out.endArray(starts[level], likely[level], context.getEntryCount());
    return end();
  }

  @Override
  public JsonGenerator writeStartObject() {
    return writeStartObject(null, 0);
  }

  @Override
  public JsonGenerator writeStartObject(@Nullable Object value) {
    return writeStartObject(value, 0);
  }

  @Override
  public JsonGenerator writeStartObject(@Nullable Object value, int size) {
    _verifyValueWrite("start an object");
    return begin(context.createChildObjectContext(value), size);
  }

  @Override
  public JsonGenerator writeEndObject() {
    int level = context.getNestingDepth();
    out.endMap(starts[level], likely[level], context.getEntryCount());
    return end();
  }

  private JsonGenerator begin(SimpleStreamWriteContext child, int size) {
    int level = child.getNestingDepth();
    streamWriteConstraints().validateNestingDepth(level);
    if (level == starts.length) {
      starts = Arrays.copyOf(starts, 2 * level);
      likely = Arrays.copyOf(likely, 2 * level);
    }
    likely[level] = Math.max(size, 0);
    starts[level] = out.begin(likely[level]);
    context = child;
    return this;
  }

  private JsonGenerator end() {
    context = context.clearAndGetParent();
    return this;
  }

  @Override
  public JsonGenerator writeName(String name) {
    requireName(context.writeName(name));
    out.string(name);
    return this;
  }

  @Override
  public JsonGenerator writePropertyId(long id) {
    requireName(context.writeName(Long.toString(id)));
    out.integer(id);
    return this;
  }

  private void requireName(boolean expected) {
    if (!expected) {
      _reportError("name without a map, or after a name");
    }
  }

  @Override
  protected void _verifyValueWrite(String what) {
    if (!context.writeValue()) {
      _reportError("value without a name: " + what);
    }
  }

  // ---- Values

  @Override
  public JsonGenerator writeNull() {
    _verifyValueWrite(WRITE_NULL);
    out.nil();
    return this;
  }

  @Override
  public JsonGenerator writeBoolean(boolean value) {
    _verifyValueWrite(WRITE_BOOLEAN);
    out.bool(value);
    return this;
  }

  @Override
  public JsonGenerator writeNumber(short value) {
    return writeNumber((long) value);
  }

  @Override
  public JsonGenerator writeNumber(int value) {
    return writeNumber((long) value);
  }

  @Override
  public JsonGenerator writeNumber(long value) {
    _verifyValueWrite(WRITE_NUMBER);
    out.integer(value);
    return this;
  }

  @Override
  public JsonGenerator writeNumber(@Nullable BigInteger value) {
    if (value == null) {
      return writeNull();
    }
    _verifyValueWrite(WRITE_NUMBER);
    out.integer(value);
    return this;
  }

  @Override
  public JsonGenerator writeNumber(float value) {
    _verifyValueWrite(WRITE_NUMBER);
    out.float32(value);
    return this;
  }

  @Override
  public JsonGenerator writeNumber(double value) {
    _verifyValueWrite(WRITE_NUMBER);
    out.float64(value);
    return this;
  }

  /** Writes a decimal as text: .NET refuses doubles for them. */
  @Override
  public JsonGenerator writeNumber(@Nullable BigDecimal value) {
    return value == null ? writeNull() : writeString(_asString(value));
  }

  @Override
  public JsonGenerator writeNumber(String encoded) {
    return writeNumber(new BigDecimal(encoded));
  }

  @Override
  public JsonGenerator writeString(@Nullable String value) {
    if (value == null) {
      return writeNull();
    }
    _verifyValueWrite(WRITE_STRING);
    out.string(value);
    return this;
  }

  @Override
  public JsonGenerator writeString(char[] buffer, int offset, int length) {
    return writeString(new String(buffer, offset, length));
  }

  @Override
  public JsonGenerator writeUTF8String(byte[] utf8, int offset, int length) {
    return writeString(new String(utf8, offset, length, StandardCharsets.UTF_8));
  }

  @Override
  public JsonGenerator writeRawUTF8String(byte[] utf8, int offset, int length) {
    return writeUTF8String(utf8, offset, length);
  }

  @Override
  public JsonGenerator writeBinary(Base64Variant variant, byte[] data, int offset, int length) {
    _verifyValueWrite(WRITE_BINARY);
    out.binary(data, offset, length);
    return this;
  }

  @Override
  public JsonGenerator writeEmbeddedObject(@Nullable Object value) {
    if (value instanceof Instant time) {
      _verifyValueWrite("write a point in time");
      out.timestamp(time);
      return this;
    }
    return super.writeEmbeddedObject(value);
  }

  // ---- Raw text has no place here

  @Override
  public JsonGenerator writeRaw(String text) {
    return _reportUnsupportedOperation();
  }

  @Override
  public JsonGenerator writeRaw(String text, int offset, int length) {
    return _reportUnsupportedOperation();
  }

  @Override
  public JsonGenerator writeRaw(char[] text, int offset, int length) {
    return _reportUnsupportedOperation();
  }

  @Override
  public JsonGenerator writeRaw(char c) {
    return _reportUnsupportedOperation();
  }

  // ---- What else Jackson asks

  @Override
  public TokenStreamContext streamWriteContext() {
    return context;
  }

  @Override
  public @Nullable Object currentValue() {
    return context.currentValue();
  }

  @Override
  public void assignCurrentValue(@Nullable Object value) {
    context.assignCurrentValue(value);
  }

  @Override
  public JacksonFeatureSet<StreamWriteCapability> streamWriteCapabilities() {
    return DEFAULT_BINARY_WRITE_CAPABILITIES;
  }

  @Override
  public Object streamWriteOutputTarget() {
    return out;
  }

  @Override
  public int streamWriteOutputBuffered() {
    return -1;
  }

  @Override
  public Version version() {
    return Version.unknownVersion();
  }

  @Override
  public void flush() {}

  @Override
  public void close() {
    _closed = true; // without the base's context, which is everybody's
  }

  @Override
  protected void _closeInput() {}

  @Override
  protected void _releaseBuffers() {}
}
