package dev.windhover.verification.fuzz;

import dev.windhover.hubs.protocol.HubMessage;
import dev.windhover.hubs.protocol.HubMessage.BindingFailure;
import dev.windhover.hubs.protocol.HubMessage.ResultBindingFailure;
import dev.windhover.hubs.protocol.HubMessage.StreamBindingFailure;
import dev.windhover.hubs.protocol.HubProtocol;
import dev.windhover.hubs.protocol.InvalidDataException;
import dev.windhover.hubs.protocol.InvocationBinder;
import dev.windhover.hubs.protocol.RecordReader;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.time.DayOfWeek;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Reads a client's bytes as a hub does, up to the end or to what is wrong. */
final class HubRun {
  static final int MAX_SIZE = 300;

  private static final InvocationBinder BINDER =
      new InvocationBinder() {
        @Override
        public @Nullable List<Type> parameterTypes(String target) {
          return switch (target) {
            case "E" -> List.of(String.class);
            case "A" -> List.of(int.class, long.class, double.class);
            case "O" -> List.of(Object.class);
            case "K" -> List.of(Kinds.class);
            case "N" -> List.of();
            default -> null;
          };
        }

        @Override
        public @Nullable Type streamItemType(String streamId) {
          return streamId.equals("1") ? int.class : streamId.equals("2") ? Kinds.class : null;
        }

        @Override
        public @Nullable Type resultType(String invocationId) {
          return invocationId.equals("1") ? Object.class : null;
        }
      };

  /** One of each kind of value. */
  @SuppressWarnings("ArrayRecordComponent") // its equals is not asked
  public record Kinds(
      @Nullable String s,
      byte b,
      char c,
      float f,
      boolean t,
      byte @Nullable [] x,
      double @Nullable [] d,
      @Nullable UUID u,
      @Nullable BigDecimal n,
      @Nullable Instant i,
      @Nullable LocalDateTime l,
      @Nullable OffsetDateTime o,
      @Nullable LocalDate y,
      @Nullable LocalTime h,
      @Nullable Duration p,
      @Nullable DayOfWeek w,
      Optional<Integer> q,
      @Nullable Map<DayOfWeek, Integer> m,
      @Nullable List<Kinds> k) {}

  private HubRun() {}

  /**
   * Returns the messages, and what is wrong with the bytes behind them.
   *
   * @throws AssertionError if more is kept than a record may have
   */
  static List<String> of(HubProtocol protocol, List<byte[]> pieces, boolean direct) {
    RecordReader records = new RecordReader(protocol.recordFormat(), MAX_SIZE);
    List<String> told = new ArrayList<>();
    try {
      for (byte[] piece : pieces) {
        ByteBuffer bytes = Input.buffer(piece, direct);
        for (ByteBuffer record = records.next(bytes);
            record != null;
            record = records.next(bytes)) {
          HubMessage message = protocol.read(record, BINDER);
          told.add(told(message));
          rewrite(protocol, message);
        }
        if (bytes.hasRemaining() || records.kept() > MAX_SIZE) {
          throw new AssertionError(bytes.remaining() + " left, " + records.kept() + " kept");
        }
      }
    } catch (InvalidDataException e) {
      told.add(e.details());
    }
    return told;
  }

  private static String told(@Nullable HubMessage message) {
    return switch (message) {
      case BindingFailure failure ->
          "cannot bind " + failure.target() + " " + failure.invocationId();
      case StreamBindingFailure failure -> "cannot bind item of " + failure.streamId();
      case ResultBindingFailure failure -> "cannot bind result of " + failure.invocationId();
      case null -> "unknown";
      default -> String.valueOf(message).replaceAll("\\[B@\\w+|\\[D@\\w+", "array");
    };
  }

  /** What can be read can be written, if only the other side could hold it; and read again. */
  private static void rewrite(HubProtocol protocol, @Nullable HubMessage message)
      throws InvalidDataException {
    if (message == null || told(message).startsWith("cannot")) {
      return;
    }
    ByteBuffer written;
    try {
      written = protocol.write(message);
    } catch (IllegalArgumentException _) {
      return;
    }
    ByteBuffer record = new RecordReader(protocol.recordFormat(), 0).next(written);
    if (record == null || written.hasRemaining()) {
      throw new AssertionError("wrote no whole record for " + message);
    }
    protocol.read(record, BINDER);
  }
}
