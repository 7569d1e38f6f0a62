package dev.windhover.server.exchange;

/**
 * What names a request in logs, unique within the process: its connection's number, and its own
 * among those of its connection. The text is made when it is asked for.
 */
public record RequestId(long connection, long number) {
  @Override
  public String toString() {
    return "c" + connection + "-" + number;
  }
}
