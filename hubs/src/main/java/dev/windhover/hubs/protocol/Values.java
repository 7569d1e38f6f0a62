package dev.windhover.hubs.protocol;

import java.io.OutputStream;
import java.lang.reflect.Type;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.TreeNode;
import tools.jackson.core.exc.InputCoercionException;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.exc.StreamReadException;
import tools.jackson.core.type.ResolvedType;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.JavaType;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.ObjectReader;
import tools.jackson.databind.ObjectWriter;

/**
 * Reads and writes the values in messages: arguments, items, results. The most frequent types take
 * a short way; Jackson binds all others.
 */
final class Values {
  private final ObjectMapper mapper;
  private final ObjectReader reader;
  private final ObjectWriter writer;

  private final ObjectReadContext readContext = new ReadContext();
  private final ObjectWriteContext writeContext = new WriteContext();

  // The types are those of an application's methods, so they bound it.
  private final Map<Type, ObjectReader> readers = new ConcurrentHashMap<>();
  private final Map<Type, Writer> writers = new ConcurrentHashMap<>();

  /** What writes the values of a generic type, all of which are instances of a class. */
  private record Writer(Class<?> type, ObjectWriter writer) {}

  Values(ObjectMapper mapper) {
    this.mapper = mapper;
    this.reader = mapper.reader();
    this.writer = mapper.writer();
  }

  ObjectReader reader() {
    return reader;
  }

  /** Returns what deserializers of applications ask for values within theirs. */
  ObjectReadContext readContext() {
    return readContext;
  }

  /**
   * Reads the value at the current token, as a whole even if it does not fit.
   *
   * @throws MisfitException if it is not of the type
   * @throws JacksonException if it is malformed
   */
  @Nullable Object read(JsonParser in, Type type) throws MisfitException {
    boolean begins = in.currentToken().isStructStart();
    int level = in.streamReadContext().getNestingDepth() - (begins ? 1 : 0);
    try {
      return bind(in, type);
    } catch (RuntimeException e) {
      requireWellFormed(e);
      while (in.streamReadContext().getNestingDepth() > level) {
        in.nextToken();
      }
      throw new MisfitException(e);
    }
  }

  private @Nullable Object bind(JsonParser in, Type type) {
    JsonToken token = in.currentToken();
    if (type == String.class && token == JsonToken.VALUE_STRING) {
      return text(in);
    }
    if (type == int.class && token == JsonToken.VALUE_NUMBER_INT) {
      return in.getIntValue();
    }
    if (type == long.class && token == JsonToken.VALUE_NUMBER_INT) {
      return in.getLongValue();
    }
    if (type == boolean.class && token.isBoolean()) {
      return token == JsonToken.VALUE_TRUE;
    }
    return readerFor(type).readValue(in);
  }

  private ObjectReader readerFor(Type type) {
    ObjectReader bound = readers.get(type);
    if (bound == null) {
      bound = mapper.readerFor(mapper.constructType(type));
      readers.put(type, bound);
    }
    return bound;
  }

  /** Throws what says that the input is malformed, if that is the cause. */
  private static void requireWellFormed(Throwable thrown) {
    for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
      if (cause instanceof StreamConstraintsException
          || (cause instanceof StreamReadException && !(cause instanceof InputCoercionException))) {
        throw (JacksonException) cause;
      }
    }
  }

  /** Writes a value. */
  void write(MessagePackWriter out, @Nullable Object value) {
    switch (value) {
      case null -> out.nil();
      case String text -> out.string(text);
      case Integer number -> out.integer(number);
      case Boolean truth -> out.bool(truth);
      default -> writeBy(new MessagePackGenerator(writeContext, out), value);
    }
  }

  /** Writes a value that is not plain as JSON. */
  void write(OutputStream out, Object value) {
    try (JsonGenerator json = writer.createGenerator(out)) {
      writeBy(new StrictJsonGenerator(json), value);
    }
  }

  private void writeBy(JsonGenerator out, Object value) {
    if (value instanceof TypedValue(Object plain, Type type)) {
      writerFor(type, plain).writeValue(out, plain);
    } else {
      writer.writeValue(out, value);
    }
  }

  /** Returns what writes {@code value} as a {@code type}; a filter may have put another there. */
  private ObjectWriter writerFor(Type type, Object value) {
    Writer bound = writers.get(type);
    if (bound == null) {
      JavaType known = mapper.constructType(type);
      bound = new Writer(known.getRawClass(), mapper.writerFor(known));
      writers.put(type, bound);
    }
    return bound.type().isInstance(value) ? bound.writer() : writer;
  }

  /**
   * Returns the text of the current token, which must be well-formed: the writers refuse others.
   */
  static String text(JsonParser in) {
    String text = in.getString();
    int lone = loneSurrogate(text);
    if (lone >= 0) {
      throw new InputCoercionException(
          in, "text has a lone surrogate at index " + lone, in.currentToken(), String.class);
    }
    return text;
  }

  /**
   * Refuses text that has no form in UTF-8.
   *
   * @throws IllegalArgumentException if it has a lone surrogate
   */
  static void requireWellFormed(String text) {
    int lone = loneSurrogate(text);
    if (lone >= 0) {
      throw new IllegalArgumentException("text has a lone surrogate at index " + lone);
    }
  }

  private static int loneSurrogate(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (Character.isSurrogate(text.charAt(i))) {
        if (Character.charCount(text.codePointAt(i)) == 1) {
          return i;
        }
        i++;
      }
    }
    return -1;
  }

  @SuppressWarnings("TypeParameterUnusedInFormals") // Jackson's own
  private final class ReadContext extends ObjectReadContext.Base {
    @Override
    public <T> T readValue(JsonParser in, Class<T> type) {
      return readerFor(type).readValue(in);
    }

    @Override
    public <T> T readValue(JsonParser in, TypeReference<T> type) {
      return readerFor(type.getType()).readValue(in);
    }

    @Override
    public <T> T readValue(JsonParser in, ResolvedType type) {
      return readerFor((JavaType) type).readValue(in);
    }

    @Override
    public <T extends TreeNode> T readTree(JsonParser in) {
      return readerFor(JsonNode.class).readValue(in);
    }
  }

  private final class WriteContext extends ObjectWriteContext.Base {
    @Override
    public void writeValue(JsonGenerator out, Object value) {
      writer.writeValue(out, value);
    }

    @Override
    public void writeTree(JsonGenerator out, TreeNode tree) {
      writer.writeValue(out, tree);
    }
  }
}
