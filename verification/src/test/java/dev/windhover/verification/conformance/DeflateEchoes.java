package dev.windhover.verification.conformance;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.windhover.verification.conformance.Case.Script;
import dev.windhover.verification.wire.Frame;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;

/** The rows 12 and 13: many compressed messages, each of which must come back as it was. */
final class DeflateEchoes {
  /** A default offer, as browsers send it. */
  static final String DEFAULT_OFFER = "permessage-deflate; client_max_window_bits";

  private static final int ROUNDS = 1_000;
  private static final int DATA_SIZE = 2 << 20;
  private static final Map<Source, byte[]> data = new ConcurrentHashMap<>();

  /** Shorter messages a server may leave as they are. */
  private static final int WORTH_COMPRESSING = 256;

  private DeflateEchoes() {}

  static Script script(Row row) {
    int size = Integer.parseInt(row.find("of (\\d+)-char slices"));
    int fragment =
        row.says("sent in fragments")
            ? Integer.parseInt(row.find("fragments of (\\d+) compressed B"))
            : Integer.MAX_VALUE;
    boolean text = row.says("text");
    Source source = Source.of(row);
    String offer = offer(row);
    return stage -> {
      byte[] bytes = data.computeIfAbsent(source, Source::make);
      int compressed = 0;
      try (Conversation peer = stage.openDeflate("", offer)) {
        int rounds = stage.rounds(ROUNDS, size);
        for (int i = 0; i < rounds; i++) {
          byte[] message = slice(bytes, i, size);
          peer.send(fragments(text, peer.deflate().deflate(message), fragment));
          Frame came = peer.rawFrame();
          compressed += (came.first() & 0x40) != 0 ? 1 : 0;
          Frame plain = peer.plain(came);
          if (plain.first() != (text ? 0x81 : 0x82) || !Arrays.equals(plain.payload(), message)) {
            throw new AssertionError(
                "message %d of %d bytes came back as %s".formatted(i, size, plain));
          }
        }
        peer.finish();
        if (compressed == 0 && size >= WORTH_COMPRESSING && source != Source.PDF) {
          throw new AssertionError("no message came back compressed");
        }
      }
    };
  }

  private static String offer(Row row) {
    if (row.id().startsWith("12.")) {
      return DEFAULT_OFFER;
    }
    String words = row.find("offer (.*?); 1000 echoes");
    return switch (words) {
      case "no server_* parameter" -> "permessage-deflate";
      case "three offers: as 13.5, as 13.2, as 13.1" ->
          "permessage-deflate; server_no_context_takeover; server_max_window_bits=9,"
              + " permessage-deflate; server_no_context_takeover, permessage-deflate";
      default -> "permessage-deflate; " + words;
    };
  }

  /**
   * Returns the i-th slice; all data is of single bytes, and long enough to go on from its start.
   */
  private static byte[] slice(byte[] data, int i, int size) {
    int from = (int) ((long) i * size % (data.length - size));
    return Arrays.copyOfRange(data, from, from + size);
  }

  static Frame[] fragments(boolean text, byte[] payload, int size) {
    int first = text ? 0x41 : 0x42;
    if (payload.length <= size) {
      return new Frame[] {new Frame(0x80 | first, payload)};
    }
    List<Frame> frames = new ArrayList<>();
    for (int from = 0; from < payload.length; from += size) {
      int to = Math.min(payload.length, from + size);
      int fin = to == payload.length ? 0x80 : 0;
      frames.add(new Frame(fin | (from == 0 ? first : 0), Arrays.copyOfRange(payload, from, to)));
    }
    return frames.toArray(Frame[]::new);
  }

  /** What is sent: like what the tester sends, and made here. */
  private enum Source {
    JSON {
      @Override
      void write(Random random, StringBuilder out) {
        out.append(
            "{\"id\":%d,\"user\":\"u%x\",\"tags\":[%d,%d,null],\"ok\":%b},\n"
                .formatted(
                    random.nextInt(1_000_000),
                    random.nextInt(),
                    random.nextInt(10),
                    random.nextInt(100),
                    random.nextBoolean()));
      }
    },
    BITMAP {
      @Override
      void write(Random random, StringBuilder out) { // Latin 1: a grey step, and noise now and then
        out.append(String.valueOf((char) random.nextInt(256)).repeat(1 + random.nextInt(40)));
      }
    },
    PROSE {
      @Override
      void write(Random random, StringBuilder out) {
        String[] words = {
          "der", "Wind", "über", "die", "Felder", "größer", "wurde", "und", "süß", "nach", "Äpfel",
          "roch", "weil", "im", "Herbst", "niemand", "dort", "mähte", "so", "daß"
        };
        out.append(words[random.nextInt(words.length)]).append(random.nextInt(9) == 0 ? ". " : " ");
      }
    },
    HTML {
      @Override
      void write(Random random, StringBuilder out) {
        out.append(
            "<li class=\"c%d\"><a href=\"/p/%x\">entry %d</a></li>\n"
                .formatted(random.nextInt(20), random.nextInt(), random.nextInt(1_000)));
      }
    },
    PDF {
      @Override
      void write(Random random, StringBuilder out) {
        out.append("%d 0 obj\n<</Filter/FlateDecode>>stream\n".formatted(random.nextInt(1_000)));
        for (int i = 0; i < 2_000; i++) {
          out.append((char) random.nextInt(256));
        }
        out.append("\nendstream\n");
      }
    };

    static Source of(Row row) {
      return row.says("JSON")
          ? JSON
          : row.says("bitmap") ? BITMAP : row.says("prose") ? PROSE : row.says("HTML") ? HTML : PDF;
    }

    abstract void write(Random random, StringBuilder out);

    private byte[] make() {
      Random random = new Random(name().hashCode());
      StringBuilder out = new StringBuilder();
      while (out.length() < DATA_SIZE) {
        write(random, out);
      }
      return out.toString().getBytes(this == PROSE ? UTF_8 : ISO_8859_1);
    }
  }
}
