package dev.windhover.server.http2;

import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * The streams that a client has begun, as far as a frame for a stream that does not exist depends
 * on it: the client may have sent the frame before it knew that we had reset the stream, or the
 * frame is a fault (RFC 9113 5.1). Netty knows only the streams that it has opened, and not those
 * whose head was malformed or which were too many. Loop only.
 */
final class StreamHistory {
  private final Runs reset = new Runs();
  private final Runs skipped = new Runs();
  private int last = -1;
  private int lastHead;
  private int lastHeadAgain;

  /** Returns whether a client may begin a stream with this number (RFC 9113 5.1.1). */
  static boolean isClients(int stream) {
    return (stream & 1) == 1;
  }

  /** HEADERS for a stream come; those that came before may not have been handled yet. */
  void headComes(int stream) {
    if (stream > lastHead) {
      lastHead = stream;
    } else {
      lastHeadAgain = stream;
    }
  }

  /** Returns whether further HEADERS came for a stream, and none for another one since. */
  boolean hasHeadAgain(int stream) {
    return lastHeadAgain == stream;
  }

  /** HEADERS begin a stream. Lower ones that the client has not begun are closed (5.1.1). */
  void begin(int stream) {
    if (stream > last + 2) {
      skipped.add(last + 2, stream - 2);
    }
    last = Math.max(last, stream);
  }

  /**
   * A fault was found on a stream that does not exist. If it was in the HEADERS that begin the
   * stream, and not in PRIORITY before them, it begins nevertheless.
   *
   * @return whether it begins now
   */
  boolean beginWithFault(int stream) {
    boolean begins = stream > last && stream <= lastHead;
    if (begins) {
      begin(stream);
    }
    return begins;
  }

  /** Returns whether HEADERS came for this stream, or for a later one. */
  boolean mayHaveBegun(int stream) {
    return isClients(stream) && stream <= last;
  }

  /** Returns whether the client began a later stream first. Only the last gaps are remembered. */
  boolean wasSkipped(int stream) {
    return skipped.contains(stream);
  }

  /** We have reset a stream, or refused it. */
  void addReset(int stream) {
    reset.add(stream, stream);
  }

  /** Returns whether this is one of the streams that we have reset last. */
  boolean wasReset(int stream) {
    return reset.contains(stream);
  }

  /**
   * Numbers of streams. Streams that were refused follow each other, so a run of them takes no more
   * room than one.
   */
  private static final class Runs {
    /** As many as streams may be open by default: each of them may have been reset by itself. */
    private static final int MOST = 100;

    private record Run(int first, int last) {}

    private @Nullable Deque<Run> runs;

    void add(int first, int last) {
      if (runs == null) {
        runs = new ArrayDeque<>(1);
      }
      Run before = runs.peekLast();
      if (before != null && before.last + 2 == first) {
        runs.removeLast();
        runs.add(new Run(before.first, last));
        return;
      }
      if (runs.size() == MOST) {
        runs.remove();
      }
      runs.add(new Run(first, last));
    }

    boolean contains(int stream) {
      if (runs != null) {
        for (Run run : runs) {
          if (run.first <= stream && stream <= run.last) {
            return true;
          }
        }
      }
      return false;
    }
  }
}
