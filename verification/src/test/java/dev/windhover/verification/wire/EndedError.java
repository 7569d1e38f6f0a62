package dev.windhover.verification.wire;

/** The server has ended the connection where something was due. */
public final class EndedError extends AssertionError {
  private static final long serialVersionUID = 1;

  EndedError(String due, CharSequence begun) {
    super(due + " is due and the server ended the connection: " + begun);
  }
}
