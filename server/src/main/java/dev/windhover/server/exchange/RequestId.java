package dev.windhover.server.exchange;

/**
 * The name of a request in logs, unique within the process: the number of its connection, and its
 * own on that connection. The text is made only when it is needed.
 */
public record RequestId(long connection, long number) {
  @Override
  public String toString() {
    return "c" + connection + "-" + number;
  }
}
