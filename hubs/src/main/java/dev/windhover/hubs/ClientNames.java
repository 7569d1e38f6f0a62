package dev.windhover.hubs;

/**
 * How the methods of a client interface are named on the wire, unless {@link HubMethodName} says
 * it. Only JavaScript clients ignore case: .NET, Java, Swift and Python compare names exactly, and
 * ignore a call whose name they do not know.
 */
public enum ClientNames {
  /** As they are declared: {@code receiveMessage}. */
  AS_DECLARED,

  /** With a capital first: {@code ReceiveMessage}, as clients of a .NET server expect it. */
  PASCAL_CASE
}
