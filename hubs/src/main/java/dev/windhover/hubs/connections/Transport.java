package dev.windhover.hubs.connections;

/** What carries a connection at the moment. Loop of the connection only, unless it says more. */
interface Transport {
  /** Something was queued for the client: send as much as there is room for. */
  void drain();

  /** The listener has taken all that has come: more may come. */
  void readOn();

  /** Returns how many bytes wait for the client here, beside those in the queue; any thread. */
  long bufferedAmount();

  /**
   * Ends it after what was sent; any thread.
   *
   * @param how why the connection ends
   */
  void close(Closing how);

  /** Drops it, with what waits; any thread. */
  void abort();

  /** Returns whether a client is there to be told of an end. */
  boolean isAlive();

  /** Why a connection ends, as far as a transport can say that. */
  enum Closing {
    NORMAL,

    /** Something has failed. */
    FAILED,

    /** The client reads too slowly for what it is sent. */
    TOO_SLOW
  }
}
