package dev.windhover.hubs;

import java.lang.reflect.Type;
import java.util.Iterator;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.Flow;
import java.util.stream.BaseStream;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/** The types that stand for a stream in the signature of a hub method, for either direction. */
enum StreamForm {
  STREAM(Stream.class, null) {
    @Override
    Object of(Upload upload) {
      return objects(upload);
    }
  },
  INT_STREAM(IntStream.class, int.class) {
    @Override
    Object of(Upload upload) {
      return objects(upload).mapToInt(item -> (int) item);
    }
  },
  LONG_STREAM(LongStream.class, long.class) {
    @Override
    Object of(Upload upload) {
      return objects(upload).mapToLong(item -> (long) item);
    }
  },
  DOUBLE_STREAM(DoubleStream.class, double.class) {
    @Override
    Object of(Upload upload) {
      return objects(upload).mapToDouble(item -> (double) item);
    }
  },
  PUBLISHER(Flow.Publisher.class, null) {
    @Override
    Object of(Upload upload) {
      return new UploadPublisher(upload);
    }
  },
  ITERABLE(Iterable.class, null) {
    @Override
    Object of(Upload upload) {
      return (Iterable<@Nullable Object>) upload::items;
    }
  },
  ITERATOR(Iterator.class, null) {
    @Override
    Object of(Upload upload) {
      return upload.items();
    }
  };

  private final Class<?> type;
  private final @Nullable Class<?> primitive;

  StreamForm(Class<?> type, @Nullable Class<?> primitive) {
    this.type = type;
    this.primitive = primitive;
  }

  /**
   * Returns the form that a declared type stands for; null for a value. Only these types themselves
   * do: a list is an {@code Iterable} too, but a value.
   */
  static @Nullable StreamForm of(Class<?> declared) {
    for (StreamForm form : values()) {
      if (form.type.equals(declared)) {
        return form;
      }
    }
    return null;
  }

  /** Returns the type of the items of a stream that is declared as {@code declared}. */
  Type itemType(Type declared) {
    return primitive != null ? primitive : GenericTypes.onlyArgument(declared);
  }

  /** Returns what a client uploads, in this form. */
  abstract Object of(Upload upload);

  /**
   * Returns the items of a stream in any of the forms. They are taken by one thread, which may have
   * to wait for them.
   */
  static Items itemsOf(Object stream) {
    return switch (stream) {
      case BaseStream<?, ?> any -> new Items(any.iterator(), any::close);
      case Flow.Publisher<?> publisher -> PublishedItems.of(publisher);
      case Iterator<?> iterator -> new Items(iterator, closerOf(iterator));
      case Iterable<?> iterable -> new Items(iterable.iterator(), closerOf(iterable));
      default -> throw new IllegalArgumentException(stream.getClass() + " is no stream");
    };
  }

  private static Closer closerOf(Object stream) {
    return stream instanceof AutoCloseable closeable ? closeable::close : () -> {};
  }

  /**
   * What a stream gives.
   *
   * @param closer closes it, on the thread that takes the items
   * @param onCancel wakes that thread, from any other, if it can be woken
   */
  record Items(Iterator<?> iterator, Closer closer, Runnable onCancel) {
    Items(Iterator<?> iterator, Closer closer) {
      this(iterator, closer, () -> {});
    }
  }

  /** Closes a stream, however it ends. */
  @FunctionalInterface
  interface Closer {
    void close() throws Exception;
  }

  private static Stream<@Nullable Object> objects(Upload upload) {
    Spliterator<@Nullable Object> items =
        Spliterators.<@Nullable Object>spliteratorUnknownSize(upload.items(), Spliterator.ORDERED);
    return StreamSupport.<@Nullable Object>stream(items, false).onClose(upload::close);
  }
}
